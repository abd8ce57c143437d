// .npy files: the compiler's reader (members of .npz) and the programs'.
#include "frontend/weight_file.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" {
#include "runtime/array.h"
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sinter::parse_npy("fuzz", {reinterpret_cast<const char *>(data), size});
  sinter_array array;
  if (sinter_read_npy(sinter::fuzz_file(".npy", data, size).c_str(), &array) == SINTER_OK)
    sinter_array_release(&array);
  return 0;
}
