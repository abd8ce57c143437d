#include "runtime/array.h"

#include "runtime/parameters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  int64_t bytes;
  const char *name;
} elements[] = {
    [SINTER_U8] = {1, "uint8"},    [SINTER_I8] = {1, "int8"},   [SINTER_I16] = {2, "int16"},
    [SINTER_I32] = {4, "int32"},   [SINTER_I64] = {8, "int64"}, [SINTER_F32] = {4, "float32"},
    [SINTER_F64] = {8, "float64"},
};

int64_t sinter_element_bytes(sinter_element element) { return elements[element].bytes; }
const char *sinter_element_name(sinter_element element) { return elements[element].name; }

int sinter_array_allocate(sinter_array *array, const char *path, int64_t available) {
  int64_t bytes = sinter_element_bytes(array->element);
  int sound = 1, empty = 0; /* an extent of 0 does not hide that the others overflow */
  for (int32_t d = 0; d < array->rank; ++d) {
    empty |= array->dims[d] == 0;
    sound = sound && array->dims[d] >= 0 &&
            (array->dims[d] == 0 || !__builtin_mul_overflow(bytes, array->dims[d], &bytes));
  }
  if (empty && sound)
    bytes = 0;
  if (!sound || bytes > available) {
    char shape[160];
    return sinter_fail(
        SINTER_ERROR_INPUT,
        "%s: a %s array of shape %s does not fit the file: at most %lld bytes of data", path,
        sinter_element_name(array->element),
        sinter_format_shape(array->dims, array->rank, shape, sizeof shape), (long long)available);
  }
  array->count = bytes / sinter_element_bytes(array->element);
  array->data = malloc((size_t)bytes + 1);
  array->path = strdup(path);
  if (!array->data || !array->path)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the %lld bytes of %s",
                       (long long)bytes, path);
  return SINTER_OK;
}

void sinter_reverse_bytes(void *data, int64_t size, int64_t count) {
  unsigned char *bytes = data;
  for (int64_t i = 0; size > 1 && i < count; ++i, bytes += size)
    for (int64_t low = 0, high = size - 1; low < high; ++low, --high) {
      const unsigned char byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
}

void sinter_array_release(sinter_array *array) {
  free(array->data);
  free(array->path);
  *array = (sinter_array){.data = NULL};
}

int64_t sinter_array_row_elements(const sinter_array *array) {
  int64_t count = 1;
  for (int32_t d = 1; d < array->rank; ++d)
    count *= array->dims[d];
  return count;
}

int sinter_array_is_integer(const sinter_array *array) { return array->element < SINTER_F32; }

int64_t sinter_array_integer(const sinter_array *array, int64_t index) {
  switch (array->element) {
  case SINTER_U8:
    return ((const uint8_t *)array->data)[index];
  case SINTER_I8:
    return ((const int8_t *)array->data)[index];
  case SINTER_I16:
    return ((const int16_t *)array->data)[index];
  case SINTER_I32:
    return ((const int32_t *)array->data)[index];
  case SINTER_I64:
    return ((const int64_t *)array->data)[index];
  case SINTER_F32:
  case SINTER_F64:
    break;
  }
  return 0;
}

void sinter_array_floats(const sinter_array *array, int64_t begin, int64_t count, float *to) {
  if (array->element == SINTER_F32) {
    memcpy(to, (const float *)array->data + begin, (size_t)count * sizeof(float));
    return;
  }
  if (array->element == SINTER_F64) {
    for (int64_t i = 0; i < count; ++i)
      to[i] = (float)((const double *)array->data)[begin + i];
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    to[i] = (float)sinter_array_integer(array, begin + i);
}

double sinter_array_value(const sinter_array *array, int64_t index) {
  if (array->element == SINTER_F32)
    return (double)((const float *)array->data)[index];
  if (array->element == SINTER_F64)
    return ((const double *)array->data)[index];
  return (double)sinter_array_integer(array, index);
}

static int not_representable(const sinter_array *array, int64_t index, sinter_element element) {
  return sinter_fail(SINTER_ERROR_INPUT, "%s: element %lld is %.17g, which is no %s", array->path,
                     (long long)index, sinter_array_value(array, index),
                     sinter_element_name(element));
}

/* A double beyond float's range would become an infinity. */
static int convert_to_float(const sinter_array *array, int64_t begin, int64_t count, float *to) {
  sinter_array_floats(array, begin, count, to);
  for (int64_t i = 0; i < count && array->element == SINTER_F64; ++i)
    if (isinf(to[i]) && !isinf(sinter_array_value(array, begin + i)))
      return not_representable(array, begin + i, SINTER_F32);
  return SINTER_OK;
}

int sinter_array_convert(const sinter_array *array, int64_t begin, int64_t count,
                         sinter_element element, void *to) {
  if (element == SINTER_F32)
    return convert_to_float(array, begin, count, to);
  const double low = element == SINTER_U8 ? 0 : INT32_MIN;
  const double high = element == SINTER_U8 ? UINT8_MAX : INT32_MAX;
  for (int64_t i = 0; i < count; ++i) {
    const double value = sinter_array_value(array, begin + i);
    if (!(value >= low && value <= high) || value != floor(value))
      return not_representable(array, begin + i, element);
    if (element == SINTER_U8)
      ((uint8_t *)to)[i] = (uint8_t)value;
    else
      ((int32_t *)to)[i] = (int32_t)value;
  }
  return SINTER_OK;
}
