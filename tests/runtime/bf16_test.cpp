// Every arithmetic that this machine has, against sums in double.
#include "tests/runtime/internal.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <random>
#include <string>
#include <vector>

namespace {

struct Case {
  int32_t count, filters, channels, rows, columns, width;
  int32_t dilations[2], strides[2];
};

const Case kCases[] = {
    {1, 16, 32, 1, 1, 1, {1, 1}, {1, 1}},   // a row of a matrix
    {5, 40, 64, 1, 1, 1, {1, 1}, {1, 1}},   // fewer than a tile, filters cut off
    {16, 32, 32, 3, 3, 6, {1, 1}, {1, 1}},  //
    {17, 16, 32, 3, 3, 9, {1, 1}, {1, 1}},  // one more than a tile
    {32, 48, 64, 1, 1, 8, {1, 1}, {1, 1}},  // whole tiles
    {61, 64, 32, 3, 3, 9, {1, 1}, {1, 1}},  //
    {47, 10, 96, 5, 2, 11, {2, 3}, {1, 1}}, // dilated
    {40, 33, 32, 3, 3, 10, {1, 1}, {2, 2}}, // four phases
    {99, 17, 32, 3, 4, 13, {3, 2}, {2, 3}}, //
};

float number_of(uint16_t bits) {
  const uint32_t all = static_cast<uint32_t>(bits) << 16U;
  float number = 0;
  std::memcpy(&number, &all, sizeof number);
  return number;
}

/// The buffers of a case, full of random numbers in [-1, 1), and what the sums should be.
struct Problem {
  explicit Problem(const Case &c) {
    std::mt19937 engine(7);
    const auto draw = [&] { // of eight significant bits
      const float x = static_cast<float>(static_cast<int>(engine() % 511) - 255) / 256;
      uint32_t bits = 0;
      std::memcpy(&bits, &x, sizeof bits);
      return static_cast<uint16_t>(bits >> 16U);
    };
    const int32_t phases[] = {c.rows > 1 ? c.strides[0] : 1, c.columns > 1 ? c.strides[1] : 1};
    const int32_t reach = (c.rows - 1) * c.dilations[0] / c.strides[0] * c.width +
                          (c.columns - 1) * c.dilations[1] / c.strides[1];
    const int32_t panels = (c.filters + 15) / 16, taps = c.rows * c.columns;
    const int64_t stride = int64_t{phases[0]} * phases[1] * c.channels;
    pixels.resize(static_cast<size_t>((c.count + reach) * stride));
    for (uint16_t &pixel : pixels)
      pixel = draw();
    filter.resize(static_cast<size_t>(panels * taps * c.channels / 2 * 16));
    for (uint32_t &pair : filter)
      pair = draw() | static_cast<uint32_t>(draw()) << 16U;
    sums.assign(static_cast<size_t>(c.count * (c.filters + 3)), 777);
    job = {pixels.data(),
           stride,
           stride,
           c.channels,
           c.width,
           c.rows,
           c.columns,
           {c.dilations[0], c.dilations[1]},
           {c.strides[0], c.strides[1]},
           phases[1],
           filter.data(),
           int64_t{taps} * c.channels / 2 * 16,
           sums.data(),
           c.filters + 3,
           c.count,
           c.filters};
  }

  /// The sum of a position and a filter, tap by tap of the window that begins there.
  double expected(int32_t position, int32_t filter_number) const {
    double sum = 0;
    for (int32_t row = 0; row < job.rows; ++row)
      for (int32_t column = 0; column < job.columns; ++column) {
        const int32_t y = row * job.dilations[0], x = column * job.dilations[1];
        const int32_t phase = y % job.strides[0] * job.column_phases + x % job.strides[1];
        const int64_t pixel =
            position + y / job.strides[0] * int64_t{job.width} + x / job.strides[1];
        const uint16_t *first = job.pixels + pixel * job.pixel_stride + phase * job.channels;
        for (int32_t c = 0; c < job.channels; ++c) {
          const int64_t tap = row * job.columns + column;
          const uint32_t pair =
              job.filter[filter_number / 16 * job.panel_stride +
                         (tap * job.channels / 2 + c / 2) * 16 + filter_number % 16];
          sum += static_cast<double>(number_of(first[c])) *
                 static_cast<double>(number_of(static_cast<uint16_t>(pair >> c % 2 * 16)));
        }
      }
    return sum;
  }

  std::vector<uint16_t> pixels;
  std::vector<uint32_t> filter;
  std::vector<float> sums;
  sinter_bf16_job job{};
};

using Run = void (*)(const sinter_bf16_job *);

void check(Run run) {
  for (const Case &c : kCases) {
    CAPTURE(c.count);
    CAPTURE(c.filters);
    Problem problem(c);
    run(&problem.job);
    double worst = 0;
    bool beyond_is_kept = true;
    for (int32_t q = 0; q < c.count; ++q)
      for (int32_t o = 0; o < c.filters + 3; ++o) {
        const float actual = problem.sums[static_cast<size_t>(q * (c.filters + 3) + o)];
        if (o < c.filters)
          worst = std::max(worst, std::abs(static_cast<double>(actual) - problem.expected(q, o)));
        else
          beyond_is_kept = beyond_is_kept && actual == 777;
      }
    CHECK(worst < 2e-5 * std::sqrt(c.rows * c.columns * c.channels));
    CHECK(beyond_is_kept);
  }
}

} // namespace

TEST_CASE("sums of products of bf16 numbers") {
  check(sinter_bf16_run_plain);
#if defined(__x86_64__)
  switch (sinter_choose_bf16()) {
  case SINTER_BF16_AMX:
    check(sinter_bf16_run_amx);
    [[fallthrough]];
  case SINTER_BF16_AVX512:
    check(sinter_bf16_run_avx512);
    [[fallthrough]];
  case SINTER_BF16_AVX2:
    check(sinter_bf16_run_avx2);
    [[fallthrough]];
  case SINTER_BF16_PLAIN:
    break;
  }
#endif
}

TEST_CASE("matrices of pairs are transposed, whatever their extents") {
  std::vector<sinter_transpose *> functions{sinter_transpose_plain};
#if defined(__x86_64__)
  if (sinter_choose_bf16() >= SINTER_BF16_AVX512)
    functions.push_back(sinter_transpose_avx512);
#endif
  for (sinter_transpose *transpose : functions)
    for (const auto &[rows, columns] : {std::pair{16, 16}, {48, 32}, {1, 40}, {37, 1}, {21, 53}}) {
      CAPTURE(rows);
      CAPTURE(columns);
      const int from_stride = columns + 3, to_stride = rows + 2;
      std::vector<uint32_t> from(static_cast<size_t>(rows * from_stride));
      for (size_t i = 0; i < from.size(); ++i)
        from[i] = static_cast<uint32_t>(i);
      std::vector<uint32_t> to(static_cast<size_t>(columns * to_stride), 777777);
      transpose(from.data(), from_stride, rows, columns, to.data(), to_stride);
      int wrong = 0;
      for (int j = 0; j < columns; ++j)
        for (int i = 0; i < to_stride; ++i) {
          const uint32_t expected = i < rows ? static_cast<uint32_t>(i * from_stride + j) : 777777;
          wrong += to[static_cast<size_t>(j * to_stride + i)] == expected ? 0 : 1;
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE("a limit on variants keeps AMX out") {
  const sinter_bf16_arithmetic best = sinter_choose_bf16();
  for (const char *limit : {"avx512", "avx2", "x86-64"}) {
    setenv("SINTER_VARIANT", limit, 1);
    CHECK(sinter_choose_bf16() < SINTER_BF16_AMX);
    CHECK(sinter_choose_bf16() <= best);
  }
  CHECK(sinter_choose_bf16() == SINTER_BF16_PLAIN);
  unsetenv("SINTER_VARIANT");
  CHECK(std::string(sinter_bf16_name(SINTER_BF16_AVX512)) == "AVX-512");
}
