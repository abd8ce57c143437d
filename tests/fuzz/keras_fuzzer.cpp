// The architectures of saved Keras models, which every kind of Keras file holds as JSON.
#include "frontend/load_model.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz([&] {
    sinter::Diagnostics diagnostics;
    sinter::load_model(sinter::fuzz_file(".json", data, size), {}, diagnostics);
  });
}
