#include "runtime/atomic_file.h"
#include "runtime/parameters.h"
#include "runtime/safetensors.h"

#include <stdlib.h>
#include <string.h>

/* NULL when memory is short. */
static json_t *entry_json(const sinter_parameter *parameter, int64_t begin, int64_t end) {
  json_t *shape = json_array();
  for (int32_t d = 0; d < parameter->rank; ++d)
    if (json_array_append_new(shape, json_integer(parameter->dims[d])) != 0) {
      json_decref(shape);
      return NULL;
    }
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets",
                   (json_int_t)begin, (json_int_t)end);
}

static int short_of_memory(const char *path) {
  return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the header of %s", path);
}

/* jansson refuses a key for two reasons alone. */
static int cannot_hold(const char *path, const char *name) {
  for (const char *c = name; *c; ++c)
    if ((unsigned char)*c >= 0x80)
      return sinter_fail(SINTER_ERROR_INPUT,
                         "the tensor %s cannot be written to %s: safetensors names are UTF-8", name,
                         path);
  return short_of_memory(path);
}

static int fill_header(json_t *header, const char *path, const sinter_tensor *tensors,
                       int32_t count, const json_t *metadata) {
  if (metadata && json_object_set(header, "__metadata__", (json_t *)metadata) != 0)
    return short_of_memory(path);
  int64_t offset = 0;
  for (int32_t t = 0; t < count; ++t) {
    const sinter_parameter *parameter = tensors[t].parameter;
    const int64_t end = offset + sinter_parameter_elements(parameter) * (int64_t)sizeof(float);
    if (json_object_set_new(header, tensors[t].name, entry_json(parameter, offset, end)) != 0)
      return cannot_hold(path, tensors[t].name);
    offset = end;
  }
  return SINTER_OK;
}

/* The header, padded with blanks so that the data begins at a multiple of 8. */
static int write_header(sinter_atomic_file *file, const sinter_tensor *tensors, int32_t count,
                        const json_t *metadata) {
  json_t *header = json_object();
  int status = fill_header(header, file->path, tensors, count, metadata);
  char *text = status == SINTER_OK ? json_dumps(header, JSON_COMPACT) : NULL;
  json_decref(header);
  if (!text)
    return status == SINTER_OK ? short_of_memory(file->path) : status;
  const size_t length = strlen(text), padding = (8 - length % 8) % 8;
  const uint64_t total = length + padding;
  unsigned char prefix[8];
  for (int byte = 0; byte < 8; ++byte)
    prefix[byte] = (unsigned char)(total >> (8 * byte));
  status = sinter_atomic_write(file, prefix, sizeof prefix);
  if (status == SINTER_OK)
    status = sinter_atomic_write(file, text, length);
  if (status == SINTER_OK)
    status = sinter_atomic_write(file, "        ", padding);
  free(text);
  return status;
}

static int write_tensor(sinter_atomic_file *file, const sinter_tensor *tensor) {
  const size_t bytes = (size_t)sinter_parameter_elements(tensor->parameter) * sizeof(float);
  if (tensor->parameter->block <= 0)
    return sinter_atomic_write(file, tensor->storage, bytes);
  float *logical = malloc(bytes > 0 ? bytes : 1);
  if (!logical)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory writing %s", tensor->name);
  sinter_unpack_parameter(tensor->parameter, tensor->storage, logical);
  const int status = sinter_atomic_write(file, logical, bytes);
  free(logical);
  return status;
}

int sinter_tensors_write(const char *path, const sinter_tensor *tensors, int32_t count,
                         const json_t *metadata) {
  sinter_atomic_file file;
  int status = sinter_atomic_open(&file, path);
  if (status != SINTER_OK)
    return status;
  status = write_header(&file, tensors, count, metadata);
  for (int32_t t = 0; t < count && status == SINTER_OK; ++t)
    status = write_tensor(&file, &tensors[t]);
  if (status == SINTER_OK)
    return sinter_atomic_commit(&file);
  sinter_atomic_abandon(&file);
  return status;
}
