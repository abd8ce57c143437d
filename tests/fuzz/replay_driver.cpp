// Runs a fuzz target without libFuzzer, for the tests of any build: every seed, then mutations of
// seeds, the same ones in every run, until the time is over.
//
//     fuzz_TARGET SECONDS SEED_FOLDER...
//
// After a crash, a hang (10 s) or an exhausted memory (2 GB) the input lies in the working folder
// as fuzz_TARGET.input.
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr size_t kLongest = size_t{1} << 16U; // of an input
constexpr unsigned kSecondsAnInput = 10;
constexpr rlim_t kMemory = rlim_t{2} << 30U;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLimitMemory = false; // the sanitizer itself reserves more
#else
constexpr bool kLimitMemory = true;
#endif

std::vector<std::string> read_seeds(char **folders, int count) {
  std::vector<std::filesystem::path> paths;
  for (int i = 0; i < count; ++i)
    for (const auto &entry : std::filesystem::recursive_directory_iterator(folders[i]))
      if (entry.is_regular_file() && entry.file_size() <= kLongest)
        paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto &path : paths) {
    std::ifstream stream(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return seeds;
}

/// Changes files as disks, networks and attackers do.
class Mutator {
public:
  explicit Mutator(const std::vector<std::string> &seeds) : seeds_(seeds) {}

  std::string next() {
    std::string bytes = seeds_[below(seeds_.size())];
    for (size_t changes = 1 + below(4); changes > 0; --changes)
      change(bytes);
    bytes.resize(std::min(bytes.size(), kLongest));
    return bytes;
  }

private:
  /// Of the standard's generators the numbers are the same everywhere, of its distributions not.
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void change(std::string &bytes) {
    const size_t at = below(bytes.size() + 1);
    const size_t length = std::min(bytes.size() - at, 1 + below(16));
    switch (below(7)) {
    case 0: // a flipped bit
      if (at < bytes.size())
        bytes[at] = static_cast<char>(bytes[at] ^ (1U << below(8)));
      return;
    case 1:
      bytes.resize(at);
      return;
    case 2:
      bytes.erase(at, length);
      return;
    case 3:
      bytes.insert(at, bytes.substr(at, length));
      return;
    case 4: // any byte
      bytes.insert(at, 1, static_cast<char>(below(256)));
      return;
    case 5:
      overwrite_number(bytes, at);
      return;
    default:
      splice(bytes, at);
    }
  }

  /// A length, a count or an offset becomes one that nobody expects.
  void overwrite_number(std::string &bytes, size_t at) {
    constexpr uint64_t kNumbers[] = {0,          1,           0x7f,        0x80,
                                     0xff,       0xffff,      0x7fffffff,  0x80000000,
                                     0xffffffff, 1ULL << 40U, 1ULL << 62U, ~0ULL};
    uint64_t number = kNumbers[below(std::size(kNumbers))];
    const size_t width = size_t{1} << below(4);
    if (below(2) != 0) // big-endian
      number = __builtin_bswap64(number) >> (64 - 8 * width);
    for (size_t i = 0; i < width && at + i < bytes.size(); ++i)
      bytes[at + i] = static_cast<char>(number >> (8 * i));
  }

  /// From here on, or for a while, another seed.
  void splice(std::string &bytes, size_t at) {
    const std::string &other = seeds_[below(seeds_.size())];
    const std::string part = other.substr(below(other.size() + 1), below(200));
    below(2) != 0 ? bytes.replace(at, std::string::npos, part) : bytes.insert(at, part);
  }

  const std::vector<std::string> &seeds_;
  std::mt19937 random_{1};
};

void run(const std::string &input) {
  ::alarm(kSecondsAnInput); // its signal kills
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(input.data()), input.size());
  ::alarm(0);
}

/// In the child: runs inputs until the time is over, counting each before it is run.
[[noreturn]] void run_all(const std::vector<std::string> &seeds, std::chrono::seconds time,
                          volatile size_t &runs) {
  const auto start = std::chrono::steady_clock::now();
  const rlimit memory{kMemory, kMemory};
  if (kLimitMemory)
    ::setrlimit(RLIMIT_DATA, &memory);
  for (const std::string &seed : seeds) {
    runs = runs + 1;
    run(seed);
  }
  Mutator mutator(seeds);
  while (std::chrono::steady_clock::now() - start < time) {
    const std::string input = mutator.next();
    runs = runs + 1;
    run(input);
  }
  std::exit(0);
}

/// What the n-th run read.
std::string input_of(const std::vector<std::string> &seeds, size_t n) {
  if (n <= seeds.size())
    return seeds[n - 1];
  Mutator mutator(seeds);
  std::string input;
  for (size_t i = seeds.size(); i < n; ++i)
    input = mutator.next();
  return input;
}

} // namespace

int main(int count, char **arguments) {
  if (count < 3)
    return 2;
  const auto seconds = std::chrono::seconds(std::strtol(arguments[1], nullptr, 10));
  const std::vector<std::string> seeds = read_seeds(arguments + 2, count - 2);
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", arguments[2]);
    return 1;
  }
  void *shared =
      ::mmap(nullptr, sizeof(size_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    return 1;
  auto &runs = *static_cast<volatile size_t *>(shared);
  const pid_t child = ::fork();
  if (child == 0)
    run_all(seeds, seconds, runs);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::printf("%zu seeds, %zu runs\n", seeds.size(), runs);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return 0;
  const std::string kept = std::filesystem::path(arguments[0]).filename().string() + ".input";
  std::ofstream(kept, std::ios::binary) << input_of(seeds, runs);
  std::fprintf(stderr, "the last one did not end well; it is in %s\n", kept.c_str());
  return 1;
}
