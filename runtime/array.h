/* Tensors as files hold them: IDX (plain or gzip) and NumPy's .npy. Elements stay as they were
 * read, in native byte order and row-major.
 */
#pragma once

#include "runtime/sinter_runtime.h"

typedef struct sinter_array {
  sinter_element element;
  int32_t rank;
  int64_t dims[SINTER_MAX_RANK];
  int64_t count; /* of elements */
  void *data;
  char *path; /* for messages */
} sinter_array;

int64_t sinter_element_bytes(sinter_element element);
const char *sinter_element_name(sinter_element element);

/* Both leave `array` empty on failure. A .npy may have any real type, either byte order and either
 * order of dimensions; a type that sinter_element lacks comes as the next wider one. */
int sinter_read_idx(const char *path, sinter_array *array);
int sinter_read_npy(const char *path, sinter_array *array);
/* Atomic: see atomic_file.h. Of U8, I32 or F32 elements. */
int sinter_write_npy(const char *path, const sinter_array *array);

void sinter_array_release(sinter_array *array); /* an empty (zeroed) one is allowed */

/* Elements of one index of dimension 0. */
int64_t sinter_array_row_elements(const sinter_array *array);
/* Elements [begin, begin + count), converted. */
void sinter_array_floats(const sinter_array *array, int64_t begin, int64_t count, float *to);
/* One element of an integer array; 0 for a float array. */
int64_t sinter_array_integer(const sinter_array *array, int64_t index);
int sinter_array_is_integer(const sinter_array *array);
/* One element of any array. */
double sinter_array_value(const sinter_array *array, int64_t index);
/* Elements [begin, begin + count) as `element` (U8, I32 or F32). The first value that has none
 * there, being too large or not whole, is named in the error. */
int sinter_array_convert(const sinter_array *array, int64_t begin, int64_t count,
                         sinter_element element, void *to);

/* For the readers: sets dims' product as the count and allocates; `available` bounds the bytes
 * that the file can possibly hold. */
int sinter_array_allocate(sinter_array *array, const char *path, int64_t available);
/* From one byte order to the other: `count` elements of `size` bytes each, in place. */
void sinter_reverse_bytes(void *data, int64_t size, int64_t count);
