// What a program monitors, and what it refuses to be.
#include "backends/program/interface.h"
#include "tests/backends/program/small_programs.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

Model fashion(bool validation = true) {
  Model model = fashion_net(8, 3, 0.5F);
  model.data = DataSpec{};
  model.data->train.source = "train";
  if (validation)
    model.data->validation.source = "train";
  return model;
}

Interface interface_of(const Model &model, Diagnostics &diagnostics) {
  return describe_interface(plan_program(model, "net"), diagnostics);
}

} // namespace

TEST_CASE("the interface is the graph's") {
  Diagnostics diagnostics;
  const Interface fashion_interface = interface_of(fashion(), diagnostics);
  CHECK(sample_shape(fashion_interface.input) == Shape{8, 8, 1});
  CHECK(sample_shape(fashion_interface.output) == Shape{10});
  CHECK(sample_shape(*fashion_interface.label).empty());
  CHECK(fashion_interface.class_limit == 10);
  CHECK(fashion_interface.output_is_probability);
  CHECK(fashion_interface.metrics == std::vector<std::string>{"loss", "accuracy"});

  const Interface regression = interface_of(odd_net(), diagnostics);
  CHECK(regression.class_limit == 0);
  CHECK(regression.label->element == ElementType::f32);
  CHECK_FALSE(regression.output_is_probability);
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("early stopping says what is monitored, then the checkpoint, then the validation loss") {
  Diagnostics diagnostics;
  Model model = fashion();
  Monitor monitor = interface_of(model, diagnostics).monitor;
  CHECK(monitor.metric == 0);
  CHECK(monitor.validation);
  CHECK_FALSE(monitor.maximize);

  model.training->checkpoint = CheckpointSpec{};
  model.training->checkpoint->monitor = "accuracy";
  monitor = interface_of(model, diagnostics).monitor;
  CHECK(monitor.metric == 1);
  CHECK_FALSE(monitor.validation);
  CHECK(monitor.maximize);
  CHECK(diagnostics.warnings().empty());

  model.training->early_stopping = EarlyStoppingSpec{};
  model.training->early_stopping->monitor = "val_accuracy";
  model.training->early_stopping->mode = "min";
  model.training->early_stopping->min_delta = 0.5F;
  monitor = interface_of(model, diagnostics).monitor;
  CHECK(monitor.metric == 1);
  CHECK(monitor.validation);
  CHECK_FALSE(monitor.maximize);
  CHECK(monitor.min_delta == 0.5F);
  CHECK(diagnostics.warnings().size() == 1); // the checkpoint asks for something else
}

TEST_CASE("without validation data the training metric is monitored, with a warning if asked for") {
  Diagnostics diagnostics;
  Model model = fashion(/*validation=*/false);
  CHECK_FALSE(interface_of(model, diagnostics).monitor.validation);
  CHECK(diagnostics.warnings().empty());
  model.training->early_stopping = EarlyStoppingSpec{};
  CHECK_FALSE(interface_of(model, diagnostics).monitor.validation);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK(diagnostics.warnings()[0] ==
        "warning: loss is monitored instead of val_loss: there is no validation data");
}

TEST_CASE("a metric that is not there cannot be monitored") {
  Diagnostics diagnostics;
  Model model = fashion();
  model.training->early_stopping = EarlyStoppingSpec{};
  model.training->early_stopping->monitor = "val_recall";
  CHECK_THROWS_WITH_AS(interface_of(model, diagnostics),
                       "error: cannot monitor val_recall, the model's metrics are loss, accuracy",
                       CompileError);
}

TEST_CASE("patience 0 and 1 are the same") {
  EarlyStoppingSpec spec;
  spec.patience = 0;
  CHECK(effective_patience(spec) == 1);
  spec.patience = 3;
  CHECK(effective_patience(spec) == 3);
}
