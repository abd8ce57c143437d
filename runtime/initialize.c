/* Initial parameter values. What is drawn for an element is a function of the seed, the parameter's
 * index and the element's index in logical order alone, so the packed layout, which the target
 * chooses, does not change a model's starting point.
 */
#include "runtime/parameters.h"
#include "runtime/philox.h"
#include "runtime/thread_pool.h"

#include <math.h>
#include <string.h>

#define TWO_PI 6.283185307179586476925286766559

typedef struct draw {
  uint32_t key[2];
  uint32_t parameter;
} draw;

static void random_words(const draw *from, int64_t element, uint32_t attempt, uint32_t words[4]) {
  const uint32_t counter[4] = {(uint32_t)element, (uint32_t)((uint64_t)element >> 32),
                               from->parameter, SINTER_STREAM_INITIALIZE | attempt << 8};
  sinter_philox(counter, from->key, words);
}

/* Box-Muller; 1 - u keeps the logarithm's argument in (0, 1]. */
static double standard_normal(const uint32_t words[4]) {
  const double u = 1.0 - (double)sinter_unit_float(words[0]);
  const double v = (double)sinter_unit_float(words[1]);
  return sqrt(-2.0 * log(u)) * cos(TWO_PI * v);
}

static float uniform(const draw *from, int64_t element, float low, float high) {
  uint32_t words[4];
  random_words(from, element, 0, words);
  const float value = low + (high - low) * sinter_unit_float(words[0]);
  return value < high || !(low < high) ? value
                                       : nextafterf(high, low); /* rounding may reach high */
}

static float normal(const draw *from, int64_t element, float mean, float deviation, double limit) {
  uint32_t words[4];
  double value;
  uint32_t attempt = 0;
  do {
    random_words(from, element, attempt++, words);
    value = standard_normal(words);
  } while (fabs(value) > limit);
  return (float)((double)mean + (double)deviation * value);
}

static float initial_element(const sinter_parameter *parameter, const draw *from, int64_t element) {
  switch ((sinter_initializer)parameter->initializer) {
  case SINTER_INIT_ZEROS:
    return 0.0f;
  case SINTER_INIT_ONES:
    return 1.0f;
  case SINTER_INIT_CONSTANT:
    return parameter->a;
  case SINTER_INIT_UNIFORM:
    return uniform(from, element, parameter->a, parameter->b);
  case SINTER_INIT_NORMAL:
    return normal(from, element, parameter->a, parameter->b, (double)INFINITY);
  case SINTER_INIT_TRUNCATED_NORMAL:
    return normal(from, element, parameter->a, parameter->b, 2.0);
  case SINTER_INIT_IDENTITY:
    return element / parameter->dims[1] == element % parameter->dims[1] ? parameter->a : 0.0f;
  case SINTER_INIT_ORTHOGONAL: /* made so when all are drawn */
    return normal(from, element, 0.0f, 1.0f, (double)INFINITY);
  }
  return 0.0f;
}

/* The rows of one parameter, shared among the threads: a large model has a hundred million
 * elements, and a draw takes ten nanoseconds. */
typedef struct fill_loop {
  const sinter_parameter *parameter;
  draw from;
  float *storage;
  int64_t rows, columns, block;
} fill_loop;

#define PARTS 64

static int fill_part(void *pool, int part, uint8_t *closure) {
  (void)pool;
  const fill_loop *loop = (const fill_loop *)closure;
  const int64_t begin = loop->rows * part / PARTS, end = loop->rows * (part + 1) / PARTS;
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t column = 0; column < loop->columns; ++column) {
      const int64_t block_start = column - column % loop->block;
      loop->storage[block_start * loop->rows + row * loop->block + column % loop->block] =
          initial_element(loop->parameter, &loop->from, row * loop->columns + column);
    }
  }
  return 0;
}

/* The rows or the columns of a parameter where they are stored: vector v is `runs` runs, `step`
 * elements apart, of `length` elements, `stride` apart. The zeros that fill up a row's last block
 * change neither products nor sums. */
typedef struct vectors {
  float *storage;
  int64_t count, block, across, along; /* v is at v / block * across + v % block * along */
  int64_t runs, step, length, stride;
} vectors;

static vectors shorter_side(const fill_loop *loop) {
  const int64_t rows = loop->rows, columns = loop->columns, block = loop->block;
  if (rows < columns)
    return (vectors){loop->storage, rows,  1, block, 0, (columns + block - 1) / block,
                     rows * block,  block, 1};
  return (vectors){loop->storage, columns, block, rows * block, 1, 1, 0, rows, block};
}

static float *vector_at(const vectors *all, int64_t v) {
  return all->storage + v / all->block * all->across + v % all->block * all->along;
}

static double inner_product(const vectors *all, const float *x, const float *y) {
  double sum = 0;
  for (int64_t run = 0; run < all->runs; ++run)
    for (int64_t i = 0; i < all->length; ++i) {
      const int64_t at = run * all->step + i * all->stride;
      sum += (double)x[at] * (double)y[at];
    }
  return sum;
}

/* x = scale * x + factor * y */
static void combine(const vectors *all, float *x, double scale, double factor, const float *y) {
  for (int64_t run = 0; run < all->runs; ++run)
    for (int64_t i = 0; i < all->length; ++i) {
      const int64_t at = run * all->step + i * all->stride;
      x[at] = (float)(scale * (double)x[at] + factor * (double)y[at]);
    }
}

/* Gram-Schmidt over normal draws: uniform among the orthogonal matrices (Saxe, McClelland, Ganguli,
 * "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014, as
 * Keras's Orthogonal). Every vector is cleared of the earlier ones twice, after which rounding
 * shows no more (Giraud et al., "The loss of orthogonality in the Gram-Schmidt process", 2005). In
 * place: initialisation cannot fail for want of memory. */
static void make_orthogonal(const fill_loop *loop, double gain) {
  const vectors all = shorter_side(loop);
  for (int64_t v = 0; v < all.count; ++v) {
    float *x = vector_at(&all, v);
    for (int twice = 0; twice < 2; ++twice)
      for (int64_t earlier = 0; earlier < v; ++earlier) {
        const float *y = vector_at(&all, earlier);
        combine(&all, x, 1.0, -inner_product(&all, x, y), y);
      }
    const double norm = sqrt(inner_product(&all, x, x));
    combine(&all, x, norm > 0 ? 1.0 / norm : 0.0, 0.0, x);
  }
  for (int64_t v = 0; v < all.count; ++v)
    combine(&all, vector_at(&all, v), gain, 0.0, vector_at(&all, v));
}

static void initialize_parameter(struct sinter_pool *pool, const sinter_parameter *parameter,
                                 uint32_t index, uint64_t seed, float *storage) {
  memset(storage, 0, (size_t)parameter->bytes);
  if (parameter->initial) {
    sinter_pack_parameter(parameter, parameter->initial, storage);
    return;
  }
  if (parameter->initializer == SINTER_INIT_ZEROS)
    return;
  fill_loop loop = {.parameter = parameter,
                    .from = {{(uint32_t)seed, (uint32_t)(seed >> 32)}, index},
                    .storage = storage};
  loop.columns = parameter->rank > 0 ? parameter->dims[parameter->rank - 1] : 1;
  loop.rows = loop.columns > 0 ? sinter_parameter_elements(parameter) / loop.columns : 0;
  loop.block = parameter->block > 0 ? parameter->block : loop.columns;
  sinter_pool_run(pool, fill_part, 0, PARTS, (uint8_t *)&loop);
  if (parameter->initializer == SINTER_INIT_ORTHOGONAL)
    make_orthogonal(&loop, (double)parameter->a);
}

void sinter_initialize_parameters(sinter_context *context, uint64_t seed) {
  const sinter_model *model = context->model;
  sinter_parameters_changed(context);
  for (int32_t p = 0; p < model->parameter_count; ++p) {
    const sinter_parameter *parameter = &model->parameters[p];
    if (parameter->role != SINTER_ROLE_OPTIMIZER || context->phase_limit == SINTER_TRAIN)
      initialize_parameter(context->pool, parameter, (uint32_t)p, seed,
                           (float *)(context->parameters + parameter->offset));
  }
}
