// PNG and JPEG pictures that programs classify.
#include "tests/fuzz/fuzz_input.h"

extern "C" {
#include "runtime/image.h"
#include "runtime/sinter_runtime.h"
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sinter_image image;
  if (sinter_image_read(sinter::fuzz_file(".png", data, size).c_str(), &image) != SINTER_OK)
    return 0;
  uint8_t fitted[8 * 8 * 3];
  sinter_image_fit(&image, 8, 8, 3, fitted);
  sinter_image_release(&image);
  return 0;
}
