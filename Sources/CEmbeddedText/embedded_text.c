#include "embedded_text.h"

static const unsigned char pairs[] = {
#embed "demo.en-fr.tsv"
};

const unsigned char *dtrain_demo_en_fr(void) { return pairs; }
size_t dtrain_demo_en_fr_size(void) { return sizeof pairs; }
