/* Counts the library's allocations by wrapping them at link time: after the first step there is
 * none. Says "ok" or how many. */
#include "first.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES 8

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static volatile int allocations;

void *__wrap_malloc(size_t bytes) {
  ++allocations;
  return __real_malloc(bytes);
}
void *__wrap_calloc(size_t count, size_t bytes) {
  ++allocations;
  return __real_calloc(count, bytes);
}
void *__wrap_realloc(void *memory, size_t bytes) {
  ++allocations;
  return __real_realloc(memory, bytes);
}
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __real_aligned_alloc(alignment, bytes);
}

static float x[SAMPLES * FIRST_INPUT_ELEMENTS], y[SAMPLES * FIRST_OUTPUT_ELEMENTS];
static int32_t labels[SAMPLES];

static int steps(first_context *context, int count) {
  int i, failed = 0;
  for (i = 0; i < count; ++i)
    failed |= first_train_step(context, x, labels, SAMPLES, NULL) |
              first_eval_step(context, x, labels, SAMPLES, NULL) |
              first_infer(context, x, SAMPLES, y);
  return failed;
}

int main(void) {
  static char memory[FIRST_TRAIN_BYTES(SAMPLES) + FIRST_ALIGNMENT];
  char *aligned = memory + (FIRST_ALIGNMENT - (size_t)memory % FIRST_ALIGNMENT);
  first_context *context = NULL;
  int before, failed;
  failed = first_create(aligned, FIRST_TRAIN_BYTES(SAMPLES), SAMPLES, FIRST_TRAIN, /*threads=*/1, 0,
                        &context) ||
           steps(context, 1);
  before = allocations;
  failed = failed || steps(context, 20);
  if (failed)
    puts(first_last_error());
  else if (allocations != before)
    printf("%d allocations\n", allocations - before);
  else
    puts("ok");
  first_destroy(context);
  return failed;
}
