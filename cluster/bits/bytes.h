#pragma once
#include <stdio.h>
#include <stdlib.h>

/* Standard input and output of the driver. Reading returns how many bytes there were. */
static inline long dtrain_read(void *_Nonnull bytes, long count) {
    return (long)fread(bytes, 1, (size_t)count, stdin);
}
static inline void dtrain_write(const void *_Nonnull bytes, long count) {
    if (fwrite(bytes, 1, (size_t)count, stdout) != (size_t)count) abort();
}
