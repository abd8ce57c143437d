#include "tests/paths.h"
#include "tests/runtime/internal.h"
#include "tests/runtime/temporary_folder.h"

extern "C" {
#include "runtime/mt19937.h"
#include "runtime/subset.h"
}

#include <algorithm>
#include <doctest/doctest.h>
#include <numeric>
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

// A uint16 vector in an .npz whose members are stored, not compressed.
std::vector<int> npz_member(const std::string &npz, const std::string &name) {
  const size_t at = npz.find("\x93NUMPY", npz.find(name)); // a zip field may lie between
  if (at == std::string::npos)
    return {};
  const char *npy = npz.data() + at;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(npy[i]); };
  const size_t header = 10u + byte(8) + 256u * byte(9);
  const std::string text(npy + 10, header - 10);
  const size_t count = std::stoul(text.substr(text.find("'shape': (") + 10));
  std::vector<int> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(byte(header + 2 * i) + 256 * byte(header + 2 * i + 1));
  return values;
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

TEST_CASE("train_test_split is scikit-learn's on the whole of Fashion-MNIST") {
  const std::string path = sinter::source_path("../shared/golden/fashion_split_seed42.npz");
  const std::string npz = read_bytes(path);
  if (npz.empty()) {
    MESSAGE("skipped: no " << path);
    return;
  }
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TRAIN, 0.2, 42)}, 60000) == npz_member(npz, "train.npy"));
  CHECK(subset({split(SINTER_SUBSET_SPLIT_TEST, 0.2, 42)}, 60000) == npz_member(npz, "val.npy"));
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
