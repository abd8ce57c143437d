#include "runtime/image.h"

#include "runtime/sinter_runtime.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIXEL_LIMIT ((int64_t)1 << 26) /* 67 million: more is no picture to classify */
#define SIDE_LIMIT 65535               /* JPEG's own; a longer side would be stretched, too */

int sinter_image_allocate(sinter_image *image, const char *path, uint32_t width, uint32_t height,
                          int32_t channels) {
  const int64_t pixels = (int64_t)width * height;
  if (width == 0 || height == 0 || width > SIDE_LIMIT || height > SIDE_LIMIT ||
      pixels > PIXEL_LIMIT)
    return sinter_fail(SINTER_ERROR_INPUT,
                       "%s: a picture of %ux%u pixels, but at most %lld pixels and %d a side can "
                       "be read",
                       path, width, height, (long long)PIXEL_LIMIT, SIDE_LIMIT);
  image->width = (int32_t)width;
  image->height = (int32_t)height;
  image->channels = channels;
  image->pixels = malloc((size_t)(pixels * channels));
  if (!image->pixels)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", path);
  return SINTER_OK;
}

void sinter_image_release(sinter_image *image) {
  free(image->pixels);
  *image = (sinter_image){.pixels = NULL};
}

int sinter_image_read(const char *path, sinter_image *image) {
  *image = (sinter_image){.pixels = NULL};
  FILE *file = fopen(path, "rbe");
  if (!file)
    return sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
  unsigned char signature[8] = {0};
  const size_t got = fread(signature, 1, sizeof signature, file);
  rewind(file);
  int status;
  if (memcmp(signature, "\x89PNG\r\n\x1a\n", 8) == 0)
    status = sinter_png_read(path, file, image);
  else if (memcmp(signature, "\xff\xd8\xff", 3) == 0)
    status = sinter_jpeg_read(path, file, image);
  else if (got == 0 && ferror(file))
    status = sinter_fail(SINTER_ERROR_IO, "cannot read %s: %s", path, strerror(errno));
  else
    status =
        sinter_fail(SINTER_ERROR_INPUT, "%s is neither a PNG nor a JPEG nor a .npy file", path);
  fclose(file);
  if (status != SINTER_OK)
    sinter_image_release(image);
  return status;
}

/* ---- fitting -----------------------------------------------------------------------------------
 */

static uint8_t round_byte(float value) {
  return (uint8_t)(value <= 0.0f ? 0.0f : value >= 255.0f ? 255.0f : value + 0.5f);
}

/* The same integer weights as Pillow's convert("L"). */
static uint8_t luma(const uint8_t *rgb) {
  return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

static void convert_pixel(const uint8_t *from, int32_t from_channels, uint8_t *to,
                          int32_t to_channels) {
  if (from_channels == to_channels)
    memcpy(to, from, (size_t)to_channels);
  else if (to_channels == 1)
    to[0] = luma(from);
  else
    to[0] = to[1] = to[2] = from[0];
}

/* Resizes along one axis: `from` is [outer][size][inner], `to` is [outer][new_size][inner]. */
static void resize_axis(const uint8_t *from, int64_t outer, int32_t size, int64_t inner,
                        int32_t new_size, uint8_t *to) {
  const double scale = (double)size / new_size, reach = scale > 1.0 ? scale : 1.0;
  for (int32_t i = 0; i < new_size; ++i) {
    const double center = (i + 0.5) * scale;
    const int32_t first = (int32_t)fmax(0.0, floor(center - reach));
    const int32_t last = (int32_t)fmin((double)size, ceil(center + reach));
    double total = 0.0;
    for (int32_t s = first; s < last; ++s)
      total += fmax(0.0, 1.0 - fabs((s + 0.5 - center) / reach));
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t c = 0; c < inner; ++c) {
        double sum = 0.0;
        for (int32_t s = first; s < last; ++s)
          sum +=
              fmax(0.0, 1.0 - fabs((s + 0.5 - center) / reach)) * from[(o * size + s) * inner + c];
        to[(o * new_size + i) * inner + c] = round_byte((float)(sum / total));
      }
    }
  }
}

int sinter_image_fit(const sinter_image *image, int32_t width, int32_t height, int32_t channels,
                     uint8_t *to) {
  const int64_t pixels = (int64_t)image->width * image->height;
  uint8_t *converted = malloc((size_t)(pixels * channels));
  uint8_t *narrowed = malloc((size_t)((int64_t)width * image->height * channels));
  if (converted && narrowed) {
    for (int64_t p = 0; p < pixels; ++p)
      convert_pixel(image->pixels + p * image->channels, image->channels, converted + p * channels,
                    channels);
    resize_axis(converted, image->height, image->width, channels, width, narrowed);
    resize_axis(narrowed, 1, image->height, (int64_t)width * channels, height, to);
  }
  const int done = converted && narrowed;
  free(converted);
  free(narrowed);
  return done ? SINTER_OK : sinter_fail(SINTER_ERROR_MEMORY, "out of memory for a picture");
}
