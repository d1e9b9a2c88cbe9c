#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t low, high;
} dtrain_hash128;

/// XXH3-128, seed 0.
dtrain_hash128 dtrain_xxh3_128(const void *bytes, size_t count);

/// XXH3-64.
uint64_t dtrain_xxh3_64(const void *bytes, size_t count, uint64_t seed);
