#include "tools/op_table.h"

#include "ir/op.h"

#include <fmt/format.h>
#include <type_traits>

namespace sinter {

namespace {

std::string operand_count(const OpDef &def) {
  if (def.max_inputs < 0)
    return fmt::format("{}+", def.min_inputs);
  if (def.min_inputs == def.max_inputs)
    return std::to_string(def.min_inputs);
  return fmt::format("{}-{}", def.min_inputs, def.max_inputs);
}

std::string attribute_names(OpKind kind) {
  std::string names;
  std::visit(
      [&](const auto &attributes) {
        std::decay_t<decltype(attributes)>::fields([&](const char *field, auto) {
          names += (names.empty() ? "" : ", ") + std::string(field);
        });
      },
      default_attrs(kind));
  return names;
}

/// A bar ends a cell of a Markdown table, even in code.
std::string escape_bars(std::string_view text) {
  std::string escaped;
  for (char c : text)
    escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

} // namespace

std::string op_table_text() {
  std::string text =
      fmt::format("{:<34}{:<13}{:<10}{}\n", "op", "class", "operands", "what it computes");
  for (OpKind kind : all_op_kinds()) {
    const OpDef &def = op_def(kind);
    text += fmt::format("{:<34}{:<13}{:<10}{}\n", name(kind), name(def.traits.op_class),
                        operand_count(def), def.summary);
  }
  return text;
}

std::string op_table_markdown() {
  std::string text = "| op | class | operands | attributes | gradient | what it computes |\n"
                     "|---|---|---|---|---|---|\n";
  std::string examples;
  for (OpKind kind : all_op_kinds()) {
    const OpDef &def = op_def(kind);
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", name(kind),
                        name(def.traits.op_class), operand_count(def), attribute_names(kind),
                        def.gradient ? "yes" : "", escape_bars(def.summary));
    examples += fmt::format("\n`{}`\n```\n{}\n```\n", name(kind), def.example);
  }
  return text + "\n### Examples\n" + examples;
}

} // namespace sinter
