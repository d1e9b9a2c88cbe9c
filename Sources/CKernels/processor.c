#include "kernels.h"

#if defined(__x86_64__)

int dtrain_has_floor(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

int dtrain_has_avx512(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

#else

int dtrain_has_floor(void) { return 1; }
int dtrain_has_avx512(void) { return 0; }

#endif
