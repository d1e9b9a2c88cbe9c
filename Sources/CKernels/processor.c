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

/* MXCSR: flush to zero, rounding control, denormals are zeros. */
uint64_t dtrain_float_mode(void) { return __builtin_ia32_stmxcsr() & 0xE040; }

#elif defined(__aarch64__)

int dtrain_has_floor(void) { return 1; }
int dtrain_has_avx512(void) { return 0; }

/* FPCR: flush to zero, rounding mode, flush inputs or halves to zero, alternate handling. */
uint64_t dtrain_float_mode(void) {
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return control & 0x01C80007;
}

#else

int dtrain_has_floor(void) { return 1; }
int dtrain_has_avx512(void) { return 0; }
uint64_t dtrain_float_mode(void) { return 0; }

#endif
