#include "runtime/bf16.h"

#include <stdatomic.h>

typedef struct methods {
  void (*run)(const sinter_bf16_job *);
  sinter_transpose *transpose;
} methods;

static const methods *methods_of(sinter_bf16_arithmetic arithmetic) {
  static const methods plain = {sinter_bf16_run_plain, sinter_transpose_plain};
#if defined(__x86_64__)
  static const methods avx2 = {sinter_bf16_run_avx2, sinter_transpose_plain};
  static const methods avx512 = {sinter_bf16_run_avx512, sinter_transpose_avx512};
  static const methods amx = {sinter_bf16_run_amx, sinter_transpose_avx512};
  switch (arithmetic) {
  case SINTER_BF16_AMX:
    return &amx;
  case SINTER_BF16_AVX512:
    return &avx512;
  case SINTER_BF16_AVX2:
    return &avx2;
  default:
    break;
  }
#endif
  (void)arithmetic;
  return &plain;
}

/* The processor does not change, so it matters to nobody who asks first. */
static const methods *chosen_methods(void) {
  static _Atomic(const methods *) chosen;
  const methods *found = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (!found) {
    found = methods_of(sinter_choose_bf16());
    atomic_store_explicit(&chosen, found, memory_order_relaxed);
  }
  return found;
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
      .position_stride = pixel_stride,
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
    chosen_methods()->run(&job);
  return 0;
}

/* Asks for [min, min + extent) of a dimension. */
static void require(sinter_halide_buffer *buffer, int dimension, int32_t min, int32_t extent) {
  buffer->dim[dimension].min = min;
  buffer->dim[dimension].extent = extent;
}

/* The dimensions of a filter gradient's operands and sums, outermost last. */
enum { PAIR, PIXEL_CHANNEL, PIXEL_PHASE, IMAGE };
enum { LANE, GRADIENT_PAIR, GRADIENT_IMAGE, PANEL };
enum { FILTER, SUM_CHANNEL, TAP_COLUMN, TAP_ROW, CHUNK };

static const uint16_t *numbers_at(const sinter_halide_buffer *buffer, const int32_t index[4]) {
  int64_t offset = 0;
  for (int d = 0; d < 4; ++d)
    offset += (int64_t)(index[d] - buffer->dim[d].min) * buffer->dim[d].stride;
  return (const uint16_t *)((const uint32_t *)buffer->host + offset);
}

int sinter_bf16_gradient(sinter_halide_buffer *pixels, sinter_halide_buffer *gradient,
                         int32_t images, int32_t batch, int32_t positions, int32_t pairs,
                         int32_t phases, int32_t column_phases, int32_t width, int32_t row_dilation,
                         int32_t column_dilation, int32_t row_stride, int32_t column_stride,
                         const sinter_halide_buffer *sums) {
  const sinter_halide_dimension *dim = sums->dim;
  const int32_t first_panel = dim[FILTER].min / SINTER_BF16_PANEL;
  const int32_t end = dim[FILTER].min + dim[FILTER].extent;
  if (!pixels->host || !gradient->host || !sums->host) {
    const int32_t first = dim[CHUNK].min * images, count = dim[CHUNK].extent * images;
    if (!pixels->host) {
      require(pixels, PAIR, 0, pairs);
      require(pixels, PIXEL_CHANNEL, dim[SUM_CHANNEL].min, dim[SUM_CHANNEL].extent);
      require(pixels, PIXEL_PHASE, 0, phases);
      require(pixels, IMAGE, first, count);
    }
    if (!gradient->host) {
      require(gradient, LANE, 0, SINTER_BF16_PANEL);
      require(gradient, GRADIENT_PAIR, 0, positions / 2);
      require(gradient, GRADIENT_IMAGE, first, count);
      require(gradient, PANEL, first_panel,
              (end + SINTER_BF16_PANEL - 1) / SINTER_BF16_PANEL - first_panel);
    }
    return 0;
  }
  for (int32_t chunk = dim[CHUNK].min; chunk < dim[CHUNK].min + dim[CHUNK].extent; ++chunk)
    for (int32_t row = dim[TAP_ROW].min; row < dim[TAP_ROW].min + dim[TAP_ROW].extent; ++row)
      for (int32_t column = dim[TAP_COLUMN].min;
           column < dim[TAP_COLUMN].min + dim[TAP_COLUMN].extent; ++column) {
        const int32_t y = row * row_dilation, x = column * column_dilation;
        const int32_t first = chunk * images, left = batch - first;
        const int32_t phase = y % row_stride * column_phases + x % column_stride;
        const int32_t channel[] = {0, dim[SUM_CHANNEL].min, phase, first};
        const int32_t panel[] = {0, 0, first, first_panel};
        const sinter_bf16_job job = {
            .pixels =
                numbers_at(pixels, channel) + (int64_t)(y / row_stride) * width + x / column_stride,
            .position_stride = 2 * (int64_t)pixels->dim[PIXEL_CHANNEL].stride,
            .pixel_stride = 1,
            .channels = positions,
            .width = 2 * pixels->dim[IMAGE].stride, /* an image is a row of taps */
            .rows = left < images ? left : images,
            .columns = 1,
            .dilations = {1, 1},
            .strides = {1, 1},
            .column_phases = 1,
            .filter = (const uint32_t *)numbers_at(gradient, panel),
            .panel_stride = gradient->dim[PANEL].stride,
            .sums = (float *)sums->host + (chunk - dim[CHUNK].min) * (int64_t)dim[CHUNK].stride +
                    (row - dim[TAP_ROW].min) * (int64_t)dim[TAP_ROW].stride +
                    (column - dim[TAP_COLUMN].min) * (int64_t)dim[TAP_COLUMN].stride,
            .sum_stride = dim[SUM_CHANNEL].stride,
            .count = dim[SUM_CHANNEL].extent,
            .filters = dim[FILTER].extent,
        };
        if (job.count > 0)
          chosen_methods()->run(&job);
      }
  return 0;
}

int sinter_bf16_transpose(sinter_halide_buffer *from, const sinter_halide_buffer *to) {
  enum { MOST_DIMENSIONS = 6 };
  const int dimensions = to->dimensions < MOST_DIMENSIONS ? to->dimensions : MOST_DIMENSIONS;
  if (!from->host || !to->host) {
    for (int d = 0; d < dimensions && !from->host; ++d) {
      const sinter_halide_dimension *wanted = &to->dim[d < 2 ? 1 - d : d];
      require(from, d, wanted->min, wanted->extent);
    }
    return 0;
  }
  int64_t matrices = 1;
  for (int d = 2; d < dimensions; ++d)
    matrices *= to->dim[d].extent;
  for (int64_t matrix = 0; matrix < matrices; ++matrix) {
    int64_t source = (int64_t)(to->dim[1].min - from->dim[0].min) +
                     (int64_t)(to->dim[0].min - from->dim[1].min) * from->dim[1].stride;
    int64_t target = 0, rest = matrix;
    for (int d = 2; d < dimensions; ++d) {
      const int64_t index = rest % to->dim[d].extent;
      rest /= to->dim[d].extent;
      source += (index + to->dim[d].min - from->dim[d].min) * from->dim[d].stride;
      target += index * to->dim[d].stride;
    }
    chosen_methods()->transpose((const uint32_t *)from->host + source, from->dim[1].stride,
                                to->dim[0].extent, to->dim[1].extent, (uint32_t *)to->host + target,
                                to->dim[1].stride);
  }
  return 0;
}
