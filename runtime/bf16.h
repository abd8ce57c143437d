/* Sums of products of bf16 numbers in float32: what compiled kernels call for --precision=bf16. One
 * function for all instruction sets; which arithmetic it uses is found out when it is first needed.
 *
 * A bf16 number is the upper half of a float. A product of two is exact in float32, so that only
 * the order of the sum, which depends on the arithmetic and the shapes alone, tells the ways apart.
 * AMX takes numbers below 2^-126 for zeros.
 */
#ifndef SINTER_BF16_H
#define SINTER_BF16_H

#include "runtime/halide_buffer.h"
#include "runtime/sinter_runtime.h"

/* Filters of one panel of a packed filter, and numbers of a pixel that AMX multiplies at a time. */
#define SINTER_BF16_PANEL 16
#define SINTER_BF16_DEPTH 32

/* A sum for each of `count` positions and `filters` filters: over all taps of the filter, of the
 * `channels` products of a pixel and the tap's. A tap's pixel lies row * width + column pixels
 * behind that of tap 0, and that of a position so many position strides behind that of position 0;
 * where a convolution has strides, pixels of several phases lie side by side in one. */
typedef struct sinter_bf16_job {
  const uint16_t *pixels;  /* position 0, tap 0 */
  int64_t position_stride; /* in numbers */
  int64_t pixel_stride;    /* in numbers */
  int32_t channels;        /* a multiple of SINTER_BF16_DEPTH */
  int32_t width;           /* pixels in a row */
  int32_t rows, columns;   /* taps */
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

/* to[j][i] = from[i][j] for i < rows, j < columns; strides, in numbers, from row to row. */
typedef void sinter_transpose(const uint32_t *from, int64_t from_stride, int32_t rows,
                              int32_t columns, uint32_t *to, int64_t to_stride);
sinter_transpose sinter_transpose_plain;
#if defined(__x86_64__)
sinter_transpose sinter_transpose_avx512;
#endif

/* ---- what kernels call -------------------------------------------------------------------- */

/* An extern stage. `pixels` is [row][column][phase][channel], `filter` the packed one, `sums`
 * [position][filter], all innermost dimension first; position q is column q % width of row
 * q / width. Where memory is missing this asks for the part of `pixels` that `sums` needs. Always
 * returns 0. */
int sinter_bf16_products(sinter_halide_buffer *pixels, const sinter_halide_buffer *filter,
                         int32_t rows, int32_t columns, int32_t row_dilation,
                         int32_t column_dilation, int32_t row_stride, int32_t column_stride,
                         int32_t row_phases, int32_t column_phases, int32_t width, int32_t channels,
                         const sinter_halide_buffer *sums);

/* The same for a filter's gradient, whose sums run over positions of images. `pixels` is
 * [image][phase][channel][pair of positions]: `pairs` of them; `gradient`, packed as a filter is,
 * is [panel][image][pair of positions][16] of the first `positions`, a multiple of
 * SINTER_BF16_DEPTH; position q is column q % width of row q / width. `sums` is
 * [chunk][row][column][channel][filter], where row and column are a tap's, and a chunk sums over
 * `images` images; the last one has what is left of the batch. */
int sinter_bf16_gradient(sinter_halide_buffer *pixels, sinter_halide_buffer *gradient,
                         int32_t images, int32_t batch, int32_t positions, int32_t pairs,
                         int32_t phases, int32_t column_phases, int32_t width, int32_t row_dilation,
                         int32_t column_dilation, int32_t row_stride, int32_t column_stride,
                         const sinter_halide_buffer *sums);

/* Exchanges the innermost two dimensions of numbers of 32 bits, for each index of the others. */
int sinter_bf16_transpose(sinter_halide_buffer *from, const sinter_halide_buffer *to);

#endif
