/* Elementary functions at 113 bits, by GCC's libquadmath. */
#include "reference.h"
#include <quadmath.h>

static __float128 value(int function, __float128 x) {
    switch (function) {
    case exponential: return expq(x);
    case logarithm: return logq(x);
    case sigmoid: return 1 / (1 + expq(-x));
    case tangent: return tanhq(x);
    default: return erfq(x);
    }
}

double dtrain_difference(int function, double x, double from) {
    return (double)((__float128)from - value(function, x));
}
