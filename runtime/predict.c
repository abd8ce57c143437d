#define _GNU_SOURCE /* qsort_r */
#include "runtime/array.h"
#include "runtime/commands.h"
#include "runtime/dataset.h"
#include "runtime/image.h"
#include "runtime/parameters.h"
#include "runtime/program_context.h"
#include "runtime/progress.h"
#include "runtime/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 32
#define DEFAULT_TOP 3

/* One sample to predict on: where it came from, for the output. */
typedef struct sample_name {
  const char *file;
  int64_t index; /* in a .npy file of several samples, else -1 */
} sample_name;

static int descending(const void *a, const void *b, void *values) {
  const int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  const float x = ((const float *)values)[i], y = ((const float *)values)[j];
  return x > y ? -1 : x < y ? 1 : i - j;
}

static const char *class_name(const sinter_model *model, int32_t index, char text[32]) {
  const sinter_data *data = model->data;
  if (data && data->class_names && index < data->class_count)
    return data->class_names[index];
  snprintf(text, 32, "class %d", index);
  return text;
}

static json_t *class_json(const sinter_model *model, int32_t index, float value) {
  char text[32];
  json_t *object = json_object();
  json_object_set_new(object, "class", json_string(class_name(model, index, text)));
  json_object_set_new(object, "index", json_integer(index));
  json_object_set_new(object, model->output_is_probability ? "probability" : "value",
                      sinter_number_json((double)value));
  return object;
}

static void print_as_json(const sinter_model *model, const sample_name *sample,
                          const int32_t *order, int32_t top, const float *values) {
  json_t *object = json_object(), *classes = json_array();
  json_object_set_new(object, "file", json_string(sample->file));
  if (sample->index >= 0)
    json_object_set_new(object, "sample", json_integer(sample->index));
  for (int32_t k = 0; k < top; ++k)
    json_array_append_new(classes, class_json(model, order[k], values[order[k]]));
  json_object_set_new(object, "top", classes);
  sinter_print_json(object);
}

static void print_as_text(const sinter_model *model, const sample_name *sample,
                          const int32_t *order, int32_t top, const float *values) {
  printf("%s", sample->file);
  if (sample->index >= 0)
    printf("[%lld]", (long long)sample->index);
  for (int32_t k = 0; k < top; ++k) {
    char text[32];
    const float value = values[order[k]];
    fputs(k == 0 ? ": " : ", ", stdout);
    if (sinter_output_elements(model) > 1)
      printf("%s ", class_name(model, order[k], text));
    if (model->output_is_probability)
      printf("%.2f%%", 100.0 * (double)value);
    else
      printf("%.6g", (double)value);
  }
  putchar('\n');
}

static int print_prediction(const sinter_model *model, const sinter_options *options,
                            const sample_name *sample, float *values) {
  const int32_t count = (int32_t)sinter_output_elements(model);
  const int64_t wanted = options->top > 0 ? options->top : DEFAULT_TOP;
  const int32_t top = wanted < count ? (int32_t)wanted : count;
  int32_t *order = malloc((size_t)count * sizeof *order + 1);
  if (!order)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  for (int32_t i = 0; i < count; ++i)
    order[i] = i;
  qsort_r(order, (size_t)count, sizeof *order, descending, values);
  if (options->json)
    print_as_json(model, sample, order, top, values);
  else
    print_as_text(model, sample, order, top, values);
  free(order);
  return SINTER_OK;
}

/* Height, width and channels of the model's input as a picture. A flat input of h * h features is
 * taken for a square grey one. */
static int picture_shape(const sinter_model *model, int32_t *height, int32_t *width,
                         int32_t *channels) {
  const int64_t *dims = model->input_dims;
  const int32_t rank = model->input_rank;
  const int64_t side = rank == 1 ? (int64_t)llround(sqrt((double)dims[0])) : 0;
  const int is_square = rank == 1 && side * side == dims[0];
  const int64_t depth = rank == 3 ? dims[2] : 1;
  if (!(rank == 2 || (rank == 3 && (depth == 1 || depth == 3)) || is_square)) {
    char shape[160];
    return sinter_fail(SINTER_ERROR_INPUT,
                       "the model's input of shape %s is no grey or RGB picture: give a .npy file",
                       sinter_format_shape(dims, rank, shape, sizeof shape));
  }
  *height = (int32_t)(is_square ? side : dims[0]);
  *width = (int32_t)(is_square ? side : dims[1]);
  *channels = (int32_t)depth;
  return SINTER_OK;
}

static int predict_picture(sinter_context *context, const sinter_options *options, const char *path,
                           float *x, float *y) {
  const sinter_model *model = context->model;
  int32_t height = 0, width = 0, channels = 0;
  sinter_image image;
  int status = picture_shape(model, &height, &width, &channels);
  if (status != SINTER_OK || (status = sinter_image_read(path, &image)) != SINTER_OK)
    return status;
  const int64_t features = sinter_input_elements(model);
  uint8_t *pixels = malloc((size_t)features);
  status = pixels ? sinter_image_fit(&image, width, height, channels, pixels)
                  : sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  if (status == SINTER_OK) {
    for (int64_t i = 0; i < features; ++i)
      x[i] = (float)pixels[i];
    sinter_scale(model->data, x, features);
    status = model->infer(context, x, 1, y);
  }
  const sample_name sample = {path, -1};
  if (status == SINTER_OK)
    status = print_prediction(model, options, &sample, y);
  free(pixels);
  sinter_image_release(&image);
  return status;
}

/* Integers are pictures' bytes and get the script's scaling; floats are the model's own input. */
static int predict_batch(sinter_context *context, const sinter_options *options,
                         const sinter_array *array, int64_t first, int32_t n, float *x, float *y) {
  const sinter_model *model = context->model;
  const int64_t features = sinter_input_elements(model);
  sinter_array_floats(array, first * features, n * features, x);
  if (sinter_array_is_integer(array))
    sinter_scale(model->data, x, n * features);
  int status = model->infer(context, x, n, y);
  for (int32_t i = 0; i < n && status == SINTER_OK; ++i) {
    const sample_name sample = {array->path, array->count > features ? first + i : -1};
    status = print_prediction(model, options, &sample, y + i * sinter_output_elements(model));
  }
  return status;
}

static int predict_npy(sinter_context *context, const sinter_options *options, const char *path,
                       float *x, float *y) {
  const sinter_model *model = context->model;
  const int64_t features = sinter_input_elements(model);
  sinter_array array;
  int status = sinter_read_npy(path, &array);
  if (status != SINTER_OK)
    return status;
  const int one_sample = array.count == features;
  if (!one_sample && (array.rank < 1 || sinter_array_row_elements(&array) != features)) {
    char found[160], needed[160];
    status = sinter_fail(
        SINTER_ERROR_INPUT, "%s has shape %s, but a sample of the model is %s", path,
        sinter_format_shape(array.dims, array.rank, found, sizeof found),
        sinter_format_shape(model->input_dims, model->input_rank, needed, sizeof needed));
  }
  const int64_t samples = one_sample ? 1 : array.dims[0];
  for (int64_t first = 0; first < samples && status == SINTER_OK; first += BATCH) {
    const int32_t n = samples - first < BATCH ? (int32_t)(samples - first) : BATCH;
    status = predict_batch(context, options, &array, first, n, x, y);
  }
  sinter_array_release(&array);
  return status;
}

static int is_npy(const char *path) {
  const size_t length = strlen(path);
  return length > 4 && strcmp(path + length - 4, ".npy") == 0;
}

static int predict_files(sinter_context *context, const sinter_options *options) {
  const sinter_model *model = context->model;
  float *x = malloc((size_t)(BATCH * sinter_input_elements(model)) * sizeof *x + 1);
  float *y = malloc((size_t)(BATCH * sinter_output_elements(model)) * sizeof *y + 1);
  int status = x && y ? SINTER_OK : sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  for (int f = 0; f < options->file_count && status == SINTER_OK; ++f)
    status = is_npy(options->files[f]) ? predict_npy(context, options, options->files[f], x, y)
                                       : predict_picture(context, options, options->files[f], x, y);
  free(x);
  free(y);
  return status;
}

int sinter_predict_command(const sinter_model *model, const sinter_options *options) {
  sinter_program_context program;
  int status = sinter_program_context_open(&program, model, options, BATCH, SINTER_INFER);
  if (status == SINTER_OK)
    status = sinter_program_load_weights(program.context, options);
  if (status == SINTER_OK)
    status = predict_files(program.context, options);
  sinter_program_context_close(&program);
  return status;
}
