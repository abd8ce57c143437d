#include "frontend/onnx/graph_order.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace sinter {

namespace {

/// Names that a node reads, its subgraphs' included: those see the names around them.
void collect_operands(const onnx::NodeProto &node, std::set<std::string> &names) {
  names.insert(node.input().begin(), node.input().end());
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (!attribute.has_g())
      continue;
    for (const onnx::NodeProto &inner : attribute.g().node())
      collect_operands(inner, names);
    for (const onnx::ValueInfoProto &output : attribute.g().output())
      names.insert(output.name());
  }
}

class DepthFirstOrder {
public:
  DepthFirstOrder(const onnx::GraphProto &graph, const SourceLocation &file)
      : graph_(graph), file_(file), states_(static_cast<size_t>(graph.node_size()), State::unseen) {
    for (int i = 0; i < graph.node_size(); ++i)
      for (const std::string &name : graph.node(i).output())
        if (!name.empty() && !producers_.emplace(name, i).second)
          throw CompileError(file, "the value '{}' is computed twice", name);
  }

  /// Visits the producer of a value and all that it needs, without recursion: files are hostile.
  void visit(const std::string &name) {
    const auto producer = producers_.find(name);
    if (producer == producers_.end())
      return;
    push(producer->second);
    while (!stack_.empty()) {
      Frame &frame = stack_.back();
      if (frame.operands.empty()) {
        states_[static_cast<size_t>(frame.node)] = State::done;
        order_.push_back(frame.node);
        stack_.pop_back();
        continue;
      }
      const std::string operand = *frame.operands.begin();
      frame.operands.erase(frame.operands.begin());
      const auto found = producers_.find(operand);
      if (found == producers_.end())
        continue;
      follows_file_ = follows_file_ && found->second < frame.node;
      push(found->second);
    }
  }

  /// The file's own order when that is a right one.
  std::vector<int> order() const {
    std::vector<int> ascending = order_;
    std::sort(ascending.begin(), ascending.end());
    return follows_file_ ? ascending : order_;
  }

private:
  enum class State { unseen, open, done };
  struct Frame {
    int node;
    std::set<std::string> operands; // still to visit
  };

  void push(int node) {
    State &state = states_[static_cast<size_t>(node)];
    if (state == State::open)
      throw CompileError(file_, "the graph has a cycle through '{}'", graph_.node(node).output(0));
    if (state == State::done)
      return;
    state = State::open;
    Frame frame{node, {}};
    collect_operands(graph_.node(node), frame.operands);
    stack_.push_back(std::move(frame));
  }

  const onnx::GraphProto &graph_;
  const SourceLocation &file_;
  std::vector<State> states_;
  std::map<std::string, int> producers_;
  std::vector<Frame> stack_;
  std::vector<int> order_;
  bool follows_file_ = true;
};

} // namespace

std::vector<int> order_of_needed_nodes(const onnx::GraphProto &graph, const SourceLocation &file) {
  DepthFirstOrder order(graph, file);
  for (const onnx::ValueInfoProto &output : graph.output())
    order.visit(output.name());
  return order.order();
}

} // namespace sinter
