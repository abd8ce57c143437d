#include "frontend/keras_file/training_config.h"

#include "frontend/json_text.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "ir/diagnostics.h"

namespace sinter {

namespace {

using Json = nlohmann::json;

/// [["accuracy"]] and [[{...}]]: Keras 2 lists metrics by output.
void flatten_metrics(const Value &value, std::vector<Value> &metrics) {
  if (const std::vector<Value> *items = sequence_items(value)) {
    for (const Value &item : *items)
      flatten_metrics(item, metrics);
  } else if (!std::holds_alternative<None>(value)) {
    metrics.push_back(value);
  }
}

/// Keras 2 serializes the metric "accuracy" as the function that it stood for.
Json named_metrics(const Json &metrics) {
  if (metrics.is_array()) {
    Json list = Json::array();
    for (const Json &metric : metrics)
      list.push_back(named_metrics(metric));
    return list;
  }
  const std::string name = text_member(member(metrics, "config"), "name");
  const bool wrapper = text_member(metrics, "class_name") == "MeanMetricWrapper";
  return wrapper && (name == "accuracy" || name == "acc") ? Json(name) : metrics;
}

/// A list or dict of one loss, for a model with one output, is that loss.
Json single(const Json &loss) {
  const bool wraps = loss.is_structured() && loss.size() == 1;
  return wraps ? *loss.begin() : loss;
}

void warn_that_it_only_predicts(Interpreter &interpreter, const SourceLocation &file,
                                const CompileError &reason) {
  interpreter.warn(file, fmt::format("the program only predicts: of how the model was compiled, {}",
                                     reason.text()));
}

} // namespace

void compile_as_saved(KerasModel &model, const Json &config, Interpreter &interpreter,
                      ConfigReader &reader, const SourceLocation &file) {
  const Json &older = member(config, "optimizer_config");
  const Json &optimizer = older.is_null() ? member(config, "optimizer") : older;
  const Json loss = single(member(config, "loss"));
  if (loss.is_null())
    return;
  try {
    CallArguments arguments;
    arguments.keywords.emplace_back("loss", reader.value(loss, "keras.losses"));
    if (!optimizer.is_null())
      arguments.keywords.emplace_back("optimizer", reader.value(optimizer, "keras.optimizers"));
    std::vector<Value> metrics;
    flatten_metrics(reader.value(named_metrics(member(config, "metrics")), "keras.metrics"),
                    metrics);
    arguments.keywords.emplace_back("metrics", interpreter.list(metrics));
    arguments.keywords.emplace_back("loss_weights",
                                    reader.value(member(config, "loss_weights"), "keras.losses"));
    const Native &compile = *find_native("model.compile");
    compile.call(interpreter, {compile, bind(interpreter, compile, arguments, file), file, &model});
  } catch (const CompileError &error) {
    warn_that_it_only_predicts(interpreter, file, error);
  }
}

Model finish_as_saved(KerasModel &model, Interpreter &interpreter, const SourceLocation &file,
                      Diagnostics &diagnostics) {
  try {
    return finish_model(interpreter, file, diagnostics);
  } catch (const CompileError &error) {
    if (!model.compiled)
      throw;
    model.compiled.reset();
    Model finished = finish_model(interpreter, file, diagnostics);
    warn_that_it_only_predicts(interpreter, file, error);
    return finished;
  }
}

} // namespace sinter
