// Scopes of the evaluator: bounded recursion, and code that may not be reached.
#pragma once

#include "frontend/interpreter.h"

namespace sinter {

/// Bounds the evaluator's recursion (expressions, blocks and calls together), so that no script
/// overflows the stack.
class Interpreter::DepthGuard {
public:
  DepthGuard(Interpreter &interpreter, const SourceLocation &location) : interpreter_(interpreter) {
    if (interpreter.depth_ >= kMaxDepth)
      throw CompileError(location, "calls and expressions nest more than {} deep", kMaxDepth);
    ++interpreter.depth_;
  }
  ~DepthGuard() { --interpreter_.depth_; }
  DepthGuard(const DepthGuard &) = delete;
  DepthGuard &operator=(const DepthGuard &) = delete;

private:
  static constexpr int kMaxDepth = 1000;
  Interpreter &interpreter_;
};

/// A region that is reached or not depending on an unknown value. When the outermost one ends,
/// every name that was assigned in it becomes unknown.
class Interpreter::Uncertain {
public:
  Uncertain(Interpreter &interpreter, const Opaque &reason)
      : interpreter_(interpreter), outer_(interpreter.uncertain_) {
    if (!outer_)
      interpreter.uncertain_ = &reason;
  }
  ~Uncertain() {
    if (outer_)
      return;
    for (const auto &[environment, name] : interpreter_.uncertain_writes_)
      environment->names[name] = const_cast<Opaque *>(interpreter_.uncertain_);
    interpreter_.uncertain_writes_.clear();
    interpreter_.uncertain_ = nullptr;
  }
  Uncertain(const Uncertain &) = delete;
  Uncertain &operator=(const Uncertain &) = delete;

private:
  Interpreter &interpreter_;
  const Opaque *outer_;
};

} // namespace sinter
