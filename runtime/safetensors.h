/* The safetensors format (https://huggingface.co/docs/safetensors): an 8-byte little-endian header
 * length, a JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {...}}, then
 * the data, row-major. Sinter writes F32 in logical order and reads F32, F64, F16 and BF16.
 */
#pragma once

#include "runtime/sinter_runtime.h"

#include <jansson.h>

/* A tensor to write: shape and storage layout are `parameter`'s. */
typedef struct sinter_tensor {
  const char *name;
  const sinter_parameter *parameter;
  const float *storage;
} sinter_tensor;

/* `metadata`: an object of strings, or NULL. Atomic: see atomic_file.h. */
int sinter_tensors_write(const char *path, const sinter_tensor *tensors, int32_t count,
                         const json_t *metadata);

typedef struct sinter_tensor_file sinter_tensor_file;

/* Checks the whole header against the file's size. */
int sinter_tensor_file_open(const char *path, sinter_tensor_file **out);
void sinter_tensor_file_close(sinter_tensor_file *file);                   /* NULL is allowed */
const json_t *sinter_tensor_file_metadata(const sinter_tensor_file *file); /* NULL when none */

/* That the tensor is there, of a float type, and has the parameter's logical shape. */
int sinter_tensor_file_check(const sinter_tensor_file *file, const char *name,
                             const sinter_parameter *parameter);
/* Checks, reads, and packs into the parameter's storage. */
int sinter_tensor_file_read(const sinter_tensor_file *file, const char *name,
                            const sinter_parameter *parameter, float *storage);
