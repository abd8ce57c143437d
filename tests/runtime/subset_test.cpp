#include "tests/runtime/internal.h"

extern "C" {
#include "runtime/mt19937.h"
#include "runtime/subset.h"
}

#include <algorithm>
#include <doctest/doctest.h>
#include <numeric>
#include <string>
#include <vector>

namespace {

std::vector<int> subset(std::vector<sinter_subset_step> steps, int64_t n, uint64_t seed = 0) {
  const sinter_subset s{0, static_cast<int32_t>(steps.size()), steps.data()};
  sinter_indices indices;
  if (sinter_subset_indices(&s, n, seed, &indices) != SINTER_OK)
    return {};
  std::vector<int> values(indices.values, indices.values + indices.count);
  sinter_indices_release(&indices);
  return values;
}

sinter_subset_step slice(int64_t start, int64_t stop) {
  return {SINTER_SUBSET_SLICE, 0, start, stop, 0, 0};
}

sinter_subset_step split(int op, double size, int64_t random_state, int shuffle = 1) {
  return {op, shuffle, 0, 0, size, random_state};
}

std::vector<int> range(int start, int stop) {
  std::vector<int> values(static_cast<size_t>(stop - start));
  std::iota(values.begin(), values.end(), start);
  return values;
}

// FNV-1a over the numbers, 64 bits.
uint64_t hash_of(const std::vector<int> &values) {
  uint64_t hash = 14695981039346656037u;
  for (const int value : values)
    hash = (hash ^ static_cast<uint64_t>(value)) * 1099511628211u;
  return hash;
}

std::vector<int> first(const std::vector<int> &values, int count) {
  return {values.begin(), values.begin() + count};
}

} // namespace

TEST_CASE("the twister gives the published first numbers") {
  sinter_mt19937 generator;
  sinter_mt19937_seed(&generator, 5489); // the authors' default seed
  CHECK(sinter_mt19937_next(&generator) == 3499211612u);
  CHECK(sinter_mt19937_next(&generator) == 581869302u);
  for (int i = 3; i < 10000; ++i)
    sinter_mt19937_next(&generator);
  CHECK(sinter_mt19937_next(&generator) == 4123659995u); // C++11's required 10000th
}

// numpy.random.RandomState(42).permutation(10), (0).permutation(7)
TEST_CASE("permutations are numpy's") {
  int32_t order[10];
  sinter_numpy_permutation(42, 10, order);
  CHECK(std::vector<int>(order, order + 10) == std::vector<int>{8, 1, 5, 0, 7, 2, 9, 4, 3, 6});
  sinter_numpy_permutation(0, 7, order);
  CHECK(std::vector<int>(order, order + 7) == std::vector<int>{6, 2, 1, 3, 0, 5, 4});
}

// The expected numbers are what scikit-learn 1.2's train_test_split(test_size=0.2, random_state=42)
// gives for the indices of 60000 samples.
TEST_CASE("train_test_split is scikit-learn's on the whole of Fashion-MNIST") {
  const std::vector<int> train = subset({split(SINTER_SUBSET_SPLIT_TRAIN, 0.2, 42)}, 60000);
  const std::vector<int> test = subset({split(SINTER_SUBSET_SPLIT_TEST, 0.2, 42)}, 60000);
  REQUIRE(train.size() == 48000);
  REQUIRE(test.size() == 12000);
  CHECK(first(train, 4) == std::vector<int>{48572, 38696, 13611, 35213});
  CHECK(first(test, 4) == std::vector<int>{12628, 37730, 39991, 8525});
  CHECK(hash_of(train) == 0x476c9828de90bc68u);
  CHECK(hash_of(test) == 0xf3e3ff9e8bf93cc4u);
}

TEST_CASE("splits without shuffling, by count, by the program's seed") {
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TRAIN, 0.25, 0, 0)}, 10) == range(0, 7));
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TEST, 0.25, 0, 0)}, 10) == range(7, 10));
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TEST, 4, 1)}, 10).size() == 4);
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TEST, 0.5, -1)}, 100, 9) ==
        subset({split(SINTER_SUBSET_SPLIT_TEST, 0.5, 9)}, 100));
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TEST, 10, 1)}, 10).empty());
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TEST, 0.5, 1)}, 1).empty());
}

TEST_CASE("slices clamp and count from the end as Python's do") {
  CHECK(subset({slice(2, 5)}, 10) == range(2, 5));
  CHECK(subset({slice(-3, INT64_MAX)}, 10) == range(7, 10));
  CHECK(subset({slice(0, -8)}, 10) == range(0, 2));
  CHECK(subset({slice(-99, 99)}, 10) == range(0, 10));
  CHECK(subset({slice(5, 2)}, 10).empty());
  CHECK(std::string(sinter_last_error()) == "no samples are left of the data's 10");
}

TEST_CASE("validation_split takes the last samples, as Keras does") {
  const sinter_subset_step head{SINTER_SUBSET_HEAD_FRACTION, 0, 0, 0, 0.1, 0};
  const sinter_subset_step tail{SINTER_SUBSET_TAIL_FRACTION, 0, 0, 0, 0.1, 0};
  CHECK(subset({head}, 25) == range(0, 22)); // floor(22.5)
  CHECK(subset({tail}, 25) == range(22, 25));
  CHECK(subset({slice(10, 20), tail}, 25) == range(19, 20));
}

TEST_CASE("an epoch's order is a permutation that the seed and the epoch alone decide") {
  std::vector<int32_t> base = range(100, 400);
  const sinter_indices indices{base.data(), 300};
  std::vector<int32_t> a(300), b(300), c(300), d(300);
  sinter_shuffle(&indices, 1, 0, a.data());
  sinter_shuffle(&indices, 1, 0, b.data());
  sinter_shuffle(&indices, 1, 1, c.data());
  sinter_shuffle(&indices, 2, 0, d.data());
  CHECK(a == b);
  CHECK(a != c);
  CHECK(a != d);
  std::sort(a.begin(), a.end());
  CHECK(a == base);
}
