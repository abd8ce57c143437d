#include "passes/add_optimizer.h"

#include "ir/diagnostics.h"
#include "ir/leaf_names.h"
#include "passes/differentiate.h"
#include "passes/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace sinter {

namespace {

constexpr float kConstraintEpsilon = 1e-7F; // keras.config.epsilon()

bool is_gradient(const Output &output) { return output.name.rfind(kGradientPrefix, 0) == 0; }

class Optimizer {
public:
  Optimizer(Graph &graph, const OptimizerSpec &spec) : graph_(graph), spec_(spec), names_(graph) {
    learning_rate_ = scalar_input("learning_rate");
    if (spec_.kind == "adam" || spec_.kind == "adamax" || spec_.kind == "nadam" || spec_.schedule)
      step_ = scalar_input("step");
    if (spec_.schedule)
      learning_rate_ = append_schedule(graph_, *spec_.schedule, learning_rate_, step_);
    if (spec_.kind == "adam")
      append_adam_rates();
    else if (spec_.kind == "adamax")
      rate_ = corrected(learning_rate_, spec_.beta_1);
    else if (spec_.kind == "nadam")
      append_nadam_factors();
  }

  /// The gradients, none longer than the specification says, by itself or all together.
  std::vector<NodeId> clipped(std::vector<NodeId> gradients) {
    if (spec_.global_clip_norm > 0 && !gradients.empty()) {
      const NodeId factor = clip_factor(gradients, spec_.global_clip_norm);
      for (NodeId &gradient : gradients)
        gradient = graph_.append(OpKind::multiply, {gradient, factor});
    }
    for (NodeId &gradient : gradients) {
      if (spec_.clip_norm > 0)
        gradient =
            graph_.append(OpKind::multiply, {gradient, clip_factor({gradient}, spec_.clip_norm)});
      if (spec_.clip_value > 0)
        gradient = graph_.append(
            OpKind::maximum, {graph_.append(OpKind::minimum, {gradient, scalar(spec_.clip_value)}),
                              scalar(-spec_.clip_value)});
    }
    return gradients;
  }

  void update(NodeId weight, NodeId gradient) {
    weight_ = weight;
    parameter_ = weight;
    gradient_ = gradient;
    if (spec_.l2 != 0)
      gradient_ = append(OpKind::add, {gradient_, affine(parameter_, spec_.l2, 0)});
    if (spec_.weight_decay != 0)
      weight_ = append(OpKind::sgd_update,
                       {weight_, affine(parameter_, spec_.weight_decay, 0), learning_rate_});
    if (spec_.kind == "adam")
      adam();
    else if (spec_.kind == "rmsprop")
      rmsprop();
    else if (spec_.kind == "adagrad")
      adagrad();
    else if (spec_.kind == "adadelta")
      adadelta();
    else if (spec_.kind == "adamax")
      adamax();
    else if (spec_.kind == "nadam")
      nadam();
    else if (spec_.kind == "sgd" && spec_.momentum == 0)
      set_weight(append(OpKind::sgd_update, {weight_, gradient_, learning_rate_}));
    else if (spec_.kind == "sgd")
      sgd_with_momentum();
    else
      SINTER_UNREACHABLE("optimizer {}", spec_.kind);
  }

private:
  NodeId scalar(float value) {
    return graph_.append(OpKind::constant, {}, ConstantAttrs{{value}, {ElementType::f32, {}, 0}});
  }

  NodeId square_sum(NodeId gradient) {
    const NodeId squares = graph_.append(OpKind::square, {gradient});
    std::vector<int64_t> axes(static_cast<size_t>(graph_.type(gradient).rank()));
    std::iota(axes.begin(), axes.end(), 0);
    return axes.empty() ? squares
                        : graph_.append(OpKind::reduce_sum, {squares}, ReduceAttrs{axes, false});
  }

  // norm / max(|gradients|, norm)
  NodeId clip_factor(const std::vector<NodeId> &gradients, float norm) {
    NodeId sum;
    for (NodeId gradient : gradients) {
      const NodeId part = square_sum(gradient);
      sum = sum.valid() ? graph_.append(OpKind::add, {sum, part}) : part;
    }
    const NodeId length =
        graph_.append(OpKind::maximum, {graph_.append(OpKind::sqrt, {sum}), scalar(norm)});
    return graph_.append(OpKind::divide, {scalar(norm), length});
  }

  NodeId scalar_input(const std::string &role) {
    return graph_.append(OpKind::input, {},
                         InputAttrs{names_.take(role), role, {ElementType::f32, {}, 0}});
  }

  /// A node of the parameter's layer, or of all.
  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attributes = NoAttrs{}) {
    if (!parameter_.valid())
      return graph_.append(kind, std::move(operands), std::move(attributes));
    const std::string layer = graph_[parameter_].layer;
    const SourceLocation location = graph_[parameter_].location;
    return graph_.append(kind, std::move(operands), std::move(attributes), layer, location);
  }

  NodeId affine(NodeId x, double scale, double offset) {
    return append(OpKind::affine, {x},
                  AffineAttrs{static_cast<float>(scale), static_cast<float>(offset)});
  }

  /// A companion of the weight.
  NodeId state(const std::string &suffix, float initial = 0) {
    ParameterAttrs attributes;
    attributes.name = names_.take(attrs<ParameterAttrs>(graph_[parameter_]).name + "/" + suffix);
    attributes.role = "optimizer";
    if (initial != 0) {
      attributes.initializer = "constant";
      attributes.a = initial;
    }
    attributes.type = graph_.type(weight_);
    return append(OpKind::parameter, {}, attributes);
  }

  NodeId set_state(NodeId parameter, NodeId value) {
    graph_.updates.push_back({parameter, value});
    return value;
  }
  void set_weight(NodeId value) { graph_.updates.push_back({parameter_, constrained(value)}); }

  NodeId constrained(NodeId weight) {
    const auto constraint = attrs<ParameterAttrs>(graph_[parameter_]);
    if (constraint.constraint.empty())
      return weight;
    if (constraint.constraint == "non_neg")
      return append(OpKind::maximum, {weight, scalar(0)});
    const NodeId squares = append(OpKind::square, {weight});
    const NodeId sums = append(OpKind::reduce_sum, {squares},
                               ReduceAttrs{constraint.norm_axes, /*keep_dims=*/true});
    const NodeId norms = append(OpKind::sqrt, {sums});
    const NodeId least = affine(norms, 1, kConstraintEpsilon);
    const NodeId ratio = append(OpKind::divide, {wanted_norms(constraint, norms), least});
    return append(OpKind::multiply, {weight, ratio});
  }

  NodeId wanted_norms(const ParameterAttrs &constraint, NodeId norms) {
    if (constraint.constraint == "unit_norm")
      return scalar(1);
    const NodeId at_most = append(OpKind::minimum, {norms, scalar(constraint.max_norm)});
    if (constraint.constraint == "max_norm")
      return at_most;
    const NodeId clipped = append(OpKind::maximum, {at_most, scalar(constraint.min_norm)});
    const float rate = constraint.norm_rate;
    return append(OpKind::add, {affine(clipped, rate, 0), affine(norms, 1 - rate, 0)});
  }

  /// rate / (1 - beta^step), which is adam_rate without its second correction.
  NodeId corrected(NodeId rate, double beta) {
    return graph_.append(OpKind::adam_rate, {rate, step_}, AdamRateAttrs{beta, 0});
  }

  void append_adam_rates() {
    if (!spec_.epsilon_after_root) {
      rate_ = graph_.append(OpKind::adam_rate, {learning_rate_, step_},
                            AdamRateAttrs{spec_.beta_1, spec_.beta_2});
      return;
    }
    rate_ = corrected(learning_rate_, spec_.beta_1);
    correction_ = corrected(scalar(1), spec_.beta_2);
  }

  /// b(t) of the step that is `later` steps after this one; 0.96 is the paper's.
  NodeId nesterov_momentum(int later) {
    const double slope = std::log(0.96) * spec_.momentum_decay;
    const NodeId power = graph_.append(OpKind::exp, {affine(step_, slope, later * slope)});
    return affine(power, -spec_.beta_1 / 2, spec_.beta_1);
  }

  void append_nadam_factors() {
    ParameterAttrs attributes;
    attributes.name = names_.take("nadam_momentum_product");
    attributes.role = "optimizer";
    attributes.initializer = "ones";
    attributes.type = {ElementType::f32, {}, 0};
    const NodeId product = graph_.append(OpKind::parameter, {}, attributes);
    const auto times = [&](NodeId a, NodeId b) { return graph_.append(OpKind::multiply, {a, b}); };
    const auto divided = [&](NodeId a, NodeId b) { // a / (1 - b)
      return graph_.append(OpKind::divide, {a, affine(b, -1, 1)});
    };
    const NodeId now = nesterov_momentum(0);
    const NodeId next = nesterov_momentum(1);
    const NodeId new_product = set_state(product, times(product, now));
    gradient_factor_ = divided(affine(now, -1, 1), new_product);
    rate_ = divided(next, times(new_product, next));
    correction_ = corrected(scalar(1), spec_.beta_2);
  }

  /// weight - learning_rate * gradient / the root of the squares
  NodeId divided_update(NodeId squares) {
    return append(spec_.epsilon_after_root ? OpKind::adam_update : OpKind::rmsprop_update,
                  {weight_, gradient_, squares, learning_rate_}, EpsilonAttrs{spec_.epsilon});
  }

  // Duchi et al. 2011: the squares of all gradients so far, instead of their moving average.
  void adagrad() {
    const NodeId sum = state("adagrad", spec_.initial_accumulator);
    const NodeId squares = append(OpKind::square, {gradient_});
    const NodeId new_sum = set_state(sum, append(OpKind::add, {sum, squares}));
    set_weight(divided_update(new_sum));
  }

  /// The moving average of the gradient, or of a value's squares.
  NodeId average(NodeId old, double decay) {
    return set_state(old, append(OpKind::moving_average, {old, gradient_}, DecayAttrs{decay}));
  }
  NodeId square_average(NodeId old, NodeId value, double decay) {
    return set_state(old, append(OpKind::moving_square_average, {old, value}, DecayAttrs{decay}));
  }

  /// The new averages of the gradient and of its square.
  std::pair<NodeId, NodeId> moments(const std::string &rule) {
    const NodeId m = state(rule + "_m");
    const NodeId v = state(rule + "_v");
    const NodeId new_m = average(m, spec_.beta_1);
    return {new_m, square_average(v, gradient_, spec_.beta_2)};
  }

  void adam() {
    const auto [new_m, new_v] = moments("adam");
    const NodeId squares =
        correction_.valid() ? append(OpKind::multiply, {new_v, correction_}) : new_v;
    set_weight(
        append(OpKind::adam_update, {weight_, new_m, squares, rate_}, EpsilonAttrs{spec_.epsilon}));
  }

  // Kingma and Ba 2015, section 7.1: the largest gradient, forgotten slowly, instead of the
  // squares.
  void adamax() {
    const NodeId m = state("adamax_m");
    const NodeId u = state("adamax_u");
    const NodeId new_m = average(m, spec_.beta_1);
    const float before = spec_.epsilon_after_root ? spec_.epsilon : 0;
    const NodeId size = affine(append(OpKind::abs, {gradient_}), 1, before);
    const NodeId new_u = set_state(u, append(OpKind::maximum, {affine(u, spec_.beta_2, 0), size}));
    const NodeId scaled = append(OpKind::divide, {new_m, affine(new_u, 1, spec_.epsilon - before)});
    set_weight(append(OpKind::sgd_update, {weight_, scaled, rate_}));
  }

  // Dozat 2016: Adam with Nesterov's momentum.
  void nadam() {
    const auto [new_m, new_v] = moments("nadam");
    const NodeId ahead =
        append(OpKind::add, {append(OpKind::multiply, {gradient_, gradient_factor_}),
                             append(OpKind::multiply, {new_m, rate_})});
    const NodeId squares = append(OpKind::multiply, {new_v, correction_});
    set_weight(append(OpKind::adam_update, {weight_, ahead, squares, learning_rate_},
                      EpsilonAttrs{spec_.epsilon}));
  }

  // Zeiler 2012: steps as large as the ones before.
  void adadelta() {
    const NodeId v = state("adadelta_v");
    const NodeId x = state("adadelta_x");
    const NodeId new_v = square_average(v, gradient_, spec_.rho);
    const NodeId before = append(OpKind::sqrt, {affine(x, 1, spec_.epsilon)});
    const NodeId scale = append(OpKind::rsqrt, {affine(new_v, 1, spec_.epsilon)});
    const NodeId step =
        append(OpKind::multiply, {append(OpKind::multiply, {before, scale}), gradient_});
    square_average(x, step, spec_.rho);
    set_weight(append(OpKind::sgd_update, {weight_, step, learning_rate_}));
  }

  void sgd_with_momentum() {
    const NodeId velocity = state("momentum");
    const NodeId new_velocity =
        set_state(velocity, append(OpKind::momentum_velocity, {velocity, gradient_, learning_rate_},
                                   DecayAttrs{spec_.momentum}));
    set_weight(spec_.nesterov ? append(OpKind::nesterov_update,
                                       {weight_, new_velocity, gradient_, learning_rate_},
                                       DecayAttrs{spec_.momentum})
                              : append(OpKind::momentum_update, {weight_, new_velocity}));
  }

  void rmsprop() {
    const NodeId v = square_average(state("rmsprop_v"), gradient_, spec_.rho);
    if (spec_.momentum == 0) {
      set_weight(divided_update(v));
      return;
    }
    const NodeId velocity = state("momentum");
    const NodeId new_velocity = set_state(velocity, scaled_velocity(velocity, v));
    set_weight(append(OpKind::momentum_update, {weight_, new_velocity}));
  }

  /// momentum * velocity - learning_rate * gradient / the root of the squares
  NodeId scaled_velocity(NodeId velocity, NodeId squares) {
    if (spec_.epsilon_after_root) {
      const NodeId slower = affine(velocity, spec_.momentum, 0);
      return append(OpKind::adam_update, {slower, gradient_, squares, learning_rate_},
                    EpsilonAttrs{spec_.epsilon});
    }
    const NodeId shifted = affine(squares, 1, spec_.epsilon);
    const NodeId scaled = append(OpKind::multiply, {gradient_, append(OpKind::rsqrt, {shifted})});
    return append(OpKind::momentum_velocity, {velocity, scaled, learning_rate_},
                  DecayAttrs{spec_.momentum});
  }

  Graph &graph_;
  const OptimizerSpec &spec_;
  LeafNames names_;
  NodeId learning_rate_;
  NodeId step_;            // invalid where nothing depends on it
  NodeId rate_;            // of the moving average
  NodeId correction_;      // of the squares; invalid where rate_ has it
  NodeId gradient_factor_; // nadam's
  NodeId parameter_;
  NodeId weight_; // the parameter, decayed where the specification says so
  NodeId gradient_;
};

} // namespace

void add_optimizer(Graph &graph, const OptimizerSpec &spec) {
  std::map<std::string, NodeId> weights;
  for (NodeId id : graph.all(OpKind::parameter))
    weights.emplace(kGradientPrefix + attrs<ParameterAttrs>(graph[id]).name, id);
  std::vector<NodeId> parameters;
  std::vector<NodeId> gradients;
  for (const Output &output : graph.outputs)
    if (is_gradient(output)) {
      parameters.push_back(weights.at(output.name));
      gradients.push_back(output.value);
    }
  Optimizer optimizer(graph, spec);
  gradients = optimizer.clipped(gradients);
  for (size_t i = 0; i < parameters.size(); ++i)
    optimizer.update(parameters[i], gradients[i]);
  graph.outputs.erase(std::remove_if(graph.outputs.begin(), graph.outputs.end(), is_gradient),
                      graph.outputs.end());
}

} // namespace sinter
