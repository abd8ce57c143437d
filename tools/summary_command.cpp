#include "passes/pipeline.h"
#include "tools/command.h"
#include "tools/json_text.h"
#include "tools/options.h"
#include "tools/report_errors.h"
#include "tools/summary.h"

#include <limits>
#include <ostream>

namespace sinter {

namespace {

struct SummaryOptions {
  ModelOptions model;
  int64_t batch = 0;
  bool json = false;
};

int run_summary(const SummaryOptions &options, Tool &tool) {
  const Model model = load_model_and_warn(options.model, tool).model;
  const int64_t trained = model.training ? model.training->batch_size : 32;
  const Program program = build_program(model, {});
  const ModelSummary summary = summarize(program, options.batch > 0 ? options.batch : trained);
  if (options.json)
    tool.out << json_text(json(summary)) << "\n";
  else
    tool.out << text(summary);
  return kExitOk;
}

} // namespace

void add_summary_command(CLI::App &app, Tool &tool) {
  CLI::App *command =
      app.add_subcommand("summary", "Print the layers, shapes, parameters, FLOPs and memory");
  auto options = std::make_shared<SummaryOptions>();
  add_model_option(*command, options->model);
  command->add_option("--batch", options->batch, "Batch size of the memory figures")
      ->check(CLI::Range(1, std::numeric_limits<int32_t>::max()));
  command->add_flag("--json", options->json, "As JSON");
  set_action(*command, tool, options, run_summary);
}

} // namespace sinter
