#include "tools/text_table.h"

#include <algorithm>

namespace sinter {

namespace {

/// The pieces of one horizontal line.
struct Rule {
  const char *left, *line, *cross, *right;
};

constexpr Rule kTop{"┏", "━", "┳", "┓"};
constexpr Rule kBelowTitle{"┡", "━", "╇", "┩"};
constexpr Rule kBetween{"├", "─", "┼", "┤"};
constexpr Rule kBottom{"└", "─", "┴", "┘"};

/// Characters of UTF-8 text: its bytes without continuation bytes.
size_t width(const std::string &text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string rule_text(const Rule &rule, const std::vector<size_t> &widths) {
  std::string result = rule.left;
  for (size_t i = 0; i < widths.size(); ++i) {
    result += i ? rule.cross : "";
    for (size_t k = 0; k < widths[i] + 2; ++k)
      result += rule.line;
  }
  return result + rule.right + "\n";
}

std::string row_text(const char *bar, const std::vector<std::string> &cells,
                     const std::vector<Column> &columns, const std::vector<size_t> &widths) {
  std::string result = bar;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string blanks(widths[i] - width(cells[i]), ' ');
    const bool right = columns[i].align == Align::right;
    result += " " + (right ? blanks + cells[i] : cells[i] + blanks) + " " + bar;
  }
  return result + "\n";
}

} // namespace

std::string TextTable::str() const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(width(columns_[i].title));
    for (const std::vector<std::string> &row : rows_)
      widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string result = rule_text(kTop, widths) + row_text("┃", titles, columns_, widths) +
                       rule_text(kBelowTitle, widths);
  for (size_t i = 0; i < rows_.size(); ++i)
    result += (i ? rule_text(kBetween, widths) : "") + row_text("│", rows_[i], columns_, widths);
  return result + rule_text(kBottom, widths);
}

} // namespace sinter
