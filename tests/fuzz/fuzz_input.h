// What the fuzz targets share. A target is one function, LLVMFuzzerTestOneInput, over the bytes of
// a file: it is driven by libFuzzer (./dev fuzz) or by replay_driver.cpp (./dev test). Whatever the
// bytes are, the reader returns or raises a CompileError; anything else that escapes is a bug.
#pragma once

#include "ir/diagnostics.h"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace sinter {

inline std::string fuzz_text(const uint8_t *data, size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

/// The path of a file that holds the input, for readers that open files. `extension` is ".onnx";
/// the file is this process's own and is overwritten by its next input.
std::string fuzz_file(const char *extension, const uint8_t *data, size_t size);

SourceLocation fuzz_location(const std::string &path);

/// Runs a reader; the user's errors are what it is for.
template <typename Read> int fuzz(Read read) {
  try {
    read();
  } catch (const CompileError &) {
  }
  return 0;
}

} // namespace sinter
