/* A finished measurement, and its three printed forms. */
#pragma once

#include "runtime/peaks.h"

#include <jansson.h>
#include <stddef.h>

typedef struct sinter_kernel_time {
  const sinter_kernel *kernel;
  double median_seconds, minimum_seconds, deviation_seconds;
  double before_seconds; /* the median of the earlier measurement; 0: it has no such kernel */
  double flops, bytes;   /* of one run */
} sinter_kernel_time;

typedef struct sinter_measurement {
  const sinter_model *model;
  const char *variant, *mode; /* "inference", "training" */
  int32_t threads, batch, kernel_count;
  size_t runs;
  double median, minimum, deviation, p90, p99; /* seconds of a whole step */
  int64_t peak_bytes;                          /* resident at most, with the weights */
  sinter_peaks peaks;
  sinter_kernel_time *kernels;
  const json_t *earlier; /* what --compare names, NULL: nothing */
} sinter_measurement;

/* Reads what an earlier `bench --json` printed; *earlier is the caller's to release. */
int sinter_read_earlier(const char *path, json_t **earlier);
/* Fills in before_seconds, and notes on standard error what else differs. */
void sinter_match_earlier(sinter_measurement *measurement, const char *path);
/* Seconds of the earlier measurement's whole step. */
double sinter_earlier_median(const json_t *earlier);

void sinter_print_measurement_text(const sinter_measurement *measurement);
void sinter_print_measurement_csv(const sinter_measurement *measurement);
void sinter_print_measurement_json(const sinter_measurement *measurement);
