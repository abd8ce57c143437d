#include "runtime/image.h"
#include "runtime/sinter_runtime.h"

#include <setjmp.h>
#include <stdio.h>

/* After stdio and size_t, as these headers want. */
#include <jerror.h>
#include <jpeglib.h>

#define SCAN_LIMIT 100 /* encoders write ten; each costs a pass over the whole picture */

typedef struct jpeg_failure {
  struct jpeg_error_mgr manager; /* first: libjpeg hands back its address */
  jmp_buf back;
  const char *path;
} jpeg_failure;

static void fail_and_jump(j_common_ptr decoder) {
  jpeg_failure *failure = (jpeg_failure *)decoder->err;
  char text[JMSG_LENGTH_MAX];
  failure->manager.format_message(decoder, text);
  sinter_fail(SINTER_ERROR_INPUT, "%s: %s", failure->path, text);
  longjmp(failure->back, 1);
}

/* libjpeg fills up what a cut file lacks and only warns; guessing a class from that is wrong. */
static void judge_warning(j_common_ptr decoder, int level) {
  const int code = decoder->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER))
    fail_and_jump(decoder);
}

static void print_nothing(j_common_ptr decoder) { (void)decoder; }

/* A few hundred bytes can ask for thousands of passes over the largest picture. */
static void limit_scans(j_common_ptr decoder) {
  const jpeg_failure *failure = (const jpeg_failure *)decoder->err;
  if (((j_decompress_ptr)decoder)->input_scan_number <= SCAN_LIMIT)
    return;
  sinter_fail(SINTER_ERROR_INPUT, "%s: a JPEG of more than %d scans", failure->path, SCAN_LIMIT);
  longjmp(((jpeg_failure *)decoder->err)->back, 1);
}

/* Everything that may jump. */
static int decode(struct jpeg_decompress_struct *decoder, const char *path, sinter_image *image) {
  jpeg_read_header(decoder, TRUE);
  if (decoder->num_components != 1)
    decoder->out_color_space = JCS_RGB;
  const int status = sinter_image_allocate(image, path, decoder->image_width, decoder->image_height,
                                           decoder->num_components == 1 ? 1 : 3);
  if (status != SINTER_OK)
    return status;
  jpeg_start_decompress(decoder);
  const size_t row_bytes = (size_t)image->width * (size_t)image->channels;
  while (decoder->output_scanline < decoder->output_height) {
    JSAMPROW row = image->pixels + decoder->output_scanline * row_bytes;
    jpeg_read_scanlines(decoder, &row, 1);
  }
  jpeg_finish_decompress(decoder);
  return SINTER_OK;
}

int sinter_jpeg_read(const char *path, void *file, sinter_image *image) {
  struct jpeg_decompress_struct decoder;
  jpeg_failure failure;
  failure.path = path;
  decoder.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = fail_and_jump;
  failure.manager.emit_message = judge_warning;
  failure.manager.output_message = print_nothing;
  struct jpeg_progress_mgr progress = {.progress_monitor = limit_scans};
  volatile int status = SINTER_ERROR_INPUT;
  jpeg_create_decompress(&decoder);
  decoder.progress = &progress;
  if (setjmp(failure.back) == 0) {
    jpeg_stdio_src(&decoder, file);
    status = decode(&decoder, path, image);
  }
  jpeg_destroy_decompress(&decoder);
  return status;
}
