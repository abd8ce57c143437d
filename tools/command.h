// The subcommands of `sinter`. Each adds itself to the command line; the one that is named sets
// the action, which runs once parsing has succeeded.
#pragma once

#include "ir/diagnostics.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>

namespace sinter {

struct Tool {
  std::ostream &out; // results
  std::ostream &err; // diagnostics and progress
  Diagnostics diagnostics;
  std::function<int()> action; // returns the exit code
};

void add_compile_command(CLI::App &, Tool &);
void add_program_commands(CLI::App &, Tool &); // run, train, evaluate, predict, bench
void add_tune_command(CLI::App &, Tool &);
void add_verify_command(CLI::App &, Tool &);
void add_summary_command(CLI::App &, Tool &);
void add_explain_command(CLI::App &, Tool &);
void add_plot_command(CLI::App &, Tool &);
void add_convert_commands(CLI::App &, Tool &); // convert, export
void add_inspect_command(CLI::App &, Tool &);
void add_information_commands(CLI::App &, Tool &); // ops, targets, version

/// Prints the warnings collected so far on `tool.err`, and forgets them.
void print_warnings(Tool &);

/// The whole tool; `arguments` without the program's own name. Never throws.
int run_tool(const std::vector<std::string> &arguments, std::ostream &out, std::ostream &err);

} // namespace sinter
