/* Order statistics of timings. */
#pragma once

#include <stddef.h>

/* Sorts `values` in place. */
void sinter_sort(double *values, size_t count);
/* The value below which `fraction` of the sorted values lie, interpolated; 0 of none. */
double sinter_quantile(const double *sorted, size_t count, double fraction);
/* The median of the absolute deviations from the median (MAD), which a few outliers do not move.
 * Leaves the deviations, sorted, in `sorted`. */
double sinter_median_deviation(double *sorted, size_t count);
