/* NumPy's .npy format, versions 1 to 3: "\x93NUMPY", version, header length, a Python dictionary
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, the data
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
 */
#include "runtime/array.h"
#include "runtime/atomic_file.h"
#include "runtime/half.h"

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

/* How elements lie in the file, and what they become. */
typedef struct npy_format {
  char kind;     /* 'b', 'u', 'i' or 'f' */
  int32_t bytes; /* of one element */
  int swapped;   /* big-endian */
  int fortran;   /* the first dimension runs fastest */
  sinter_element element;
} npy_format;

static int parse_element(const char *descr, npy_format *format) {
  static const struct {
    const char *text; /* behind the byte order */
    sinter_element element;
  } types[] = {{"b1", SINTER_U8},  {"u1", SINTER_U8},  {"i1", SINTER_I8},  {"u2", SINTER_I32},
               {"i2", SINTER_I16}, {"u4", SINTER_I64}, {"i4", SINTER_I32}, {"u8", SINTER_I64},
               {"i8", SINTER_I64}, {"f2", SINTER_F32}, {"f4", SINTER_F32}, {"f8", SINTER_F64}};
  if (!*descr || !strchr("<>|=", *descr))
    return 0;
  for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
    if (strncmp(descr + 1, types[i].text, 2) != 0 || (descr[3] != '\'' && descr[3] != '"'))
      continue;
    format->kind = descr[1];
    format->bytes = descr[2] - '0';
    format->swapped = *descr == '>';
    format->element = types[i].element;
    return 1;
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

static int parse_header(const char *path, const char *header, sinter_array *array,
                        npy_format *format) {
  const char *descr = find_value(header, "descr");
  const char *order = find_value(header, "fortran_order");
  const char *shape = find_value(header, "shape");
  if (!descr || !order || !shape || !parse_shape(shape, array))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: a .npy header without sound descr, order and shape",
                       path);
  if (!parse_element(descr, format))
    return sinter_fail(
        SINTER_ERROR_INPUT,
        "%s: elements are '%.3s', but only integers, booleans and floats of 16 to 64 "
        "bits can be read",
        path, descr);
  format->fortran = strncmp(order, "True", 4) == 0 && array->rank > 1;
  array->element = format->element;
  return SINTER_OK;
}

static int read_header(FILE *file, const char *path, sinter_array *array, npy_format *format) {
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
                         ? parse_header(path, header, array, format)
                         : sinter_fail(SINTER_ERROR_INPUT, "%s: cut short in the header", path);
  free(header);
  return status;
}

/* One element of the file as the array has it. */
static int widen(const npy_format *format, const unsigned char *from, sinter_array *array,
                 int64_t index) {
  uint16_t two;
  uint32_t four;
  uint64_t eight;
  if (format->bytes == 2) {
    memcpy(&two, from, sizeof two);
    if (format->kind == 'f')
      ((float *)array->data)[index] = sinter_half_to_float(two);
    else
      ((int32_t *)array->data)[index] = two;
  } else if (format->bytes == 4) {
    memcpy(&four, from, sizeof four);
    ((int64_t *)array->data)[index] = four;
  } else {
    memcpy(&eight, from, sizeof eight);
    if (eight > INT64_MAX)
      return sinter_fail(SINTER_ERROR_INPUT, "%s: element %lld is %llu, beyond 64-bit integers",
                         array->path, (long long)index, (unsigned long long)eight);
    ((int64_t *)array->data)[index] = (int64_t)eight;
  }
  return SINTER_OK;
}

/* Where element `index` of the array lies in a file whose first dimension runs fastest. */
static int64_t fortran_index(const sinter_array *array, int64_t index) {
  int64_t position = 0, stride = array->count;
  for (int32_t d = array->rank - 1; d >= 0; --d) {
    stride /= array->dims[d];
    position += index % array->dims[d] * stride;
    index /= array->dims[d];
  }
  return position;
}

static int is_widened(const npy_format *format) {
  return (format->kind == 'u' && format->bytes > 1) || (format->kind == 'f' && format->bytes == 2);
}

static int convert_elements(const npy_format *format, const unsigned char *raw,
                            sinter_array *array) {
  const int32_t bytes = format->bytes;
  int status = SINTER_OK;
  for (int64_t i = 0; i < array->count && status == SINTER_OK; ++i) {
    const unsigned char *from = raw + (format->fortran ? fortran_index(array, i) : i) * bytes;
    if (is_widened(format))
      status = widen(format, from, array, i);
    else
      memcpy((unsigned char *)array->data + i * bytes, from, (size_t)bytes);
  }
  return status;
}

static int read_elements(FILE *file, const npy_format *format, sinter_array *array) {
  const size_t bytes = (size_t)(array->count * format->bytes);
  const int same = !is_widened(format) && !format->fortran;
  unsigned char *raw = same ? array->data : malloc(bytes + 1);
  if (!raw)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", array->path);
  int status = SINTER_OK;
  if (fread(raw, 1, bytes, file) != bytes)
    status = sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", array->path,
                         ferror(file) ? strerror(errno) : "cut short");
  if (status == SINTER_OK && format->swapped)
    sinter_reverse_bytes(raw, format->bytes, array->count);
  if (same)
    return status;
  if (status == SINTER_OK)
    status = convert_elements(format, raw, array);
  free(raw);
  return status;
}

static int read_array(FILE *file, const char *path, sinter_array *array) {
  struct stat info;
  npy_format format = {.bytes = 1};
  if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode))
    return sinter_fail(SINTER_ERROR_INPUT, "%s is not a regular file", path);
  int status = read_header(file, path, array, &format);
  if (status != SINTER_OK)
    return status;
  /* In bytes of the elements that they become. */
  const int64_t wider = sinter_element_bytes(array->element) / format.bytes;
  status = sinter_array_allocate(array, path, (info.st_size - ftell(file)) * wider);
  return status == SINTER_OK ? read_elements(file, &format, array) : status;
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
static size_t format_header(const sinter_array *array, char *text, size_t capacity) {
  static const char magic[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  const char *descr = array->element == SINTER_F32   ? "<f4"
                      : array->element == SINTER_I32 ? "<i4"
                                                     : "|u1";
  size_t used = 10;
  memcpy(text, magic, sizeof magic);
  used += (size_t)snprintf(text + used, capacity - used,
                           "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int32_t d = 0; d < array->rank; ++d)
    used += (size_t)snprintf(text + used, capacity - used, array->rank == 1 ? "%lld," : "%lld, ",
                             (long long)array->dims[d]);
  used += (size_t)snprintf(text + used, capacity - used, "), }");
  while ((used + 1) % 64 != 0)
    text[used++] = ' ';
  text[used++] = '\n';
  text[8] = (char)((used - 10) & 0xff);
  text[9] = (char)((used - 10) >> 8);
  return used;
}

int sinter_write_npy(const char *path, const sinter_array *array) {
  char header[512];
  const size_t header_bytes = format_header(array, header, sizeof header);
  const size_t bytes = (size_t)(array->count * sinter_element_bytes(array->element));
  sinter_atomic_file file;
  int status = sinter_atomic_open(&file, path);
  if (status != SINTER_OK)
    return status;
  status = sinter_atomic_write(&file, header, header_bytes);
  if (status == SINTER_OK)
    status = sinter_atomic_write(&file, array->data, bytes);
  if (status == SINTER_OK)
    return sinter_atomic_commit(&file);
  sinter_atomic_abandon(&file);
  return status;
}
