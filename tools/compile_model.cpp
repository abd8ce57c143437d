#include "tools/compile_model.h"

#include "backends/halide/device.h"
#include "passes/device_program.h"
#include "tools/options.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <ostream>
#include <sstream>

namespace sinter {

namespace {

PassOptions pass_options(const PipelineOptions &options, Tool &tool) {
  PassOptions passes;
  passes.print_after = options.print_after;
  passes.time = options.time;
  passes.reproducer = "sinter-reproducer.sir";
  passes.log = [&tool](const std::string &text) {
    tool.err << text << (text.empty() || text.back() == '\n' ? "" : "\n");
  };
  return passes;
}

std::string check_pass_name(const std::string &pass_name,
                            const std::vector<std::string_view> &known) {
  return std::find(known.begin(), known.end(), pass_name) != known.end()
             ? ""
             : fmt::format("unknown pass '{}': there are {}", pass_name, fmt::join(known, ", "));
}

/// All passes have names, those over plans too.
std::string check_print_after(const std::string &argument) {
  return argument == "all" ? "" : check_pass_name(argument, all_pass_names());
}

std::vector<std::string> split_names(const std::string &passes) {
  std::vector<std::string> names;
  std::istringstream list(passes);
  for (std::string pass_name; std::getline(list, pass_name, ',');)
    names.push_back(pass_name);
  return names;
}

/// What devices do not do yet.
void check_device_options(const BackendOptions &backend) {
  if (backend.precision != Precision::f32)
    throw CompileError({}, "--precision=bf16 is not supported yet for target \"{}\"",
                       backend.target);
}

} // namespace

void add_pipeline_options(CLI::App &command, PipelineOptions &options) {
  command.add_option("--name", options.name,
                     "Prefix of the C symbols (default: the output's or the model file's name)");
  command.add_flag("--no-train", options.no_train, "Inference and evaluation only");
  command
      .add_option("--print-after", options.print_after,
                  "Print the graph after a pass that changed it; a pass's name or all")
      ->check(check_print_after);
  command.add_flag("--time", options.time, "Print how long every pass and stage took");
}

Program build_program_for(const Model &model, const std::string &default_name,
                          const BackendOptions &backend, const Tuning &tuning,
                          const PipelineOptions &options, Tool &tool) {
  ProgramOptions program;
  program.math = backend.math;
  program.precision = backend.precision;
  program.algorithms = tuning.algorithms(variants_for_target(backend.target).back().name);
  program.max_memory = backend.max_memory;
  program.batch = backend.memory_batch;
  program.name = c_identifier(options.name.empty() ? default_name : options.name);
  program.train = !options.no_train;
  program.passes = pass_options(options, tool);
  if (!targets_device(backend.target))
    return build_program(model, program);
  check_device_options(backend);
  return build_device_program(model, program);
}

std::string check_graph_passes(const std::string &argument) {
  std::string problem;
  for (const std::string &pass_name : split_names(argument))
    if (problem.empty())
      problem = check_pass_name(pass_name, graph_pass_names());
  return problem;
}

Model run_named_passes(Model model, const std::string &passes, const PipelineOptions &options,
                       Tool &tool) {
  std::vector<Pass> sequence;
  for (const std::string &pass_name : split_names(passes)) {
    const Pass *pass = find_pass(pass_name);
    SINTER_ASSERT(pass, "--passes={} was not checked", passes);
    sequence.push_back(*pass);
  }
  Model result;
  result.name = model.name; // layers refer to nodes that passes may remove
  result.graph = std::move(model.graph);
  run_passes(result.graph, sequence, pass_options(options, tool));
  return result;
}

std::vector<InitialWeights> initial_weights(const LoadedModel &loaded,
                                            const WeightOptions &options) {
  const WeightNames names = options.map.empty() ? WeightNames{} : read_weight_names(options.map);
  std::vector<InitialWeights> weights;
  for (const auto &[parameter, array] :
       options.path.empty() ? loaded.weights : load_weights(options.path, loaded.model, names))
    weights.push_back({parameter, array.values});
  return weights;
}

} // namespace sinter
