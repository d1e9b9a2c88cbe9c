#pragma once
#include <stddef.h>

/// The page's HTML (UTF-8), not NUL-terminated. `/*css*/` and `/*script*/` stand where the other two go.
const unsigned char *_Nonnull dtrain_page_html(void);
size_t dtrain_page_html_size(void);

/// The page's style sheet (UTF-8), not NUL-terminated.
const unsigned char *_Nonnull dtrain_page_css(void);
size_t dtrain_page_css_size(void);

/// The page's script (UTF-8), not NUL-terminated.
const unsigned char *_Nonnull dtrain_page_script(void);
size_t dtrain_page_script_size(void);
