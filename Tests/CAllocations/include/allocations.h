#pragma once
#include <stdbool.h>
#include <stdint.h>

/// How often the calling thread has asked for memory since it began.
uint64_t dtrain_allocations(void);

/// Whether it is counted.
bool dtrain_counts_allocations(void);
