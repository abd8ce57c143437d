/* Links the model of several_tensors.sh: two inputs, a third of whole numbers, two outputs, two
 * labels. Says "ok" and returns 0, or says what is wrong. */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 3

static int wrong(const char *what) {
  printf("%s: %s\n", what, pair_last_error());
  return 1;
}

static int check(pair_context *context) {
  static const float image[SAMPLES * PAIR_INPUT_IMAGE_ELEMENTS] = {1, -2, 3, -4, 0, 0,
                                                                   0, 0,  5, 6,  7, 8};
  static const float shift[PAIR_INPUT_SHIFT_ELEMENTS] = {0.5f, 0.5f, 0.5f, 0.5f};
  static const int32_t ids[SAMPLES] = {2, 0, 1};
  static const float expected[SAMPLES * PAIR_OUTPUT_SUM_ELEMENTS] = {
      1.5f, 0, 3.5f, 0, 0.5f, 0.5f, 0.5f, 0.5f, 5.5f, 6.5f, 7.5f, 8.5f};
  static const float one_hot[SAMPLES * PAIR_OUTPUT_HOT_ELEMENTS] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
  static const float zero[SAMPLES * PAIR_LABEL_SUM_ELEMENTS] = {0};
  float sum[SAMPLES * PAIR_OUTPUT_SUM_ELEMENTS], hot[SAMPLES * PAIR_OUTPUT_HOT_ELEMENTS];
  float before[PAIR_METRICS], after[PAIR_METRICS];
  if (pair_infer(context, image, shift, ids, SAMPLES, sum, hot) != PAIR_OK)
    return wrong("infer");
  if (memcmp(sum, expected, sizeof sum) != 0 || memcmp(hot, one_hot, sizeof hot) != 0)
    return wrong("other values");
  if (pair_eval_step(context, image, shift, ids, zero, one_hot, SAMPLES, before) != PAIR_OK)
    return wrong("eval_step");
  if (before[0] != before[1] + before[2] || before[1] <= 0 || before[2] != 0)
    return wrong("losses");
  if (pair_train_step(context, image, shift, ids, zero, one_hot, SAMPLES, before) != PAIR_OK ||
      pair_train_step(context, image, shift, ids, zero, one_hot, SAMPLES, after) != PAIR_OK)
    return wrong("train_step");
  if (!(after[0] < before[0]))
    return wrong("the loss does not fall");
  if (pair_infer(context, image, NULL, ids, SAMPLES, sum, hot) != PAIR_ERROR_INPUT ||
      strcmp(pair_last_error(), "x_shift is a null pointer") != 0)
    return wrong("a null pointer");
  return 0;
}

int main(void) {
  void *memory = NULL;
  pair_context *context = NULL;
  size_t bytes = pair_context_bytes(SAMPLES, PAIR_TRAIN);
  char *raw = (char *)malloc(bytes + PAIR_ALIGNMENT);
  int failed;
  memory = raw + (PAIR_ALIGNMENT - (size_t)raw % PAIR_ALIGNMENT);
  if (pair_create(memory, bytes, SAMPLES, PAIR_TRAIN, 1, 0, &context) != PAIR_OK)
    return wrong("create");
  failed = check(context);
  if (PAIR_INPUTS != 3 || PAIR_OUTPUTS != 2 || PAIR_LABELS != 2)
    failed = wrong("counts");
  pair_destroy(context);
  free(raw);
  if (!failed)
    puts("ok");
  return failed;
}
