// How an op states its Halide algorithm. The only header of ir/ that includes Halide.h; passes
// and frontends never see it. Index expressions are in logical order (n, y, x, c), outermost
// first; Halide's innermost-first order and blocked storage are handled here and nowhere else.
#pragma once

#include "ir/op.h"

#include <Halide.h>
#include <functional>
#include <optional>
#include <vector>

namespace sinter {

using Index = std::vector<Halide::Expr>;

Halide::Type halide_type(ElementType);

/// A value inside a kernel: a kernel argument or the Func of another node.
class Tensor {
public:
  Tensor(TensorType type, Halide::Func func, Halide::Expr batch)
      : type_(std::move(type)), func_(std::move(func)), batch_(std::move(batch)) {}

  const TensorType &type() const { return type_; }
  const Halide::Func &func() const { return func_; }
  /// The extent of a logical dimension: constant, or the run-time batch.
  Halide::Expr extent(int dimension) const;
  /// The element at a logical index, which must be in bounds.
  Halide::Expr operator()(const Index &index) const;
  /// The same by storage index (differs for blocked types only).
  Halide::Expr at_storage(const Index &storage_index) const;

private:
  TensorType type_;
  Halide::Func func_; // over storage dimensions, innermost first
  Halide::Expr batch_;
};

enum class Reduction { sum, product, maximum, minimum };

/// An intermediate Func of a node that cannot be inlined: a reduction, or a copy worth making.
/// The schedule decides where it is computed.
struct Stage {
  enum class Kind {
    reduction, // func(index) = identity; func(index) op= term(index, r)
    scan,      // func(index) = start(index), then step by step along one dimension
    copy,      // a rearranged operand: padded input, transposed filter
    call       // by a function of the runtime
  };
  Kind kind = Kind::reduction;
  NodeId node;
  TensorType type;     // of func, by its own index
  Halide::Func func;   // over type's storage dimensions, innermost first
  Halide::RDom domain; // of a reduction or a scan: dimension 0 is the last extent
  std::string role;    // "accumulator", "padded", "filter", ...: what schedules look for
  int axis = -1;       // of a scan: the dimension of func that its steps choose
};

/// Builds the Func of one node from its operands' Tensors. Every op's compute defines its one
/// result by calling one of the define functions once; reduce() before that makes the inner
/// reductions that it needs.
class KernelBuilder {
public:
  /// The value to reduce at a result index and a reduction index.
  using Term = std::function<Halide::Expr(const Index &, const Index &r)>;

  /// Whether a reduction index counts.
  using Predicate = Term;

  KernelBuilder(const Graph &graph, NodeId id, std::vector<Tensor> operands, Halide::Expr batch);

  const Node &node() const { return graph_[id_]; }
  template <typename A> const A &attrs() const { return sinter::attrs<A>(graph_[id_]); }
  const TensorType &type() const { return node().type; }
  size_t operand_count() const { return operands_.size(); }
  const Tensor &operand(size_t i) const { return operands_[i]; }
  Halide::Expr extent(int dimension) const; // of the result
  /// The one value that all elements of an f32 operand have, when it is a constant.
  std::optional<float> constant_operand(size_t i) const;

  /// result(index) = element(index). In a blocked result the lanes beyond the last logical
  /// element are zero.
  void define(const std::function<Halide::Expr(const Index &)> &element);

  /// result = element(index) by storage index, outermost first, padding lanes included.
  void define_storage(const std::function<Halide::Expr(const Index &)> &element);

  /// result = combine(operand values at that element), over storage; smaller operands broadcast
  /// as NumPy does. Padding lanes stay zero.
  void
  define_elementwise(const std::function<Halide::Expr(const std::vector<Halide::Expr> &)> &combine);

  /// An inner tensor, of the term's type and of shape `shape` (which may start with kBatch, and may
  /// be {}): at index, the reduction of term(index, r) over r in [0, extents), r in the order of
  /// `extents`. When the first extent is the batch and there are others, samples are reduced one by
  /// one first, so that they can run in parallel in a fixed order of summation. Indices where the
  /// predicate, if there is one, does not hold are left out.
  Tensor reduce(Reduction, const Shape &shape, const std::vector<Halide::Expr> &extents,
                const Term &term, const Predicate &where = {});

  /// What one step of a scan sets: the element at `position` along the axis.
  struct Step {
    Halide::Expr position, value;
  };

  /// An inner tensor that is start(index) at first. Then, for each line along `axis` by itself, for
  /// each r in [0, extents) in order, step(so_far, index, r) sets one element of the line, whatever
  /// index[axis] is.
  Tensor scan(const TensorType &type, int axis,
              const std::function<Halide::Expr(const Index &)> &start,
              const std::vector<Halide::Expr> &extents,
              const std::function<Step(const Tensor &so_far, const Index &, const Index &r)> &step);

  /// A rearranged operand worth storing: tensor(index) = element(index), for any index at all. In
  /// a blocked copy the lanes beyond the last element are zero.
  Tensor copy(const TensorType &type, const std::string &role,
              const std::function<Halide::Expr(const Index &)> &element);

  /// The operand when it is an argument of the kernel, else a copy of it: what a call can read.
  Tensor argument(size_t i, const std::string &role);

  /// An inner tensor that a C function of the runtime computes, given a buffer for each
  /// operand, which are arguments or copies, the numbers and the buffer to fill. The function has
  /// to answer Halide's queries for the parts of the operands that it needs.
  Tensor call(const TensorType &type, const std::string &role, const std::string &function,
              const std::vector<Tensor> &operands, const std::vector<Halide::Expr> &numbers);

  /// result(index) = finish(sum over r in [0, extents) of term(index, r)); `finish` may be empty.
  void define_sum(const std::vector<Halide::Expr> &extents, const Term &term,
                  const std::function<Halide::Expr(const Halide::Expr &)> &finish = {});
  /// The same of another reduction, without `finish`.
  void define_reduction(Reduction, const std::vector<Halide::Expr> &extents, const Term &term);

  /// For lowering and tests: the finished Func and the node's stages, in order of definition.
  const Halide::Func &result() const { return result_; }
  const std::vector<Stage> &stages() const { return stages_; }

private:
  const Graph &graph_;
  NodeId id_;
  std::vector<Tensor> operands_;
  Halide::Expr batch_;
  Halide::Func result_;
  std::vector<Stage> stages_;
};

} // namespace sinter
