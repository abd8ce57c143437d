// The tuning database as a file: exact round trips, files from strangers, writers side by side.
#include "ir/diagnostics.h"
#include "tests/paths.h"
#include "tuning/tuning_database.h"

#include <ctime>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <thread>

using namespace sinter;

namespace {

TuningEntry entry(const std::string &key, int64_t rows, const std::string &cpu = "cpu \"a\"\\") {
  return {"kernel", key, "avx512", cpu, "conv2d+relu {", {{"tile_rows", rows}}, 12.5, 14.125};
}

std::string fresh_path(const std::string &name) {
  std::string path = build_path(name);
  std::filesystem::remove(path);
  return path;
}

void write_text(const std::string &path, const std::string &text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_text(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// What is wrong with a file of that text.
std::string complaint(const std::string &text) {
  try {
    TuningDatabase::parse(text, "t.json");
  } catch (const CompileError &error) {
    return error.what();
  }
  return "";
}

} // namespace

TEST_CASE("a tuning database survives its text") {
  TuningDatabase database;
  database.put(entry("k1", 7));
  database.put(entry("k2", 14));
  database.put({"convolution", "convolution 8x8", "avx2", "b", "", {{"winograd_tile", 0}}, 1, 2});
  const std::string text = database.text();
  const TuningDatabase again = TuningDatabase::parse(text, "t.json");
  CHECK(again.text() == text);
  CHECK(again.entries().size() == 3);
  const TuningEntry *found = again.find("kernel", "k2", "avx512", "cpu \"a\"\\");
  REQUIRE(found);
  CHECK(found->choice == KernelChoice{{"tile_rows", 14}});
  CHECK(found->microseconds == 12.5);
  CHECK(found->estimated_microseconds == 14.125);
  CHECK_FALSE(again.find("kernel", "k2", "avx2", "cpu \"a\"\\"));
  CHECK_FALSE(again.find("kernel", "k2", "avx512", "another"));
  CHECK(again.find("kernel", "k2", "avx512", ""));
  CHECK_FALSE(again.find("kernel", "k3", "avx512", ""));
}

TEST_CASE("a file that is no tuning database is refused with its line") {
  TuningDatabase database;
  database.put(entry("k1", 7));
  database.put(entry("k2", 14));
  const std::string text = database.text();
  const auto replaced = [&](const std::string &from, const std::string &to) {
    std::string result = text;
    result.replace(result.rfind(from), from.size(), to);
    return complaint(result);
  };
  CHECK(complaint(text).empty());
  CHECK(complaint("").find("t.json:1:1: error: no tuning database") == 0);
  CHECK(complaint("[]").find("t.json:1:1: error: no tuning database") == 0);
  CHECK(complaint(text.substr(0, text.size() - 5)).find("t.json:3:1: error") == 0);
  CHECK(complaint(std::string(100000, '[')).find("nested deeper") != std::string::npos);
  CHECK(replaced("sinter-tuning-1", "sinter-tuning-9").find("t.json:1:1") == 0);
  CHECK(replaced("{\"tile_rows\":14}", "{\"tile_rows\":1.5}").find("t.json:3:1") == 0);
  CHECK(replaced("{\"tile_rows\":14}", "{}").find("t.json:3:1") == 0);
  CHECK(replaced("{\"tile_rows\":14}", "{\"tile_rows\":18446744073709551615}").find("t.json:3:1") ==
        0);
  CHECK(replaced("12.5", "-12.5").find("\"microseconds\"") != std::string::npos);
  CHECK(replaced("\"kernel\"", "\"colonel\"").find("got \"colonel\"") != std::string::npos);
  CHECK(replaced("\"k2\"", "2").find("needs a string \"key\"") != std::string::npos);
  CHECK(replaced("\"avx512\"", "\"avx\xff\"").find("t.json:3:1: error") == 0); // no UTF-8
  CHECK(replaced("12.5", "1e400").find("error: no tuning database") != std::string::npos);
}

TEST_CASE("a tuning database of many entries, or of much else, is read in time") {
  const auto seconds_of = [](const std::string &text) { // of this process, whatever others do
    const std::clock_t begin = std::clock();
    complaint(text);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  const std::string begin = "{\"format\": \"sinter-tuning-1\", \"entries\": [";
  std::string objects = begin, members = begin + "{";
  for (int i = 0; i < 200'000; ++i) {
    objects += "{},";
    members += fmt::format("\"{}\":0,", i);
  }
  CHECK(complaint(objects + "0]}").find("needs a string \"kind\"") != std::string::npos);
  CHECK(seconds_of(objects + "0]}") < 5); // in the square of their number it would be minutes
  CHECK(seconds_of(members + "\"\":0}]}") < 5);
}

TEST_CASE("no cut of a tuning database, and no flipped bit, is worse than an error") {
  TuningDatabase database;
  database.put(entry("k1", 7));
  const std::string text = database.text();
  for (size_t i = 0; i < text.size() - 1; ++i) {
    CHECK((i + 2 >= text.size() || !complaint(text.substr(0, i)).empty()));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      complaint(flipped); // throws nothing else
    }
  }
}

TEST_CASE("updates keep what others wrote, and a broken file as it is") {
  const std::string path = fresh_path("tuning_update.json");
  CHECK(load_tuning(path).empty());
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i)
    writers.emplace_back([&, i] { update_tuning(path, {entry(fmt::format("k{}", i), i)}, {}); });
  for (std::thread &writer : writers)
    writer.join();
  CHECK(load_tuning(path).entries().size() == 8);
  update_tuning(path, {entry("k3", 33)}, {entry("k4", 4)});
  const TuningDatabase database = load_tuning(path);
  CHECK(database.entries().size() == 7);
  CHECK(database.find("kernel", "k3", "avx512", "")->choice.at("tile_rows") == 33);

  const std::string torn = database.text().substr(0, 100);
  write_text(path, torn);
  CHECK_THROWS_AS(update_tuning(path, {entry("k9", 9)}, {}), CompileError);
  CHECK(read_text(path) == torn);
  CHECK_THROWS_AS(load_tuning(build_path("")), CompileError); // a folder
}
