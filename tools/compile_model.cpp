#include "tools/compile_model.h"

#include "passes/pipeline.h"
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

/// Passes over plans have names, too, but only build_program runs them.
void require_pass_name(const std::string &pass_name, const std::vector<std::string_view> &known) {
  if (std::find(known.begin(), known.end(), pass_name) == known.end())
    throw CompileError({}, "unknown pass '{}': there are {}", pass_name, fmt::join(known, ", "));
}

const Pass &find_pass_or_throw(const std::string &pass_name) {
  const Pass *pass = find_pass(pass_name);
  if (!pass)
    require_pass_name(pass_name, graph_pass_names());
  return *pass;
}

} // namespace

void add_pipeline_options(CLI::App &command, PipelineOptions &options) {
  command.add_option("--name", options.name,
                     "Prefix of the C symbols (default: the output's or the model file's name)");
  command.add_flag("--no-train", options.no_train, "Inference and evaluation only");
  command.add_option("--print-after", options.print_after,
                     "Print the graph after a pass that changed it; a pass's name or all");
  command.add_flag("--time", options.time, "Print how long every pass and stage took");
}

Program build_program_for(const Model &model, const std::string &default_name,
                          const PipelineOptions &options, Tool &tool) {
  ProgramOptions program;
  program.name = c_identifier(options.name.empty() ? default_name : options.name);
  program.train = !options.no_train;
  program.passes = pass_options(options, tool);
  if (!options.print_after.empty() && options.print_after != "all")
    require_pass_name(options.print_after, all_pass_names());
  return build_program(model, program);
}

Model run_named_passes(Model model, const std::string &passes, const PipelineOptions &options,
                       Tool &tool) {
  std::vector<Pass> sequence;
  std::istringstream names(passes);
  for (std::string pass_name; std::getline(names, pass_name, ',');)
    sequence.push_back(find_pass_or_throw(pass_name));
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
