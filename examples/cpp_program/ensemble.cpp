// Two networks vote on pictures: the mean of their predictions. Reads an IDX file of 28x28 pictures
// from standard input, and the networks' trained weights from files:
//   zcat train-images-idx3-ubyte.gz | ./ensemble fashion.safetensors residual.safetensors 5
#include "fashion.h"
#include "residual.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int kClasses = FASHION_OUTPUT_ELEMENTS;
static_assert(kClasses == RESIDUAL_OUTPUT_ELEMENTS, "the networks must agree on the classes");

using Memory = std::unique_ptr<void, decltype(&std::free)>;

Memory allocate(std::size_t bytes) {
  return {std::aligned_alloc(FASHION_ALIGNMENT, bytes), &std::free};
}

/// The functions of one library: each has the same ones under its own prefix.
template <typename Context> struct Library {
  decltype(&fashion_context_bytes) context_bytes;
  int (*create)(void *, std::size_t, std::int32_t, std::int32_t, std::int32_t, std::uint64_t,
                Context **);
  void (*destroy)(Context *);
  int (*load)(Context *, const char *);
  int (*infer)(Context *, const float *, std::int32_t, float *);
  decltype(&fashion_last_error) last_error;
};

constexpr Library<fashion_context> kFashion{fashion_context_bytes, fashion_create,
                                            fashion_destroy,       fashion_load,
                                            fashion_infer,         fashion_last_error};
constexpr Library<residual_context> kResidual{residual_context_bytes, residual_create,
                                              residual_destroy,       residual_load,
                                              residual_infer,         residual_last_error};

template <typename Context>
std::vector<float> predict(const Library<Context> &library, const std::string &weights,
                           const std::vector<float> &x, int n) {
  const auto check = [&](int status) {
    if (status != 0)
      throw std::runtime_error(library.last_error());
  };
  const std::size_t bytes = library.context_bytes(n, FASHION_INFER);
  const Memory memory = allocate(bytes);
  Context *created = nullptr;
  check(library.create(memory.get(), bytes, n, FASHION_INFER, /*threads=*/1, /*seed=*/0, &created));
  const std::unique_ptr<Context, void (*)(Context *)> context(created, library.destroy);
  check(library.load(created, weights.c_str()));
  std::vector<float> y(static_cast<std::size_t>(n) * kClasses);
  check(library.infer(created, x.data(), n, y.data()));
  return y;
}

/// The first n pictures of the IDX file on standard input, scaled as the scripts do.
std::vector<float> read_pictures(int n) {
  unsigned char header[16];
  std::vector<unsigned char> bytes(static_cast<std::size_t>(n) * FASHION_INPUT_ELEMENTS);
  if (std::fread(header, 1, sizeof header, stdin) != sizeof header ||
      std::fread(bytes.data(), 1, bytes.size(), stdin) != bytes.size())
    throw std::runtime_error("standard input ends before the last picture");
  std::vector<float> x(bytes.size());
  std::transform(bytes.begin(), bytes.end(), x.begin(),
                 [](unsigned char byte) { return static_cast<float>(byte) / 255.0F; });
  return x;
}

void run(const std::string &fashion_weights, const std::string &residual_weights, int n) {
  const std::vector<float> x = read_pictures(n);
  auto other =
      std::async(std::launch::async, [&] { return predict(kResidual, residual_weights, x, n); });
  const std::vector<float> a = predict(kFashion, fashion_weights, x, n);
  const std::vector<float> b = other.get();
  std::vector<float> mean(a.size());
  std::transform(a.begin(), a.end(), b.begin(), mean.begin(),
                 [](float p, float q) { return (p + q) / 2; });
  for (int i = 0; i < n; ++i) {
    const auto first = mean.begin() + i * kClasses;
    const auto best = std::max_element(first, first + kClasses);
    std::printf("picture %d: class %td, probability %.3f\n", i, best - first,
                static_cast<double>(*best));
  }
}

} // namespace

int main(int argc, char **argv) try {
  const int n = argc == 4 ? std::atoi(argv[3]) : 0;
  if (n < 1) {
    std::fprintf(stderr, "usage: ensemble FASHION-WEIGHTS RESIDUAL-WEIGHTS PICTURES < IDX-FILE\n");
    return 2;
  }
  run(argv[1], argv[2], n);
  return 0;
} catch (const std::exception &error) {
  std::fprintf(stderr, "ensemble: %s\n", error.what());
  return 1;
}
