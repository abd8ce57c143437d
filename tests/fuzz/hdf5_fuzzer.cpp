// Keras's HDF5 files. libhdf5 itself runs in a child process that may die of them. What the child
// sends is parsed here: inputs that are no HDF5 file stand for what a child gone astray may send.
#include "frontend/keras_file/hdf5_tree.h"
#include "frontend/keras_file/keras_weights.h"
#include "tests/fuzz/fuzz_input.h"

#include <cstdio>
#include <memory>

namespace {

sinter::Hdf5Group read(const uint8_t *data, size_t size) {
  const std::string bytes = sinter::fuzz_text(data, size);
  const sinter::SourceLocation file = sinter::fuzz_location("fuzz.h5");
  if (bytes.compare(0, 4, "\x89HDF") == 0)
    return sinter::read_hdf5_image(bytes, file);
  struct Close {
    void operator()(std::FILE *stream) const { std::fclose(stream); }
  };
  sinter::Hdf5Group root;
  const std::unique_ptr<std::FILE, Close> stream(
      size > 0 ? ::fmemopen(const_cast<uint8_t *>(data), size, "rb") : nullptr);
  if (!stream || !sinter::read_hdf5_records(stream.get(), root))
    throw sinter::CompileError(file, "damaged records");
  return root;
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  return sinter::fuzz([&] {
    const sinter::Hdf5Group root = read(data, size);
    sinter::list_datasets(root);
    sinter::ParameterAttrs kernel;
    kernel.name = "dense/kernel";
    kernel.type.shape = {2, 3};
    const sinter::WantedLayer dense{"dense", "Dense", {&kernel}, {}};
    sinter::find_keras_weights(root, {dense}, {}, sinter::fuzz_location("fuzz.h5"));
  });
}
