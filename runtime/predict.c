#define _GNU_SOURCE /* qsort_r */
#include "runtime/commands.h"
#include "runtime/dataset.h"
#include "runtime/image.h"
#include "runtime/parameters.h"
#include "runtime/ports.h"
#include "runtime/program_context.h"
#include "runtime/progress.h"
#include "runtime/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32
#define DEFAULT_TOP 3

typedef struct prediction {
  sinter_context *context;
  const sinter_options *options;
  sinter_buffers inputs, outputs;
  int32_t step; /* samples a call */
} prediction;

/* One sample to predict on: where it came from, for the output. */
typedef struct sample_name {
  const char *file;
  int64_t index; /* in a .npy file of several samples, else -1 */
} sample_name;

/* NaNs come last; equal values keep their order. */
static int descending(const void *a, const void *b, void *values) {
  const int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  const float x = ((const float *)values)[i], y = ((const float *)values)[j];
  if (isnan(x) != isnan(y))
    return isnan(x) ? 1 : -1;
  return x > y ? -1 : x < y ? 1 : i - j;
}

static const char *class_name(const sinter_model *model, int32_t index, char text[32]) {
  const sinter_data *data = model->data;
  if (data && data->class_names && index < data->class_count)
    return data->class_names[index];
  snprintf(text, 32, "class %d", index);
  return text;
}

static json_t *class_json(const sinter_model *model, const sinter_port *output, int32_t index,
                          float value) {
  char text[32];
  json_t *object = json_object();
  json_object_set_new(object, "class", json_string(class_name(model, index, text)));
  json_object_set_new(object, "index", json_integer(index));
  json_object_set_new(object, output->is_probability ? "probability" : "value",
                      sinter_number_json((double)value));
  return object;
}

/* What is printed of one output: the `top` largest of its values. */
typedef struct ranking {
  const sinter_port *output;
  const float *values;
  const int32_t *order;
  int32_t top;
} ranking;

static void print_as_json(const sinter_model *model, const sample_name *sample, const ranking *r) {
  json_t *object = json_object(), *classes = json_array();
  json_object_set_new(object, "file", json_string(sample->file));
  if (sample->index >= 0)
    json_object_set_new(object, "sample", json_integer(sample->index));
  if (model->output_count > 1)
    json_object_set_new(object, "output", json_string(r->output->name));
  for (int32_t k = 0; k < r->top; ++k)
    json_array_append_new(classes,
                          class_json(model, r->output, r->order[k], r->values[r->order[k]]));
  json_object_set_new(object, "top", classes);
  sinter_print_json(object);
}

static void print_as_text(const sinter_model *model, const sample_name *sample, const ranking *r) {
  printf("%s", sample->file);
  if (sample->index >= 0)
    printf("[%lld]", (long long)sample->index);
  if (model->output_count > 1)
    printf(" %s", r->output->name);
  for (int32_t k = 0; k < r->top; ++k) {
    char text[32];
    const float value = r->values[r->order[k]];
    fputs(k == 0 ? ": " : ", ", stdout);
    if (sinter_sample_elements(r->output) > 1)
      printf("%s ", class_name(model, r->order[k], text));
    if (r->output->is_probability)
      printf("%.2f%%", 100.0 * (double)value);
    else
      printf("%.6g", (double)value);
  }
  putchar('\n');
}

static int print_output(const sinter_model *model, const sinter_options *options,
                        const sample_name *sample, const sinter_port *output, float *values) {
  const int32_t count = (int32_t)sinter_sample_elements(output);
  const int64_t wanted = options->top > 0 ? options->top : DEFAULT_TOP;
  int32_t *order = malloc((size_t)count * sizeof *order + 1);
  if (!order)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  for (int32_t i = 0; i < count; ++i)
    order[i] = i;
  qsort_r(order, (size_t)count, sizeof *order, descending, values);
  const ranking r = {output, values, order, wanted < count ? (int32_t)wanted : count};
  if (options->json)
    print_as_json(model, sample, &r);
  else
    print_as_text(model, sample, &r);
  free(order);
  return SINTER_OK;
}

/* One sample's predictions; whole numbers are printed as the floats that they are. */
static int print_prediction(const prediction *p, const sample_name *sample, int32_t index) {
  const sinter_model *model = p->context->model;
  int status = SINTER_OK;
  for (int32_t o = 0; o < model->output_count && status == SINTER_OK; ++o) {
    const sinter_port *output = &model->outputs[o];
    const int64_t elements = sinter_sample_elements(output), begin = index * elements;
    if (output->element == SINTER_F32) {
      status = print_output(model, p->options, sample, output, (float *)p->outputs.data[o] + begin);
      continue;
    }
    float *values = malloc((size_t)elements * sizeof *values + 1);
    if (!values)
      return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
    for (int64_t i = 0; i < elements; ++i)
      values[i] = output->element == SINTER_I32
                      ? (float)((const int32_t *)p->outputs.data[o])[begin + i]
                      : (float)((const uint8_t *)p->outputs.data[o])[begin + i];
    status = print_output(model, p->options, sample, output, values);
    free(values);
  }
  return status;
}

/* How the model's input is a picture. */
typedef struct picture {
  int32_t height, width, channels;
} picture;

/* A flat input of h * h features is taken for a square grey picture. */
static int picture_shape(const sinter_port *input, picture *shape) {
  const int skip = !input->batched && input->rank == 4 && input->dims[0] == 1; /* a batch of 1 */
  const int64_t *dims = input->dims + skip;
  const int32_t rank = input->rank - skip;
  const int64_t side = rank == 1 ? (int64_t)llround(sqrt((double)dims[0])) : 0;
  const int is_square = rank == 1 && side * side == dims[0];
  const int first = rank == 3 && input->channels_first;
  const int64_t depth = rank == 3 ? dims[first ? 0 : 2] : 1;
  if (!(rank == 2 || (rank == 3 && (depth == 1 || depth == 3)) || is_square)) {
    char text[160];
    return sinter_fail(SINTER_ERROR_INPUT,
                       "the model's input of shape %s is no grey or RGB picture: give a .npy file",
                       sinter_format_shape(dims, rank, text, sizeof text));
  }
  shape->height = (int32_t)(is_square ? side : dims[first]);
  shape->width = (int32_t)(is_square ? side : dims[first + 1]);
  shape->channels = (int32_t)depth;
  return SINTER_OK;
}

/* Rows of pixels into the input's layout, as floats. */
static void lay_out(const uint8_t *pixels, const picture *shape, int channels_first, float *x) {
  const int64_t count = (int64_t)shape->height * shape->width, channels = shape->channels;
  for (int64_t p = 0; p < count; ++p)
    for (int64_t c = 0; c < channels; ++c)
      x[channels_first ? c * count + p : p * channels + c] = (float)pixels[p * channels + c];
}

static int predict_picture(const prediction *p, const char *path) {
  const sinter_model *model = p->context->model;
  const sinter_port *input = &model->inputs[0];
  picture shape = {0};
  sinter_image image;
  int status = picture_shape(input, &shape);
  if (status != SINTER_OK || (status = sinter_image_read(path, &image)) != SINTER_OK)
    return status;
  const int64_t features = sinter_sample_elements(input);
  float *x = p->inputs.data[0];
  uint8_t *pixels = malloc((size_t)features);
  status = pixels ? sinter_image_fit(&image, shape.width, shape.height, shape.channels, pixels)
                  : sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  if (status == SINTER_OK) {
    lay_out(pixels, &shape, input->channels_first, x);
    sinter_scale(model->data, x, features);
    status = model->infer(p->context, p->inputs.data, 1, p->outputs.data);
  }
  const sample_name sample = {path, -1};
  if (status == SINTER_OK)
    status = print_prediction(p, &sample, 0);
  free(pixels);
  sinter_image_release(&image);
  return status;
}

/* Integers are pictures' bytes and get the script's scaling; floats are the model's own input. */
static int predict_batch(const prediction *p, const sinter_array *array, int64_t first, int32_t n) {
  const sinter_model *model = p->context->model;
  const int64_t features = sinter_sample_elements(&model->inputs[0]);
  float *x = p->inputs.data[0];
  sinter_array_floats(array, first * features, n * features, x);
  if (sinter_array_is_integer(array))
    sinter_scale(model->data, x, n * features);
  int status = model->infer(p->context, p->inputs.data, n, p->outputs.data);
  for (int32_t i = 0; i < n && status == SINTER_OK; ++i) {
    const sample_name sample = {array->path, array->count > features ? first + i : -1};
    status = print_prediction(p, &sample, i);
  }
  return status;
}

/* A single sample may come without an extent for the batch. */
static void add_batch(sinter_array *array, int64_t features) {
  if (array->count != features || array->rank == SINTER_MAX_RANK ||
      (array->rank > 0 && array->dims[0] == 1))
    return;
  memmove(array->dims + 1, array->dims, (size_t)array->rank * sizeof *array->dims);
  array->dims[0] = 1;
  ++array->rank;
}

static int predict_npy(const prediction *p, const char *path) {
  const sinter_port *input = &p->context->model->inputs[0];
  sinter_array array;
  int status = sinter_read_npy(path, &array);
  if (status != SINTER_OK)
    return status;
  add_batch(&array, sinter_sample_elements(input));
  status = sinter_fit_samples(&array, input);
  for (int64_t first = 0; status == SINTER_OK && first < array.dims[0]; first += p->step) {
    const int64_t rest = array.dims[0] - first;
    status = predict_batch(p, &array, first, rest < p->step ? (int32_t)rest : p->step);
  }
  sinter_array_release(&array);
  return status;
}

static int is_npy(const char *path) {
  const size_t length = strlen(path);
  return length > 4 && strcmp(path + length - 4, ".npy") == 0;
}

static int predict_files(prediction *p) {
  const sinter_model *model = p->context->model;
  const sinter_options *options = p->options;
  int status = sinter_buffers_allocate(&p->inputs, model->inputs, model->input_count, p->step);
  if (status == SINTER_OK)
    status = sinter_buffers_allocate(&p->outputs, model->outputs, model->output_count, p->step);
  for (int f = 0; f < options->file_count && status == SINTER_OK; ++f)
    status = is_npy(options->files[f]) ? predict_npy(p, options->files[f])
                                       : predict_picture(p, options->files[f]);
  sinter_buffers_release(&p->inputs);
  sinter_buffers_release(&p->outputs);
  return status;
}

/* A result for the whole batch says nothing about one sample of it, unless it is alone. */
static int32_t choose_step(const sinter_model *model) {
  const int32_t largest = sinter_largest_batch(model, SINTER_INFER);
  int32_t step = largest < BATCH ? largest : BATCH;
  for (int32_t o = 0; o < model->output_count; ++o)
    if (!model->outputs[o].batched)
      step = 1;
  return step;
}

/* The one input may lack a batch: such a model predicts one picture a call. */
static int check_model(const sinter_model *model) {
  if (model->input_count == 1 && model->inputs[0].element == SINTER_F32)
    return SINTER_OK;
  return sinter_check_fed_by_files(model);
}

int sinter_predict_command(const sinter_model *model, const sinter_options *options) {
  sinter_program_context program = {.context = NULL};
  prediction p = {.options = options, .step = choose_step(model)};
  int status = check_model(model);
  if (status == SINTER_OK)
    status = sinter_program_context_open(&program, model, options, p.step, SINTER_INFER);
  if (status == SINTER_OK)
    status = sinter_program_load_weights(program.context, options);
  p.context = program.context;
  if (status == SINTER_OK)
    status = predict_files(&p);
  sinter_program_context_close(&program);
  return status;
}
