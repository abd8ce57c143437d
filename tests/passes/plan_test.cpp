// Plans: executed kernel by kernel on a model of their memory they mean what the graph means, and
// verify(Plan) tells good ones from broken ones.
#include "ir/op.h"
#include "ir/parse.h"
#include "nets.h"
#include "passes/fusion_rules.h"
#include "passes/make_plan.h"
#include "passes/partition.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "plan_execution.h"
#include "random_graph.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <limits>

using namespace sinter;

namespace {

Program program() { return build_program(fashion_net(8, 3, 0.5F), {}); }

bool is_rejected(const Plan &plan, const std::string &invariant) {
  try {
    verify(plan);
  } catch (const InternalError &error) {
    return std::string(error.what()).find("invariant " + invariant) != std::string::npos;
  }
  return false;
}

} // namespace

TEST_CASE("memory that cannot be counted is the most that there is") {
  Plan plan;
  plan.arena_fixed = 64;
  plan.arena_per_sample = plan.micro_batch_per_sample = int64_t{1} << 40U;
  plan.micro_batch_most = int64_t{1} << 41U;
  CHECK(plan.arena_bytes(1) == 64 + (int64_t{1} << 41U));
  CHECK(plan.arena_bytes(1 << 30) == std::numeric_limits<int64_t>::max());
}

TEST_CASE("plans with fusion and memory mean what their graphs mean") {
  std::vector<Model> models = all_nets();
  for (uint32_t seed = 0; seed < 100; ++seed)
    models.push_back(random_model(seed));
  uint32_t seed = 0;
  for (const Model &model : models) {
    INFO(model.name, " ", seed);
    const Program built = build_program(model, {});
    check_plan(built.infer, ++seed);
    check_plan(*built.eval, seed);
    check_plan(*built.train, seed);
    check_plan(build_gradient_plan(model), seed);
  }
}

TEST_CASE("any edits that a partition accepts leave a plan that holds") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const Program built = build_program(random_model(seed), {});
    Plan plan = make_plan(built.train->graph);
    Partition partition(plan);
    const auto pick = [&] {
      return std::uniform_int_distribution<int>(0, partition.group_count() - 1)(random);
    };
    int refused = 0;
    for (int i = 0; i < 200; ++i) {
      const int a = pick();
      const int b = pick();
      if (a != b && !partition.nodes(a).empty() && !partition.nodes(b).empty())
        refused += partition.merge(a, b) ? 0 : 1;
      const NodeId id{std::uniform_int_distribution<int>(0, plan.graph.size() - 1)(random)};
      if (partition.home(id) >= 0 && !refuse_prologue(partition, id))
        partition.move_to_readers(id);
    }
    CHECK(refused > 0);
    partition.write_to(plan);
    plan_memory(plan, built.parameters);
    check_plan(plan, seed);
  }
}

/// Micro-batches of one or two samples wherever the kernels allow it, of random lengths.
void cut_batch(Plan &plan, std::mt19937 &random) {
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  const int count = static_cast<int>(plan.kernels.size());
  plan.micro_batches.clear();
  for (int first = 0; first < count;) {
    const int wanted = draw(1, 6);
    int last = first;
    while (last < count && last - first < wanted &&
           is_sample_by_sample(plan.graph, plan.kernels[static_cast<size_t>(last)]))
      ++last;
    if (last > first && draw(0, 3) > 0)
      plan.micro_batches.push_back({first, last, draw(1, 2)});
    first = std::max(last, first + 1);
  }
}

TEST_CASE("kernels that work sample by sample may do so for any samples at a time") {
  size_t cuts = 0;
  for (uint32_t seed = 0; seed < 60; ++seed) {
    INFO(seed);
    std::mt19937 random(seed);
    const Program built = build_program(random_model(seed), {});
    for (const Plan *whole : {&built.infer, &*built.eval}) {
      Plan plan = *whole;
      cut_batch(plan, random);
      cuts += plan.micro_batches.size();
      plan_memory(plan, built.parameters);
      check_plan(plan, seed);
      CHECK(plan.arena_bytes(1) >= plan.arena_fixed + plan.arena_per_sample);
    }
  }
  CHECK(cuts > 60);
}

TEST_CASE("a plan survives the way through a partition") {
  const Program built = program();
  Plan plan = *built.train;
  const std::string before = print(plan);
  Partition(plan).write_to(plan);
  CHECK(print(plan) == before);
}

TEST_CASE("the textbook net trains in few kernels, its weight gradients never in memory") {
  const Program built = build_program(fashion_net(28, 32, 0.5F), {});
  CHECK(built.infer.kernels.size() == 5);
  CHECK(built.train->kernels.size() == 19);         // two transform filters
  CHECK(built.train->arena_per_sample < 80 * 1024); // 28 x 28 x 32 floats alone are 100,352 bytes
  for (const Kernel &kernel : built.train->kernels)
    for (NodeId output : kernel.outputs)
      CHECK(built.train->graph[output].kind != OpKind::conv2d_filter_gradient);
}

TEST_CASE("an elementwise result takes the place of an operand that dies") {
  const Graph graph = parse_graph(R"(%0 = input {name="x", type=f32[N,8]} : f32[N,8]
%1 = softmax %0 : f32[N,8]
%2 = exp %1 : f32[N,8]
%3 = softmax %2 : f32[N,8]
output "prediction" %3)",
                                  "in_place.sir");
  Plan plan = make_plan(graph);
  plan_memory(plan, {});
  verify(plan);
  CHECK(plan.placements[2].in_place);
  CHECK(plan.placements[2].offset == plan.placements[1].offset);
  CHECK(plan.arena_per_sample == 64);
  CHECK_FALSE(plan.placements[3].in_place);
}

TEST_CASE("broken plans are rejected") {
  const Plan good = *program().train;
  verify(good);
  Plan plan = good;
  SUBCASE("a kernel is missing") {
    plan.kernels.pop_back();
    CHECK(is_rejected(plan, "1"));
  }
  SUBCASE("a kernel runs twice") {
    plan.kernels.push_back(plan.kernels.front());
    CHECK(is_rejected(plan, "1"));
  }
  SUBCASE("an input is not named") {
    plan.kernels.front().inputs.pop_back();
    CHECK(is_rejected(plan, "2"));
  }
  SUBCASE("a kernel runs before the one whose value it reads") {
    std::swap(plan.kernels[0], plan.kernels[1]);
    CHECK(is_rejected(plan, "3"));
  }
  SUBCASE("a result stays inside its kernel") {
    for (Kernel &kernel : plan.kernels)
      if (kernel.outputs.size() > 1)
        kernel.outputs.pop_back();
    CHECK((is_rejected(plan, "3") || is_rejected(plan, "4")));
  }
  SUBCASE("weights are overwritten before their last reader") {
    // The gradient by the input reads the filter that the other twin overwrites.
    const auto has = [&](const Kernel &kernel, OpKind kind) {
      return std::any_of(kernel.nodes.begin(), kernel.nodes.end(),
                         [&](NodeId id) { return plan.graph[id].kind == kind; });
    };
    const auto find = [&](OpKind kind) {
      return std::find_if(plan.kernels.begin(), plan.kernels.end(),
                          [&](const Kernel &kernel) { return has(kernel, kind); });
    };
    const auto reader = find(OpKind::conv2d_input_gradient);
    const auto writer = find(OpKind::conv2d_filter_gradient);
    REQUIRE(reader < writer);
    std::iter_swap(reader, writer);
    CHECK(is_rejected(plan, "5"));
  }
  SUBCASE("a value has no place") {
    plan.placements[static_cast<size_t>(plan.kernels[0].outputs[0].index)].region = Region::none;
    CHECK(is_rejected(plan, "6"));
  }
  SUBCASE("a value ends beyond the arena") {
    plan.arena_per_sample -= 64;
    CHECK(is_rejected(plan, "6"));
  }
  SUBCASE("two live values overlap") {
    const std::vector<NodeId> &outputs = plan.kernels[0].outputs;
    REQUIRE(outputs.size() == 2);
    plan.placements[static_cast<size_t>(outputs[1].index)].offset =
        plan.placements[static_cast<size_t>(outputs[0].index)].offset;
    CHECK(is_rejected(plan, "7"));
  }
  SUBCASE("a result claims the place of no operand") {
    plan.placements[static_cast<size_t>(plan.kernels[0].outputs[0].index)].in_place = true;
    CHECK(is_rejected(plan, "8"));
  }
  SUBCASE("an update lies elsewhere") {
    plan.placements[static_cast<size_t>(plan.graph.updates[0].value.index)].offset += 1 << 20;
    CHECK((is_rejected(plan, "8") || is_rejected(plan, "9")));
  }
}

TEST_CASE("micro-batches that cannot be are rejected") {
  Plan plan = program().infer;
  REQUIRE(plan.kernels.size() == 5);
  plan.micro_batches = {{0, 2, 4}, {3, 5, 1}};
  plan_memory(plan, program().parameters);
  verify(plan);
  SUBCASE("of no samples") { plan.micro_batches[0].samples = 0; }
  SUBCASE("of no kernels") { plan.micro_batches[0].last = 0; }
  SUBCASE("of kernels that do not exist") { plan.micro_batches[1].last = 6; }
  SUBCASE("that overlap") { plan.micro_batches[1].first = 1; }
  SUBCASE("whose memory other kernels use") { plan.micro_batches[0].last = 1; }
  SUBCASE("of kernels that mix samples") {
    plan = *program().train;
    plan.micro_batches = {{0, static_cast<int>(plan.kernels.size()), 1}};
  }
  CHECK(is_rejected(plan, "11"));
}

TEST_CASE("slices that are not where their ops put them are rejected") {
  const Graph graph = parse_graph(R"(%0 = input {name="x", type=f32[N,4,8]} : f32[N,4,8]
%1 = softmax %0 : f32[N,4,8]
%2 = exp %1 : f32[N,4,8]
%3 = concat %1, %2 {axis=2} : f32[N,4,16]
%4 = slice %3 {begin=[0,0,4], end=[N,4,12]} : f32[N,4,8]
%5 = softmax %4 : f32[N,4,8]
output "prediction" %5)",
                                  "slices.sir");
  Plan plan = make_plan(graph);
  plan_memory(plan, {});
  verify(plan);
  REQUIRE(plan.kernels.size() == 3);
  const Location location = plan.locate({4});
  CHECK((location.owner == NodeId{3} && location.begin == 4 && location.pitch == 16));
  check_plan(plan, 1);
  SUBCASE("beside the operand's place") { plan.slices[2].begin = 4; }
  SUBCASE("in a value that it is no operand of") { plan.slices[1].base = NodeId{5}; }
  SUBCASE("in a node that does not exist") { plan.slices[1].base = NodeId{17}; }
  SUBCASE("while another operand lies elsewhere") { plan.slices[2] = {}; }
  SUBCASE("a slice that begins elsewhere") { plan.slices[4].begin = 3; }
  SUBCASE("a leaf") { plan.slices[0] = {NodeId{3}, 0}; }
  SUBCASE("slices of some nodes") { plan.slices.pop_back(); }
  CHECK(is_rejected(plan, "10"));
}

TEST_CASE("a part is not read before it is written, nor its memory taken until it was read") {
  const Graph graph = parse_graph(R"(%0 = input {name="x", type=f32[N,4,8]} : f32[N,4,8]
%1 = softmax %0 : f32[N,4,8]
%2 = exp %1 : f32[N,4,8]
%3 = concat %1, %2 {axis=2} : f32[N,4,16]
%4 = softmax %3 : f32[N,4,16]
%5 = softmax %1 : f32[N,4,8]
output "prediction:a" %5
output "prediction:b" %4)",
                                  "parts.sir");
  Plan plan = make_plan(graph);
  plan_memory(plan, {});
  verify(plan);
  REQUIRE(plan.kernels.size() == 4);
  SUBCASE("read before it is complete") {
    std::swap(plan.kernels[1], plan.kernels[2]);
    CHECK(is_rejected(plan, "3"));
  }
  SUBCASE("a part has a kernel of its own name only") {
    plan.kernels[1].nodes.push_back({3});
    CHECK(is_rejected(plan, "2"));
  }
}

TEST_CASE("updates that need each other's old value are copied") {
  Graph graph = parse_graph(R"(%0 = parameter {name="a", type=f32[4]} : f32[4]
%1 = parameter {name="b", type=f32[4]} : f32[4]
%2 = exp %0 : f32[4]
%3 = relu %1 : f32[4]
update %0 %3
update %1 %2)",
                            "swap.sir");
  find_pass("isolate-results")->run(graph);
  Plan plan = make_plan(graph);
  plan_memory(plan, place_parameters({&graph}));
  check_plan(plan, 1);
}
