// The network between tensors: which calls, and in what order Keras lists their layers.
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"

#include <algorithm>

namespace sinter {

namespace {

/// A depth-first visit, operands before users, without recursion: a script can chain any number
/// of layers.
class Network {
public:
  Network(const std::vector<KerasTensor *> &inputs, const SourceLocation &location)
      : inputs_(inputs.begin(), inputs.end()), location_(location) {}

  void visit(const KerasTensor *output);
  NetworkMap finish(const std::vector<KerasTensor *> &inputs);

private:
  struct Frame {
    LayerCall *call;
    size_t next = 0;
  };
  /// The call to visit for a tensor, or null when it was visited or is cut off at an input.
  LayerCall *enter(const KerasTensor *tensor);
  void compute_depths();

  std::set<const KerasTensor *> inputs_;
  SourceLocation location_;
  std::set<LayerCall *> seen_;
  std::map<Layer *, size_t> first_visit_;
  std::vector<LayerCall *> calls_;
  std::map<Layer *, size_t> depth_;
};

LayerCall *Network::enter(const KerasTensor *tensor) {
  if (tensor->leaf)
    return nullptr;
  LayerCall *call = tensor->producer;
  const bool is_input = inputs_.count(tensor) > 0;
  if (call->inputs.empty() && !is_input)
    throw CompileError(location_,
                       "the model's output depends on the input '{}', which is not "
                       "among its inputs",
                       call->layer->name);
  if ((is_input && !call->inputs.empty()) || !seen_.insert(call).second)
    return nullptr;
  first_visit_.emplace(call->layer, first_visit_.size());
  return call;
}

void Network::visit(const KerasTensor *output) {
  std::vector<Frame> stack;
  if (LayerCall *call = enter(output))
    stack.push_back({call});
  while (!stack.empty()) {
    Frame &frame = stack.back();
    if (frame.next == frame.call->inputs.size()) {
      calls_.push_back(frame.call);
      stack.pop_back();
      continue;
    }
    const KerasTensor *operand = frame.call->inputs[frame.next++];
    if (LayerCall *call = enter(operand))
      stack.push_back({call});
  }
}

/// A call is one deeper than its deepest user; a layer is as deep as its deepest call.
void Network::compute_depths() {
  std::map<LayerCall *, size_t> call_depth;
  for (auto it = calls_.rbegin(); it != calls_.rend(); ++it) {
    LayerCall *call = *it;
    const size_t depth = std::max(call_depth[call], depth_[call->layer]);
    depth_[call->layer] = depth;
    call_depth[call] = depth;
    for (const KerasTensor *operand : call->inputs) {
      size_t &producer = call_depth[operand->producer];
      producer = std::max(producer, depth + 1);
    }
  }
}

NetworkMap Network::finish(const std::vector<KerasTensor *> &inputs) {
  for (const KerasTensor *input : inputs)
    if (input->producer->inputs.empty() && seen_.count(input->producer) == 0)
      throw CompileError(location_, "the model's outputs do not depend on its input '{}'",
                         input->producer->layer->name);
  compute_depths();
  NetworkMap map;
  map.calls = calls_;
  for (const auto &[layer, order] : first_visit_)
    map.layers.push_back(layer);
  std::sort(map.layers.begin(), map.layers.end(), [&](Layer *a, Layer *b) {
    return depth_[a] != depth_[b] ? depth_[a] > depth_[b] : first_visit_[a] < first_visit_[b];
  });
  return map;
}

} // namespace

NetworkMap map_network(const std::vector<KerasTensor *> &inputs,
                       const std::vector<KerasTensor *> &outputs, const SourceLocation &location) {
  Network network(inputs, location);
  for (const KerasTensor *output : outputs)
    network.visit(output);
  return network.finish(inputs);
}

} // namespace sinter
