/* `run`: the model as a function from one tensor to another, in the model's own layout, without the
 * script's scaling.
 */
#include "runtime/array.h"
#include "runtime/commands.h"
#include "runtime/dataset.h"
#include "runtime/parameters.h"
#include "runtime/philox.h"
#include "runtime/program_context.h"
#include "runtime/progress.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32
#define DEFAULT_TOLERANCE 1e-5

typedef struct comparison {
  double max_absolute, max_relative;
  int64_t wrong; /* elements beyond the tolerances, or NaN in one only */
} comparison;

/* "4x28x28x1" up to `end`; 0 when it is no shape. */
static int parse_shape(const char *text, const char *end, sinter_array *shape) {
  shape->rank = 0;
  while (text < end) {
    char *after;
    errno = 0;
    const long long extent = strtoll(text, &after, 10);
    if (after == text || errno != 0 || extent < 1 || shape->rank == SINTER_MAX_RANK)
      return 0;
    shape->dims[shape->rank++] = extent;
    if (after == end)
      return 1;
    if (*after != 'x')
      return 0;
    text = after + 1;
  }
  return 0;
}

static int bad_input(const char *text) {
  return sinter_fail(SINTER_ERROR_USAGE,
                     "--input=%s: expected @x.npy, SHAPExf32=VALUE or random:SEED:SHAPE, such as "
                     "1x28x28x1xf32=0.5",
                     text);
}

static int check_input(const sinter_model *model, const sinter_array *x) {
  char found[160], needed[160];
  if (x->rank >= 1 && x->dims[0] >= 1 &&
      sinter_array_row_elements(x) == sinter_input_elements(model))
    return SINTER_OK;
  return sinter_fail(
      SINTER_ERROR_INPUT, "the input has shape %s, but the model needs [n] + %s",
      sinter_format_shape(x->dims, x->rank, found, sizeof found),
      sinter_format_shape(model->input_dims, model->input_rank, needed, sizeof needed));
}

static int allocate(sinter_array *array, const char *name) {
  array->element = SINTER_F32;
  return sinter_array_allocate(array, name, INT64_MAX / 2);
}

/* Checked first: a shape that does not fit must not cost its memory. */
static int allocate_input(const sinter_model *model, sinter_array *array, const char *text) {
  const int status = check_input(model, array);
  return status == SINTER_OK ? allocate(array, text) : status;
}

/* random:SEED:SHAPE, uniform in [0, 1). */
static int random_input(const sinter_model *model, const char *text, sinter_array *array) {
  char *after;
  errno = 0;
  const uint64_t seed = strtoull(text + 7, &after, 10);
  if (after == text + 7 || errno != 0 || *after != ':' ||
      !parse_shape(after + 1, after + strlen(after), array))
    return bad_input(text);
  const int status = allocate_input(model, array, text);
  if (status != SINTER_OK)
    return status;
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (int64_t i = 0; i < array->count; ++i) {
    const uint32_t counter[4] = {(uint32_t)i, (uint32_t)((uint64_t)i >> 32), 0,
                                 SINTER_STREAM_INPUT};
    uint32_t words[4];
    sinter_philox(counter, key, words);
    ((float *)array->data)[i] = sinter_unit_float(words[0]);
  }
  return SINTER_OK;
}

/* SHAPExf32=VALUE */
static int constant_input(const sinter_model *model, const char *text, sinter_array *array) {
  const char *type = strstr(text, "xf32=");
  char *after = NULL;
  const float value = type ? strtof(type + 5, &after) : 0.0f;
  if (!type || after == type + 5 || *after != '\0' || !parse_shape(text, type, array))
    return bad_input(text);
  const int status = allocate_input(model, array, text);
  for (int64_t i = 0; i < array->count && status == SINTER_OK; ++i)
    ((float *)array->data)[i] = value;
  return status;
}

/* Without --input, one random sample. */
static int default_input(const sinter_model *model, sinter_array *array) {
  char text[160] = "random:0:1";
  size_t used = strlen(text);
  for (int32_t d = 0; d < model->input_rank; ++d)
    used +=
        (size_t)snprintf(text + used, sizeof text - used, "x%lld", (long long)model->input_dims[d]);
  return random_input(model, text, array);
}

static int read_input(const sinter_model *model, const char *text, sinter_array *array) {
  *array = (sinter_array){.data = NULL};
  if (!text)
    return default_input(model, array);
  const char *equals = strchr(text, '=');
  if (equals && isalpha((unsigned char)*text) && strncmp(text, "random:", 7) != 0)
    text = equals + 1; /* NAME=: there is one input, whatever its name */
  if (*text == '@')
    return sinter_read_npy(text + 1, array);
  if (strncmp(text, "random:", 7) == 0)
    return random_input(model, text, array);
  return constant_input(model, text, array);
}

static int infer_all(sinter_context *context, const sinter_array *x, sinter_array *y) {
  const sinter_model *model = context->model;
  const int64_t features = sinter_input_elements(model), outputs = sinter_output_elements(model);
  y->rank = model->output_rank + 1;
  y->dims[0] = x->dims[0];
  for (int32_t d = 0; d < model->output_rank; ++d)
    y->dims[d + 1] = model->output_dims[d];
  int status = allocate(y, "the output");
  float *in = malloc((size_t)(BATCH * features) * sizeof *in + 1);
  if (!in)
    status = sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  for (int64_t first = 0; first < x->dims[0] && status == SINTER_OK; first += BATCH) {
    const int32_t n = x->dims[0] - first < BATCH ? (int32_t)(x->dims[0] - first) : BATCH;
    sinter_array_floats(x, first * features, n * features, in);
    status = model->infer(context, in, n, (float *)y->data + first * outputs);
  }
  free(in);
  return status;
}

static const char *file_of(const char *text) { return *text == '@' ? text + 1 : text; }

static double tolerance(double given) { return isnan(given) ? DEFAULT_TOLERANCE : given; }

static int compare(const sinter_array *y, const sinter_options *options, comparison *result) {
  sinter_array expected;
  const int status = sinter_read_npy(file_of(options->expected), &expected);
  if (status != SINTER_OK)
    return status;
  if (expected.count != y->count) {
    char found[160], wanted[160];
    sinter_fail(SINTER_ERROR_INPUT, "the output has shape %s, %s %s",
                sinter_format_shape(y->dims, y->rank, found, sizeof found), expected.path,
                sinter_format_shape(expected.dims, expected.rank, wanted, sizeof wanted));
    sinter_array_release(&expected);
    return SINTER_ERROR_INPUT;
  }
  const double rtol = tolerance(options->rtol), atol = tolerance(options->atol);
  for (int64_t i = 0; i < y->count; ++i) {
    float as_float;
    sinter_array_floats(&expected, i, 1, &as_float);
    const double want = (double)as_float, got = (double)((const float *)y->data)[i];
    const double error = fabs(got - want);
    result->max_absolute = fmax(result->max_absolute, error);
    result->max_relative = fmax(result->max_relative, error / fmax(fabs(want), 1e-30));
    if (!(error <= atol + rtol * fabs(want)) && !(isnan(got) && isnan(want)))
      ++result->wrong;
  }
  sinter_array_release(&expected);
  return SINTER_OK;
}

static json_t *array_json(const sinter_array *y) {
  json_t *object = json_object(), *shape = json_array(), *data = json_array();
  for (int32_t d = 0; d < y->rank; ++d)
    json_array_append_new(shape, json_integer(y->dims[d]));
  for (int64_t i = 0; i < y->count; ++i)
    json_array_append_new(data, sinter_number_json((double)((const float *)y->data)[i]));
  json_object_set_new(object, "shape", shape);
  json_object_set_new(object, "data", data);
  return object;
}

static void print_values(const sinter_array *y) {
  const int64_t row = sinter_array_row_elements(y);
  for (int64_t i = 0; i < y->count; ++i)
    printf("%.9g%c", (double)((const float *)y->data)[i], (i + 1) % row == 0 ? '\n' : ' ');
}

static void print_result(const sinter_array *y, const sinter_options *options,
                         const comparison *result) {
  if (options->json) {
    json_t *object = json_object(), *outputs = json_array();
    if (!options->output)
      json_array_append_new(outputs, array_json(y));
    json_object_set_new(object, "outputs", outputs);
    if (options->expected) {
      json_object_set_new(object, "max_abs_error", sinter_number_json(result->max_absolute));
      json_object_set_new(object, "max_rel_error", sinter_number_json(result->max_relative));
      json_object_set_new(object, "ok", json_boolean(result->wrong == 0));
    }
    sinter_print_json(object);
    return;
  }
  if (!options->output && !options->expected)
    print_values(y);
  if (options->expected)
    printf("largest absolute error %.3g, relative %.3g\n", result->max_absolute,
           result->max_relative);
}

static int run(sinter_context *context, const sinter_options *options, const sinter_array *x) {
  sinter_array y = {.data = NULL};
  comparison result = {0};
  int status = infer_all(context, x, &y);
  if (status == SINTER_OK && options->output)
    status = sinter_write_npy(file_of(options->output), y.dims, y.rank, y.data);
  if (status == SINTER_OK && options->expected)
    status = compare(&y, options, &result);
  if (status == SINTER_OK)
    print_result(&y, options, &result);
  if (status == SINTER_OK && result.wrong > 0)
    status = sinter_fail(SINTER_ERROR_INPUT, "%lld of %lld elements differ from %s",
                         (long long)result.wrong, (long long)y.count, file_of(options->expected));
  sinter_array_release(&y);
  return status;
}

int sinter_run_command(const sinter_model *model, const sinter_options *options) {
  sinter_program_context program = {.context = NULL};
  sinter_array x;
  int status = read_input(model, options->input, &x);
  if (status == SINTER_OK)
    status = check_input(model, &x);
  if (status == SINTER_OK)
    status = sinter_program_context_open(&program, model, options, BATCH, SINTER_INFER);
  if (status == SINTER_OK)
    status = sinter_program_load_weights(program.context, options);
  if (status == SINTER_OK)
    status = run(program.context, options, &x);
  sinter_program_context_close(&program);
  sinter_array_release(&x);
  return status;
}
