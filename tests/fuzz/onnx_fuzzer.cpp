// ONNX files: protobuf, tensors, shape arithmetic, the operators.
#include "frontend/onnx/load_onnx.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz([&] {
    sinter::Diagnostics diagnostics;
    sinter::load_onnx_bytes("fuzz.onnx", {reinterpret_cast<const char *>(data), size}, {},
                            diagnostics);
  });
}
