/* The sums with vectors of LANES floats, PIXELS positions at a time. Included once for each
 * instruction set: RUN names the function, TARGET is its target attribute or empty.
 *
 * A pair of bf16 numbers is widened by a shift and a mask: floats whose lower halves are zero.
 */
#define VECTORS (SINTER_BF16_PANEL / LANES)
#define NAMED_AGAIN(prefix, name) prefix##name
#define NAMED(prefix, name) NAMED_AGAIN(prefix, name)
#define FLOATS NAMED(floats_of_, RUN)
#define PAIRS NAMED(pairs_of_, RUN)
#define RUN_TILE NAMED(tile_of_, RUN)
#define RUN_PANEL NAMED(panel_of_, RUN)

typedef float FLOATS __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));
typedef uint32_t PAIRS __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* `count` positions from `first` on, at most PIXELS, by the 16 filters of a panel. */
TARGET __attribute__((always_inline)) static inline void
RUN_TILE(const sinter_bf16_job *job, int32_t first, int32_t filter, const int count) {
  const uint32_t *panel = job->filter + filter / SINTER_BF16_PANEL * job->panel_stride;
  FLOATS sums[PIXELS][VECTORS];
  for (int p = 0; p < count; ++p)
    for (int v = 0; v < VECTORS; ++v)
      sums[p][v] = (FLOATS){0};
  for (int32_t row = 0; row < job->rows; ++row)
    for (int32_t column = 0; column < job->columns; ++column) {
      const uint16_t *tap = job->pixels + sinter_bf16_offset(job, row, column);
      for (int32_t c = 0; c < job->channels; c += 2, panel += SINTER_BF16_PANEL) {
        FLOATS low[VECTORS], high[VECTORS];
        for (int v = 0; v < VECTORS; ++v) {
          const PAIRS pairs = *(const PAIRS *)(panel + v * LANES);
          low[v] = (FLOATS)(pairs << 16);
          high[v] = (FLOATS)(pairs & 0xffff0000U);
        }
        for (int p = 0; p < count; ++p) {
          uint32_t pair;
          memcpy(&pair, tap + (first + p) * job->position_stride + c, sizeof pair);
          const FLOATS x_low = (FLOATS)((PAIRS){0} + (pair << 16));
          const FLOATS x_high = (FLOATS)((PAIRS){0} + (pair & 0xffff0000U));
          for (int v = 0; v < VECTORS; ++v) {
            sums[p][v] += x_low * low[v];
            sums[p][v] += x_high * high[v];
          }
        }
      }
    }
  const int32_t left = job->filters - filter;
  const size_t bytes =
      (size_t)(left < SINTER_BF16_PANEL ? left : SINTER_BF16_PANEL) * sizeof(float);
  for (int p = 0; p < count; ++p)
    memcpy(job->sums + (first + p) * job->sum_stride + filter, sums[p], bytes);
}

TARGET static void RUN_PANEL(const sinter_bf16_job *job, int32_t filter) {
  int32_t first = 0;
  for (; first + PIXELS <= job->count; first += PIXELS)
    RUN_TILE(job, first, filter, PIXELS);
  for (; first < job->count; ++first)
    RUN_TILE(job, first, filter, 1);
}

TARGET void RUN(const sinter_bf16_job *job) {
  for (int32_t filter = 0; filter < job->filters; filter += SINTER_BF16_PANEL)
    RUN_PANEL(job, filter);
}

#undef VECTORS
#undef FLOATS
#undef PAIRS
#undef RUN_TILE
#undef RUN_PANEL
#undef NAMED
#undef NAMED_AGAIN
#undef RUN
#undef TARGET
#undef LANES
#undef PIXELS
