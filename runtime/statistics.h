/* Order statistics of timings. */
#pragma once

#include <stddef.h>

/* Sorts `values` in place. */
void sinter_sort(double *values, size_t count);
/* The value below which `fraction` of the sorted values lie, interpolated; 0 of none. */
double sinter_quantile(const double *sorted, size_t count, double fraction);
