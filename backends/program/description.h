// The description of a program: what PREFIX_describe() and `info` say.
#pragma once

#include "backends/program/compiled_program.h"

#include <string>

namespace sinter {

/// A JSON object: name, target, variants, inputs, outputs, labels, metrics, layers, parameters,
/// training settings, data and memory.
std::string describe_program(const CompiledProgram &);

} // namespace sinter
