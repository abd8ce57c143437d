#include "ir/leaf_names.h"

namespace sinter {

LeafNames::LeafNames(const Graph &graph) {
  for (const Node &node : graph.nodes()) {
    if (node.kind == OpKind::input)
      taken_.insert(attrs<InputAttrs>(node).name);
    if (node.kind == OpKind::parameter)
      taken_.insert(attrs<ParameterAttrs>(node).name);
  }
}

std::string LeafNames::take(std::string wanted) {
  while (!taken_.insert(wanted).second)
    wanted.insert(0, "_");
  return wanted;
}

} // namespace sinter
