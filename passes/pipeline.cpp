#include "passes/pipeline.h"

#include "ir/op.h"
#include "ir/print.h"
#include "ir/program_memory.h"
#include "passes/add_optimizer.h"
#include "passes/cancel_transposes.h"
#include "passes/canonicalize.h"
#include "passes/choose_algorithms.h"
#include "passes/choose_layout.h"
#include "passes/choose_micro_batches.h"
#include "passes/device_program.h"
#include "passes/differentiate.h"
#include "passes/eliminate_dead_nodes.h"
#include "passes/fold_batch_norm.h"
#include "passes/fold_constants.h"
#include "passes/fuse_elementwise.h"
#include "passes/fuse_epilogues.h"
#include "passes/fuse_prologues.h"
#include "passes/fuse_rows.h"
#include "passes/hoist_average_pools.h"
#include "passes/isolate_results.h"
#include "passes/limit_memory.h"
#include "passes/make_plan.h"
#include "passes/merge_common_subexpressions.h"
#include "passes/nest_concats.h"
#include "passes/plan_memory.h"
#include "passes/prepare_parameters.h"
#include "passes/reuse_sums.h"
#include "passes/simplify.h"
#include "passes/specialize_for_inference.h"
#include "passes/specialize_for_training.h"
#include "passes/use_bf16.h"

#include <algorithm>

namespace sinter {

namespace {

constexpr std::string_view kChooseAlgorithms = "choose-algorithms";
constexpr std::string_view kChooseTrainingAlgorithms = "choose-training-algorithms";
constexpr std::string_view kUseBf16 = "use-bf16";
constexpr std::string_view kChooseMicroBatches = "choose-micro-batches";
constexpr std::string_view kUseTrainingBf16 = "use-training-bf16";
constexpr std::string_view kPlanMemory = "plan-memory";

} // namespace

const std::vector<Pass> &all_passes() {
  static const std::vector<Pass> passes = {
      {"add-optimizer", "turns gradients into updates of weights and optimizer state",
       [](Graph &graph) { add_optimizer(graph, {}); }, /*may_reject=*/true},
      {"cancel-transposes", "moves transposes until they meet their inverses", cancel_transposes},
      {"canonicalize", "gives each meaning one spelling", canonicalize},
      {"choose-algorithms", "computes convolutions by Winograd's algorithm where it pays",
       [](Graph &graph) { choose_algorithms(graph); }},
      {"choose-training-algorithms", "the same for forward and backward passes of whole batches",
       [](Graph &graph) { choose_training_algorithms(graph); }},
      {"choose-layout", "stores filters and dense weights in blocks of outputs", choose_layout},
      {"differentiate", "adds the gradient of the loss by every weight", differentiate,
       /*may_reject=*/true},
      {"eliminate-dead-nodes", "drops what no output and no update needs", eliminate_dead_nodes},
      {"fold-batch-norm", "makes batch normalisation a multiply-add a channel", fold_batch_norm},
      {"fold-constants", "evaluates what depends on constants alone", fold_constants},
      {"hoist-average-pools", "pools before 1x1 convolutions instead of after them",
       hoist_average_pools},
      {"isolate-results", "copies results that cannot be written where they belong",
       isolate_results},
      {"merge-common-subexpressions", "computes equal expressions once",
       merge_common_subexpressions},
      {"nest-concats", "makes concatenations of others that hold their operands", nest_concats},
      {"reuse-sums", "writes sums in terms of sums that are there already", reuse_sums},
      {"simplify", "makes the backward graph cheap by algebra", simplify},
      {"specialize-for-inference", "drops dropout", specialize_for_inference},
      {"specialize-for-training", "draws dropout masks and takes batch statistics",
       specialize_for_training},
      {"use-bf16", "rounds the operands of convolutions and products where it pays", use_bf16},
      {"use-training-bf16", "the same for forward and backward passes of whole batches",
       use_training_bf16},
  };
  return passes;
}

const Pass *find_pass(std::string_view name) {
  for (const Pass &pass : all_passes())
    if (pass.name == name)
      return &pass;
  return nullptr;
}

const std::vector<PlanPass> &all_plan_passes() {
  static const std::vector<PlanPass> passes = {
      {"fuse-epilogues", "joins what follows a contraction, pooling or reduction", fuse_epilogues},
      {"fuse-rows", "joins losses, their gradients and metrics on the same logits", fuse_rows},
      {"fuse-prologues", "recomputes cheap values where they are read", fuse_prologues},
      {"fuse-elementwise", "joins elementwise chains", fuse_elementwise},
  };
  return passes;
}

const PlanPass *find_plan_pass(std::string_view name) {
  for (const PlanPass &pass : all_plan_passes())
    if (pass.name == name)
      return &pass;
  return nullptr;
}

std::vector<std::string_view> graph_pass_names() {
  std::vector<std::string_view> names;
  for (const Pass &pass : all_passes())
    names.push_back(pass.name);
  return names;
}

std::vector<std::string_view> all_pass_names() {
  std::vector<std::string_view> names = graph_pass_names();
  for (const PlanPass &pass : all_plan_passes())
    names.push_back(pass.name);
  names.push_back(kChooseMicroBatches);
  names.push_back(kPlanMemory);
  return names;
}

namespace {

std::vector<Pass> sequence(const std::vector<std::string_view> &names) {
  std::vector<Pass> result;
  for (std::string_view name : names)
    result.push_back(*find_pass(name));
  return result;
}

/// Dropout and batch normalisation leave before canonicalize looks for chains through them.
const std::vector<std::string_view> kInference = {
    "cancel-transposes",
    "specialize-for-inference",
    "canonicalize",
    "fold-batch-norm",
    "fold-constants",
    "canonicalize", // multiplications by folded constants are affine
    "hoist-average-pools",
    "merge-common-subexpressions",
    "nest-concats", // after merging: operands that mean the same are the same
    kUseBf16,
    kChooseAlgorithms,
    "isolate-results",
};

const std::vector<std::string_view> kGradient = {
    "cancel-transposes", // so that gradients never meet those
    "canonicalize",      // before differentiate: the fused losses have the stable gradient
    "specialize-for-training",
    "fold-constants",
    "hoist-average-pools",
    "nest-concats",
    "differentiate",
    "fold-constants",
    "canonicalize",
    "simplify",
    "reuse-sums", // after simplify: bias gradients are summed over pooled values by then
    "fold-constants",
    "merge-common-subexpressions",
};

/// Without the passes that the options forbid; the others with what was measured.
std::vector<Pass> permitted(std::vector<Pass> passes, const ProgramOptions &options) {
  const auto is_forbidden = [&](const Pass &pass) {
    const bool fast = pass.name == kChooseAlgorithms || pass.name == kChooseTrainingAlgorithms;
    const bool bf16 = pass.name == kUseBf16 || pass.name == kUseTrainingBf16;
    return (fast && options.math == Math::exact) || (bf16 && options.precision == Precision::f32);
  };
  passes.erase(std::remove_if(passes.begin(), passes.end(), is_forbidden), passes.end());
  for (Pass &pass : passes)
    if (pass.name == kChooseAlgorithms)
      pass.run = [tuned = options.algorithms](Graph &graph) { choose_algorithms(graph, tuned); };
    else if (pass.name == kChooseTrainingAlgorithms)
      pass.run = [tuned = options.algorithms](Graph &graph) {
        choose_training_algorithms(graph, tuned);
      };
  return passes;
}

} // namespace

std::vector<Pass> inference_pipeline(const ProgramOptions &options) {
  return permitted(sequence(kInference), options);
}

const std::vector<Pass> &gradient_pipeline() {
  static const std::vector<Pass> passes = sequence(kGradient);
  return passes;
}

std::vector<Pass> training_pipeline(const OptimizerSpec &spec) {
  std::vector<Pass> passes = gradient_pipeline();
  Pass optimizer = *find_pass("add-optimizer"); // after simplify: nothing rewrites update rules
  optimizer.run = [spec](Graph &graph) { add_optimizer(graph, spec); };
  passes.push_back(optimizer);
  passes.push_back(*find_pass("eliminate-dead-nodes")); // Adam's rate, where nothing is trained
  passes.push_back(*find_pass(kUseTrainingBf16));
  passes.push_back(*find_pass(kChooseTrainingAlgorithms));
  passes.push_back(*find_pass("isolate-results"));
  return passes;
}

namespace {

Graph with_outputs(const Graph &forward, const std::function<bool(const Output &)> &keep) {
  Graph graph = forward;
  graph.outputs.erase(std::remove_if(graph.outputs.begin(), graph.outputs.end(),
                                     [&](const Output &output) { return !keep(output); }),
                      graph.outputs.end());
  eliminate_dead_nodes(graph);
  return graph;
}

Graph prediction_graph(const Graph &forward) { return with_outputs(forward, is_prediction); }

Graph loss_graph(const Graph &forward) {
  return with_outputs(forward, [](const Output &output) { return !is_prediction(output); });
}

/// Whether a plan's kernels may run for some samples of the batch at a time.
enum class Batch { whole, cut };

Plan plan_graph(Graph graph, const std::vector<ParameterSlot> &slots, const PassOptions &options,
                Batch batch) {
  Plan plan = make_plan(std::move(graph));
  std::vector<PlanPass> passes = all_plan_passes();
  if (batch == Batch::cut)
    passes.push_back(
        {kChooseMicroBatches, "cuts the batch into what stays in a cache", choose_micro_batches});
  passes.push_back({kPlanMemory, "gives every value its place",
                    [&](Plan &fused) { plan_memory(fused, slots); }});
  run_passes(plan, passes, options);
  return plan;
}

/// What a program writes beside its weights. A path of the user's has no place there, and constants
/// in the millions are no architecture: such a model is not kept.
std::string kept_text(const Model &model) {
  constexpr size_t kLongest = size_t{4} << 20U;
  std::string text = print(model, Locations::left_out);
  return text.size() <= kLongest ? text : "";
}

/// The graphs of a program's phases.
struct Graphs {
  Graph prepare; // without nodes when there is nothing to prepare
  Graph infer;
  std::optional<Graph> eval, train;
};

Graphs build_graphs(const Model &model, const ProgramOptions &options) {
  const Graph &forward = model.graph;
  Graphs graphs;
  PreparedParameters prepared(forward);
  const auto build_forward = [&](Graph graph) {
    run_passes(graph, inference_pipeline(options), options.passes);
    prepared.take_from(graph);
    return graph;
  };
  graphs.infer = build_forward(prediction_graph(forward));
  if (forward.find_output("loss").valid()) {
    graphs.eval = build_forward(loss_graph(forward));
    if (options.train && model.training) {
      graphs.train = loss_graph(forward);
      run_passes(*graphs.train, permitted(training_pipeline(model.training->optimizer), options),
                 options.passes);
    }
  }
  graphs.prepare = prepared.graph();
  return graphs;
}

/// Prepared parameters lie before the optimizer's state, which inference has no memory for.
std::vector<ParameterSlot> place_all(const Graph &forward, const Graphs &graphs) {
  std::vector<const Graph *> all{&forward, &graphs.prepare};
  if (graphs.train)
    all.push_back(&*graphs.train);
  return place_parameters(all);
}

} // namespace

namespace {

// Beyond make_plan no node is added.
Program build_planned(const Model &model, const ProgramOptions &options, Batch forward) {
  Program program;
  program.name = options.name.empty() ? model.name : options.name;
  program.model = model;
  program.model_text = kept_text(model);
  choose_layout(program.model.graph); // once: every plan and every checkpoint share the layout
  Graphs graphs = build_graphs(program.model, options);
  program.parameters = place_all(program.model.graph, graphs);
  program.parameter_bytes = region_bytes(program.parameters);
  const auto plan = [&](Graph &graph, Batch batch) {
    return plan_graph(std::move(graph), program.parameters, options.passes, batch);
  };
  program.infer = plan(graphs.infer, forward);
  if (graphs.eval)
    program.eval = plan(*graphs.eval, forward);
  if (graphs.train) // whose activations wait for their gradients
    program.train = plan(*graphs.train, Batch::whole);
  if (graphs.prepare.size() > 0) {
    program.prepare = plan(graphs.prepare, Batch::whole);
    for (Plan *user : {&program.infer, program.eval ? &*program.eval : nullptr})
      if (user) // preparation runs in their memory, before them
        user->arena_fixed = std::max(user->arena_fixed, program.prepare->arena_fixed);
  }
  if (options.max_memory)
    limit_memory(
        program, {*options.max_memory, options.batch > 0 ? options.batch : usual_batch(model)},
        [&](Graph graph) {
          return plan_graph(std::move(graph), program.parameters, PassOptions{}, Batch::whole);
        });
  return program;
}

} // namespace

Program build_program(const Model &model, const ProgramOptions &options) {
  return build_planned(model, options, Batch::cut);
}

Program build_device_program(const Model &model, ProgramOptions options) {
  options.math = Math::exact;
  return build_planned(model, options, Batch::whole);
}

Plan build_gradient_plan(const Model &model, Precision precision) {
  Graph forward = model.graph;
  choose_layout(forward);
  Graph graph = loss_graph(forward);
  run_passes(graph, gradient_pipeline(), {});
  if (precision == Precision::bf16)
    use_training_bf16(graph);
  choose_training_algorithms(graph);
  graph.updates.clear(); // of moving statistics: the check evaluates one point many times
  eliminate_dead_nodes(graph);
  isolate_results(graph);
  return plan_graph(std::move(graph), place_parameters({&forward}), {}, Batch::whole);
}

} // namespace sinter
