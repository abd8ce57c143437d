#include "frontend/onnx/operator_table.h"

#include <map>

namespace sinter {

namespace {

constexpr std::string_view kTrainingDomain = "ai.onnx.preview.training";

using Table = std::map<std::string, OnnxOperator, std::less<>>;

const Table &operator_table() {
  static const Table table = [] {
    Table all;
    for (const OnnxOperators *family :
         {&onnx_activation_operators(), &onnx_comparison_operators(), &onnx_contraction_operators(),
          &onnx_control_operators(), &onnx_elementwise_operators(), &onnx_loss_operators(),
          &onnx_movement_operators(), &onnx_normalization_operators(), &onnx_pooling_operators(),
          &onnx_reduction_operators(), &onnx_resize_operators(), &onnx_selection_operators(),
          &onnx_shape_operators()})
      for (const OnnxOperator &entry : *family)
        all.emplace(entry.name, entry);
    for (const OnnxOperator &entry : onnx_training_operators())
      all.emplace(fmt::format("{}.{}", kTrainingDomain, entry.name), entry);
    return all;
  }();
  return table;
}

} // namespace

const OnnxOperator *find_onnx_operator(std::string_view domain, std::string_view name) {
  const bool own = domain.empty() || domain == "ai.onnx";
  const Table &table = operator_table();
  const auto found = table.find(own ? std::string(name) : fmt::format("{}.{}", domain, name));
  return found == table.end() ? nullptr : &found->second;
}

std::vector<std::string> onnx_operator_names() {
  std::vector<std::string> names;
  for (const auto &[name, entry] : operator_table())
    names.push_back(name);
  return names;
}

} // namespace sinter
