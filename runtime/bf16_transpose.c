/* Matrices of pairs of bf16 numbers, turned so that AMX finds what it sums over side by side. */
#include "runtime/bf16.h"

#define SQUARE 16

/* By squares, so that both sides stay in the first cache. */
void sinter_transpose_plain(const uint32_t *from, int64_t from_stride, int32_t rows,
                            int32_t columns, uint32_t *to, int64_t to_stride) {
  for (int32_t row = 0; row < rows; row += SQUARE)
    for (int32_t column = 0; column < columns; ++column)
      for (int32_t i = row; i < rows && i < row + SQUARE; ++i)
        to[column * to_stride + i] = from[i * from_stride + column];
}

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX512_FUNCTION __attribute__((target("avx512f")))

/* Numbers of two rows take turns, then pairs of them, then quarters of a vector, then halves. */
AVX512_FUNCTION __attribute__((always_inline)) static inline void turn(__m512i v[SQUARE]) {
  __m512i t[SQUARE];
#pragma GCC unroll 16
  for (int i = 0; i < SQUARE; i += 2) {
    t[i] = _mm512_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(v[i], v[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < SQUARE; i += 4)
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      v[i + 2 * half] = _mm512_unpacklo_epi64(t[i + half], t[i + 2 + half]);
      v[i + 2 * half + 1] = _mm512_unpackhi_epi64(t[i + half], t[i + 2 + half]);
    }
    /* v[4 q + c], lanes 4 l to 4 l + 3: column 4 l + c of rows 4 q to 4 q + 3. */
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const __m512i low_even = _mm512_shuffle_i32x4(v[c], v[4 + c], 0x88);
    const __m512i low_odd = _mm512_shuffle_i32x4(v[c], v[4 + c], 0xdd);
    const __m512i high_even = _mm512_shuffle_i32x4(v[8 + c], v[12 + c], 0x88);
    const __m512i high_odd = _mm512_shuffle_i32x4(v[8 + c], v[12 + c], 0xdd);
    t[c] = _mm512_shuffle_i32x4(low_even, high_even, 0x88);
    t[4 + c] = _mm512_shuffle_i32x4(low_odd, high_odd, 0x88);
    t[8 + c] = _mm512_shuffle_i32x4(low_even, high_even, 0xdd);
    t[12 + c] = _mm512_shuffle_i32x4(low_odd, high_odd, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < SQUARE; ++i)
    v[i] = t[i];
}

AVX512_FUNCTION static void turn_whole_square(const uint32_t *from, int64_t from_stride,
                                              uint32_t *to, int64_t to_stride) {
  __m512i v[SQUARE];
#pragma GCC unroll 16
  for (int i = 0; i < SQUARE; ++i)
    v[i] = _mm512_loadu_si512(from + i * from_stride);
  turn(v);
#pragma GCC unroll 16
  for (int i = 0; i < SQUARE; ++i)
    _mm512_storeu_si512(to + i * to_stride, v[i]);
}

void sinter_transpose_avx512(const uint32_t *from, int64_t from_stride, int32_t rows,
                             int32_t columns, uint32_t *to, int64_t to_stride) {
  const int32_t whole_rows = rows / SQUARE * SQUARE, whole_columns = columns / SQUARE * SQUARE;
  for (int32_t row = 0; row < whole_rows; row += SQUARE)
    for (int32_t column = 0; column < whole_columns; column += SQUARE)
      turn_whole_square(from + row * from_stride + column, from_stride,
                        to + column * to_stride + row, to_stride);
  sinter_transpose_plain(from + whole_columns, from_stride, whole_rows, columns - whole_columns,
                         to + whole_columns * to_stride, to_stride);
  sinter_transpose_plain(from + whole_rows * from_stride, from_stride, rows - whole_rows, columns,
                         to + whole_rows, to_stride);
}

#endif
