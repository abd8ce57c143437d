#include "runtime/bf16.h"

#include <stdatomic.h>

typedef void run_job(const sinter_bf16_job *);

static run_job *job_runner(sinter_bf16_arithmetic arithmetic) {
  switch (arithmetic) {
#if defined(__x86_64__)
  case SINTER_BF16_AMX:
    return sinter_bf16_run_amx;
  case SINTER_BF16_AVX512:
    return sinter_bf16_run_avx512;
  case SINTER_BF16_AVX2:
    return sinter_bf16_run_avx2;
#endif
  default:
    return sinter_bf16_run_plain;
  }
}

/* The processor does not change, so it matters to nobody who asks first. */
static run_job *chosen_runner(void) {
  static _Atomic(run_job *) chosen;
  run_job *run = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (!run) {
    run = job_runner(sinter_choose_bf16());
    atomic_store_explicit(&chosen, run, memory_order_relaxed);
  }
  return run;
}

static int32_t divided_down(int32_t a, int32_t b) { return a / b - (a % b < 0); }

/* The dimensions of `pixels`, outermost last. */
enum { CHANNEL, PHASE, COLUMN, ROW };

int sinter_bf16_products(sinter_halide_buffer *pixels, const sinter_halide_buffer *filter,
                         int32_t rows, int32_t columns, int32_t row_dilation,
                         int32_t column_dilation, int32_t row_stride, int32_t column_stride,
                         int32_t row_phases, int32_t column_phases, int32_t width, int32_t channels,
                         const sinter_halide_buffer *sums) {
  const int32_t first = sums->dim[1].min, count = sums->dim[1].extent;
  const int32_t first_row = divided_down(first, width);
  if (!pixels->host || !sums->host || !filter->host) {
    const int32_t reach = (rows - 1) * row_dilation / row_stride * width +
                          (columns - 1) * column_dilation / column_stride;
    const int32_t last_row = divided_down(first + count - 1 + reach, width);
    const int32_t extents[] = {channels, row_phases * column_phases, width,
                               last_row - first_row + 1};
    for (int d = CHANNEL; d <= ROW && !pixels->host; ++d) {
      pixels->dim[d].min = d == ROW ? first_row : 0;
      pixels->dim[d].extent = extents[d];
    }
    return 0;
  }
  const sinter_halide_dimension *dim = pixels->dim;
  const int64_t pixel_stride = dim[COLUMN].stride;
  const int64_t panel_stride = filter->dim[filter->dimensions - 1].stride;
  const int32_t first_filter = sums->dim[0].min;
  const sinter_bf16_job job = {
      .pixels = (const uint16_t *)pixels->host +
                ((int64_t)first - (int64_t)dim[ROW].min * width) * pixel_stride,
      .pixel_stride = pixel_stride,
      .channels = channels,
      .width = width,
      .rows = rows,
      .columns = columns,
      .dilations = {row_dilation, column_dilation},
      .strides = {row_stride, column_stride},
      .column_phases = column_phases,
      .filter = (const uint32_t *)filter->host + first_filter / SINTER_BF16_PANEL * panel_stride,
      .panel_stride = panel_stride,
      .sums = (float *)sums->host,
      .sum_stride = sums->dim[1].stride,
      .count = count,
      .filters = sums->dim[0].extent,
  };
  if (count > 0)
    chosen_runner()(&job);
  return 0;
}
