#include "runtime/atomic_file.h"
#include "runtime/parameters.h"
#include "runtime/safetensors.h"

#include <stdlib.h>
#include <string.h>

static json_t *shape_json(const sinter_parameter *parameter) {
  json_t *shape = json_array();
  for (int32_t d = 0; d < parameter->rank; ++d)
    json_array_append_new(shape, json_integer(parameter->dims[d]));
  return shape;
}

static json_t *header_json(const sinter_tensor *tensors, int32_t count, const json_t *metadata) {
  json_t *header = json_object();
  if (metadata)
    json_object_set(header, "__metadata__", (json_t *)metadata);
  int64_t offset = 0;
  for (int32_t t = 0; t < count; ++t) {
    const int64_t end =
        offset + sinter_parameter_elements(tensors[t].parameter) * (int64_t)sizeof(float);
    json_t *entry = json_object();
    json_object_set_new(entry, "dtype", json_string("F32"));
    json_object_set_new(entry, "shape", shape_json(tensors[t].parameter));
    json_t *offsets = json_array();
    json_array_append_new(offsets, json_integer(offset));
    json_array_append_new(offsets, json_integer(end));
    json_object_set_new(entry, "data_offsets", offsets);
    json_object_set_new(header, tensors[t].name, entry);
    offset = end;
  }
  return header;
}

/* The header, padded with blanks so that the data begins at a multiple of 8. */
static int write_header(sinter_atomic_file *file, const sinter_tensor *tensors, int32_t count,
                        const json_t *metadata) {
  json_t *header = header_json(tensors, count, metadata);
  char *text = json_dumps(header, JSON_COMPACT);
  json_decref(header);
  if (!text)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the header of %s", file->path);
  const size_t length = strlen(text), padding = (8 - length % 8) % 8;
  const uint64_t total = length + padding;
  unsigned char prefix[8];
  for (int byte = 0; byte < 8; ++byte)
    prefix[byte] = (unsigned char)(total >> (8 * byte));
  int status = sinter_atomic_write(file, prefix, sizeof prefix);
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
