// Model scripts: lexer, parser, evaluator.
#include "frontend/load_model.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz([&] {
    sinter::Diagnostics diagnostics;
    sinter::LoadOptions options;
    options.max_steps = 20'000; // a loop that ends late is no find
    sinter::load_script("fuzz.py", sinter::fuzz_text(data, size), options, diagnostics);
  });
}
