// Programs that train on a device: as on the processor, and to the same bits whenever they are
// interrupted.
#include "passes/device_program.h"
#include "tests/end_to_end/striped_images.h"
#include "tests/end_to_end/support.h"
#include "tests/runtime/data_files.h"

#include <cmath>
#include <doctest/doctest.h>
#include <sstream>

using namespace sinter;

namespace {

const char *const kOnDevice = "SINTER_VARIANT=opencl";
const char *const kOnProcessor = "OCL_ICD_VENDORS=/nonexistent";

/// Where the data and the program lie, made once.
const std::string &folder() {
  static const std::string made = [] {
    const std::string path = fresh_folder("device_training");
    write_striped_images(path);
    BuildOptions options;
    options.target = "host,opencl";
    options.output = path + "/net";
    ProgramOptions program;
    program.name = "net";
    build_cached(build_device_program(striped_model(4), program), options);
    return path;
  }();
  return made;
}

CommandResult run(const std::string &environment, const std::string &arguments) {
  return run_command("cd " + folder() + " && env " + environment + " ./net " + arguments);
}

bool has_device() {
  const CommandResult info = run(kOnDevice, "info");
  if (info.status != 0)
    MESSAGE("skipped: there is no OpenCL device here: " << info.output);
  return info.status == 0;
}

/// The checkpoint of a training, as bytes.
std::string trained(const std::string &environment, const std::string &name,
                    const std::string &options) {
  const CommandResult result =
      run(environment, "train --data=. --checkpoint=" + name + ".safetensors --history=" + name +
                           ".csv " + options);
  CAPTURE(result.output);
  CHECK(result.status == 0);
  return read_bytes(folder() + "/" + name + ".safetensors");
}

/// The losses in a history, from the first epoch on.
std::vector<double> losses(const std::string &history) {
  std::vector<double> values;
  std::istringstream lines(read_bytes(folder() + "/" + history));
  std::string line;
  std::getline(lines, line); // of names
  while (std::getline(lines, line))
    values.push_back(std::stod(line.substr(line.find(',') + 1)));
  return values;
}

} // namespace

TEST_CASE("training on a device goes the way of the processor's and can be resumed") {
  if (!has_device())
    return;
  const std::string whole = trained(kOnDevice, "device", "--epochs=3");
  trained(kOnProcessor, "processor", "--epochs=3");
  const std::vector<double> expected = losses("processor.csv"), actual = losses("device.csv");
  REQUIRE(expected.size() == 3);
  REQUIRE(actual.size() == 3);
  CHECK(actual.back() < actual.front());
  for (size_t i = 0; i < actual.size(); ++i)
    CHECK(std::fabs(actual[i] - expected[i]) < 1e-3);

  trained(kOnDevice, "parts", "--epochs=1 --resume");
  CHECK(trained(kOnDevice, "parts", "--epochs=3 --resume") == whole);

  // What the device wrote, the processor reads.
  const std::string evaluate = "evaluate --data=. --weights=device.safetensors";
  const CommandResult there = run(kOnDevice, evaluate), here = run(kOnProcessor, evaluate);
  CHECK(there.status == 0);
  CHECK(here.status == 0);
}

TEST_CASE("the layer that makes the first NaN on a device is named") {
  if (!has_device())
    return;
  const CommandResult result =
      run(kOnDevice, "train --data=. --learning-rate=1e30 --checkpoint=nan.safetensors");
  CHECK(result.status == 1);
  CAPTURE(result.output);
  CHECK(result.output.find("in layer dense") != std::string::npos);
}
