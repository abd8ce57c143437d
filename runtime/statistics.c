#include "runtime/statistics.h"

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
