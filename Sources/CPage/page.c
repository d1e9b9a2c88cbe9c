#include "page.h"

static const unsigned char html[] = {
#embed "page.html"
};

static const unsigned char css[] = {
#embed "page.css"
};

static const unsigned char script[] = {
#embed "page.js"
};

const unsigned char *dtrain_page_html(void) { return html; }
size_t dtrain_page_html_size(void) { return sizeof html; }

const unsigned char *dtrain_page_css(void) { return css; }
size_t dtrain_page_css_size(void) { return sizeof css; }

const unsigned char *dtrain_page_script(void) { return script; }
size_t dtrain_page_script_size(void) { return sizeof script; }
