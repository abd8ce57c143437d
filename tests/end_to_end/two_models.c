/* A user's program: two generated libraries at once, each in a thread of its own with contexts of
 * its own. Compiled as C99 and as C++. Says "ok" and returns 0, or says what is wrong. */
#include "first.h"
#include "second.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 8
#define STEPS 40

static float noise(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return (float)(*state >> 8) / 16777216.0f;
}

static int wrong(const char *model, const char *what, const char *error) {
  printf("%s: %s: %s\n", model, what, error);
  return 1;
}

/* Trains on SAMPLES samples with `threads` threads and leaves the predictions in y. */
#define DEFINE_TRAIN(p, P, LABEL)                                                                  \
  static int p##_train(int threads, float *y) {                                                    \
    static const int mode = P##_TRAIN;                                                             \
    float *x = (float *)malloc(sizeof(float) * SAMPLES * P##_INPUT_ELEMENTS);                      \
    LABEL labels[SAMPLES * P##_LABEL_ELEMENTS];                                                    \
    float metrics[P##_METRICS], first_loss = 0.0f;                                                 \
    size_t bytes = p##_context_bytes(SAMPLES, mode);                                               \
    void *raw = malloc(bytes + P##_ALIGNMENT);                                                     \
    char *memory = (char *)raw + (P##_ALIGNMENT - (size_t)raw % P##_ALIGNMENT);                    \
    p##_context *context = NULL;                                                                   \
    unsigned state = 1;                                                                            \
    int i, failed = 0;                                                                             \
    for (i = 0; i < SAMPLES * P##_INPUT_ELEMENTS; ++i)                                             \
      x[i] = noise(&state);                                                                        \
    for (i = 0; i < SAMPLES; ++i)                                                                  \
      labels[i] = (LABEL)(i % 2);                                                                  \
    if (bytes == 0 || bytes > P##_TRAIN_BYTES(SAMPLES))                                            \
      failed = wrong(#p, "context_bytes", "more than the macro says");                             \
    if (p##_create(memory, bytes, SAMPLES, mode, threads, 7, &context) != P##_OK)                  \
      failed = wrong(#p, "create", p##_last_error());                                              \
    for (i = 0; i < STEPS && !failed; ++i) {                                                       \
      if (p##_train_step(context, x, labels, SAMPLES, metrics) != P##_OK)                          \
        failed = wrong(#p, "train_step", p##_last_error());                                        \
      if (i == 0)                                                                                  \
        first_loss = metrics[0];                                                                   \
    }                                                                                              \
    if (!failed && p##_eval_step(context, x, labels, SAMPLES, metrics) != P##_OK)                  \
      failed = wrong(#p, "eval_step", p##_last_error());                                           \
    if (!failed && !(metrics[0] < first_loss))                                                     \
      failed = wrong(#p, "the loss does not fall", "");                                            \
    if (!failed && p##_infer(context, x, SAMPLES, y) != P##_OK)                                    \
      failed = wrong(#p, "infer", p##_last_error());                                               \
    p##_destroy(context);                                                                          \
    free(raw);                                                                                     \
    free(x);                                                                                       \
    return failed;                                                                                 \
  }                                                                                                \
                                                                                                   \
  static void *p##_run(void *unused) {                                                             \
    static float y[3][SAMPLES * P##_OUTPUT_ELEMENTS];                                              \
    int threads;                                                                                   \
    (void)unused;                                                                                  \
    for (threads = 1; threads <= 3; ++threads) {                                                   \
      if (p##_train(threads, y[threads - 1]))                                                      \
        return y;                                                                                  \
      if (memcmp(y[0], y[threads - 1], sizeof y[0]) != 0) {                                        \
        wrong(#p, "other bits with more threads", "");                                             \
        return y;                                                                                  \
      }                                                                                            \
    }                                                                                              \
    return NULL;                                                                                   \
  }

DEFINE_TRAIN(first, FIRST, int32_t)
DEFINE_TRAIN(second, SECOND, float)

/* What a caller may do wrong: a status and a text each time. */
static int misuse(void) {
  static float x[FIRST_INPUT_ELEMENTS], y[FIRST_OUTPUT_ELEMENTS];
  size_t bytes = first_context_bytes(1, FIRST_TRAIN);
  void *raw = malloc(bytes + FIRST_ALIGNMENT);
  char *memory = (char *)raw + (FIRST_ALIGNMENT - (size_t)raw % FIRST_ALIGNMENT);
  int32_t bad_label = 10;
  first_context *context = NULL;
  int failed = 0;
#define EXPECT(status, call)                                                                       \
  if ((call) != (status) || strlen(first_last_error()) == 0)                                       \
  failed = wrong("misuse", #call, first_last_error())
  EXPECT(FIRST_ERROR_INPUT, first_create(NULL, bytes, 1, FIRST_TRAIN, 1, 0, &context));
  EXPECT(FIRST_ERROR_MEMORY, first_create(memory, bytes - 64, 1, FIRST_TRAIN, 1, 0, &context));
  EXPECT(FIRST_ERROR_INPUT, first_create(memory + 4, bytes, 1, FIRST_TRAIN, 1, 0, &context));
  EXPECT(FIRST_ERROR_INPUT, first_create(memory, bytes, 0, FIRST_TRAIN, 1, 0, &context));
  EXPECT(FIRST_ERROR_INPUT, first_create(memory, bytes, 1, 3, 1, 0, &context));
  EXPECT(FIRST_ERROR_INPUT, first_infer(NULL, x, 1, y));
  EXPECT(FIRST_ERROR_INPUT, first_initialize(NULL, 1));
  EXPECT(FIRST_ERROR_INPUT, first_set_learning_rate(NULL, 0.1f));
  if (first_create(memory, bytes, 1, FIRST_TRAIN, 1, 0, &context) != FIRST_OK)
    failed = wrong("misuse", "create", first_last_error());
  EXPECT(FIRST_ERROR_INPUT, first_infer(context, NULL, 1, y));
  EXPECT(FIRST_ERROR_INPUT, first_infer(context, x, 1, NULL));
  EXPECT(FIRST_ERROR_INPUT, first_infer(context, x, 0, y));
  EXPECT(FIRST_ERROR_INPUT, first_infer(context, x, 2, y));
  EXPECT(FIRST_ERROR_INPUT, first_train_step(context, x, NULL, 1, NULL));
  EXPECT(FIRST_ERROR_INPUT, first_train_step(context, x, &bad_label, 1, NULL));
  EXPECT(FIRST_ERROR_INPUT, first_set_learning_rate(context, -1.0f));
  EXPECT(FIRST_ERROR_INPUT, first_set_threads(context, -1));
  EXPECT(FIRST_ERROR_IO, first_save(context, "/nowhere/weights.safetensors"));
  EXPECT(FIRST_ERROR_IO, first_load(context, "/nowhere/weights.safetensors"));
  first_destroy(context);
  first_destroy(NULL);
  free(raw);
  return failed;
}

/* Weights go to a file and back; initialize starts anew. */
static int files(const char *path) {
  static float x[FIRST_INPUT_ELEMENTS], y[3][FIRST_OUTPUT_ELEMENTS];
  size_t bytes = first_context_bytes(1, FIRST_INFER);
  void *raw = malloc(bytes + FIRST_ALIGNMENT);
  char *memory = (char *)raw + (FIRST_ALIGNMENT - (size_t)raw % FIRST_ALIGNMENT);
  first_context *context = NULL;
  unsigned state = 3;
  int i, failed = 0;
  for (i = 0; i < FIRST_INPUT_ELEMENTS; ++i)
    x[i] = noise(&state);
  if (first_create(memory, bytes, 1, FIRST_INFER, 1, 5, &context) != FIRST_OK ||
      first_infer(context, x, 1, y[0]) != FIRST_OK || first_save(context, path) != FIRST_OK ||
      first_initialize(context, 6) != FIRST_OK || first_infer(context, x, 1, y[1]) != FIRST_OK ||
      first_load(context, path) != FIRST_OK || first_infer(context, x, 1, y[2]) != FIRST_OK)
    failed = wrong("files", "status", first_last_error());
  if (memcmp(y[0], y[1], sizeof y[0]) == 0)
    failed = wrong("files", "another seed gives the same weights", "");
  if (memcmp(y[0], y[2], sizeof y[0]) != 0)
    failed = wrong("files", "loaded weights differ from the saved ones", "");
  printf("variant %s\n", first_variant(context));
  first_destroy(context);
  free(raw);
  return failed;
}

int main(int argc, char **argv) {
  pthread_t threads[2];
  void *results[2] = {NULL, NULL};
  int failed;
  if (argc != 2)
    return 2;
  failed = misuse() | files(argv[1]);
  pthread_create(&threads[0], NULL, first_run, NULL);
  pthread_create(&threads[1], NULL, second_run, NULL);
  pthread_join(threads[0], &results[0]);
  pthread_join(threads[1], &results[1]);
  if (failed || results[0] || results[1])
    return 1;
  puts(strstr(first_describe(), "\"prefix\":\"first\"") ? "ok" : "describe");
  return 0;
}
