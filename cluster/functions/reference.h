#pragma once
#include <math.h>

enum reference_function { exponential, logarithm, sigmoid, tangent, error_function };

/* from − f(x), rounded once. */
double dtrain_difference(int function, double x, double from);
