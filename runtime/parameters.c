#include "runtime/parameters.h"

#include <stdio.h>
#include <string.h>

int64_t sinter_parameter_elements(const sinter_parameter *parameter) {
  int64_t elements = 1;
  for (int32_t d = 0; d < parameter->rank; ++d)
    elements *= parameter->dims[d];
  return elements;
}

/* Calls for each run of consecutive logical elements that is consecutive in storage too. */
static void copy_blocked(const sinter_parameter *parameter, const float *from, float *to,
                         int packing) {
  const int64_t columns = parameter->rank > 0 ? parameter->dims[parameter->rank - 1] : 1;
  const int64_t rows = columns > 0 ? sinter_parameter_elements(parameter) / columns : 0;
  const int64_t block = parameter->block;
  for (int64_t start = 0; start < columns; start += block) {
    const int64_t run = columns - start < block ? columns - start : block;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t logical = row * columns + start;
      const int64_t stored = start * rows + row * block;
      memcpy(to + (packing ? stored : logical), from + (packing ? logical : stored),
             (size_t)run * sizeof(float));
    }
  }
}

void sinter_pack_parameter(const sinter_parameter *parameter, const float *logical,
                           float *storage) {
  if (parameter->block <= 0) {
    memcpy(storage, logical, (size_t)sinter_parameter_elements(parameter) * sizeof(float));
    return;
  }
  memset(storage, 0, (size_t)parameter->bytes); /* the padding lanes are always zero */
  copy_blocked(parameter, logical, storage, /*packing=*/1);
}

void sinter_unpack_parameter(const sinter_parameter *parameter, const float *storage,
                             float *logical) {
  if (parameter->block <= 0)
    memcpy(logical, storage, (size_t)sinter_parameter_elements(parameter) * sizeof(float));
  else
    copy_blocked(parameter, storage, logical, /*packing=*/0);
}

const char *sinter_format_shape(const int64_t *dims, int32_t rank, char *text, size_t text_bytes) {
  size_t used = 0;
  text[0] = '\0';
  for (int32_t d = 0; d < rank && used < text_bytes; ++d)
    used += (size_t)snprintf(text + used, text_bytes - used, "%s%lld", d == 0 ? "[" : ", ",
                             (long long)dims[d]);
  if (used < text_bytes)
    snprintf(text + used, text_bytes - used, rank == 0 ? "[]" : "]");
  return text;
}
