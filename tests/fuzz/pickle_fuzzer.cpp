// Pickles: NumPy's dicts, PyTorch's files, the zip archives included.
#include "frontend/weight_file.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz(
      [&] { sinter::read_pickle(sinter::fuzz_location(sinter::fuzz_file(".pt", data, size))); });
}
