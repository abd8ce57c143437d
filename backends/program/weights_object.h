// Weights compiled into a program: an object file of raw bytes beside the host module's, so that
// they cost neither optimisation nor text.
#pragma once

#include "backends/program/build.h"
#include "backends/program/model_tables.h"

namespace sinter {

/// The bytes of the symbol `sinter_weights` and where in it each parameter's values start.
struct PackedWeights {
  std::string bytes;
  WeightOffsets offsets;
};

/// Throws CompileError when a name is unknown or a count does not fit its parameter.
PackedWeights pack_weights(const Program &, const std::vector<InitialWeights> &);

/// Refers to the bytes from the host module.
llvm::Constant *declare_weights(ModuleWriter &);

/// The object that defines them.
std::string weights_object(const std::string &bytes);

} // namespace sinter
