// What a model file that says nothing about its data is fed with.
#pragma once

#include "ir/model.h"

namespace sinter {

/// The training and test samples of whatever data set the program is given. Bytes are divided by
/// 255, as the networks of the textbooks want it, unless the model begins by rescaling its input
/// itself.
DataSpec default_data(const Model &);

/// The scaling that divides by `divisor`: no step for 1.
std::vector<ScalingStep> divide_by(float divisor);

} // namespace sinter
