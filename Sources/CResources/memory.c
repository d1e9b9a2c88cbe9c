// Memory that is refused ends the process with a sentence. Swift's runtime would trap without a word
// and libzmq abort; neither asks anybody. These definitions take the place of glibc's, for the
// libraries too; a program may put its own in their place. A sanitizer has a malloc of its own.
#include "resources.h"
#include <errno.h>
#include <stddef.h>

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

#define REPLACEABLE __attribute__((weak))
#define LIKELY(condition) __builtin_expect(condition, 1)

REPLACEABLE void *malloc(size_t size) {
    void *memory = __libc_malloc(size);
    if (LIKELY(memory != NULL)) return memory;
    dtrain_end_without_memory(size);
}

REPLACEABLE void *calloc(size_t number, size_t size) {
    void *memory = __libc_calloc(number, size);
    if (LIKELY(memory != NULL)) return memory;
    dtrain_end_without_memory(number * size);
}

REPLACEABLE void *realloc(void *memory, size_t size) {
    void *moved = __libc_realloc(memory, size);
    // Of no bytes there may be none.
    if (LIKELY(moved != NULL || size == 0)) return moved;
    dtrain_end_without_memory(size);
}

REPLACEABLE void *aligned_alloc(size_t alignment, size_t size) {
    void *memory = __libc_memalign(alignment, size);
    if (LIKELY(memory != NULL)) return memory;
    dtrain_end_without_memory(size);
}

REPLACEABLE int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = __libc_memalign(alignment, size);
    if (LIKELY(*memory != NULL)) return 0;
    dtrain_end_without_memory(size);
}

#endif
