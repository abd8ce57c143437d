// Takes what depends on parameters alone out of graphs: transformed filters, a batch
// normalisation's scale. The values become parameters of role "prepared", which a graph of its own
// computes:
//
//   %1 = parameter {name="w"}                 %1 = parameter {name="prepared/0", role="prepared"}
//   %2 = winograd_filter %1               ->  %2 = winograd_conv2d %0, %1
//   %3 = winograd_conv2d %0, %2
//                                             and in the graph of preparation
//                                             %0 = parameter {name="w"}
//                                             %1 = winograd_filter %0
//                                             %2 = parameter {name="prepared/0", ...}
//                                             update %2 %1
//
// A program runs that graph once after parameters have changed. Equal values of several graphs are
// one. Left where they are: views, results, and what is much larger than the parameters it is made
// of.
//
// Requires: graphs without updates. Guarantees: each graph computes the same from prepared values.
#pragma once

#include "ir/graph.h"

#include <map>
#include <string>

namespace sinter {

class PreparedParameters {
public:
  /// For graphs made from `forward`, whose parameters' names are taken.
  explicit PreparedParameters(const Graph &forward);
  /// Takes the values out of one graph.
  void take_from(Graph &);
  /// What computes them; without nodes when there are none.
  const Graph &graph() const { return graph_; }

private:
  /// The value in graph_, made there by `append` unless it is among the copies or computed already.
  NodeId copy(const Graph &from, NodeId id, std::map<NodeId, NodeId> &copies);
  NodeId append(const Graph &from, NodeId id, std::map<NodeId, NodeId> &copies);
  const ParameterAttrs &slot_of(NodeId value);

  std::string prefix_ = "prepared/"; // of the names of prepared parameters, and of no other
  Graph graph_;
  std::map<NodeId, ParameterAttrs> slots_; // by the value in graph_
};

} // namespace sinter
