/* What sinter_profile_end does beside timing: the search for the kernel that first made a NaN. */
#pragma once

#include "runtime/sinter_runtime.h"

typedef struct sinter_watch {
  int32_t phase, batch; /* of the step that runs */
  int32_t kernel;       /* the first with a non-finite output, -1 while there is none */
  int64_t element;      /* its position in that output's storage */
  float value;          /* NaN or an infinity */
} sinter_watch;

double sinter_seconds(void); /* monotonic */
