// Compiled programs train as PyTorch does: from the same weights, on the same batches, they have
// the same weights, Adam moments and batch-norm statistics after 1 and after 20 steps.
//
// training_steps/NET.safetensors holds the initial weights and what PyTorch computed from them in
// float64; bench/compare_training.py made them and repeats the comparison in float32 and at the
// usual widths.
#include "frontend/load_model.h"
#include "frontend/weight_file.h"
#include "ir/program_memory.h"
#include "tests/end_to_end/support.h"
#include "tests/paths.h"
#include "tests/runtime/data_files.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>

using namespace sinter;

namespace {

constexpr uint32_t kBatch = 8;
const std::string kDataset = "/usr/share/datasets/fashion-mnist/";

using Arrays = std::map<std::string, WeightArray>;

Arrays read_arrays(const std::string &path) {
  Arrays arrays;
  for (NamedArray &array : read_safetensors({std::make_shared<const std::string>(path), 0, 0}))
    arrays[array.name] = std::move(array.array);
  return arrays;
}

/// Those below "20/", without it.
Arrays section(const Arrays &all, const std::string &prefix) {
  Arrays arrays;
  for (const auto &[name, array] : all)
    if (name.rfind(prefix + "/", 0) == 0)
      arrays[name.substr(prefix.size() + 1)] = array;
  return arrays;
}

/// As many samples of a file of Fashion-MNIST as the first extent says.
void write_samples(const std::string &folder, const std::string &file,
                   const std::vector<uint32_t> &extents) {
  const std::string header = idx(8, extents, "");
  uint32_t size = 1;
  for (const uint32_t extent : extents)
    size *= extent;
  write_bytes(folder + "/" + file, header);
  run_command("gzip -dc " + kDataset + file + ".gz | tail -c +" +
              std::to_string(header.size() + 1) + " | head -c " + std::to_string(size) + " >>" +
              folder + "/" + file);
}

void write_data(const std::string &folder, uint32_t steps) {
  std::filesystem::create_directories(folder);
  write_samples(folder, "train-images-idx3-ubyte", {steps * kBatch, 28, 28});
  write_samples(folder, "train-labels-idx1-ubyte", {steps * kBatch});
}

/// Whether the training step keeps its activations, or computes as many of them again as make its
/// arena smaller by that part.
struct Activations {
  int64_t saved_part = 0; // an eighth: 8; 0: none
};
const Activations kKept{};

ProgramOptions options_for(const Model &model, Activations activations) {
  ProgramOptions options;
  options.name = "net";
  if (activations.saved_part > 0) {
    options.batch = kBatch;
    const ProgramMemory all = measure_memory(build_program(model, options), Use::training, kBatch);
    options.max_memory = all.total() - all.arena / activations.saved_part;
  }
  return options;
}

void build_net(const std::string &net, const Arrays &initial, Activations activations,
               const std::string &output) {
  Diagnostics diagnostics;
  const std::string script = source_path("tests/end_to_end/training_steps/" + net + ".py");
  BuildOptions options;
  options.target = "host";
  options.output = output;
  for (const auto &[name, array] : initial)
    options.weights.push_back({name, array.values});
  const Model model = load_model(script, {}, diagnostics).model;
  const Program program = build_program(model, options_for(model, activations));
  CHECK(program.recomputed.has_value() == (activations.saved_part > 0));
  build_cached(program, options);
}

/// What a resume file holds of a program that took so many steps.
Arrays state_after(const std::string &folder, uint32_t steps) {
  const std::string data = "data_" + std::to_string(steps);
  write_data(folder + "/" + data, steps);
  const CommandResult result =
      run_command("cd " + folder + " && ./net train --quiet --data=" + data +
                  " --checkpoint=" + data + ".safetensors");
  CAPTURE(result.output);
  REQUIRE(result.status == 0);
  return read_arrays(folder + "/" + data + ".resume.safetensors");
}

/// The largest difference, relative to the largest magnitude.
double difference(const WeightArray &found, const WeightArray &expected) {
  double largest = 0;
  double apart = 0;
  for (size_t i = 0; i < expected.values.size(); ++i) {
    const auto value = static_cast<double>(expected.values[i]);
    largest = std::max(largest, std::abs(value));
    apart = std::max(apart, std::abs(static_cast<double>(found.values[i]) - value));
  }
  return largest > 0 ? apart / largest : apart;
}

void check_state(const Arrays &found, const Arrays &expected, double tolerance) {
  CHECK(expected.size() > 10);
  for (const auto &[name, array] : expected) {
    CAPTURE(name);
    REQUIRE(found.count(name) == 1);
    REQUIRE(found.at(name).shape == array.shape);
    CHECK(difference(found.at(name), array) <= tolerance);
  }
}

// Of the largest magnitude in a tensor. float32 costs about this much: PyTorch in float32 is up to
// 1e-5 and 5e-5 away from PyTorch in float64 on these networks.
constexpr double kAfterOneStep = 2e-5;
constexpr double kAfterTwentySteps = 2e-4;

void check_net(const std::string &net, Activations activations) {
  REQUIRE_MESSAGE(std::filesystem::exists(kDataset),
                  "Debian's dataset-fashion-mnist is not installed");
  const Arrays golden =
      read_arrays(source_path("tests/end_to_end/training_steps/" + net + ".safetensors"));
  const std::string folder = fresh_folder("training_steps_" + net);
  build_net(net, section(golden, "initial"), activations, folder + "/net");
  check_state(state_after(folder, 1), section(golden, "1"), kAfterOneStep);
  check_state(state_after(folder, 20), section(golden, "20"), kAfterTwentySteps);
}

} // namespace

TEST_CASE("the Fashion CNN") { check_net("fashion_cnn", kKept); }
TEST_CASE("residual units of a PyTorch script, its batch norm and its Adam") {
  check_net("residual_unit", kKept);
}
TEST_CASE("inception modules with auxiliary losses") { check_net("inception", kKept); }
TEST_CASE("separable convolutions, Keras's batch norm") { check_net("separable", kKept); }
TEST_CASE("squeeze and excitation") { check_net("squeeze_excite", kKept); }
TEST_CASE("activations computed again, with batch norm and concatenations") {
  check_net("inception", {4});
  check_net("separable", {8});
  check_net("residual_unit", {24}); // most of its memory is its widest layer's
}
