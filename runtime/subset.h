/* Which samples of a source a part of the script's data holds, and in which order. */
#pragma once

#include "runtime/sinter_runtime.h"

typedef struct sinter_indices {
  int32_t *values; /* malloc'ed */
  int32_t count;
} sinter_indices;

/* Runs the steps over the samples 0..n-1; `seed` serves splits without a random_state of their own.
 * An empty result is an error. */
int sinter_subset_indices(const sinter_subset *subset, int64_t n, uint64_t seed,
                          sinter_indices *out);
void sinter_indices_release(sinter_indices *indices);

/* `order` gets the indices shuffled by (seed, epoch) alone: Fisher and Yates, Philox. */
void sinter_shuffle(const sinter_indices *indices, uint64_t seed, int32_t epoch, int32_t *order);
