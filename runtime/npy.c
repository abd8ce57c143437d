/* NumPy's .npy format, versions 1 to 3: "\x93NUMPY", version, header length, a Python dictionary
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, the data
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */
#include "runtime/array.h"
#include "runtime/atomic_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_LIMIT 65536

/* The text after 'key': in the header, or NULL. */
static const char *find_value(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (!at)
    return NULL;
  at += strlen(key);
  while (*at == ' ' || *at == ':' || *at == '\'' || *at == '"')
    ++at;
  return at;
}

static int parse_element(const char *descr, sinter_element *element) {
  static const struct {
    const char *text;
    sinter_element element;
  } types[] = {{"|u1", SINTER_U8},  {"|b1", SINTER_U8},  {"|i1", SINTER_I8},  {"<i2", SINTER_I16},
               {"<i4", SINTER_I32}, {"<i8", SINTER_I64}, {"<f4", SINTER_F32}, {"<f8", SINTER_F64}};
  for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
    if (strncmp(descr, types[i].text, 3) == 0) {
      *element = types[i].element;
      return 1;
    }
  }
  return 0;
}

/* "(3, 4), }" */
static int parse_shape(const char *text, sinter_array *array) {
  if (*text++ != '(')
    return 0;
  for (array->rank = 0;; ++array->rank) {
    while (*text == ' ' || *text == ',')
      ++text;
    if (*text == ')')
      return 1;
    char *end;
    errno = 0;
    const long long extent = strtoll(text, &end, 10);
    if (end == text || errno != 0 || extent < 0 || array->rank == SINTER_MAX_RANK)
      return 0;
    array->dims[array->rank] = extent;
    text = end;
  }
}

static int parse_header(const char *path, const char *header, sinter_array *array) {
  const char *descr = find_value(header, "descr");
  const char *order = find_value(header, "fortran_order");
  const char *shape = find_value(header, "shape");
  if (!descr || !order || !shape || !parse_shape(shape, array))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: a .npy header without sound descr, order and shape",
                       path);
  if (!parse_element(descr, &array->element))
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: elements are '%.3s', but only little-endian u1, i1, i2, i4, i8, f4, f8 "
                       "and booleans can be read",
                       path, descr);
  if (strncmp(order, "True", 4) == 0 && array->rank > 1)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: in Fortran order; save it with numpy.ascontiguousarray", path);
  return SINTER_OK;
}

static int read_header(FILE *file, const char *path, sinter_array *array) {
  unsigned char prefix[12] = {0};
  const int version1 = fread(prefix, 1, 10, file) == 10 && prefix[6] == 1;
  if (memcmp(prefix, "\x93NUMPY", 6) != 0 || (!version1 && fread(prefix + 10, 1, 2, file) != 2))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: no .npy file", path);
  size_t length = (size_t)prefix[8] | (size_t)prefix[9] << 8;
  if (!version1)
    length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
  if (length > HEADER_LIMIT)
    return sinter_fail(SINTER_ERROR_INPUT, "%s: a .npy header of %zu bytes is too long", path,
                       length);
  char *header = calloc(1, length + 1);
  if (!header)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", path);
  const int status = fread(header, 1, length, file) == length
                         ? parse_header(path, header, array)
                         : sinter_fail(SINTER_ERROR_INPUT, "%s: cut short in the header", path);
  free(header);
  return status;
}

static int read_array(FILE *file, const char *path, sinter_array *array) {
  struct stat info;
  if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode))
    return sinter_fail(SINTER_ERROR_INPUT, "%s is not a regular file", path);
  int status = read_header(file, path, array);
  if (status == SINTER_OK)
    status = sinter_array_allocate(array, path, info.st_size - ftell(file));
  if (status != SINTER_OK)
    return status;
  const size_t bytes = (size_t)(array->count * sinter_element_bytes(array->element));
  if (fread(array->data, 1, bytes, file) != bytes)
    return sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", path,
                       ferror(file) ? strerror(errno) : "cut short");
  return SINTER_OK;
}

int sinter_read_npy(const char *path, sinter_array *array) {
  *array = (sinter_array){.data = NULL};
  FILE *file = fopen(path, "rbe");
  if (!file)
    return sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
  const int status = read_array(file, path, array);
  fclose(file);
  if (status != SINTER_OK)
    sinter_array_release(array);
  return status;
}

/* Version 1; the header is padded with blanks so that the data begins at a multiple of 64. */
static size_t format_header(const int64_t *dims, int32_t rank, char *text, size_t capacity) {
  static const char magic[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  size_t used = 10;
  memcpy(text, magic, sizeof magic);
  used += (size_t)snprintf(text + used, capacity - used,
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (");
  for (int32_t d = 0; d < rank; ++d)
    used += (size_t)snprintf(text + used, capacity - used, rank == 1 ? "%lld," : "%lld, ",
                             (long long)dims[d]);
  used += (size_t)snprintf(text + used, capacity - used, "), }");
  while ((used + 1) % 64 != 0)
    text[used++] = ' ';
  text[used++] = '\n';
  text[8] = (char)((used - 10) & 0xff);
  text[9] = (char)((used - 10) >> 8);
  return used;
}

int sinter_write_npy(const char *path, const int64_t *dims, int32_t rank, const float *data) {
  char header[512];
  const size_t header_bytes = format_header(dims, rank, header, sizeof header);
  size_t bytes = sizeof(float);
  for (int32_t d = 0; d < rank; ++d)
    bytes *= (size_t)dims[d];
  sinter_atomic_file file;
  int status = sinter_atomic_open(&file, path);
  if (status != SINTER_OK)
    return status;
  status = sinter_atomic_write(&file, header, header_bytes);
  if (status == SINTER_OK)
    status = sinter_atomic_write(&file, data, bytes);
  if (status == SINTER_OK)
    return sinter_atomic_commit(&file);
  sinter_atomic_abandon(&file);
  return status;
}
