// From a model to a program, as the command line says.
#pragma once

#include "backends/program/build.h"
#include "frontend/load_model.h"
#include "ir/program.h"
#include "tools/command.h"
#include "tools/options.h"

#include <string>
#include <vector>

namespace sinter {

/// A file of weights and its --map.
struct WeightOptions {
  std::string path; // "": none
  std::string map;
};

struct PipelineOptions {
  std::string name; // symbol prefix; "" takes the default
  std::string print_after;
  bool no_train = false;
  bool time = false;
};
void add_pipeline_options(CLI::App &command, PipelineOptions &);

/// Runs the pipelines; prints and times go to `tool.err`.
Program build_program_for(const Model &, const std::string &default_name, const BackendOptions &,
                          const Tuning &, const PipelineOptions &, Tool &);

/// For CLI::Option::check: "" for graph passes ("a,b"), else which of them is none.
std::string check_graph_passes(const std::string &argument);

/// Runs the graph passes named in `passes`, which are checked, on the model's forward graph.
Model run_named_passes(Model, const std::string &passes, const PipelineOptions &, Tool &);

/// The values that the program starts with: of the weights file, which must have all of the model's
/// parameters (frontend/weights.h), or, when none is given, those that came with the model.
std::vector<InitialWeights> initial_weights(const LoadedModel &, const WeightOptions &);

} // namespace sinter
