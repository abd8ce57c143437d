#define _GNU_SOURCE /* pread, O_CLOEXEC */
#include "runtime/half.h"
#include "runtime/parameters.h"
#include "runtime/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_LIMIT (10 * 1000 * 1000) /* 100,000 tensors; parsed, it takes fifty times that */

struct sinter_tensor_file {
  int descriptor;
  char *path;
  json_t *header;
  int64_t data_begin, data_bytes;
};

typedef struct element_type {
  const char *name;
  int64_t bytes;
  void (*widen)(const unsigned char *from, float *to, int64_t count); /* NULL: no float type */
} element_type;

static void copy_f32(const unsigned char *from, float *to, int64_t count) {
  memcpy(to, from, (size_t)count * sizeof(float));
}

static void narrow_f64(const unsigned char *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    double value;
    memcpy(&value, from + i * 8, sizeof value);
    to[i] = (float)value;
  }
}

static void widen_bf16(const unsigned char *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = (uint32_t)from[2 * i] << 16 | (uint32_t)from[2 * i + 1] << 24;
    memcpy(&to[i], &bits, sizeof bits);
  }
}

static void widen_f16(const unsigned char *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = sinter_half_to_float((uint16_t)(from[2 * i] | from[2 * i + 1] << 8));
}

static const element_type element_types[] = {
    {"F32", 4, copy_f32}, {"F64", 8, narrow_f64}, {"F16", 2, widen_f16}, {"BF16", 2, widen_bf16},
    {"I64", 8, NULL},     {"U64", 8, NULL},       {"I32", 4, NULL},      {"U32", 4, NULL},
    {"I16", 2, NULL},     {"U16", 2, NULL},       {"I8", 1, NULL},       {"U8", 1, NULL},
    {"BOOL", 1, NULL}};

static const element_type *find_type(const char *name) {
  for (size_t t = 0; name && t < sizeof element_types / sizeof *element_types; ++t)
    if (strcmp(element_types[t].name, name) == 0)
      return &element_types[t];
  return NULL;
}

static int read_exactly(const sinter_tensor_file *file, void *to, int64_t bytes, int64_t offset) {
  unsigned char *out = to;
  while (bytes > 0) {
    const ssize_t got = pread(file->descriptor, out, (size_t)bytes, offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", file->path, strerror(errno));
    if (got == 0)
      return sinter_fail(SINTER_ERROR_INPUT, "%s: the file ends %lld bytes early", file->path,
                         (long long)bytes);
    out += got;
    offset += got;
    bytes -= got;
  }
  return SINTER_OK;
}

/* Elements of a JSON shape; -1 when it is none or overflows. */
static int64_t shape_elements(const json_t *shape) {
  int64_t elements = 1;
  if (!json_is_array(shape))
    return -1;
  for (size_t d = 0; d < json_array_size(shape); ++d) {
    const json_t *extent = json_array_get(shape, d);
    if (!json_is_integer(extent) || json_integer_value(extent) < 0 ||
        __builtin_mul_overflow(elements, (int64_t)json_integer_value(extent), &elements))
      return -1;
  }
  return elements;
}

static int check_entry(const sinter_tensor_file *file, const char *name, json_t *entry) {
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  const json_t *offsets = json_object_get(entry, "data_offsets");
  const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
  const int64_t elements = shape_elements(json_object_get(entry, "shape"));
  if (!dtype || elements < 0 || !json_is_integer(begin) || !json_is_integer(end))
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: tensor %s lacks a sound dtype, shape and data_offsets", file->path,
                       name);
  const int64_t from = json_integer_value(begin), to = json_integer_value(end);
  if (from < 0 || to < from || to > file->data_bytes)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: tensor %s lies at [%lld, %lld), but the file has %lld bytes of data",
                       file->path, name, (long long)from, (long long)to,
                       (long long)file->data_bytes);
  const element_type *type = find_type(dtype);
  int64_t bytes;
  if (type && (__builtin_mul_overflow(elements, type->bytes, &bytes) || bytes != to - from))
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: tensor %s has %lld elements of %s, but %lld bytes of data", file->path,
                       name, (long long)elements, dtype, (long long)(to - from));
  return SINTER_OK;
}

static int parse_header(sinter_tensor_file *file, int64_t length) {
  char *text = malloc((size_t)length);
  if (!text)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the header of %s", file->path);
  int status = read_exactly(file, text, length, 8);
  json_error_t error;
  if (status == SINTER_OK) {
    file->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(file->header))
      status = sinter_fail(SINTER_ERROR_INPUT, "%s: the header is no JSON object%s%s", file->path,
                           file->header ? "" : ": ", file->header ? "" : error.text);
  }
  free(text);
  return status;
}

static int read_header(sinter_tensor_file *file, int64_t file_bytes) {
  unsigned char prefix[9]; /* the header's length, and its first byte */
  if (file_bytes < (int64_t)sizeof prefix)
    return sinter_fail(SINTER_ERROR_INPUT, "%s: %lld bytes are too few for a safetensors file",
                       file->path, (long long)file_bytes);
  int status = read_exactly(file, prefix, sizeof prefix, 0);
  if (status != SINTER_OK)
    return status;
  if (prefix[8] != '{')
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s is no safetensors file, and that is all this program reads: make one of "
                       "it with sinter convert %s -o weights.safetensors",
                       file->path, file->path);
  uint64_t length = 0;
  for (int byte = 7; byte >= 0; --byte)
    length = length << 8 | prefix[byte];
  if (length < 2 || length > HEADER_LIMIT || (int64_t)length > file_bytes - 8)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: a header of %llu bytes does not fit a safetensors file of %lld",
                       file->path, (unsigned long long)length, (long long)file_bytes);
  file->data_begin = 8 + (int64_t)length;
  file->data_bytes = file_bytes - file->data_begin;
  status = parse_header(file, (int64_t)length);
  const char *name;
  json_t *entry;
  if (status == SINTER_OK) {
    json_object_foreach(file->header, name, entry) {
      if (status == SINTER_OK && strcmp(name, "__metadata__") != 0)
        status = check_entry(file, name, entry);
    }
  }
  return status;
}

int sinter_tensor_file_open(const char *path, sinter_tensor_file **out) {
  *out = NULL;
  sinter_tensor_file *file = calloc(1, sizeof *file);
  char *name = strdup(path);
  if (!file || !name) {
    free(file);
    free(name);
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory");
  }
  file->path = name;
  file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
  struct stat info;
  int status = SINTER_OK;
  if (file->descriptor < 0 || fstat(file->descriptor, &info) != 0)
    status = sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
  else if (!S_ISREG(info.st_mode))
    status = sinter_fail(SINTER_ERROR_INPUT, "%s is not a regular file", path);
  else
    status = read_header(file, info.st_size);
  if (status != SINTER_OK) {
    sinter_tensor_file_close(file);
    return status;
  }
  *out = file;
  return SINTER_OK;
}

void sinter_tensor_file_close(sinter_tensor_file *file) {
  if (!file)
    return;
  if (file->descriptor >= 0)
    close(file->descriptor);
  json_decref(file->header);
  free(file->path);
  free(file);
}

const json_t *sinter_tensor_file_metadata(const sinter_tensor_file *file) {
  return json_object_get(file->header, "__metadata__");
}

static int same_shape(const json_t *shape, const sinter_parameter *parameter) {
  if ((int32_t)json_array_size(shape) != parameter->rank)
    return 0;
  for (int32_t d = 0; d < parameter->rank; ++d)
    if (json_integer_value(json_array_get(shape, (size_t)d)) != parameter->dims[d])
      return 0;
  return 1;
}

int sinter_tensor_file_check(const sinter_tensor_file *file, const char *name,
                             const sinter_parameter *parameter) {
  const json_t *entry = json_object_get(file->header, name);
  if (!entry)
    return sinter_fail(SINTER_ERROR_INPUT, "%s has no tensor %s", file->path, name);
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  const element_type *type = find_type(dtype);
  if (!type || !type->widen)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: tensor %s is %s, but F32, F64, F16 or BF16 is needed", file->path, name,
                       dtype);
  const json_t *shape = json_object_get(entry, "shape");
  if (!same_shape(shape, parameter)) {
    char expected[160];
    char *found = json_dumps(shape, 0);
    sinter_fail(SINTER_ERROR_INPUT, "%s: tensor %s has shape %s, but the model needs %s",
                file->path, name, found ? found : "?",
                sinter_format_shape(parameter->dims, parameter->rank, expected, sizeof expected));
    free(found);
    return SINTER_ERROR_INPUT;
  }
  return SINTER_OK;
}

int sinter_tensor_file_read(const sinter_tensor_file *file, const char *name,
                            const sinter_parameter *parameter, float *storage) {
  int status = sinter_tensor_file_check(file, name, parameter);
  if (status != SINTER_OK)
    return status;
  const json_t *entry = json_object_get(file->header, name);
  const element_type *type = find_type(json_string_value(json_object_get(entry, "dtype")));
  const int64_t begin =
      json_integer_value(json_array_get(json_object_get(entry, "data_offsets"), 0));
  const int64_t elements = sinter_parameter_elements(parameter);
  const size_t raw_bytes = (size_t)(elements * type->bytes);
  unsigned char *raw = malloc(raw_bytes + 1);
  float *logical = malloc((size_t)elements * sizeof(float) + 1);
  if (!raw || !logical)
    status = sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", name);
  else
    status = read_exactly(file, raw, (int64_t)raw_bytes, file->data_begin + begin);
  if (status == SINTER_OK) {
    type->widen(raw, logical, elements);
    sinter_pack_parameter(parameter, logical, storage);
  }
  free(raw);
  free(logical);
  return status;
}
