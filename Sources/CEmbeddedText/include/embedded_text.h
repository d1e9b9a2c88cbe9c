#pragma once
#include <stddef.h>

/// The embedded English-French pairs (UTF-8, one tab-separated pair a line), not NUL-terminated.
extern const unsigned char dtrain_demo_en_fr[];
extern const size_t dtrain_demo_en_fr_size;
