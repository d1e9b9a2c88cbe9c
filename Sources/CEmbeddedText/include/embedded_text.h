#pragma once
#include <stddef.h>

/// The embedded English-French pairs (UTF-8, one tab-separated pair a line), not NUL-terminated.
const unsigned char *_Nonnull dtrain_demo_en_fr(void);
size_t dtrain_demo_en_fr_size(void);

/// The embedded English prose (UTF-8), not NUL-terminated.
const unsigned char *_Nonnull dtrain_botchan(void);
size_t dtrain_botchan_size(void);
