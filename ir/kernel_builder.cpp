#include "ir/kernel_builder.h"

#include "ir/diagnostics.h"
#include "ir/ops/compute_math.h"

#include <algorithm>
#include <limits>

namespace sinter {

using Halide::Expr;
using Halide::Func;
using Halide::Var;

namespace {

/// Extents are int64_t everywhere in Sinter; the one place where they become Halide's int.
Expr halide_int(int64_t value) {
  SINTER_ASSERT(value >= 0 && value <= std::numeric_limits<int32_t>::max(), "extent {}", value);
  return static_cast<int32_t>(value);
}

std::vector<Var> storage_vars(const TensorType &type) {
  std::vector<Var> vars;
  for (size_t i = 0; i < type.storage_shape().size(); ++i)
    vars.emplace_back("d" + std::to_string(i));
  return vars;
}

/// Halide's arguments, innermost first, as an outermost-first storage index.
Index storage_index(const std::vector<Var> &vars) { return {vars.rbegin(), vars.rend()}; }

/// The logical index of a storage index. In a blocked type the last one may exceed its extent.
Index logical_index(const TensorType &type, const Index &storage) {
  if (!type.blocked())
    return storage;
  Index logical(storage.begin() + 1, storage.end());
  logical.back() = storage.front() * halide_int(type.block) + storage.back();
  return logical;
}

bool has_padding_lanes(const TensorType &type) {
  return type.blocked() && type.shape.back() % type.block != 0;
}

/// element(logical index), and zero in the padding lanes of a blocked type.
Expr element_or_zero(const TensorType &type, const Index &storage,
                     const std::function<Expr(const Index &)> &element) {
  Index index = logical_index(type, storage);
  if (!has_padding_lanes(type))
    return element(index);
  const Expr inside = index.back() < halide_int(type.shape.back());
  index.back() = Halide::min(index.back(), halide_int(type.shape.back() - 1));
  const Expr value = element(index);
  return Halide::select(inside, value, Halide::Internal::make_zero(value.type()));
}

Expr identity(Reduction reduction, Halide::Type type) {
  switch (reduction) {
  case Reduction::sum:
    return Halide::Internal::make_const(type, 0);
  case Reduction::product:
    return Halide::Internal::make_const(type, 1);
  case Reduction::maximum:
    return type.is_float() ? Expr(-std::numeric_limits<float>::infinity()) : type.min();
  case Reduction::minimum:
    return type.is_float() ? Expr(std::numeric_limits<float>::infinity()) : type.max();
  }
  SINTER_UNREACHABLE("reduction {}", static_cast<int>(reduction));
}

Expr combine(Reduction reduction, const Expr &a, const Expr &b) {
  switch (reduction) {
  case Reduction::sum:
    return a + b;
  case Reduction::product:
    return a * b;
  case Reduction::maximum:
    return larger_of(a, b);
  case Reduction::minimum:
    return smaller_of(a, b);
  }
  SINTER_UNREACHABLE("reduction {}", static_cast<int>(reduction));
}

ElementType element_type(Halide::Type type) {
  SINTER_ASSERT(type.is_scalar(), "a vector expression in an algorithm");
  if (type == Halide::Float(32))
    return ElementType::f32;
  return type == Halide::UInt(8) ? ElementType::u8 : ElementType::i32;
}

Halide::RDom domain_of(const std::vector<Expr> &extents) {
  Halide::Region region;
  for (auto extent = extents.rbegin(); extent != extents.rend(); ++extent)
    region.emplace_back(0, *extent);
  return Halide::RDom(region);
}

/// In the order of the extents that the domain was made of.
Index index_of(const Halide::RDom &domain) {
  Index r;
  for (int i = domain.dimensions(); i-- > 0;)
    r.push_back(domain[i]);
  return r;
}

/// The arguments of a broadcast operand: aligned to the right, index 0 where its extent is 1.
Index broadcast_index(const Shape &operand, const Index &index) {
  SINTER_ASSERT(operand.size() <= index.size(), "operand {} exceeds the result", str(operand));
  Index result(index.end() - static_cast<int64_t>(operand.size()), index.end());
  for (size_t i = 0; i < operand.size(); ++i)
    if (operand[i] == 1)
      result[i] = 0;
  return result;
}

} // namespace

Halide::Type halide_type(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return Halide::Float(32);
  case ElementType::i32:
    return Halide::Int(32);
  case ElementType::u8:
    return Halide::UInt(8);
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(element));
}

Expr Tensor::extent(int dimension) const {
  const int64_t extent = type_.shape.at(static_cast<size_t>(dimension));
  return extent == kBatch ? batch_ : halide_int(extent);
}

Expr Tensor::at_storage(const Index &index) const {
  return func_(std::vector<Expr>(index.rbegin(), index.rend()));
}

Expr Tensor::operator()(const Index &index) const {
  SINTER_ASSERT(index.size() == type_.shape.size(), "{} indices into {}", index.size(),
                type_.str());
  if (!type_.blocked())
    return at_storage(index);
  const Expr block = halide_int(type_.block);
  Index storage{index.back() / block};
  storage.insert(storage.end(), index.begin(), index.end() - 1);
  storage.push_back(index.back() % block);
  return at_storage(storage);
}

KernelBuilder::KernelBuilder(const Graph &graph, NodeId id, std::vector<Tensor> operands,
                             Expr batch)
    : graph_(graph), id_(id), operands_(std::move(operands)), batch_(std::move(batch)),
      result_(name(graph[id].kind) + std::string("_result")) {} // a Func named tanh breaks Halide

Expr KernelBuilder::extent(int dimension) const {
  const int64_t extent = type().shape.at(static_cast<size_t>(dimension));
  return extent == kBatch ? batch_ : halide_int(extent);
}

std::optional<float> KernelBuilder::constant_operand(size_t i) const {
  const auto *constant = std::get_if<ConstantAttrs>(&graph_[node().inputs.at(i)].attrs);
  if (!constant || constant->type.element != ElementType::f32 || constant->values.size() != 1)
    return std::nullopt;
  return constant->values[0];
}

void KernelBuilder::define(const std::function<Expr(const Index &)> &element) {
  define_storage([&](const Index &storage) { return element_or_zero(type(), storage, element); });
}

void KernelBuilder::define_storage(const std::function<Expr(const Index &)> &element) {
  SINTER_ASSERT(!result_.defined(), "{} defines two results", name(node().kind));
  const std::vector<Var> vars = storage_vars(type());
  result_(vars) = element(storage_index(vars));
}

void KernelBuilder::define_elementwise(
    const std::function<Expr(const std::vector<Expr> &)> &combine_values) {
  SINTER_ASSERT(!result_.defined(), "{} defines two results", name(node().kind));
  const std::vector<Var> vars = storage_vars(type());
  const Index storage = storage_index(vars);
  Index logical = logical_index(type(), storage);
  const Expr last = logical.empty() ? Expr() : logical.back();
  if (has_padding_lanes(type()))
    logical.back() = Halide::min(last, halide_int(type().shape.back() - 1));
  std::vector<Expr> values;
  std::vector<Expr> padding_values; // the operands' values in the padding lanes
  for (const Tensor &operand : operands_) {
    const bool full = operand.type().shape == type().shape;
    SINTER_ASSERT(!full || operand.type().block == type().block, "{} into {}", operand.type().str(),
                  type().str());
    values.push_back(full ? operand.at_storage(storage)
                          : operand(broadcast_index(operand.type().shape, logical)));
    padding_values.push_back(full ? Halide::Internal::make_zero(values.back().type())
                                  : values.back());
  }
  Expr value = combine_values(values);
  // Most ops make zero of zeros; what does not, such as an offset, is held back.
  if (has_padding_lanes(type()) &&
      !Halide::Internal::is_const_zero(Halide::Internal::simplify(combine_values(padding_values))))
    value = Halide::select(last < halide_int(type().shape.back()), value,
                           Halide::Internal::make_zero(value.type()));
  result_(vars) = value;
}

Tensor KernelBuilder::reduce(Reduction reduction, const Shape &shape,
                             const std::vector<Expr> &extents, const Term &term,
                             const Predicate &where) {
  // Sums over the batch and more: per sample first, then over samples in order. Both steps have a
  // fixed order, and the first runs in parallel.
  if (extents.size() > 1 && extents[0].same_as(batch_)) {
    SINTER_ASSERT(!where, "a predicate on a sum over the batch");
    Shape per_sample{kBatch};
    per_sample.insert(per_sample.end(), shape.begin(), shape.end());
    const Tensor partial = reduce(reduction, per_sample, {extents.begin() + 1, extents.end()},
                                  [&](const Index &index, const Index &r) {
                                    Index all{index[0]};
                                    all.insert(all.end(), r.begin(), r.end());
                                    return term({index.begin() + 1, index.end()}, all);
                                  });
    return reduce(reduction, shape, {batch_}, [&](const Index &index, const Index &r) {
      Index at{r[0]};
      at.insert(at.end(), index.begin(), index.end());
      return partial(at);
    });
  }

  TensorType type{ElementType::f32, shape};
  const std::vector<Var> vars = storage_vars(type);
  const Index index = storage_index(vars);
  Stage stage{
      Stage::Kind::reduction, id_,        type, Func(name(node().kind) + std::string("_reduce")),
      domain_of(extents),     "reduction"};
  const Index r = index_of(stage.domain);
  if (where)
    stage.domain.where(where(index, r));
  const Expr value = term(index, r);
  stage.type.element = element_type(value.type());
  stage.func(vars) = identity(reduction, value.type());
  stage.func(vars) = combine(reduction, stage.func(vars), value);
  stages_.push_back(stage);
  return {stage.type, stage.func, batch_};
}

Tensor
KernelBuilder::scan(const TensorType &type, int axis,
                    const std::function<Expr(const Index &)> &start,
                    const std::vector<Expr> &extents,
                    const std::function<Step(const Tensor &, const Index &, const Index &)> &step) {
  SINTER_ASSERT(!type.blocked(), "a scan in blocked storage");
  const std::vector<Var> vars = storage_vars(type);
  const Index index = storage_index(vars);
  Stage stage{Stage::Kind::scan,
              id_,
              type,
              Func(name(node().kind) + std::string("_scan")),
              domain_of(extents),
              "scan",
              type.rank() - 1 - axis};
  stage.func(vars) = start(index);
  const Tensor so_far{type, stage.func, batch_};
  const Step next = step(so_far, index, index_of(stage.domain));
  std::vector<Expr> at(vars.begin(), vars.end());
  at[static_cast<size_t>(stage.axis)] = next.position;
  stage.func(at) = next.value;
  stages_.push_back(stage);
  return so_far;
}

Tensor KernelBuilder::copy(const TensorType &type, const std::string &role,
                           const std::function<Expr(const Index &)> &element) {
  const std::vector<Var> vars = storage_vars(type);
  Stage stage{Stage::Kind::copy, id_, type, Func(name(node().kind) + ("_" + role)), {}, role};
  stage.func(vars) = element_or_zero(type, storage_index(vars), element);
  stages_.push_back(stage);
  return {type, stage.func, batch_};
}

namespace {

/// The buffer that a Func only reads: an argument of the kernel, or a literal one. Null for others.
const Halide::Internal::Call *buffer_of(const Func &func) {
  const auto *call =
      func.has_update_definition() ? nullptr : func.value().as<Halide::Internal::Call>();
  return call && call->call_type == Halide::Internal::Call::Image ? call : nullptr;
}

Halide::ExternFuncArgument extern_argument(const Tensor &operand) {
  const Halide::Internal::Call *buffer = buffer_of(operand.func());
  if (!buffer)
    return operand.func();
  if (buffer->image.defined())
    return buffer->image;
  return buffer->param;
}

} // namespace

Tensor KernelBuilder::argument(size_t i, const std::string &role) {
  const Tensor &operand = operands_[i];
  if (buffer_of(operand.func()))
    return operand;
  return copy(operand.type(), role, [&](const Index &index) { return operand(index); });
}

Tensor KernelBuilder::call(const TensorType &type, const std::string &role,
                           const std::string &function, const std::vector<Tensor> &operands,
                           const std::vector<Expr> &numbers) {
  Stage stage{Stage::Kind::call, id_, type, Func(name(node().kind) + ("_" + role)), {}, role};
  std::vector<Halide::ExternFuncArgument> arguments;
  for (const Tensor &operand : operands)
    arguments.push_back(extern_argument(operand));
  for (const Expr &number : numbers)
    arguments.emplace_back(number);
  stage.func.define_extern(function, arguments, halide_type(type.element), storage_vars(type),
                           Halide::NameMangling::C);
  stages_.push_back(stage);
  return {type, stage.func, batch_};
}

void KernelBuilder::define_sum(const std::vector<Expr> &extents, const Term &term,
                               const std::function<Expr(const Expr &)> &finish) {
  const Tensor sum = reduce(Reduction::sum, type().shape, extents, term);
  define([&](const Index &index) { return finish ? finish(sum(index)) : sum(index); });
}

void KernelBuilder::define_reduction(Reduction reduction, const std::vector<Expr> &extents,
                                     const Term &term) {
  const Tensor value = reduce(reduction, type().shape, extents, term);
  define([&](const Index &index) { return value(index); });
}

} // namespace sinter
