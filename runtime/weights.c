#include "runtime/weights.h"

#include "runtime/safetensors.h"

#include <stdlib.h>
#include <string.h>

static int is_trained(const sinter_parameter *parameter) {
  return parameter->role != SINTER_ROLE_OPTIMIZER;
}

/* NULL without a model, or when a name in it is no UTF-8. */
static json_t *model_metadata(const sinter_model *model) {
  return model->model_text ? json_pack("{s:s}", "sinter_model", model->model_text) : NULL;
}

int sinter_save_region(const sinter_model *model, const unsigned char *region, const char *path) {
  sinter_tensor *tensors = calloc((size_t)model->parameter_count + 1, sizeof *tensors);
  if (!tensors)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory writing %s", path);
  int32_t count = 0;
  for (int32_t p = 0; p < model->parameter_count; ++p) {
    const sinter_parameter *parameter = &model->parameters[p];
    if (is_trained(parameter))
      tensors[count++] =
          (sinter_tensor){parameter->name, parameter, (const float *)(region + parameter->offset)};
  }
  json_t *metadata = model_metadata(model);
  const int status = sinter_tensors_write(path, tensors, count, metadata);
  json_decref(metadata);
  free(tensors);
  return status;
}

int sinter_save(const sinter_context *context, const char *path) {
  if (!context || !path)
    return sinter_fail(SINTER_ERROR_INPUT, "%s is a null pointer", context ? "path" : "context");
  const int status = sinter_fetch_parameters(context);
  return status == SINTER_OK ? sinter_save_region(context->model, context->parameters, path)
                             : status;
}

/* Into a copy first: a file that fails in its middle leaves the context as it was. */
static int load_region(const sinter_model *model, const sinter_tensor_file *file,
                       unsigned char *region) {
  for (int32_t p = 0; p < model->parameter_count; ++p) {
    const sinter_parameter *parameter = &model->parameters[p];
    if (!is_trained(parameter))
      continue;
    const int status = sinter_tensor_file_read(file, parameter->name, parameter,
                                               (float *)(region + parameter->offset));
    if (status != SINTER_OK)
      return status;
  }
  return SINTER_OK;
}

int sinter_load(sinter_context *context, const char *path) {
  if (!context || !path)
    return sinter_fail(SINTER_ERROR_INPUT, "%s is a null pointer", context ? "path" : "context");
  sinter_tensor_file *file;
  int status = sinter_fetch_parameters(context); /* the optimizer's state stays as it is */
  if (status == SINTER_OK)
    status = sinter_tensor_file_open(path, &file);
  if (status != SINTER_OK)
    return status;
  const size_t bytes = (size_t)context->model->trainable_bytes;
  unsigned char *copy = malloc(bytes + 1);
  if (!copy) {
    status = sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", path);
  } else {
    memcpy(copy, context->parameters, bytes);
    status = load_region(context->model, file, copy);
    if (status == SINTER_OK) {
      memcpy(context->parameters, copy, bytes);
      sinter_parameters_changed(context);
    }
  }
  free(copy);
  sinter_tensor_file_close(file);
  return status;
}
