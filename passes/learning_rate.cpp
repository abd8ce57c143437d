#include "passes/learning_rate.h"

#include "ir/diagnostics.h"

#include <cmath>

namespace sinter {

namespace {

class ScheduleBuilder {
public:
  ScheduleBuilder(Graph &graph, const ScheduleSpec &spec, NodeId step)
      : graph_(graph), spec_(spec), done_(affine(step, 1, -1)) {}

  NodeId factor() {
    if (spec_.kind == "exponential_decay")
      return append(OpKind::pow, {constant(spec_.decay_rate), progress(done_)});
    if (spec_.kind == "inverse_time_decay")
      return append(OpKind::divide, {constant(1), affine(progress(done_), spec_.decay_rate, 1)});
    if (spec_.kind == "polynomial_decay")
      return polynomial();
    if (spec_.kind == "cosine_decay")
      return cosine();
    if (spec_.kind == "piecewise_constant")
      return piecewise();
    SINTER_UNREACHABLE("schedule {}", spec_.kind);
  }

private:
  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attributes = NoAttrs{}) {
    return graph_.append(kind, std::move(operands), std::move(attributes));
  }
  NodeId constant(double value) {
    return append(OpKind::constant, {},
                  ConstantAttrs{{static_cast<float>(value)}, {ElementType::f32, {}, 0}});
  }
  NodeId affine(NodeId x, double scale, double offset) {
    return append(OpKind::affine, {x},
                  AffineAttrs{static_cast<float>(scale), static_cast<float>(offset)});
  }

  /// Of a staircase, floor((steps + 0.5) / D): of whole numbers the same as floor(steps / D), but
  /// rounding cannot lead to the stair below.
  NodeId progress(NodeId steps) {
    const double scale = 1 / spec_.decay_steps;
    if (!spec_.staircase)
      return affine(steps, scale, 0);
    return append(OpKind::floor, {affine(steps, scale, 0.5 * scale)});
  }

  NodeId polynomial() {
    const NodeId p = append(OpKind::minimum, {progress(done_), constant(1)});
    const NodeId power = append(OpKind::pow, {affine(p, -1, 1), constant(spec_.power)});
    return affine(power, 1 - spec_.end, spec_.end);
  }

  NodeId cosine() {
    const NodeId after = affine(done_, 1, -spec_.warmup_steps);
    const NodeId p = append(OpKind::minimum, {progress(after), constant(1)});
    const NodeId wave = append(OpKind::cos, {affine(p, std::acos(-1.0), 0)});
    const double half = (1 - spec_.end) / 2;
    const NodeId decayed = affine(wave, half, half + spec_.end);
    if (spec_.warmup_steps == 0)
      return decayed;
    const NodeId warming = affine(done_, (1 - spec_.start) / spec_.warmup_steps, spec_.start);
    const NodeId is_warm = append(OpKind::greater_equal, {done_, constant(spec_.warmup_steps)});
    return append(OpKind::select, {is_warm, decayed, warming});
  }

  NodeId piecewise() {
    NodeId factor = constant(spec_.factors.back());
    for (size_t i = spec_.boundaries.size(); i-- > 0;) {
      const NodeId limit = constant(static_cast<double>(spec_.boundaries[i]));
      const NodeId beyond = append(OpKind::greater, {done_, limit});
      factor = append(OpKind::select, {beyond, factor, constant(spec_.factors[i])});
    }
    return factor;
  }

  Graph &graph_;
  const ScheduleSpec &spec_;
  NodeId done_; // steps before this one
};

} // namespace

NodeId append_schedule(Graph &graph, const ScheduleSpec &spec, NodeId rate, NodeId step) {
  return graph.append(OpKind::multiply, {rate, ScheduleBuilder(graph, spec, step).factor()});
}

} // namespace sinter
