// Over the whole op table: compiled kernels against the float64 reference, on random shapes. A
// kernel that leaves an element unwritten, writes outside its result or a padding lane fails too:
// results start as NaN between guard bytes (packed_buffer.h).
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "ir/op.h"
#include "op_cases.h"
#include "passes/make_plan.h"
#include "passes/plan_memory.h"
#include "tests/paths.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

/// One kernel a node, with memory.
Plan plan_of(const Graph &graph) {
  Plan plan = make_plan(graph);
  plan_memory(plan, place_parameters({&graph}));
  return plan;
}

/// Multiples of a quarter: exact in float32, with many ties and zeros.
void quantize(const Graph &graph, NamedArrays &inputs) {
  for (NodeId id : graph.all(OpKind::input)) {
    Array &values = inputs.at(attrs<InputAttrs>(graph[id]).name);
    if (values.type.element == ElementType::f32 && !values.type.shape.empty())
      for (double &value : values.values)
        value = std::round(value * 4) / 4;
  }
}

struct Suite {
  std::vector<OpCase> cases;
  std::vector<Plan> plans;

  Suite(int count, uint64_t seed) {
    for (OpKind kind : all_op_kinds())
      if (op_def(kind).compute && !op_def(kind).traits.view)
        for (OpCase &c : op_cases(kind, count, seed))
          cases.push_back(std::move(c));
    for (const OpCase &c : cases)
      plans.push_back(plan_of(c.graph));
  }

  void check(const Variant &variant) const {
    std::vector<const Plan *> pointers;
    for (const Plan &plan : plans)
      pointers.push_back(&plan);
    KernelOptions options;
    options.cache_dir = build_path("test_kernels");
    const KernelLibrary library(pointers, variant, options, /*threads=*/2);
    for (size_t i = 0; i < cases.size(); ++i) {
      const OpCase &c = cases[i];
      NamedArrays inputs = random_inputs(c.graph, c.batch, /*seed=*/i);
      if (i % 2 == 1)
        quantize(c.graph, inputs);
      for (const KernelCheck &kernel : check_kernels(library, i, plans[i], c.batch, inputs)) {
        CAPTURE(variant.name);
        CAPTURE(c.text);
        CAPTURE(c.batch);
        CAPTURE(kernel.name);
        CAPTURE(kernel.algorithm);
        CAPTURE(kernel.max_abs_error);
        CAPTURE(kernel.max_rel_error);
        CAPTURE(kernel.problem);
        CHECK(kernel.ok);
      }
    }
  }
};

} // namespace

TEST_CASE("every op's kernel agrees with the reference on this processor's best variant") {
  Suite(/*count=*/6, /*seed=*/3).check(variants_for_target("host").back());
}

TEST_CASE("every op's kernel agrees with the reference on the portable variants") {
  const std::string best = variants_for_target("host").back().name;
  for (const Variant &variant : variants_for_target("x86-64")) {
    if (variant.name == best)
      break; // nothing above it runs here
    Suite(/*count=*/2, /*seed=*/4).check(variant);
  }
}

TEST_CASE("an op has an algorithm unless it is a leaf") {
  for (OpKind kind : all_op_kinds()) {
    CAPTURE(name(kind));
    CHECK((op_def(kind).compute != nullptr) == (op_def(kind).traits.op_class != OpClass::leaf));
  }
}
