// The evaluator's recursion is bounded.
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

} // namespace sinter
