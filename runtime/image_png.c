#include "runtime/image.h"
#include "runtime/sinter_runtime.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct png_failure {
  jmp_buf *back;
  const char *path;
} png_failure;

static void fail_and_jump(png_structp png, png_const_charp message) {
  const png_failure *failure = png_get_error_ptr(png);
  sinter_fail(SINTER_ERROR_INPUT, "%s: %s", failure->path, message);
  longjmp(*failure->back, 1);
}

static void ignore_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

/* 8-bit grey or RGB, whatever the file holds. */
static void ask_for_bytes(png_structp png, png_infop info) {
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

/* Everything that may jump; `rows` is freed by the caller because a jump skips this frame's end. */
static int decode(png_structp png, png_infop info, const char *path, sinter_image *image,
                  png_bytep **rows) {
  png_read_info(png, info);
  ask_for_bytes(png, info);
  const int status =
      sinter_image_allocate(image, path, png_get_image_width(png, info),
                            png_get_image_height(png, info), png_get_channels(png, info));
  if (status != SINTER_OK)
    return status;
  *rows = malloc((size_t)image->height * sizeof **rows);
  if (!*rows)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", path);
  const size_t row_bytes = (size_t)image->width * (size_t)image->channels;
  for (int32_t y = 0; y < image->height; ++y)
    (*rows)[y] = image->pixels + (size_t)y * row_bytes;
  png_read_image(png, *rows);
  png_read_end(png, NULL);
  return SINTER_OK;
}

int sinter_png_read(const char *path, void *file, sinter_image *image) {
  jmp_buf back;
  png_failure failure = {&back, path};
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure, fail_and_jump, ignore_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  png_bytep *volatile rows = NULL; /* survives the jump */
  volatile int status = SINTER_ERROR_INPUT;
  if (!info) {
    status = sinter_fail(SINTER_ERROR_MEMORY, "out of memory reading %s", path);
  } else if (setjmp(back) == 0) {
    png_init_io(png, file);
    status = decode(png, info, path, image, (png_bytep **)&rows);
  }
  free(rows);
  png_destroy_read_struct(&png, &info, NULL);
  return status;
}
