#include "tools/command.h"
#include "tools/report_errors.h"

#include <algorithm>
#include <fmt/ostream.h>
#include <ostream>

namespace sinter {

namespace {

/// Parses and returns the exit code when that is all (help, wrong usage), else -1.
int parse_command_line(CLI::App &app, std::vector<std::string> arguments, Tool &tool) {
  std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
    return -1;
  } catch (const CLI::ParseError &error) {
    const bool asked_for = error.get_exit_code() == 0; // --help
    app.exit(error, tool.out, tool.err);
    return asked_for ? kExitOk : kExitUsage;
  }
}

int run_action(Tool &tool) {
  int code = kExitOk;
  try {
    code = tool.action();
  } catch (...) { // what was warned of comes before the error
    print_warnings(tool);
    throw;
  }
  print_warnings(tool);
  tool.out.flush();
  if (!tool.out)
    throw CompileError({}, "cannot write to standard output");
  return code;
}

} // namespace

void print_warnings(Tool &tool) {
  for (const std::string &warning : tool.diagnostics.warnings())
    fmt::print(tool.err, "{}\n", warning);
  tool.diagnostics = {};
}

int run_tool(const std::vector<std::string> &arguments, std::ostream &out, std::ostream &err) {
  Tool tool{out, err, {}, {}};
  CLI::App app(
      "Compiles Keras model scripts into native programs that train, evaluate and predict.",
      "sinter");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  add_compile_command(app, tool);
  add_program_commands(app, tool);
  add_tune_command(app, tool);
  add_verify_command(app, tool);
  add_summary_command(app, tool);
  add_explain_command(app, tool);
  add_plot_command(app, tool);
  add_convert_commands(app, tool);
  add_inspect_command(app, tool);
  add_information_commands(app, tool);
  return run_reporting_errors(
      [&] {
        const int parsed = parse_command_line(app, arguments, tool);
        return parsed >= 0 ? parsed : run_action(tool);
      },
      err);
}

} // namespace sinter
