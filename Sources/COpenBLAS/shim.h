#include <cblas.h>

#if defined(__x86_64__)
/* 1 when the processor and the system can run AVX2 and FMA instructions. */
static inline int dtrain_has_avx2_and_fma(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
static inline int dtrain_has_avx2_and_fma(void) { return 1; }
#endif
