/* The IDX format of the MNIST files: two zero bytes, a type code, the rank, the extents as
 * big-endian 32-bit numbers, the elements big-endian. zlib reads plain files as they are.
 */
#include "runtime/array.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* Pictures hardly shrink to a sixteenth. A small file of zeros that claims to be gigabytes is no
 * data set; deflate could make a thousandfold of it. */
#define INFLATION_LIMIT 16
#define ALWAYS_ALLOWED ((int64_t)256 << 20)

typedef struct idx_reader {
  gzFile file;
  const char *path;
} idx_reader;

/* zlib's text without the path, which it puts in front. */
static const char *failure_text(const idx_reader *reader, int *code) {
  const char *text = gzerror(reader->file, code);
  const size_t length = strlen(reader->path);
  if (*code == Z_ERRNO)
    return strerror(errno);
  return strncmp(text, reader->path, length) == 0 && text[length] == ':' ? text + length + 2 : text;
}

static int read_exactly(const idx_reader *reader, void *to, int64_t bytes, const char *what) {
  unsigned char *out = to;
  int64_t done = 0;
  while (done < bytes) {
    const int64_t rest = bytes - done;
    const int got = gzread(reader->file, out + done, rest < 1 << 20 ? (unsigned)rest : 1u << 20);
    if (got < 0) {
      int code;
      const char *message = failure_text(reader, &code);
      return sinter_fail(code == Z_ERRNO ? SINTER_ERROR_IO : SINTER_ERROR_INPUT,
                         "%s: the file is damaged or cut short: %s", reader->path, message);
    }
    if (got == 0)
      return sinter_fail(SINTER_ERROR_INPUT,
                         "%s: cut short: %s needs %lld bytes, the file has %lld", reader->path,
                         what, (long long)bytes, (long long)done);
    done += got;
  }
  return SINTER_OK;
}

static int element_of_code(unsigned char code, sinter_element *element) {
  static const struct {
    unsigned char code;
    sinter_element element;
  } codes[] = {{0x08, SINTER_U8},  {0x09, SINTER_I8},  {0x0b, SINTER_I16},
               {0x0c, SINTER_I32}, {0x0d, SINTER_F32}, {0x0e, SINTER_F64}};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; ++i) {
    if (codes[i].code == code) {
      *element = codes[i].element;
      return 1;
    }
  }
  return 0;
}

static int read_header(const idx_reader *reader, sinter_array *array) {
  unsigned char magic[4], extents[4 * SINTER_MAX_RANK];
  int status = read_exactly(reader, magic, sizeof magic, "the header");
  if (status != SINTER_OK)
    return status;
  if (magic[0] != 0 || magic[1] != 0 || !element_of_code(magic[2], &array->element))
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: begins with %02x %02x %02x %02x, which is no IDX file", reader->path,
                       magic[0], magic[1], magic[2], magic[3]);
  array->rank = magic[3];
  if (array->rank < 1 || array->rank > SINTER_MAX_RANK)
    return sinter_fail(SINTER_ERROR_INPUT, "%s: rank %d is not in 1..%d", reader->path, array->rank,
                       SINTER_MAX_RANK);
  status = read_exactly(reader, extents, 4 * array->rank, "the header");
  for (int32_t d = 0; d < array->rank && status == SINTER_OK; ++d) {
    const unsigned char *e = extents + 4 * d;
    array->dims[d] = (int64_t)e[0] << 24 | (int64_t)e[1] << 16 | (int64_t)e[2] << 8 | e[3];
  }
  return status;
}

/* Reading past the array makes zlib check gzip's sum and end. */
static int check_end(const idx_reader *reader, const sinter_array *array) {
  unsigned char beyond;
  int code;
  const int got = gzread(reader->file, &beyond, 1);
  const char *message = failure_text(reader, &code);
  if (got > 0)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: longer than the %lld elements that its header states", reader->path,
                       (long long)array->count);
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
    return sinter_fail(SINTER_ERROR_INPUT, "%s: the file is damaged or cut short: %s", reader->path,
                       message);
  return SINTER_OK;
}

static int read_array(const idx_reader *reader, int64_t file_bytes, sinter_array *array) {
  int status = read_header(reader, array);
  if (status == SINTER_OK)
    status = sinter_array_allocate(
        array, reader->path,
        gzdirect(reader->file) ? file_bytes : ALWAYS_ALLOWED + INFLATION_LIMIT * file_bytes);
  if (status == SINTER_OK)
    status = read_exactly(reader, array->data, array->count * sinter_element_bytes(array->element),
                          "its array");
  if (status == SINTER_OK)
    status = check_end(reader, array);
  if (status == SINTER_OK)
    sinter_reverse_bytes(array->data, sinter_element_bytes(array->element), array->count);
  return status;
}

int sinter_read_idx(const char *path, sinter_array *array) {
  *array = (sinter_array){.data = NULL};
  struct stat info;
  errno = ENOMEM; /* what a null result without errno means */
  const gzFile file = stat(path, &info) == 0 ? gzopen(path, "rb") : NULL;
  if (!file)
    return sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
  const idx_reader reader = {file, path};
  const int status = read_array(&reader, info.st_size, array);
  gzclose(file);
  if (status != SINTER_OK)
    sinter_array_release(array);
  return status;
}
