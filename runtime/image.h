/* PNG and JPEG pictures for predict. */
#pragma once

#include <stdint.h>

typedef struct sinter_image {
  int32_t width, height, channels; /* 1: grey, 3: RGB */
  uint8_t *pixels;                 /* rows of height, width, channels */
} sinter_image;

/* Decodes by the file's own signature; alpha is dropped, 16 bits become 8, palettes colours. */
int sinter_image_read(const char *path, sinter_image *image);
void sinter_image_release(sinter_image *image);

/* Into `to`, of height x width x channels (1: ITU-R 601 luma, 3: RGB). Resizes with a triangle
 * filter as wide as the reduction, so that enlarging is bilinear and reducing averages. */
int sinter_image_fit(const sinter_image *image, int32_t width, int32_t height, int32_t channels,
                     uint8_t *to);

/* For the decoders: refuses absurd sizes and allocates. */
int sinter_image_allocate(sinter_image *image, const char *path, uint32_t width, uint32_t height,
                          int32_t channels);
int sinter_png_read(const char *path, void *file, sinter_image *image);
int sinter_jpeg_read(const char *path, void *file, sinter_image *image);
