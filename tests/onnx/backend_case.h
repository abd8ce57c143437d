// The cases of ONNX's own backend tests, as Debian's libonnx-testdata holds them.
#pragma once

#include "backends/reference/interpreter.h"
#include "frontend/load_model.h"
#include "frontend/onnx/host_tensor.h"

#include <onnx/onnx_pb.h>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

struct BackendCase {
  std::string suite; // "node"
  std::string name;  // "test_add"
  std::string folder;
};

/// The sets whose models come with the package: node, pytorch-converted, pytorch-operator, simple.
/// Empty when the package is not installed.
std::vector<BackendCase> backend_cases();

/// How a case's inputs reach the model.
enum class Feeding {
  all_fed,        // every input is an input of the program
  settings_given, // integers, booleans, single numbers, scales and regions are
  all_given       // every input is an initialiser
};

/// A case's model with its inputs and the outputs that are right.
struct LoadedCase {
  onnx::ModelProto model;
  std::vector<std::optional<HostTensor>> inputs; // nothing: no tensor, or a type of no number
  std::vector<std::optional<HostTensor>> outputs;
};
LoadedCase load_case(const BackendCase &);

/// The model after its inputs were made initialisers.
std::string with_feeding(const LoadedCase &, const BackendCase &, Feeding);

/// What evaluating needs: the fed inputs and the weights that came with the model.
NamedArrays arrays_for(const LoadedModel &, const LoadedCase &);

/// Why a value is not the expected one, or "". The suite's tolerance: 1e-3 of the expected number
/// and 1e-7, 1e-2 for bfloat16; integers are equal.
std::string difference(const Array &, const HostTensor &expected);

/// Why a case fails, or "": imports it, evaluates it in float64, and once more after the inference
/// passes.
std::string run_case(const BackendCase &, Feeding);

} // namespace sinter
