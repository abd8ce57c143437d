#include "backends/halide/lower_kernel.h"

#include "ir/diagnostics.h"

#include <fmt/format.h>

namespace sinter {

using Halide::Expr;
using Halide::Func;

namespace {

/// Declares a buffer: Halide's dimension 0 is the last storage dimension; from one of its rows to
/// the next it is `pitch` elements, unless that is 0 and they follow each other.
template <typename Buffer>
void constrain(Buffer buffer, const TensorType &type, int64_t pitch, const Expr &batch,
               bool extents) {
  const Shape shape = type.storage_shape();
  int stride = 1;
  for (int d = 0; d < static_cast<int>(shape.size()); ++d) {
    const int64_t extent = shape[shape.size() - 1 - static_cast<size_t>(d)];
    buffer.dim(d).set_stride(stride);
    if (extents)
      buffer.dim(d).set_bounds(0, extent == kBatch ? batch : Expr(static_cast<int32_t>(extent)));
    const int64_t step = d == 0 && pitch > 0 ? pitch : extent;
    stride *= static_cast<int>(step); // the batch is outermost: not used after it
  }
}

/// Constants are part of the code: one value as itself, many as an embedded array.
Func constant_func(const ConstantAttrs &attrs) {
  Func func("constant");
  std::vector<Halide::Var> vars(attrs.type.shape.size());
  if (attrs.values.size() == 1) {
    func(vars) = Halide::cast(halide_type(attrs.type.element), attrs.values[0]);
    return func;
  }
  std::vector<int> extents;
  for (auto extent = attrs.type.shape.rbegin(); extent != attrs.type.shape.rend(); ++extent)
    extents.push_back(static_cast<int>(*extent));
  Halide::Buffer<float> values(extents);
  std::copy(attrs.values.begin(), attrs.values.end(), values.begin());
  func(vars) = Halide::cast(halide_type(attrs.type.element),
                            values(std::vector<Expr>(vars.begin(), vars.end())));
  return func;
}

/// Joins the outputs of one storage shape; `results` by node index.
OutputGroup make_group(const KernelGraph &kernel, const std::vector<size_t> &outputs,
                       const std::vector<Func> &results, const Expr &batch) {
  OutputGroup group{kernel.graph.type(kernel.outputs[outputs[0]]), outputs, Func("values"),
                    Func("output")};
  std::vector<Halide::Var> vars;
  for (size_t i = 0; i < group.type.storage_shape().size(); ++i)
    vars.emplace_back("d" + std::to_string(i));
  std::vector<Expr> elements, copies;
  for (size_t output : outputs)
    elements.push_back(results[static_cast<size_t>(kernel.outputs[output].index)](vars));
  group.values(vars) = Halide::Tuple(elements);
  for (size_t i = 0; i < outputs.size(); ++i)
    copies.push_back(outputs.size() == 1 ? Expr(group.values(vars))
                                         : Expr(group.values(vars)[static_cast<int>(i)]));
  group.func(vars) = Halide::Tuple(copies);
  const auto buffers = group.func.output_buffers();
  for (size_t i = 0; i < buffers.size(); ++i) // Halide takes bounds from the first alone
    constrain(buffers[i], group.type, kernel.pitch(kernel.outputs[outputs[i]]), batch,
              /*extents=*/i == 0);
  return group;
}

std::vector<std::vector<size_t>> outputs_by_shape(const KernelGraph &kernel) {
  std::vector<std::vector<size_t>> groups;
  const auto storage = [&](size_t output) {
    return kernel.graph.type(kernel.outputs[output]).storage_shape();
  };
  for (size_t i = 0; i < kernel.outputs.size(); ++i) {
    auto group = groups.begin();
    while (group != groups.end() && storage((*group)[0]) != storage(i))
      ++group;
    if (group == groups.end())
      groups.push_back({i});
    else
      group->push_back(i);
  }
  return groups;
}

} // namespace

const Stage *LoweredNode::find_stage(std::string_view role) const {
  for (const Stage &stage : stages)
    if (stage.role == role)
      return &stage;
  return nullptr;
}

Halide::Pipeline LoweredKernel::pipeline() const {
  std::vector<Func> outputs;
  for (const OutputGroup &group : groups)
    outputs.push_back(group.func);
  return Halide::Pipeline(outputs);
}

LoweredKernel lower_kernel(const KernelGraph &kernel) {
  LoweredKernel lowered{kernel, Halide::Param<int32_t>("batch"), {}, {}, {}};
  const Expr batch = lowered.batch;
  const Graph &graph = kernel.graph;
  std::vector<Func> results(static_cast<size_t>(graph.size()));
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    const TensorType &type = graph.type(kernel.inputs[i]);
    // Not a letter and a number: such names Halide's code generator gives to its own temporaries.
    Halide::ImageParam input(halide_type(type.element),
                             static_cast<int>(type.storage_shape().size()),
                             fmt::format("input_{}", i));
    constrain(input, type, kernel.pitch(kernel.inputs[i]), batch, /*extents=*/true);
    results[static_cast<size_t>(kernel.inputs[i].index)] = input;
    lowered.inputs.push_back(input);
  }
  for (int i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    Func &result = results[static_cast<size_t>(i)];
    if (result.defined())
      continue;
    if (graph[id].kind == OpKind::constant) {
      result = constant_func(attrs<ConstantAttrs>(graph[id]));
      continue;
    }
    std::vector<Tensor> operands;
    for (NodeId input : graph[id].inputs)
      operands.emplace_back(graph.type(input), results[static_cast<size_t>(input.index)], batch);
    KernelBuilder builder(graph, id, std::move(operands), batch);
    const OpDef &def = op_def(graph[id].kind);
    SINTER_ASSERT(def.compute, "{} has no algorithm", name(graph[id].kind));
    def.compute(builder);
    result = builder.result();
    lowered.nodes.push_back({id, def.traits.op_class, result, builder.stages()});
  }
  for (const std::vector<size_t> &outputs : outputs_by_shape(kernel))
    lowered.groups.push_back(make_group(kernel, outputs, results, batch));
  return lowered;
}

} // namespace sinter
