#include "backends/halide/prefetch.h"

#include <algorithm>

namespace sinter {

using namespace Halide::Internal;
using Halide::Expr;

namespace {

constexpr int64_t kLineElements = 16; // of a line of the caches: 64 bytes of floats

/// The vectors that a loop's body reads of a buffer outside of inner loops, by the index of their
/// first element, in terms of what is known at the body's beginning.
class VectorLoads : public IRVisitor {
public:
  VectorLoads(const Stmt &body, std::string buffer) : buffer_(std::move(buffer)) {
    body.accept(this);
  }
  const std::vector<Expr> &indices() const { return indices_; }
  bool has_loop() const { return has_loop_; }

private:
  using IRVisitor::visit;

  void visit(const Load *load) override {
    IRVisitor::visit(load);
    const Ramp *ramp = load->index.as<Ramp>();
    if (load->name != buffer_ || !ramp || !is_const_one(ramp->stride))
      return;
    Expr index = ramp->base;
    for (auto value = values_.rbegin(); value != values_.rend(); ++value)
      index = substitute(value->first, value->second, index);
    const auto same = [&](const Expr &known) { return equal(known, index); };
    if (std::none_of(indices_.begin(), indices_.end(), same))
      indices_.push_back(index);
  }
  void visit(const For *) override { has_loop_ = true; }
  void visit(const Let *let) override { with_value(let); }
  void visit(const LetStmt *let) override { with_value(let); }

  template <typename Definition> void with_value(const Definition *let) {
    let->value.accept(this);
    values_.emplace_back(let->name, let->value);
    let->body.accept(this);
    values_.pop_back();
  }

  std::string buffer_;
  std::vector<std::pair<std::string, Expr>> values_; // of the names around the place
  std::vector<Expr> indices_;
  bool has_loop_ = false;
};

bool is_loop_of(const For *loop, const std::string &sum) {
  return loop->name.rfind(sum + ".s1.", 0) == 0;
}

/// Whether a loop of the sum stands in the statement, in no other loop.
class FindSum : public IRVisitor {
public:
  FindSum(const Stmt &body, const std::string &sum) : sum_(sum) { body.accept(this); }
  bool found() const { return found_; }

private:
  using IRVisitor::visit;

  void visit(const For *loop) override { found_ = found_ || is_loop_of(loop, sum_); }

  const std::string &sum_;
  bool found_ = false;
};

Stmt prefetch_line(const std::string &argument, const Expr &index) {
  const Expr buffer = Variable::make(Halide::type_of<void *>(), argument);
  return Evaluate::make(
      Call::make(Halide::Float(32), Call::prefetch, {buffer, index, 1, 1}, Call::Intrinsic));
}

Stmt with_body(const For *loop, const Stmt &body) {
  return For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->device_api, body);
}

/// The first of indices that differ by constants.
Expr lowest(const std::vector<Expr> &indices) {
  Expr result = indices.front();
  for (const Expr &index : indices) {
    const int64_t *ahead = as_const_int(simplify(result - index));
    if (ahead && *ahead > 0)
      result = index;
  }
  return result;
}

/// The loop over tiles, asking for each line that a tile reads of the argument.
Stmt with_early_read(const For *loop, const std::string &argument) {
  const VectorLoads loads(loop->body, argument);
  std::vector<Stmt> statements;
  for (const Expr &index : loads.indices()) {
    const int64_t *ahead = as_const_int(simplify(index - loads.indices().front()));
    if (!ahead || *ahead % kLineElements == 0)
      statements.push_back(prefetch_line(argument, simplify(index)));
  }
  statements.push_back(loop->body);
  return with_body(loop, Block::make(statements));
}

} // namespace

Stmt InsertPrefetches::visit(const For *loop) {
  around_.push_back(loop);
  Stmt result = IRMutator::visit(loop);
  around_.pop_back();
  for (const Prefetch &prefetch : prefetches_)
    if (is_loop_of(loop, prefetch.sum))
      result = with_prefetch(result.as<For>(), prefetch);
  for (const EarlyRead &read : early_reads_)
    if (!is_loop_of(loop, read.sum) && FindSum(loop->body, read.sum).found())
      result = with_early_read(result.as<For>(), read.argument);
  return result;
}

const For *InsertPrefetches::find_rounds(const std::string &variable) const {
  const std::string end = "." + variable;
  for (auto loop = around_.rbegin(); loop != around_.rend(); ++loop)
    if ((*loop)->name.size() > end.size() &&
        (*loop)->name.compare((*loop)->name.size() - end.size(), end.size(), end) == 0)
      return *loop;
  return nullptr;
}

Stmt InsertPrefetches::with_prefetch(const For *loop, const Prefetch &prefetch) const {
  const VectorLoads loads(loop->body, prefetch.argument);
  const For *rounds = find_rounds(prefetch.rounds);
  const Expr round_extent = rounds ? rounds->extent : Expr(1); // Halide drops loops of one
  const int64_t *round_count = as_const_int(round_extent);
  const int64_t *iterations = as_const_int(loop->extent);
  if (loads.has_loop() || loads.indices().empty() || !round_count || !iterations)
    return loop;
  // Evenly: what comes in bursts waits for the memory.
  const int64_t step = prefetch.panel / (*round_count * *iterations);
  const int64_t lines = std::max<int64_t>(1, (step + kLineElements / 2) / kLineElements);
  const Expr panel = substitute(loop->name, loop->min, lowest(loads.indices()));
  const Expr round = rounds ? Variable::make(Halide::Int(32), rounds->name) - rounds->min : Expr(0);
  const Expr iteration = Variable::make(Halide::Int(32), loop->name) - loop->min;
  const Expr first =
      panel + static_cast<int32_t>(prefetch.panel) +
      (round * static_cast<int32_t>(*iterations) + iteration) * static_cast<int32_t>(step);
  std::vector<Stmt> statements;
  for (int64_t line = 0; line < lines; ++line)
    statements.push_back(prefetch_line(
        prefetch.argument, simplify(first + static_cast<int32_t>(line * kLineElements))));
  statements.push_back(loop->body);
  return with_body(loop, Block::make(statements));
}

} // namespace sinter
