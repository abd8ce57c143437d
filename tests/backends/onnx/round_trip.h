// A model written as ONNX and read again.
#pragma once

#include "backends/reference/interpreter.h"
#include "frontend/load_model.h"

#include <onnx/onnx_pb.h>
#include <string>

namespace sinter {

/// The file, with parameters as in `values`.
onnx::ModelProto exported(const Model &, const NamedArrays &values);

/// What the importer makes of it.
LoadedModel imported(const onnx::ModelProto &);

/// Why the model written as ONNX is not the model, or "": ONNX's own checker and shape inference
/// refuse it, or read again and evaluated in float64 on random inputs it computes something else.
std::string round_trip_problem(const Model &, int64_t batch, uint64_t seed);

} // namespace sinter
