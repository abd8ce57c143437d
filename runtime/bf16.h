/* Sums of products of bf16 numbers in float32: what compiled kernels call for --precision=bf16. One
 * function for all instruction sets; which arithmetic it uses is found out when it is first needed.
 *
 * A bf16 number is the upper half of a float. A product of two is exact in float32, so that only
 * the order of the sum, which depends on the arithmetic and the shapes alone, tells the ways apart.
 * AMX takes numbers below 2^-126 for zeros.
 */
#ifndef SINTER_BF16_H
#define SINTER_BF16_H

#include "runtime/sinter_runtime.h"

/* Filters of one panel of a packed filter, and numbers of a pixel that AMX multiplies at a time. */
#define SINTER_BF16_PANEL 16
#define SINTER_BF16_DEPTH 32

/* A sum for each of `count` positions and `filters` filters: over all taps of the filter, of the
 * `channels` products of a pixel and the tap's. Position q's pixel for a tap lies
 * q + row * width + column pixels behind that of position 0 for the tap's row and column; where a
 * convolution has strides, pixels of several phases lie side by side in one. */
typedef struct sinter_bf16_job {
  const uint16_t *pixels; /* position 0, tap 0 */
  int64_t pixel_stride;   /* in numbers */
  int32_t channels;       /* a multiple of SINTER_BF16_DEPTH */
  int32_t width;          /* pixels in a row */
  int32_t rows, columns;  /* taps */
  int32_t dilations[2], strides[2];
  int32_t column_phases;
  /* Panel by panel: for each tap, for each pair of channels, 16 pairs, the first one in the lower
   * half. */
  const uint32_t *filter;
  int64_t panel_stride; /* in pairs */
  float *sums;
  int64_t sum_stride; /* in floats, from position to position */
  int32_t count, filters;
} sinter_bf16_job;

/* How many numbers the pixel of a tap lies behind that of tap 0. */
static inline int64_t sinter_bf16_offset(const sinter_bf16_job *job, int32_t row, int32_t column) {
  const int32_t y = row * job->dilations[0], x = column * job->dilations[1];
  const int32_t phase = y % job->strides[0] * job->column_phases + x % job->strides[1];
  return ((int64_t)(y / job->strides[0]) * job->width + x / job->strides[1]) * job->pixel_stride +
         (int64_t)phase * job->channels;
}

/* Each needs what its name says of the processor. */
void sinter_bf16_run_plain(const sinter_bf16_job *);
#if defined(__x86_64__)
void sinter_bf16_run_avx2(const sinter_bf16_job *);
void sinter_bf16_run_avx512(const sinter_bf16_job *);
void sinter_bf16_run_amx(const sinter_bf16_job *);
#endif

/* ---- what kernels call -------------------------------------------------------------------- */

/* Halide's halide_dimension_t and halide_buffer_t (HalideRuntime.h of Halide 14). */
typedef struct sinter_halide_dimension {
  int32_t min, extent, stride;
  uint32_t flags;
} sinter_halide_dimension;

typedef struct sinter_halide_buffer {
  uint64_t device;
  const void *device_interface;
  uint8_t *host;
  uint64_t flags;
  uint32_t type;
  int32_t dimensions;
  sinter_halide_dimension *dim;
  void *padding;
} sinter_halide_buffer;

/* An extern stage. `pixels` is [row][column][phase][channel], `filter` the packed one, `sums`
 * [position][filter], all innermost dimension first; position q is column q % width of row
 * q / width. Where memory is missing this asks for the part of `pixels` that `sums` needs. Always
 * returns 0. */
int sinter_bf16_products(sinter_halide_buffer *pixels, const sinter_halide_buffer *filter,
                         int32_t rows, int32_t columns, int32_t row_dilation,
                         int32_t column_dilation, int32_t row_stride, int32_t column_stride,
                         int32_t row_phases, int32_t column_phases, int32_t width, int32_t channels,
                         const sinter_halide_buffer *sums);

#endif
