#include "tests/end_to_end/striped_images.h"

#include "tests/passes/nets.h"
#include "tests/runtime/data_files.h"

namespace sinter {

namespace {

void write_images(const std::string &folder, const std::string &part, uint32_t count) {
  uint32_t state = count;
  const auto noise = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
  std::string pixels;
  std::string labels;
  for (uint32_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(noise() % 10);
    labels += static_cast<char>(label);
    for (int y = 0; y < kStripedSize; ++y)
      for (int x = 0; x < kStripedSize; ++x)
        pixels += static_cast<char>(noise() / 2 + (y == label ? 120 : 0));
  }
  write_bytes(folder + "/" + part + "-images-idx3-ubyte",
              idx(8, {count, kStripedSize, kStripedSize}, pixels));
  write_bytes(folder + "/" + part + "-labels-idx1-ubyte", idx(8, {count}, labels));
}

} // namespace

void write_striped_images(const std::string &folder) {
  write_images(folder, "train", 250);
  write_images(folder, "t10k", 60);
}

Model striped_model(int64_t width) {
  Model model = fashion_net(kStripedSize, width, 0.25F);
  model.training->epochs = 6;
  model.data = DataSpec{};
  model.data->scaling = {{"divide", 255.0F}};
  SubsetStep fraction;
  fraction.test_size = 0.2;
  fraction.op = "head_fraction";
  model.data->train = {"train", {fraction}};
  fraction.op = "tail_fraction";
  model.data->validation = {"train", {fraction}};
  model.data->test = {"test", {}};
  return model;
}

} // namespace sinter
