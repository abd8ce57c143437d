/* What a program will need of memory, told before it runs. */
#pragma once

#include "runtime/sinter_runtime.h"

#include <stdint.h>

/* In bytes, for a batch. Not in it: the data set, what kernels ask for while they run, the code. */
typedef struct sinter_memory {
  int64_t weights;   /* with what is prepared from them */
  int64_t optimizer; /* training's state */
  int64_t arena;     /* activations and gradients */
  int64_t buffers;   /* the batch itself: inputs, and labels or outputs */
  int64_t copies;    /* of parameters that training keeps: the best epoch's, and to replay steps */
  int64_t total;
} sinter_memory;

/* Total 0: it cannot be addressed. */
sinter_memory sinter_measure_memory(const sinter_model *model, int32_t batch, int32_t phase);

/* What this machine, or the group that limits this process, has left; INT64_MAX: not told. The
 * files are looked for below `root`, "" outside of tests. */
int64_t sinter_available_memory(const char *root);

/* SINTER_ERROR_MEMORY, with both numbers, when a batch needs more than is available. */
int sinter_check_memory(const sinter_model *model, int32_t batch, int32_t phase, const char *root);
