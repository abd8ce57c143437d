// The C header of a generated library.
#pragma once

#include "backends/program/compiled_program.h"

#include <string>

namespace sinter {

/// The text of `file`.h: C99 and C++, nothing but <stddef.h> and <stdint.h> included. Its example
/// loads `file`.safetensors when that is written, too.
std::string library_header(const CompiledProgram &, const std::string &file, bool has_weights_file);

/// Memory for a context with a batch of at most n, in bytes:
/// fixed + n * per_sample + min(n * micro_batch_per_sample, micro_batch_most).
struct ContextBytes {
  uint64_t fixed = 0, per_sample = 0;
  uint64_t micro_batch_per_sample = 0, micro_batch_most = 0;
};

/// An upper bound of the runtime's sinter_context_bytes, which takes the largest of the phases'
/// arenas at the given n. `phase` is a sinter_phase.
ContextBytes context_bytes(const CompiledProgram &, int phase);

} // namespace sinter
