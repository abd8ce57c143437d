// ops, targets, version: what this compiler knows, without a model.
#include "backends/halide/device.h"
#include "tools/command.h"
#include "tools/op_table.h"
#include "tools/report_errors.h"

#include <fmt/ostream.h>
#include <memory>
#include <ostream>

namespace sinter {

namespace {

void add_ops_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand("ops", "List every operation of the IR");
  auto markdown = std::make_shared<bool>(false);
  command->add_flag("--markdown", *markdown, "As the table and the examples of docs/ir.md");
  command->callback([&tool, markdown] {
    tool.action = [&tool, markdown] {
      tool.out << (*markdown ? op_table_markdown() : op_table_text());
      return kExitOk;
    };
  });
}

void print_target(std::ostream &out, const char *target, const char *meaning) {
  fmt::print(out, "{}: {}\n", target, meaning);
  for (const Variant &variant : variants_for_target(target))
    if (device_of(variant) != Device::none)
      fmt::print(out, "  {:<8} OpenCL 2.0 with shared virtual memory\n", variant.name);
    else
      fmt::print(out, "  {:<8} {:>2} floats a vector, {} registers  {}\n", variant.name,
                 variant.vector_width, variant.registers, variant.halide_target);
}

void add_targets_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand("targets", "List the targets and their variants");
  command->callback([&tool] {
    tool.action = [&tool] {
      print_target(tool.out, "host", "the best variant for this processor");
      print_target(tool.out, "x86-64",
                   "portable (default): all variants in one file, the best "
                   "one chosen at start");
      print_target(tool.out, "opencl", "an OpenCL device, found at start");
      fmt::print(tool.out, "host,opencl or x86-64,opencl: the device, or the processor where there "
                           "is none\n");
      fmt::print(tool.out, "any Halide target string of this architecture\n");
      return kExitOk;
    };
  });
}

void add_version_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand("version", "Print the version");
  command->callback([&tool] {
    tool.action = [&tool] {
      fmt::print(tool.out, "sinter {}\n", SINTER_VERSION);
      return kExitOk;
    };
  });
}

} // namespace

void add_information_commands(CLI::App &app, Tool &tool) {
  add_ops_command(app, tool);
  add_targets_command(app, tool);
  add_version_command(app, tool);
}

} // namespace sinter
