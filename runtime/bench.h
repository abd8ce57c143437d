/* A finished measurement, and its three printed forms. */
#pragma once

#include "runtime/peaks.h"

#include <stddef.h>

typedef struct sinter_kernel_time {
  const sinter_kernel *kernel;
  double median_seconds, minimum_seconds;
  double flops, bytes; /* of one run */
} sinter_kernel_time;

typedef struct sinter_measurement {
  const sinter_model *model;
  const char *variant, *mode; /* "inference", "training" */
  int32_t threads, batch, kernel_count;
  size_t runs;
  double median, minimum, p90, p99; /* seconds of a whole step */
  sinter_peaks peaks;
  sinter_kernel_time *kernels;
} sinter_measurement;

void sinter_print_measurement_text(const sinter_measurement *measurement);
void sinter_print_measurement_csv(const sinter_measurement *measurement);
void sinter_print_measurement_json(const sinter_measurement *measurement);
