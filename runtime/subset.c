#include "runtime/subset.h"

#include "runtime/mt19937.h"
#include "runtime/philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Python's rule for a slice bound of a sequence of n. */
static int64_t clamp_bound(int64_t bound, int64_t n) {
  if (bound < 0)
    bound += n;
  return bound < 0 ? 0 : bound > n ? n : bound;
}

static void keep_range(sinter_indices *indices, int64_t start, int64_t stop) {
  const int64_t count = stop > start ? stop - start : 0;
  memmove(indices->values, indices->values + start, (size_t)count * sizeof *indices->values);
  indices->count = (int32_t)count;
}

/* scikit-learn's _validate_shuffle_split and ShuffleSplit: the test part has ceil(test_size * n)
 * samples and comes first in the permutation; without shuffling it comes last. */
static int split(sinter_indices *indices, const sinter_subset_step *step, uint64_t seed) {
  const int32_t n = indices->count;
  const double wanted = step->test_size < 1.0 ? ceil(step->test_size * n) : step->test_size;
  if (!(wanted >= 1.0) || !(wanted < n))
    return sinter_fail(SINTER_ERROR_INPUT,
                       "train_test_split(test_size=%g) of %d samples leaves one part empty",
                       step->test_size, n);
  const int32_t test_count = (int32_t)wanted;
  const int test_part = step->op == SINTER_SUBSET_SPLIT_TEST;
  if (!step->shuffle) {
    keep_range(indices, test_part ? n - test_count : 0, test_part ? n : n - test_count);
    return SINTER_OK;
  }
  int32_t *order = malloc((size_t)n * sizeof *order);
  if (!order)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the split of %d samples", n);
  sinter_numpy_permutation(
      (uint32_t)(step->random_state >= 0 ? (uint64_t)step->random_state : seed), n, order);
  for (int32_t i = 0; i < n; ++i)
    order[i] = indices->values[order[i]];
  free(indices->values);
  indices->values = order;
  keep_range(indices, test_part ? 0 : test_count, test_part ? test_count : n);
  return SINTER_OK;
}

static int apply_step(sinter_indices *indices, const sinter_subset_step *step, uint64_t seed) {
  const int32_t n = indices->count;
  /* Keras: split_at = int(floor(n * (1 - validation_split))) */
  const int64_t head = clamp_bound((int64_t)floor(n * (1.0 - step->test_size)), n);
  switch ((sinter_subset_op)step->op) {
  case SINTER_SUBSET_SLICE:
    keep_range(indices, clamp_bound(step->start, n), clamp_bound(step->stop, n));
    return SINTER_OK;
  case SINTER_SUBSET_HEAD_FRACTION:
    keep_range(indices, 0, head);
    return SINTER_OK;
  case SINTER_SUBSET_TAIL_FRACTION:
    keep_range(indices, head, n);
    return SINTER_OK;
  case SINTER_SUBSET_SPLIT_TRAIN:
  case SINTER_SUBSET_SPLIT_TEST:
    return split(indices, step, seed);
  }
  return sinter_fail(SINTER_ERROR_INTERNAL, "unknown data step %d", step->op);
}

int sinter_subset_indices(const sinter_subset *subset, int64_t n, uint64_t seed,
                          sinter_indices *out) {
  *out = (sinter_indices){.count = 0};
  if (n > INT32_MAX)
    return sinter_fail(SINTER_ERROR_INPUT, "%lld samples are more than can be indexed",
                       (long long)n);
  out->values = malloc((size_t)(n + 1) * sizeof *out->values);
  if (!out->values)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for %lld samples", (long long)n);
  out->count = (int32_t)n;
  for (int32_t i = 0; i < out->count; ++i)
    out->values[i] = i;
  int status = SINTER_OK;
  for (int32_t s = 0; s < subset->step_count && status == SINTER_OK; ++s)
    status = apply_step(out, &subset->steps[s], seed);
  if (status == SINTER_OK && out->count == 0)
    status =
        sinter_fail(SINTER_ERROR_INPUT, "no samples are left of the data's %lld", (long long)n);
  if (status != SINTER_OK)
    sinter_indices_release(out);
  return status;
}

void sinter_indices_release(sinter_indices *indices) {
  free(indices->values);
  *indices = (sinter_indices){.count = 0};
}

/* Scaling 32 random bits to [0, i] is biased by less than i / 2^32, which no training notices. */
void sinter_shuffle(const sinter_indices *indices, uint64_t seed, int32_t epoch, int32_t *order) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  memcpy(order, indices->values, (size_t)indices->count * sizeof *order);
  for (int32_t i = indices->count - 1; i > 0; --i) {
    const uint32_t counter[4] = {(uint32_t)i, 0, (uint32_t)epoch, SINTER_STREAM_SHUFFLE};
    uint32_t words[4];
    sinter_philox(counter, key, words);
    const uint32_t j = (uint32_t)((uint64_t)words[0] * ((uint32_t)i + 1) >> 32);
    const int32_t moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
}
