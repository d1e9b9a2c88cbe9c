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

/* Hints that a line of memory will be read (or written) soon; never faults. */
static inline void dtrain_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }
static inline void dtrain_prefetch_to_write(const void *address) {
    __builtin_prefetch(address, 1, 3);
}
