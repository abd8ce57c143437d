// The walk through a kernel's options, with times made up.
#include "ir/parse.h"
#include "passes/make_plan.h"
#include "passes/plan_memory.h"
#include "tuning/algorithm_search.h"
#include "tuning/kernel_search.h"

#include <cmath>
#include <doctest/doctest.h>
#include <set>

using namespace sinter;

namespace {

Plan convolution_plan() {
  const Graph graph = parse_graph(R"(%0 = input {name="x", type=f32[N,28,28,32]} : f32[N,28,28,32]
%1 = parameter {name="w", type=f32[3,3,32,64; block=32]} : f32[3,3,32,64; block=32]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,28,28,64]
output "y" %2)",
                                  "net.sir");
  Plan plan = make_plan(graph);
  plan_memory(plan, place_parameters({&graph}));
  return plan;
}

const Variant kVariant{"avx512", "x86-64-linux-sse41-avx-f16c-fma-avx2-avx512-avx512_skylake", 16,
                       32};

} // namespace

TEST_CASE("faster is clearly faster somewhere and slower nowhere") {
  CHECK(is_faster({0.9, 1.0}, {1, 1}));
  CHECK_FALSE(is_faster({0.98, 0.98}, {1, 1})); // noise
  CHECK_FALSE(is_faster({0.5, 1.05}, {1, 1}));
  CHECK_FALSE(is_faster({0.89}, {0.9}));
  CHECK_FALSE(is_faster({std::nan("")}, {1}));
}

TEST_CASE("a search without gain tries every option once and keeps the cost model's") {
  const Plan plan = convolution_plan();
  KernelSearch search(plan, 0, kVariant, {});
  std::set<std::string> tried;
  while (const auto choice = search.next()) {
    CHECK(tried.insert(choice_text(*choice)).second);
    search.report({1.0});
  }
  size_t options = 0;
  for (const Decision &decision : kernel_decisions(plan, 0, kVariant, {}))
    options += decision.options.size() - 1;
  CHECK(tried.size() == options);
  CHECK(options > 5);
  CHECK(search.best().empty());
  CHECK_FALSE(search.estimated().empty());
}

TEST_CASE("a search keeps what gains and goes on from there") {
  const Plan plan = convolution_plan();
  const KernelChoice known{{"strip_rows", 28}};
  KernelSearch search(plan, 0, kVariant, known);
  CHECK(search.next() == known);
  search.report({0.9});
  CHECK(search.best() == known);
  bool first = true;
  while (const auto choice = search.next()) {
    CHECK(choice->count("strip_rows") == 1); // of the best so far, or another
    search.report({first ? 0.8 : 0.95});
    first = false;
  }
  CHECK(search.best().size() > 1);
  CHECK(search.best_ratios() == Ratios{0.8});
}

TEST_CASE("of a convolution's tiles the fastest is taken, with its times") {
  TimedConvolution best;
  consider_tile(best, 4, {8, 12}, {10, 12});
  consider_tile(best, 2, {9, 9}, {10, 12});
  consider_tile(best, 0, {5, 13}, {10, 12});
  CHECK(best.tile == 4);
  CHECK(best.seconds == 8);
  CHECK(best.estimated_seconds == 10);
  consider_tile(best, 2, {7, 11}, {10, 12});
  CHECK(best.tile == 2);
}
