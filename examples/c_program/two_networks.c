/* Trains two networks at once, each in a thread and a context of its own, on bars drawn at random
 * places: class k is a bright column near 2 + 2.5 k. Built by the Makefile beside it, as strict
 * C99. */
#define _POSIX_C_SOURCE 200112L

#include "fashion.h"
#include "lenet.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, STEPS = 60, SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };

typedef struct batch {
  float x[BATCH * PIXELS];
  int32_t labels[BATCH];
} batch;

/* One thread's task: what it works on and what came of it. */
typedef struct job {
  uint32_t random;
  batch batch;
  float y[BATCH * CLASSES];
  float first_loss, last_loss, accuracy;
  int status;
  char error[256]; /* last_error is the thread's own: gone with it */
} job;

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 16;
}

static void draw_batch(job *j) {
  memset(j->batch.x, 0, sizeof j->batch.x);
  for (int sample = 0; sample < BATCH; ++sample) {
    const int label = (int)(next_random(&j->random) % CLASSES);
    const int column = 2 + label * 5 / 2 + (int)(next_random(&j->random) % 2);
    j->batch.labels[sample] = label;
    for (int row = 0; row < SIDE; ++row)
      j->batch.x[sample * PIXELS + row * SIDE + column] = 1.0f;
  }
}

static float share_right(const job *j) {
  int right = 0;
  for (int sample = 0; sample < BATCH; ++sample) {
    const float *y = j->y + sample * CLASSES;
    int best = 0;
    for (int label = 1; label < CLASSES; ++label)
      if (y[label] > y[best])
        best = label;
    right += best == j->batch.labels[sample];
  }
  return (float)right / BATCH;
}

/* The libraries have the same functions under their own prefixes: run_fashion, run_lenet. */
#define DEFINE_RUN(name, NAME)                                                                     \
  static void *run_##name(void *argument) {                                                        \
    job *j = argument;                                                                             \
    const size_t bytes = name##_context_bytes(BATCH, NAME##_TRAIN);                                \
    float metrics[NAME##_METRICS];                                                                 \
    name##_context *context = NULL;                                                                \
    void *memory = NULL;                                                                           \
    if (posix_memalign(&memory, NAME##_ALIGNMENT, bytes) != 0) {                                   \
      j->status = NAME##_ERROR_MEMORY;                                                             \
      return NULL;                                                                                 \
    }                                                                                              \
    j->status =                                                                                    \
        name##_create(memory, bytes, BATCH, NAME##_TRAIN, /*threads*/ 1, /*seed*/ 42, &context);   \
    for (int step = 0; step < STEPS && j->status == NAME##_OK; ++step) {                           \
      draw_batch(j);                                                                               \
      j->status = name##_train_step(context, j->batch.x, j->batch.labels, BATCH, metrics);         \
      j->last_loss = metrics[0];                                                                   \
      if (step == 0)                                                                               \
        j->first_loss = metrics[0];                                                                \
    }                                                                                              \
    if (j->status == NAME##_OK)                                                                    \
      j->status = name##_infer(context, j->batch.x, BATCH, j->y);                                  \
    if (j->status != NAME##_OK)                                                                    \
      snprintf(j->error, sizeof j->error, "%s", name##_last_error());                              \
    name##_destroy(context);                                                                       \
    free(memory);                                                                                  \
    j->accuracy = share_right(j);                                                                  \
    return NULL;                                                                                   \
  }

DEFINE_RUN(fashion, FASHION)
DEFINE_RUN(lenet, LENET)

/* Tells how a job went; whether it went well. */
static int report(const char *name, const job *j) {
  if (j->status != 0) {
    fprintf(stderr, "%s: status %d: %s\n", name, j->status, j->error);
    return 0;
  }
  printf("%s: loss %.3f -> %.3f, accuracy %.2f\n", name, j->first_loss, j->last_loss, j->accuracy);
  return j->last_loss < j->first_loss;
}

int main(void) {
  static job fashion_job, lenet_job;
  pthread_t fashion_thread, lenet_thread;
  fashion_job.random = 1;
  lenet_job.random = 2;
  if (pthread_create(&fashion_thread, NULL, run_fashion, &fashion_job) != 0 ||
      pthread_create(&lenet_thread, NULL, run_lenet, &lenet_job) != 0) {
    fputs("cannot start a thread\n", stderr);
    return 1;
  }
  pthread_join(fashion_thread, NULL);
  pthread_join(lenet_thread, NULL);
  return report("fashion", &fashion_job) & report("lenet", &lenet_job) ? 0 : 1;
}
