// What becomes of old programs in the cache.
#include "tools/output_file.h"
#include "tools/program_cache.h"

#include <chrono>
#include <doctest/doctest.h>
#include <filesystem>

using namespace sinter;

TEST_CASE("programs that were used the longest ago make room for others") {
  const TemporaryFolder cache;
  const auto path = [&](const std::string &key) { return cache.path() + "/" + key; };
  const auto now = std::filesystem::file_time_type::clock::now();
  for (int age = 1; age <= 4; ++age) {
    const std::string folder = path(std::to_string(age));
    std::filesystem::create_directory(folder);
    write_file(folder + "/net", std::string(100, 'x'));
    std::filesystem::last_write_time(folder, now - std::chrono::hours(age));
  }
  const auto kept = [&] {
    std::string keys;
    for (const char *key : {"1", "2", "3", "4"})
      keys += std::filesystem::exists(path(key)) ? key : "";
    return keys;
  };
  keep_recent_programs(path("1"), 1000);
  CHECK(kept() == "1234");
  keep_recent_programs(path("4"), 399);
  CHECK(kept() == "124"); // 4 is the latest now
  keep_recent_programs(path("1"), 200);
  CHECK(kept() == "14");
  keep_recent_programs(path("4"), 10); // one that is too large for the cache is run, too
  CHECK(kept() == "4");
  keep_recent_programs(path("nowhere") + "/at/all", 10);
}
