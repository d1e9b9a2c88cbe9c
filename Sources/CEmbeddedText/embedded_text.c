#include "embedded_text.h"

const unsigned char dtrain_demo_en_fr[] = {
#embed "demo.en-fr.tsv"
};
const size_t dtrain_demo_en_fr_size = sizeof dtrain_demo_en_fr;
