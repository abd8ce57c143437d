#!/bin/sh
# rules.sh itself: a tidy tree passes, and each rule finds its own violation and no other.
rules=$(dirname "$0")/rules.sh
tree=$(mktemp -d) && trap 'rm -rf "$tree"' EXIT
failures=0

# check NAME EXPECTED-RULE FILE TEXT: one file in an otherwise empty tree; '' expects silence.
check() {
  rm -rf "$tree" && mkdir -p "$tree/$(dirname "$3")" && printf '%b\n' "$4" >"$tree/$3"
  found=$(sh "$rules" "$tree" | sed 's/.*\[\(.*\)\]$/\1/' | sort -u | tr '\n' ' ')
  if [ "$found" != "${2:+$2 }" ]; then
    echo "$1: expected '$2', found '$found'"
    failures=$((failures + 1))
  fi
}

check 'a pass includes ir' '' passes/a.cpp '#include "ir/graph.h"\n#include <vector>'
check 'the program backend includes the runtime' '' backends/program/a.cpp '#include "runtime/sinter_runtime.h"'
check 'a pass includes a backend' layers passes/a.cpp '#include "backends/halide/kernels.h"'
check 'ir includes a pass' layers ir/a.h '#include "passes/pipeline.h"'
check 'the runtime includes ir' layers runtime/a.c '#include "ir/type.h"'
check 'an include from its own folder' layers frontend/a.cpp '#include "lexer.h"'
check 'an op includes Halide' '' ir/ops/a.cpp '#include <Halide.h>'
check 'a pass includes Halide' libraries passes/a.cpp '#include <Halide.h>'
check 'the graph includes Halide' libraries ir/graph.h '#include <Halide.h>'
check 'the reference uses kernel algorithms' libraries backends/reference/a.cpp '#include "ir/kernel_builder.h"'
check 'the halide backend includes LLVM' libraries backends/halide/a.cpp '#include <llvm/IR/Module.h>'
check 'its code generator includes LLVM' '' backends/halide/machine_code.cpp '#include <llvm/IR/Module.h>'
check '600 lines' '' ir/a.cpp "$(seq 600)"
check '601 lines' length ir/a.cpp "$(seq 601)"
check 'ir switches on a kind' '' ir/a.cpp 'case OpKind::relu: return;'
check 'a pass switches on a kind' ops passes/a.cpp 'case OpKind::relu: return;'
check 'a backend exits' exits backends/program/a.cpp '  exit(1);'
check 'a forked child leaves' '' backends/program/a.cpp '  _exit(127);'
check 'a pass prints' exits passes/a.cpp 'std::cerr << 1;'
exit $((failures > 0))
