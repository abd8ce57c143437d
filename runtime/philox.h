/* Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3" (SC'11). A draw is a pure function of its counter and key, so
 * results depend neither on threads nor on the order of evaluation.
 */
#pragma once

#include <stdint.h>

/* The last counter word keeps the program's uses of one seed apart. */
typedef enum sinter_stream {
  SINTER_STREAM_DROPOUT = 0, /* drawn by the kernels themselves */
  SINTER_STREAM_INITIALIZE = 1,
  SINTER_STREAM_SHUFFLE = 2,
  SINTER_STREAM_INPUT = 3
} sinter_stream;

void sinter_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The float in [0, 1) made of a word's top 24 bits: every value is exact. */
static inline float sinter_unit_float(uint32_t word) {
  return (float)(word >> 8) * (1.0f / 16777216.0f);
}
