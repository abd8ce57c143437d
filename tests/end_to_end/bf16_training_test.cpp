// Programs that train with --precision=bf16: much as those of float32, and with the same bits
// whatever the threads and interruptions.
#include "tests/end_to_end/striped_images.h"
#include "tests/end_to_end/support.h"
#include "tests/runtime/data_files.h"

#include <cmath>
#include <doctest/doctest.h>
#include <sstream>

using namespace sinter;

namespace {

/// Where the data and a program of each precision lie, made once.
const std::string &folder() {
  static const std::string made = [] {
    const std::string path = fresh_folder("bf16_training");
    write_striped_images(path);
    BuildOptions options;
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      ProgramOptions program;
      program.precision = precision;
      options.target = precision == Precision::bf16 ? "x86-64" : "host";
      options.output = path + (precision == Precision::bf16 ? "/bf16" : "/f32");
      build_model(striped_model(32), "net", options, program);
    }
    return path;
  }();
  return made;
}

/// The checkpoint of a training, as bytes.
std::string trained(const std::string &command, const std::string &options) {
  const CommandResult result =
      run_command("cd " + folder() + " && " + command +
                  " train --data=. --checkpoint=bits.safetensors " + options);
  CAPTURE(result.output);
  CHECK(result.status == 0);
  return read_bytes(folder() + "/bits.safetensors");
}

/// A column of a history, from the first epoch on.
std::vector<double> column(const std::string &history, size_t number) {
  std::vector<double> values;
  std::istringstream lines(read_bytes(folder() + "/" + history));
  std::string line;
  std::getline(lines, line); // of names
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string cell;
    for (size_t i = 0; i <= number; ++i)
      std::getline(cells, cell, ',');
    values.push_back(std::stod(cell));
  }
  return values;
}

} // namespace

TEST_CASE("training in bf16 goes the way of float32") {
  trained("./f32", "--history=f32.csv");
  for (const char *variant : {"", "avx512", "avx2"}) { // what multiplies where there is no AMX
    const std::string limit = *variant ? std::string("SINTER_VARIANT=") + variant + " " : "";
    trained(limit + "./bf16", "--history=bf16.csv");
    const std::vector<double> expected = column("f32.csv", 1), losses = column("bf16.csv", 1);
    REQUIRE(losses.size() == 6);
    CHECK(losses.back() < losses.front() / 2);
    double apart = 0;
    for (size_t i = 0; i < losses.size(); ++i)
      apart = std::max(apart, std::abs(losses[i] - expected[i]));
    CHECK(apart < 0.1);
    CHECK(apart > 0); // it is not float32
  }
}

TEST_CASE("training in bf16 gives the same bits, whatever the threads") {
  const std::string bits = trained("./bf16", "--threads=1 --epochs=2");
  CHECK(bits.size() > 1000);
  CHECK(bits == trained("./bf16", "--threads=1 --epochs=2"));
  CHECK(bits == trained("./bf16", "--threads=2 --epochs=2"));
  CHECK(bits == trained("./bf16", "--threads=3 --epochs=2"));
}

TEST_CASE("killed, training in bf16 goes on with the same bits") {
  const std::string whole = trained("./bf16", "");
  const auto resume = [](const std::string &before) {
    return run_command("cd " + folder() + " && " + before +
                       "./bf16 train --data=. --checkpoint=killed.safetensors --resume");
  };
  for (const char *delay : {"0.02", "0.05", "0.08"})
    resume(std::string("timeout -s KILL ") + delay + " ");
  CHECK(resume("").status == 0);
  CHECK(read_bytes(folder() + "/killed.safetensors") == whole);
}
