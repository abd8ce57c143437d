// compile(), fit() and evaluate(): what the script says about training.
#pragma once

#include "frontend/keras_objects.h"
#include "ir/diagnostics.h"

namespace sinter {

/// model.compile, model.fit, model.evaluate, model.predict.
std::vector<Native> training_methods();
/// What the classes Layer and Model give to those that a script derives from them.
std::vector<Native> object_methods();

/// What Keras's optimizers and torch.optim's have in common; `rate`, `rho` and `epsilon` are what
/// these are called there. A schedule in the place of the rate is left to the caller.
OptimizerSpec common_optimizer(const Configured &, const char *rate, const char *rho,
                               const char *epsilon);

/// The learning rate of an epoch; throws for what is none.
float checked_rate(const Value &, int64_t epoch, const SourceLocation &);

/// Reads fit()'s callbacks into its record, whose epochs are known.
void read_callbacks(Interpreter &, const Call &fit, KerasModel &, FitRecord &);

/// Appends the loss and the metrics of a compiled model to a graph that has its predictions as
/// outputs; `penalties` are scalars that the loss includes. Throws when they do not fit.
void append_losses(Graph &, const CompileRecord &, const std::vector<NodeId> &penalties);

/// Where the samples come from, checked against each other and the model's input and label.
DataSpec make_data_spec(const KerasModel &, const Graph &, Diagnostics &);

/// Optimizer, epochs and callbacks, the monitored quantities checked.
TrainingSpec make_training_spec(const KerasModel &, const Graph &, Diagnostics &);

} // namespace sinter
