// A table of text with ruled lines, as Keras draws its summaries.
#pragma once

#include <string>
#include <vector>

namespace sinter {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
};

class TextTable {
public:
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add_column(Column column) { columns_.push_back(std::move(column)); }
  /// One cell a column.
  void add_row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  std::string str() const;

private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

} // namespace sinter
