// The table of all ops, generated from the op records.
#pragma once

#include <string>

namespace sinter {

/// A line per op: name, class, operands, summary.
std::string op_table_text();
/// The same with the examples, as the section of docs/ir.md.
std::string op_table_markdown();

} // namespace sinter
