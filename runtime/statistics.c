#include "runtime/statistics.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void sinter_sort(double *values, size_t count) { qsort(values, count, sizeof *values, ascending); }

double sinter_quantile(const double *sorted, size_t count, double fraction) {
  if (count == 0)
    return 0.0;
  const double position = fraction * (double)(count - 1);
  const size_t below = (size_t)position;
  if (below + 1 >= count)
    return sorted[count - 1];
  return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

double sinter_median_deviation(double *sorted, size_t count) {
  const double median = sinter_quantile(sorted, count, 0.5);
  for (size_t i = 0; i < count; ++i)
    sorted[i] = fabs(sorted[i] - median);
  sinter_sort(sorted, count);
  return sinter_quantile(sorted, count, 0.5);
}
