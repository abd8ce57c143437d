// The training settings and the data of a model, checked against each other.
#include "frontend/data_array.h"
#include "frontend/losses.h"
#include "frontend/training.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

namespace {

bool same_scaling(const DataArray &a, const DataArray &b) {
  return std::equal(a.scaling.begin(), a.scaling.end(), b.scaling.begin(), b.scaling.end(),
                    [](const auto &x, const auto &y) { return equal_fields(x.step, y.step); });
}

std::string scaling_text(const DataArray &array) {
  std::string text = "x";
  for (const auto &recorded : array.scaling) {
    const std::string &op = recorded.step.op;
    text += fmt::format(" {} {}",
                        op == "multiply" ? "*"
                        : op == "divide" ? "/"
                        : op == "add"    ? "+"
                                         : "-",
                        recorded.step.value);
  }
  return text;
}

/// Every set goes through the same pipeline into the same network.
void check_alike(const SampleSet &reference, const SampleSet &set) {
  if (!same_scaling(*reference.images, *set.images))
    throw CompileError(set.location,
                       "the samples here are scaled as {} (line {}), those of line {} as {} (line "
                       "{})",
                       scaling_text(*set.images), set.images->scaled_at().line,
                       reference.location.line, scaling_text(*reference.images),
                       reference.images->scaled_at().line);
  if (reference.images->dataset != set.images->dataset)
    throw CompileError(set.location, "the samples here are of {}, those of line {} of {}",
                       set.images->dataset, reference.location.line, reference.images->dataset);
  if (reference.reconstructs() != set.reconstructs())
    throw CompileError(set.location, "the labels here are {}, those of line {} {}",
                       set.labels->str(), reference.location.line, reference.labels->str());
  if (reference.labels->one_hot != set.labels->one_hot)
    throw CompileError(set.location,
                       "the labels here (line {}) and those of line {} (line {}) "
                       "differ in to_categorical",
                       set.labels->location.line, reference.location.line,
                       reference.labels->location.line);
}

/// Keras adds or drops a last dimension of 1 where that makes the samples fit.
bool fits_input(Shape sample, Shape input) {
  const auto drop_ones = [](Shape &shape) {
    while (!shape.empty() && shape.back() == 1)
      shape.pop_back();
  };
  const bool close = sample.size() <= input.size() + 1 && input.size() <= sample.size() + 1;
  drop_ones(sample);
  drop_ones(input);
  return close && sample == input;
}

/// Samples as labels: what the model puts out, scaled as what it gets.
void check_reconstruction(const KerasModel &model, const Graph &graph, const CompiledOutput &output,
                          const SampleSet &set) {
  const Shape &prediction = graph.type(output.prediction).shape;
  const DataArray &labels = *set.labels;
  if (output.loss->sparse())
    throw CompileError(set.location, "the loss expects class numbers as labels, got {} (line {})",
                       labels.str(), labels.location.line);
  if (!fits_input(labels.sample_shape(), {prediction.begin() + 1, prediction.end()}))
    throw CompileError(set.location, "model '{}' predicts {}, the labels are {} (line {})",
                       model.layer.name, str(prediction), labels.str(), labels.location.line);
  if (!same_scaling(*set.images, labels))
    throw CompileError(set.location,
                       "the samples are scaled as {} (line {}), as labels they are scaled as {} "
                       "(line {}): that must be the same",
                       scaling_text(*set.images), set.images->scaled_at().line,
                       scaling_text(labels), labels.scaled_at().line);
}

/// The labels come as the loss of an output expects them.
void check_labels(const Graph &graph, const CompiledOutput &output, const SampleSet &set) {
  const DataArray &labels = *set.labels;
  const Shape &prediction = graph.type(output.prediction).shape;
  const int64_t classes = prediction.back();
  if (prediction.size() > 2 &&
      !std::all_of(prediction.begin() + 1, prediction.end() - 1, [](int64_t e) { return e == 1; }))
    throw CompileError(set.location,
                       "the model predicts {}, but there is one label a sample: is a Flatten "
                       "missing?",
                       str(prediction));
  const auto fail = [&](const std::string &expected) {
    throw CompileError(set.location, "the loss expects {}, got {} (line {})", expected,
                       labels.str(), labels.location.line);
  };
  if (output.loss->sparse()) {
    if (labels.one_hot > 0)
      fail("labels as class numbers");
    if (classes < kClasses)
      throw CompileError(set.location, "the model tells {} classes apart, {} has {}", classes,
                         set.images->dataset, kClasses);
  } else if (labels.one_hot != classes && (classes != 1 || labels.one_hot > 0)) {
    fail(fmt::format("labels of {} values a sample (keras.utils.to_categorical)", classes));
  }
}

void check_fits(const KerasModel &model, const Graph &graph, const SampleSet &set) {
  const Shape &shape = graph.type(graph.all(OpKind::input).front()).shape;
  const Shape input(shape.begin() + 1, shape.end());
  if (!fits_input(set.images->sample_shape(), input))
    throw CompileError(set.location, "model '{}' expects samples of shape {}, got {} (line {})",
                       model.layer.name, shape_text(input), shape_text(set.images->sample_shape()),
                       set.images->location.line);
  if (!model.compiled || std::holds_alternative<None>(model.compiled->loss))
    return;
  for (const CompiledOutput &output : compiled_outputs(graph, *model.compiled)) {
    if (!output.loss)
      continue;
    if (set.reconstructs())
      check_reconstruction(model, graph, output, set);
    else
      check_labels(graph, output, set);
  }
}

Subset subset_of(const DataArray &array) {
  Subset subset;
  subset.source = array.source;
  for (const auto &recorded : array.subset)
    subset.steps.push_back(recorded.step);
  return subset;
}

/// Training samples, or validation samples that were split off them.
bool is_training_data(const KerasModel &model, const SampleSet &set) {
  if (!model.fit)
    return false;
  const std::optional<SampleSet> &validation = model.fit->validation;
  return same_samples(*set.images, *model.fit->train.images) ||
         (validation && set.images->source == "train" &&
          same_samples(*set.images, *validation->images));
}

/// The subset that evaluate() was last called on, other than what is trained or validated on; the
/// data set's own test samples when there is none.
Subset test_subset(const KerasModel &model, const std::string &dataset, Diagnostics &diagnostics) {
  const SampleSet *test = nullptr;
  for (const SampleSet &set : model.evaluated) {
    if (is_training_data(model, set))
      continue;
    if (test && !same_samples(*test->images, *set.images))
      diagnostics.warn(set.location, fmt::format("these samples replace those of line {} as the "
                                                 "test set of {}",
                                                 test->location.line, dataset));
    test = &set;
  }
  if (test)
    return subset_of(*test->images);
  Subset whole;
  whole.source = "test";
  return whole;
}

/// Checks a monitored quantity; false when there is nothing to monitor it on.
bool check_monitor(const std::string &monitor, const char *callback, const KerasModel &model,
                   const Graph &graph, Diagnostics &diagnostics) {
  const bool on_validation = monitor.rfind("val_", 0) == 0;
  const std::string metric = on_validation ? monitor.substr(4) : monitor;
  std::vector<std::string_view> known;
  for (const Output &output : graph.outputs)
    if (!is_prediction(output))
      known.push_back(output.name);
  if (std::find(known.begin(), known.end(), metric) == known.end())
    throw CompileError(model.fit->location, "{} monitors '{}', which is none of the model's: {}{}",
                       callback, monitor, fmt::format("{}", fmt::join(known, ", ")),
                       suggestion(metric, known));
  if (!on_validation || model.fit->validation || model.fit->validation_split > 0)
    return true;
  diagnostics.warn(model.fit->location,
                   fmt::format("{} monitors '{}', but fit() has no validation data: it is skipped",
                               callback, monitor));
  return false;
}

} // namespace

bool SampleSet::reconstructs() const { return !labels->labels; }

TrainingSpec make_training_spec(const KerasModel &model, const Graph &graph,
                                Diagnostics &diagnostics) {
  TrainingSpec spec;
  spec.optimizer = model.compiled->optimizer;
  if (!model.fit)
    return spec;
  const FitRecord &fit = *model.fit;
  spec.epochs = fit.epochs;
  spec.batch_size = fit.batch_size;
  spec.shuffle = fit.shuffle;
  if (fit.early_stopping &&
      check_monitor(fit.early_stopping->monitor, "EarlyStopping", model, graph, diagnostics))
    spec.early_stopping = fit.early_stopping;
  if (fit.checkpoint &&
      (!fit.checkpoint->save_best_only ||
       check_monitor(fit.checkpoint->monitor, "ModelCheckpoint", model, graph, diagnostics)))
    spec.checkpoint = fit.checkpoint;
  if (fit.plateau &&
      check_monitor(fit.plateau->monitor, "ReduceLROnPlateau", model, graph, diagnostics))
    spec.plateau = fit.plateau;
  spec.epoch_rates = fit.epoch_rates;
  return spec;
}

DataSpec make_data_spec(const KerasModel &model, const Graph &graph, Diagnostics &diagnostics) {
  const SampleSet &reference = model.fit ? model.fit->train : model.evaluated.back();
  std::vector<const SampleSet *> sets{&reference};
  if (model.fit && model.fit->validation)
    sets.push_back(&*model.fit->validation);
  for (const SampleSet &set : model.evaluated)
    sets.push_back(&set);
  for (const SampleSet *set : sets) {
    check_alike(reference, *set);
    check_fits(model, graph, *set);
  }
  DataSpec spec;
  spec.dataset = reference.images->dataset;
  for (const auto &recorded : reference.images->scaling)
    spec.scaling.push_back(recorded.step);
  spec.one_hot = reference.labels->one_hot;
  spec.reconstruct = reference.reconstructs();
  spec.test = test_subset(model, spec.dataset, diagnostics);
  if (!model.fit)
    return spec;
  spec.train = subset_of(*model.fit->train.images);
  if (model.fit->validation) {
    spec.validation = subset_of(*model.fit->validation->images);
  } else if (model.fit->validation_split > 0) {
    SubsetStep part;
    part.test_size = model.fit->validation_split;
    spec.validation = spec.train;
    part.op = "tail_fraction";
    spec.validation.steps.push_back(part);
    part.op = "head_fraction";
    spec.train.steps.push_back(part);
  }
  return spec;
}

} // namespace sinter
