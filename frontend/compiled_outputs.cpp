// Which loss, weight and metrics compile() gives to which output.
#include "frontend/losses.h"

#include <algorithm>

namespace sinter {

namespace {

/// The value of an argument of compile() for output i of `count`: from a list of one each, a dict
/// by name, or the one for all. None when it has none.
class PerOutput {
public:
  PerOutput(const char *what, const Value &value, const std::vector<CompiledOutput> &outputs,
            const SourceLocation &location)
      : value_(value), outputs_(outputs) {
    if (const Opaque *unknown = object<Opaque>(value))
      fail_unknown(*unknown, location, fmt::format("the {} of compile", what));
    const Dict *dict = object<Dict>(value);
    std::vector<std::string_view> names;
    for (const CompiledOutput &output : outputs)
      names.push_back(output.name);
    for (const auto &[key, item] : dict ? dict->items : decltype(dict->items){}) {
      const std::string name = to_text(key);
      if (std::find(names.begin(), names.end(), name) == names.end())
        throw CompileError(location, "compile: {} has no output '{}' to take{}", what, name,
                           suggestion(name, names));
    }
    const std::vector<Value> *items = sequence_items(value);
    if (items && items->size() != outputs.size())
      throw CompileError(location, "compile: {} has {} items, the model {} outputs", what,
                         items->size(), outputs.size());
  }

  Value at(size_t i) const {
    if (const std::vector<Value> *items = sequence_items(value_))
      return (*items)[i];
    Dict *dict = object<Dict>(value_);
    if (!dict)
      return value_;
    const Value *found = dict->find(outputs_[i].name);
    return found ? *found : Value(None{});
  }

private:
  const Value &value_;
  const std::vector<CompiledOutput> &outputs_;
};

std::vector<Value> as_list(const Value &value) {
  if (const std::vector<Value> *items = sequence_items(value))
    return *items;
  return std::holds_alternative<None>(value) ? std::vector<Value>{} : std::vector<Value>{value};
}

/// ['accuracy'] holds for every output; a list of one each holds lists, or as many metrics as
/// there are outputs.
bool is_for_all(const Value &metrics, size_t outputs) {
  const std::vector<Value> *items = sequence_items(metrics);
  const bool nested = items && std::any_of(items->begin(), items->end(), [](const Value &item) {
                        return sequence_items(item) != nullptr;
                      });
  return items && !nested && (outputs == 1 || items->size() != outputs);
}

} // namespace

std::vector<CompiledOutput> compiled_outputs(const Graph &graph, const CompileRecord &compiled) {
  const SourceLocation &location = compiled.location;
  std::vector<CompiledOutput> outputs;
  for (const Output &output : graph.outputs) {
    if (!is_prediction(output))
      continue;
    CompiledOutput result;
    result.name = prediction_name(output);
    result.prediction = output.value;
    outputs.push_back(std::move(result));
  }
  // A model with one output may be told its loss in a list or dict of one, by any name.
  const auto only = [&](const Value &value) -> Value {
    const Dict *dict = object<Dict>(value);
    const std::vector<Value> *items = sequence_items(value);
    if (outputs.size() == 1 && dict && dict->items.size() == 1)
      return dict->items[0].second;
    return outputs.size() == 1 && items && items->size() == 1 ? items->front() : value;
  };
  const Value loss_value = only(compiled.loss);
  const Value weight_value = only(compiled.loss_weights);
  const Dict *metric_dict = object<Dict>(compiled.metrics);
  const Value metrics_value = metric_dict ? only(compiled.metrics) : compiled.metrics;
  const bool for_all = is_for_all(metrics_value, outputs.size());
  const PerOutput losses("loss", loss_value, outputs, location);
  const PerOutput weights("loss_weights", weight_value, outputs, location);
  const Value listed = for_all ? Value(None{}) : metrics_value;
  const PerOutput metrics("metrics", listed, outputs, location);
  for (size_t i = 0; i < outputs.size(); ++i) {
    CompiledOutput &output = outputs[i];
    output.loss_value = losses.at(i);
    if (!std::holds_alternative<None>(output.loss_value))
      output.loss = find_loss(output.loss_value, location);
    const Value weight = weights.at(i);
    if (!std::holds_alternative<None>(weight)) {
      if (!is_number(weight))
        throw CompileError(location, "compile: a loss weight must be a number, got {}",
                           describe(weight));
      output.weight = static_cast<float>(to_number(weight));
    }
    for (const Value &item : as_list(for_all ? metrics_value : metrics.at(i)))
      for (const Value &metric : as_list(item)) // [['accuracy']] of one output
        output.metrics.push_back(metric);
  }
  return outputs;
}

} // namespace sinter
