#include "runtime/peaks.h"

#include "runtime/profile.h"
#include "runtime/thread_pool.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ACCUMULATORS 12 /* two units times a latency of four to six cycles, in 16 registers */
#define ROUNDS 200000   /* below a millisecond: short enough to escape others' time slices */
#define FLOPS_REPEATS 60
#define TRIAD_BYTES ((size_t)48 << 20) /* of each of the three arrays */
#define TRIAD_REPEATS 8

/* Defines NAME: `rounds` rounds of ACCUMULATORS independent multiply-adds of WIDTH floats. GNU
 * vectors: the target attribute alone decides on the instructions. The result goes to `sink`, so
 * that nothing is optimised away. */
#define DEFINE_MULTIPLY_ADD(NAME, TARGET, WIDTH)                                                   \
  TARGET static void NAME(int64_t rounds, float *sink) {                                           \
    typedef float vector __attribute__((vector_size(4 * (WIDTH))));                                \
    vector sums[ACCUMULATORS], factor, addend;                                                     \
    for (int lane = 0; lane < (WIDTH); ++lane) {                                                   \
      factor[lane] = 0.999f;                                                                       \
      addend[lane] = 0.001f;                                                                       \
    }                                                                                              \
    for (int a = 0; a < ACCUMULATORS; ++a)                                                         \
      sums[a] = addend * (float)a;                                                                 \
    for (int64_t round = 0; round < rounds; ++round) {                                             \
      _Pragma("GCC unroll 12") for (int a = 0; a < ACCUMULATORS; ++a) sums[a] =                    \
          sums[a] * factor + addend;                                                               \
    }                                                                                              \
    for (int a = 1; a < ACCUMULATORS; ++a)                                                         \
      sums[0] += sums[a];                                                                          \
    *sink = sums[0][0];                                                                            \
  }

#if defined(__x86_64__)
#define CONTRACT __attribute__((optimize("fp-contract=fast")))
DEFINE_MULTIPLY_ADD(multiply_add_avx512, __attribute__((target("avx512f"))) CONTRACT, 16)
DEFINE_MULTIPLY_ADD(multiply_add_avx2, __attribute__((target("avx2,fma"))) CONTRACT, 8)
#endif
DEFINE_MULTIPLY_ADD(multiply_add_baseline, , 4)

typedef struct flops_loop {
  void (*run)(int64_t rounds, float *sink);
  int32_t threads;
  _Atomic int arrived;
  _Atomic double begin; /* when the last thread arrived */
} flops_loop;

/* The iterations wait for each other, so that each has a thread of its own. */
static int run_multiply_adds(void *pool, int index, uint8_t *closure) {
  (void)pool;
  (void)index;
  flops_loop *loop = (flops_loop *)closure;
  float sink;
  if (atomic_fetch_add(&loop->arrived, 1) + 1 == loop->threads)
    atomic_store(&loop->begin, sinter_seconds());
  while (atomic_load(&loop->arrived) < loop->threads)
    sched_yield();
  loop->run(ROUNDS, &sink);
  return 0;
}

static double measure_flops(const sinter_context *context) {
  const char *variant = context->model->variant_names[context->variant];
  flops_loop loop = {.run = multiply_add_baseline, .threads = context->threads};
  int width = 4;
#if defined(__x86_64__)
  if (strcmp(variant, "avx512") == 0) {
    loop.run = multiply_add_avx512;
    width = 16;
  } else if (strcmp(variant, "avx2") == 0) {
    loop.run = multiply_add_avx2;
    width = 8;
  }
#endif
  double best = 0.0;
  for (int repeat = 0; repeat < FLOPS_REPEATS; ++repeat) {
    atomic_store(&loop.arrived, 0);
    sinter_pool_run(context->pool, run_multiply_adds, 0, context->threads, (uint8_t *)&loop);
    const double seconds = sinter_seconds() - atomic_load(&loop.begin);
    const double flops = 2.0 * ROUNDS * ACCUMULATORS * width * context->threads;
    if (flops / seconds > best)
      best = flops / seconds;
  }
  return best / 1e9;
}

typedef struct triad_loop {
  float *a;
  const float *b, *c;
  size_t elements;
  int32_t parts;
} triad_loop;

static int run_triad(void *pool, int index, uint8_t *closure) {
  (void)pool;
  const triad_loop *loop = (const triad_loop *)closure;
  const size_t begin = loop->elements * (size_t)index / (size_t)loop->parts;
  const size_t end = loop->elements * ((size_t)index + 1) / (size_t)loop->parts;
  float *restrict a = loop->a;
  const float *restrict b = loop->b, *restrict c = loop->c;
  for (size_t i = begin; i < end; ++i)
    a[i] = b[i] + 3.0f * c[i];
  return 0;
}

/* Counts three arrays, as STREAM does; 0 when the memory is not there. */
static double measure_bandwidth(const sinter_context *context) {
  const size_t elements = TRIAD_BYTES / sizeof(float);
  float *memory = malloc(3 * TRIAD_BYTES);
  if (!memory)
    return 0.0;
  memset(memory, 0, 3 * TRIAD_BYTES);
  triad_loop loop = {memory, memory + elements, memory + 2 * elements, elements, context->threads};
  double best = 0.0;
  for (int repeat = 0; repeat < TRIAD_REPEATS; ++repeat) {
    const double begin = sinter_seconds();
    sinter_pool_run(context->pool, run_triad, 0, loop.parts, (uint8_t *)&loop);
    const double rate = 3.0 * (double)TRIAD_BYTES / (sinter_seconds() - begin);
    if (rate > best)
      best = rate;
  }
  free(memory);
  return best / 1e9;
}

sinter_peaks sinter_measure_peaks(const sinter_context *context) {
  return (sinter_peaks){measure_flops(context), measure_bandwidth(context)};
}
