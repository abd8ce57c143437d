/* Wraps the library's allocations at link time. When there is no memory for a step, it fails and
 * says so, and can be tried again; after the first step that succeeds nothing is allocated any
 * more. Says "ok" or what is wrong. */
#include "first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 8

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static volatile int allocations, refused;
static volatile int allowed = 1 << 30; /* allocations until memory is short */

static int is_refused(void) {
  ++allocations;
  if (allowed-- > 0)
    return 0;
  ++refused;
  return 1;
}

void *__wrap_malloc(size_t bytes) { return is_refused() ? NULL : __real_malloc(bytes); }
void *__wrap_calloc(size_t count, size_t bytes) {
  return is_refused() ? NULL : __real_calloc(count, bytes);
}
void *__wrap_realloc(void *memory, size_t bytes) {
  return is_refused() ? NULL : __real_realloc(memory, bytes);
}
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
  return is_refused() ? NULL : __real_aligned_alloc(alignment, bytes);
}

static float x[SAMPLES * FIRST_INPUT_ELEMENTS], y[SAMPLES * FIRST_OUTPUT_ELEMENTS];
static int32_t labels[SAMPLES];

static int step(first_context *context) {
  int status = first_train_step(context, x, labels, SAMPLES, NULL);
  if (status == FIRST_OK)
    status = first_eval_step(context, x, labels, SAMPLES, NULL);
  return status == FIRST_OK ? first_infer(context, x, SAMPLES, y) : status;
}

/* Lets ever more allocations of the first steps succeed; each step that falls short must say so. */
static const char *run_short(first_context *context) {
  int enough;
  for (enough = 0; enough < 1000; ++enough) {
    int status;
    refused = 0;
    allowed = enough;
    status = step(context);
    allowed = 1 << 30;
    if (refused == 0)
      return status != FIRST_OK ? first_last_error() : enough == 0 ? "no scratch to test" : NULL;
    if (status != FIRST_ERROR_MEMORY || !strstr(first_last_error(), "out of memory"))
      return "a refused allocation went unnoticed";
  }
  return "the steps never succeed";
}

static const char *run_steadily(first_context *context) {
  const int before = allocations;
  int i;
  for (i = 0; i < 20; ++i)
    if (step(context) != FIRST_OK)
      return first_last_error();
  return allocations == before ? NULL : "a warm step allocates";
}

int main(void) {
  static char memory[FIRST_TRAIN_BYTES(SAMPLES) + FIRST_ALIGNMENT];
  char *aligned = memory + (FIRST_ALIGNMENT - (size_t)memory % FIRST_ALIGNMENT);
  const char *problem = NULL;
  int threads;
  for (threads = 1; threads <= 4 && !problem; ++threads) {
    first_context *context = NULL;
    if (first_create(aligned, FIRST_TRAIN_BYTES(SAMPLES), SAMPLES, FIRST_TRAIN, threads, 0,
                     &context) != FIRST_OK)
      problem = first_last_error();
    if (!problem)
      problem = run_short(context);
    if (!problem)
      problem = run_steadily(context);
    first_destroy(context);
  }
  puts(problem ? problem : "ok");
  return problem != NULL;
}
