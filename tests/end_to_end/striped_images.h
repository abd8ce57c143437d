// A small problem to train on, for tests of whole programs.
#pragma once

#include "ir/model.h"

#include <string>

namespace sinter {

/// Height and width.
constexpr int kStripedSize = 12;

/// Files of images whose class is the brightest of ten pixel rows, in noise: 250 to
/// train with, which is no multiple of the batch, and 60 to test with.
void write_striped_images(const std::string &folder);

/// fashion_net of that many first filters, to be trained on them for 6 epochs.
Model striped_model(int64_t width);

} // namespace sinter
