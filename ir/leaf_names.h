// New names for the inputs and parameters that are added to a model.
#pragma once

#include "ir/graph.h"

#include <set>
#include <string>

namespace sinter {

/// The names of a graph's inputs and parameters: the model's author chose them, and may have chosen
/// "step" or "w/adam_m".
class LeafNames {
public:
  explicit LeafNames(const Graph &);

  /// `wanted`, behind as many underscores as make it a name that nothing has; taken from now on.
  std::string take(std::string wanted);

private:
  std::set<std::string> taken_;
};

} // namespace sinter
