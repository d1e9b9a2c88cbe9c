/* What the numeric modules use of the C library, for a compiler that has no Swift module of it. */
#pragma once
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

/* A cast that Swift cannot read. */
#undef MAP_FAILED
static void *_Nullable const MAP_FAILED = (void *)-1;
