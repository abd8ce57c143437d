// .safetensors files: the compiler's reader and the programs'.
#include "frontend/weight_file.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" {
#include "runtime/safetensors.h"
}

namespace {

/// What a program does with a checkpoint: every one of its parameters is looked for.
void read_as_program(const std::string &path) {
  sinter_parameter parameter{};
  parameter.name = "w";
  parameter.rank = 2;
  parameter.dims[0] = 2;
  parameter.dims[1] = 3;
  sinter_tensor_file *file = nullptr;
  if (sinter_tensor_file_open(path.c_str(), &file) != SINTER_OK)
    return;
  float storage[2 * 3];
  sinter_tensor_file_read(file, parameter.name, &parameter, storage);
  sinter_tensor_file_close(file);
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string path = sinter::fuzz_file(".safetensors", data, size);
  read_as_program(path);
  return sinter::fuzz([&] { sinter::read_safetensors(sinter::fuzz_location(path)); });
}
