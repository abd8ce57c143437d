#include "tests/runtime/internal.h"
#include "tests/runtime/tiny_model.h"

#include <cmath>
#include <doctest/doctest.h>
#include <numeric>
#include <vector>

namespace {

sinter_parameter blocked(std::vector<int64_t> dims, int64_t block) {
  sinter_parameter p{};
  p.rank = static_cast<int32_t>(dims.size());
  for (size_t d = 0; d < dims.size(); ++d)
    p.dims[d] = dims[d];
  p.block = block;
  const int64_t columns = dims.empty() ? 1 : dims.back();
  const int64_t rows = sinter_parameter_elements(&p) / columns;
  p.bytes = 4 * rows * (block > 0 ? (columns + block - 1) / block * block : columns);
  return p;
}

// The moments of many draws, as initialized with a and b.
struct Moments {
  double mean = 0, deviation = 0, low = 1e9, high = -1e9;
};

Moments draw(int initializer, float a, float b, uint64_t seed = 7) {
  tiny::Model m;
  sinter_parameter big{};
  big.rank = 1;
  big.dims[0] = 40000;
  big.bytes = 160000;
  big.initializer = initializer;
  big.a = a;
  big.b = b;
  m.model.parameters = &big;
  m.model.parameter_count = 1;
  m.model.parameter_bytes = big.bytes;
  tiny::Context context(m.model, 1, 1, seed);
  REQUIRE(context.status == SINTER_OK);
  Moments moments;
  const std::vector<float> values = tiny::logical(context, 0);
  for (const float v : values) {
    moments.mean += static_cast<double>(v) / 40000;
    moments.low = std::fmin(moments.low, static_cast<double>(v));
    moments.high = std::fmax(moments.high, static_cast<double>(v));
  }
  for (const float v : values)
    moments.deviation += std::pow(static_cast<double>(v) - moments.mean, 2) / 40000;
  moments.deviation = std::sqrt(moments.deviation);
  return moments;
}

} // namespace

TEST_CASE("packing puts [.., o] at [o/block][..][o%block] with zero padding, and back") {
  for (const auto &dims : {std::vector<int64_t>{3, 2, 5}, {7}, {4, 8}, {2, 1}, {}})
    for (const int64_t block : {0, 2, 4, 16}) {
      if (dims.empty() && block == 0)
        continue;
      const sinter_parameter p = blocked(dims, block);
      const int64_t elements = sinter_parameter_elements(&p);
      const int64_t columns = dims.empty() ? 1 : dims.back(), rows = elements / columns;
      std::vector<float> logical(static_cast<size_t>(elements)), back(logical.size());
      std::iota(logical.begin(), logical.end(), 1.0f);
      std::vector<float> storage(static_cast<size_t>(p.bytes) / 4, -1.0f);
      sinter_pack_parameter(&p, logical.data(), storage.data());
      const int64_t b = block > 0 ? block : columns;
      std::vector<float> expected(storage.size(), 0.0f);
      for (int64_t i = 0; i < elements; ++i)
        expected[static_cast<size_t>((i % columns) / b * rows * b + i / columns * b +
                                     (i % columns) % b)] = logical[static_cast<size_t>(i)];
      CHECK(storage == expected);
      sinter_unpack_parameter(&p, storage.data(), back.data());
      CHECK(back == logical);
    }
}

TEST_CASE("the starting point depends on the seed, not on the layout") {
  tiny::Model packed, plain;
  for (sinter_parameter &p : plain.parameters)
    p.block = 0;
  tiny::Context a(packed.model), b(plain.model), c(packed.model, 16, 1, 2);
  CHECK(tiny::logical(a, tiny::kernel) == tiny::logical(b, tiny::kernel));
  CHECK(tiny::logical(a, tiny::kernel) != tiny::logical(c, tiny::kernel));
}

TEST_CASE("initializers have the right distribution") {
  const Moments uniform = draw(SINTER_INIT_UNIFORM, -0.5f, 0.5f);
  CHECK(std::fabs(uniform.mean) < 0.01);
  CHECK(uniform.deviation == doctest::Approx(1 / std::sqrt(12.0)).epsilon(0.02));
  CHECK(uniform.low >= -0.5);
  CHECK(uniform.high < 0.5);
  const Moments normal = draw(SINTER_INIT_NORMAL, 3.0f, 2.0f);
  CHECK(normal.mean == doctest::Approx(3.0).epsilon(0.02));
  CHECK(normal.deviation == doctest::Approx(2.0).epsilon(0.02));
  CHECK(normal.high > 8.0);
  const Moments truncated = draw(SINTER_INIT_TRUNCATED_NORMAL, 0.0f, 1.0f);
  CHECK(truncated.deviation == doctest::Approx(0.8796).epsilon(0.02)); // of the cut normal
  CHECK(truncated.low >= -2.0);
  CHECK(truncated.high <= 2.0);
  CHECK(draw(SINTER_INIT_CONSTANT, 0.25f, 0).mean == doctest::Approx(0.25));
  CHECK(draw(SINTER_INIT_ONES, 0, 0).mean == doctest::Approx(1.0));
}

/// a parameter of shape [dims], in blocks of so many columns, as it starts; in logical order
std::vector<float> start_of(int initializer, float a, const std::vector<int64_t> &dims,
                            int32_t block) {
  tiny::Model m;
  sinter_parameter p = blocked(dims, block);
  p.initializer = initializer;
  p.a = a;
  m.model.parameters = &p;
  m.model.parameter_count = 1;
  m.model.parameter_bytes = p.bytes;
  tiny::Context context(m.model, 1, 1, 7);
  REQUIRE(context.status == SINTER_OK);
  return tiny::logical(context, 0);
}

TEST_CASE("an orthogonal start has orthonormal rows or columns, whichever are fewer") {
  for (const auto &[dims, block] :
       std::vector<std::pair<std::vector<int64_t>, int32_t>>{{{40, 7}, 0},
                                                             {{40, 20}, 16},
                                                             {{3, 3, 2, 8}, 16},
                                                             {{5, 40}, 0},
                                                             {{3, 5, 37}, 16},
                                                             {{64, 64}, 16},
                                                             {{1, 9}, 0},
                                                             {{9, 1}, 0}}) {
    const std::vector<float> w = start_of(SINTER_INIT_ORTHOGONAL, 0.5f, dims, block);
    const size_t columns = static_cast<size_t>(dims.back()), rows = w.size() / columns;
    CAPTURE(rows);
    CAPTURE(columns);
    const bool by_row = rows < columns;
    const size_t count = by_row ? rows : columns, length = by_row ? columns : rows;
    double worst = 0;
    for (size_t x = 0; x < count; ++x)
      for (size_t y = 0; y < count; ++y) {
        double sum = x == y ? -0.25 : 0;
        for (size_t i = 0; i < length; ++i)
          sum += static_cast<double>(by_row ? w[x * columns + i] : w[i * columns + x]) *
                 static_cast<double>(by_row ? w[y * columns + i] : w[i * columns + y]);
        worst = std::fmax(worst, std::fabs(sum));
      }
    CHECK(worst < 1e-6);
    CHECK(w == start_of(SINTER_INIT_ORTHOGONAL, 0.5f, dims, 0)); // whatever the layout
  }
  CHECK(start_of(SINTER_INIT_IDENTITY, 2, {2, 3}, 16) == std::vector<float>{2, 0, 0, 0, 2, 0});
}

TEST_CASE("compiled-in weights are the starting point where there are some") {
  tiny::Model m;
  std::vector<float> weights(tiny::features * tiny::classes);
  std::iota(weights.begin(), weights.end(), 0.5f);
  m.parameters[tiny::kernel].initial = weights.data();
  tiny::Context context(m.model);
  CHECK(tiny::logical(context, tiny::kernel) == weights);
}
