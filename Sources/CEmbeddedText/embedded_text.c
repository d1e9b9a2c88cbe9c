#include "embedded_text.h"

static const unsigned char pairs[] = {
#embed "demo.en-fr.tsv"
};

static const unsigned char prose[] = {
#embed "botchan.txt"
};

const unsigned char *dtrain_demo_en_fr(void) { return pairs; }
size_t dtrain_demo_en_fr_size(void) { return sizeof pairs; }

const unsigned char *dtrain_botchan(void) { return prose; }
size_t dtrain_botchan_size(void) { return sizeof prose; }
