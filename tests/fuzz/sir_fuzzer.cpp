// The IR's text form: what is parsed prints, and parses again to the same text.
#include "ir/parse.h"
#include "ir/print.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz([&] {
    const std::string text =
        sinter::print(sinter::parse_model(sinter::fuzz_text(data, size), "fuzz.sir"));
    std::string again;
    try {
      again = sinter::print(sinter::parse_model(text, "printed.sir"));
    } catch (const sinter::CompileError &error) {
      SINTER_UNREACHABLE("{}: what was printed does not parse:\n{}", error.what(), text);
    }
    SINTER_ASSERT(again == text, "printed, parsed and printed again differ:\n{}\n{}", text, again);
  });
}
