// IDX files, plain and gzipped: what programs read their data from.
#include "tests/fuzz/fuzz_input.h"

extern "C" {
#include "runtime/array.h"
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sinter_array array;
  if (sinter_read_idx(sinter::fuzz_file(".idx", data, size).c_str(), &array) == SINTER_OK)
    sinter_array_release(&array);
  return 0;
}
