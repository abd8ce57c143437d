// Good files cut short and with flipped bits: they are read, or there is an error that names them.
#include "tests/fuzz/seeds.h"
#include "tests/hostile/limited_run.h"
#include "tests/runtime/temporary_folder.h"

#include <doctest/doctest.h>
#include <random>

using namespace sinter;

namespace {

/// Every format's seeds; of those that are many text files of one kind, a few.
SeedFiles good_files() {
  SeedFiles files;
  for (const auto &[target, make] : seed_makers()) {
    SeedFiles seeds = make();
    const bool text = target == "script" || target == "sir";
    seeds.resize(std::min<size_t>(seeds.size(), text ? 3 : seeds.size()));
    for (SeedFile &seed : seeds)
      if (seed.name.find(".records") == std::string::npos) // no file, but what the HDF5 child sends
        files.push_back({target + "_" + seed.name, std::move(seed.bytes)});
  }
  return files;
}

void check(const TemporaryFolder &folder, const SeedFile &file, const std::string &what) {
  const std::string path = folder.file(file.name);
  write_bytes(path, file.bytes);
  const Outcome outcome = run_limited([&] { return read_any(path); });
  INFO(file.name << " " << what << ": " << outcome.error);
  CHECK(outcome.ended);
  CHECK(outcome.seconds < kMostSeconds);
  CHECK((outcome.error.empty() || outcome.error.find(path) != std::string::npos));
}

} // namespace

TEST_CASE("good files are read") {
  const TemporaryFolder folder;
  for (const SeedFile &file : good_files()) {
    // Pickles and files of weights that are no models.
    const bool wrong = file.name.find("protocol") != std::string::npos ||
                       file.name.find(".weights.h5") != std::string::npos;
    const std::string path = folder.file(file.name);
    write_bytes(path, file.bytes);
    INFO(file.name);
    CHECK((wrong || read_any(path).empty()));
  }
}

TEST_CASE("files cut short are read or refused") {
  const TemporaryFolder folder;
  for (const SeedFile &file : good_files()) {
    check(folder, {file.name, file.bytes.substr(0, file.bytes.size() - 1)},
          "without its last byte");
    for (size_t length = 0; length < file.bytes.size(); length = length * 2 + 1)
      check(folder, {file.name, file.bytes.substr(0, length)}, "cut at " + std::to_string(length));
  }
}

TEST_CASE("files with flipped bits are read or refused") {
  constexpr int kRounds = 16;
  const TemporaryFolder folder;
  std::mt19937 random(1);
  for (const SeedFile &file : good_files())
    for (int round = 0; round < kRounds; ++round) {
      SeedFile damaged = file;
      std::string places;
      for (size_t flips = 1 + random() % 3; flips > 0; --flips) {
        const size_t at = random() % damaged.bytes.size();
        const unsigned bit = random() % 8;
        damaged.bytes[at] = static_cast<char>(damaged.bytes[at] ^ static_cast<char>(1U << bit));
        places += " " + std::to_string(at) + "." + std::to_string(bit);
      }
      check(folder, damaged, "with bits flipped at" + places);
    }
}
