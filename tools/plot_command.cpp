#include "backends/program/tool_process.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output_file.h"
#include "tools/plot.h"
#include "tools/report_errors.h"

#include <filesystem>
#include <memory>
#include <ostream>

namespace sinter {

namespace {

struct PlotOptions {
  ModelOptions model;
  std::string output;
  bool operations = false;
};

/// The picture is Graphviz's business: its `dot` is run for anything but DOT itself, so that the
/// compiler need not be linked with a drawing library.
void draw(const std::string &dot, const std::string &format, const std::string &path) {
  const TemporaryFolder folder;
  const std::string source = folder.path() + "/model.dot";
  const std::string picture = folder.path() + "/model." + format;
  write_file(source, dot);
  run_tool({"dot", "-T" + format, "-o", picture, source}, "drawing " + path);
  write_file(path, read_file(picture));
}

int run_plot(const PlotOptions &options, Tool &tool) {
  const Model model = load_model_and_warn(options.model, tool).model;
  const std::string dot = dot_text(model, options.operations);
  const std::string extension = std::filesystem::path(options.output).extension().string();
  if (options.output.empty() || options.output == "-")
    tool.out << dot;
  else if (extension == ".dot" || extension == ".gv")
    write_file(options.output, dot);
  else
    draw(dot, extension.substr(1), options.output);
  return kExitOk;
}

} // namespace

void add_plot_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand("plot", "Draw the model's graph");
  auto options = std::make_shared<PlotOptions>();
  add_model_option(*command, options->model);
  command
      ->add_option("-o,--output", options->output,
                   "OUT.dot, or OUT.svg, .png or .pdf drawn by Graphviz's dot; DOT goes to "
                   "standard output without it")
      ->check([](const std::string &path) {
        return path == "-" ? "" : must_end_in({".dot", ".gv", ".svg", ".png", ".pdf"})(path);
      });
  command->add_flag("--ops", options->operations, "A box an operation, not a layer");
  set_action(*command, tool, options, run_plot);
}

} // namespace sinter
