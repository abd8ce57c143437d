// Other tools store the same weights in another order of dimensions.
#pragma once

#include "frontend/weight_file.h"

namespace sinter {

/// How a file's weights are laid out.
enum class WeightLayout {
  native, // filters h x w x in x out, dense in x out, as in Keras and here
  torch,  // filters out x in x h x w, dense out x in; flattened as channels x h x w
  book    // filters out x in x h x w, dense in x out; flattened as channels x h x w
};

/// Images that a dense kernel reads flattened: [h, w, channels] by the kernel's name.
std::map<std::string, Shape> flattened_inputs(const Graph &);

/// Brings an array of layout `from` into that of the parameter; false when no order of its
/// dimensions fits the parameter's shape. `flattened` is the parameter's entry of flattened_inputs,
/// or empty.
bool convert_layout(WeightArray &, const ParameterAttrs &, WeightLayout from,
                    const Shape &flattened);

} // namespace sinter
