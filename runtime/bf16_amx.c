/* A tile register of AMX holds 16 rows of 64 bytes. One instruction multiplies 16 pixels of 32
 * channels by 32 channels of 16 filters. Four registers are sums, 32 pixels by 32 filters, for
 * which each step loads two tiles of pixels and two of a filter; the sums leave the registers once,
 * after the last step.
 */
#include "runtime/bf16.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define AMX_FUNCTION __attribute__((target("amx-tile,amx-bf16,avx512f")))
#define TILE_ROWS 16
#define TILE_BYTES 1024
#define ROW_BYTES 64

/* Palette 1, in memory as ldtilecfg reads it. */
typedef struct tile_configuration {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_configuration;

/* The registers: sums of pixels 0 or 1 and filters 0 or 1, tiles of pixels, tiles of a filter. */
#define SUMS_00 0
#define SUMS_01 1
#define SUMS_10 2
#define SUMS_11 3
#define PIXELS_0 4
#define PIXELS_1 5
#define FILTERS_0 6
#define FILTERS_1 7

/* The first tile of pixels has fewer rows where there are fewer positions. By hand, as GCC 12 drops
 * stores to what its _tile_loadconfig reads. */
AMX_FUNCTION static void configure(int32_t rows) {
  tile_configuration configuration = {.palette = 1};
  for (int tile = 0; tile < 8; ++tile) {
    configuration.row_bytes[tile] = ROW_BYTES;
    configuration.rows[tile] = TILE_ROWS;
  }
  configuration.rows[SUMS_00] = configuration.rows[SUMS_01] = (uint8_t)rows;
  configuration.rows[PIXELS_0] = (uint8_t)rows;
  __asm__ volatile("ldtilecfg %0" ::"m"(configuration));
}

/* The sums of a tile of filters of which the last ones may not exist. */
typedef struct destination {
  const sinter_bf16_job *job;
  int32_t position, filter, rows;
} destination;

AMX_FUNCTION static void copy_sums(const destination *to, const float *sums) {
  float *target = to->job->sums + to->position * to->job->sum_stride + to->filter;
  const int32_t left = to->job->filters - to->filter;
  for (int32_t row = 0; row < to->rows; ++row)
    memcpy(target + row * to->job->sum_stride, sums + row * SINTER_BF16_PANEL,
           (size_t)left * sizeof *sums);
}

#define STORE_SUMS(tile, at, at_filter, row_count)                                                 \
  do {                                                                                             \
    const destination to = {job, at, at_filter, row_count};                                        \
    if (job->filters - to.filter >= SINTER_BF16_PANEL) {                                           \
      _tile_stored(tile, job->sums + to.position * job->sum_stride + to.filter,                    \
                   job->sum_stride * (int64_t)sizeof(float));                                      \
    } else {                                                                                       \
      float sums[TILE_ROWS * SINTER_BF16_PANEL];                                                   \
      _tile_stored(tile, sums, ROW_BYTES);                                                         \
      copy_sums(&to, sums);                                                                        \
    }                                                                                              \
  } while (0)

/* The block of positions [first, first + rows) and, with `two_pixels`, the 16 from `second` on, by
 * the 16 filters from `filter` on and, with `two_filters`, the next 16. */
AMX_FUNCTION __attribute__((always_inline)) static inline void
run_block(const sinter_bf16_job *job, int32_t first, int32_t rows, int32_t second, int32_t filter,
          const int two_pixels, const int two_filters) {
  const int64_t stride = job->position_stride * (int64_t)sizeof(uint16_t);
  const uint32_t *panel = job->filter + filter / SINTER_BF16_PANEL * job->panel_stride;
  const char *filters_0 = (const char *)panel;
  const char *filters_1 = (const char *)(panel + job->panel_stride);
  _tile_zero(SUMS_00);
  _tile_zero(SUMS_01);
  _tile_zero(SUMS_10);
  _tile_zero(SUMS_11);
  for (int32_t row = 0; row < job->rows; ++row)
    for (int32_t column = 0; column < job->columns; ++column) {
      const uint16_t *tap = job->pixels + sinter_bf16_offset(job, row, column);
      const uint16_t *pixels_0 = tap + first * job->position_stride;
      const uint16_t *pixels_1 = tap + second * job->position_stride;
      for (int32_t c = 0; c < job->channels; c += SINTER_BF16_DEPTH) {
        _tile_loadd(FILTERS_0, filters_0, ROW_BYTES);
        _tile_loadd(PIXELS_0, pixels_0 + c, stride);
        _tile_dpbf16ps(SUMS_00, PIXELS_0, FILTERS_0);
        if (two_filters) {
          _tile_loadd(FILTERS_1, filters_1, ROW_BYTES);
          _tile_dpbf16ps(SUMS_01, PIXELS_0, FILTERS_1);
        }
        if (two_pixels) {
          _tile_loadd(PIXELS_1, pixels_1 + c, stride);
          _tile_dpbf16ps(SUMS_10, PIXELS_1, FILTERS_0);
        }
        if (two_pixels && two_filters)
          _tile_dpbf16ps(SUMS_11, PIXELS_1, FILTERS_1);
        filters_0 += TILE_BYTES;
        filters_1 += TILE_BYTES;
      }
    }
  STORE_SUMS(SUMS_00, first, filter, rows);
  if (two_filters)
    STORE_SUMS(SUMS_01, first, filter + SINTER_BF16_PANEL, rows);
  if (two_pixels)
    STORE_SUMS(SUMS_10, second, filter, TILE_ROWS);
  if (two_pixels && two_filters)
    STORE_SUMS(SUMS_11, second, filter + SINTER_BF16_PANEL, TILE_ROWS);
}

/* The last tiles of positions move back where they would overhang, and compute some sums twice. */
AMX_FUNCTION __attribute__((always_inline)) static inline void
run_panels(const sinter_bf16_job *job, int32_t filter, const int two_filters) {
  const int32_t count = job->count;
  const int32_t last = count > TILE_ROWS ? count - TILE_ROWS : 0;
  const int32_t rows = count < TILE_ROWS ? count : TILE_ROWS;
  int32_t first = 0;
  for (; first + TILE_ROWS < count; first += 2 * TILE_ROWS) {
    const int32_t second = first + TILE_ROWS < last ? first + TILE_ROWS : last;
    run_block(job, first, rows, second, filter, 1, two_filters);
  }
  if (first < count)
    run_block(job, first < last ? first : last, rows, 0, filter, 0, two_filters);
}

AMX_FUNCTION void sinter_bf16_run_amx(const sinter_bf16_job *job) {
  configure(job->count < TILE_ROWS ? job->count : TILE_ROWS);
  for (int32_t filter = 0; filter < job->filters; filter += 2 * SINTER_BF16_PANEL)
    if (filter + SINTER_BF16_PANEL < job->filters)
      run_panels(job, filter, 1);
    else
      run_panels(job, filter, 0);
  _tile_release();
}

#endif
