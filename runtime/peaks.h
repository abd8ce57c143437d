/* What this machine can do at most, measured: the yardstick of bench. */
#pragma once

#include "runtime/sinter_runtime.h"

typedef struct sinter_peaks {
  double gflops; /* float32 multiply-adds in registers, two operations each */
  double gbps;   /* a[i] = b[i] + s * c[i] over arrays larger than the caches: STREAM's triad */
} sinter_peaks;

/* With the context's threads and its variant's vector width. */
sinter_peaks sinter_measure_peaks(const sinter_context *context);
