// .npz archives of weights.
#include "frontend/weight_file.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz(
      [&] { sinter::read_npz(sinter::fuzz_location(sinter::fuzz_file(".npz", data, size))); });
}
