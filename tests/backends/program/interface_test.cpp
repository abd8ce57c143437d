// What a program monitors, and what it refuses to be.
#include "backends/program/interface.h"
#include "ir/parse.h"
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
  REQUIRE(fashion_interface.inputs.size() == 1);
  REQUIRE(fashion_interface.outputs.size() == 1);
  REQUIRE(fashion_interface.labels.size() == 1);
  CHECK(sample_shape(fashion_interface.inputs[0].type) == Shape{8, 8, 1});
  CHECK(fashion_interface.inputs[0].argument == "x");
  CHECK(sample_shape(fashion_interface.outputs[0].type) == Shape{10});
  CHECK(fashion_interface.outputs[0].name == "prediction");
  CHECK(fashion_interface.outputs[0].is_probability);
  CHECK(sample_shape(fashion_interface.labels[0].type).empty());
  CHECK(fashion_interface.labels[0].class_limit == 10);
  CHECK(fashion_interface.batched());
  CHECK(fashion_interface.metrics == std::vector<std::string>{"loss", "accuracy"});

  const Interface regression = interface_of(odd_net(), diagnostics);
  CHECK(regression.labels[0].class_limit == 0);
  CHECK(regression.labels[0].type.element == ElementType::f32);
  CHECK_FALSE(regression.outputs[0].is_probability);
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("several tensors are called by their names, made distinct in C") {
  Model model;
  model.graph = parse_graph(R"(%0 = input {name="image.1", type=f32[N,4]} : f32[N,4]
%1 = input {name="IMAGE/1", type=i32[3]} : i32[3]
%2 = exp %0 : f32[N,4]
output "prediction:boxes" %2
output "prediction:same" %1)",
                            "two.sir");
  Diagnostics diagnostics;
  const Interface interface = interface_of(model, diagnostics);
  REQUIRE(interface.inputs.size() == 2);
  REQUIRE(interface.outputs.size() == 2);
  CHECK(interface.inputs[0].name == "image.1");
  CHECK(interface.inputs[0].argument == "x_image_1");
  CHECK(interface.inputs[1].argument == "x_IMAGE_1_2");
  CHECK(interface.inputs[1].macro == "INPUT_IMAGE_1_2");
  CHECK(interface.outputs[1].name == "same");
  CHECK(interface.outputs[1].argument == "y_same");
  CHECK(interface.outputs[1].type.element == ElementType::i32);
}

TEST_CASE("a program needs a prediction") {
  Diagnostics diagnostics;
  const Program program = plan_program(fashion(), "net");
  Program empty = program;
  empty.model.graph.outputs.clear();
  CHECK_THROWS_WITH_AS(describe_interface(empty, diagnostics),
                       "error: a program needs a prediction to compute, the model has none",
                       CompileError);
}

TEST_CASE("a model without a batch anywhere says so") {
  Diagnostics diagnostics;
  Model model;
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[3]} : f32[3]
%1 = exp %0 : f32[3]
output "prediction" %1)",
                            "static.sir");
  CHECK_FALSE(interface_of(model, diagnostics).batched());
}

TEST_CASE("early stopping and the checkpoint each follow their own monitor") {
  Diagnostics diagnostics;
  Model model = fashion();
  Interface interface = interface_of(model, diagnostics); // neither: the validation loss
  CHECK(interface.stopping.metric == 0);
  CHECK(interface.stopping.validation);
  CHECK_FALSE(interface.stopping.maximize);

  model.training->checkpoint = CheckpointSpec{};
  model.training->checkpoint->monitor = "accuracy";
  model.training->checkpoint->save_best_only = true;
  interface = interface_of(model, diagnostics);
  for (const Monitor &monitor : {interface.checkpoint, interface.stopping}) {
    CHECK(monitor.metric == 1);
    CHECK_FALSE(monitor.validation);
    CHECK(monitor.maximize);
  }

  model.training->early_stopping = EarlyStoppingSpec{};
  model.training->early_stopping->monitor = "val_accuracy";
  model.training->early_stopping->mode = "min";
  model.training->early_stopping->min_delta = 0.5F;
  interface = interface_of(model, diagnostics);
  CHECK(interface.stopping.metric == 1);
  CHECK(interface.stopping.validation);
  CHECK_FALSE(interface.stopping.maximize);
  CHECK(interface.stopping.min_delta == 0.5F);
  CHECK_FALSE(interface.checkpoint.validation);
  CHECK(interface.checkpoint.min_delta == 0);
  CHECK(diagnostics.warnings().empty());

  model.training->early_stopping->restore_best_weights = true;
  interface_of(model, diagnostics);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK(diagnostics.warnings()[0] ==
        "warning: the program keeps the weights of the checkpoint (accuracy), not those that early "
        "stopping restores (val_accuracy)");
}

TEST_CASE("a checkpoint of every epoch monitors nothing of its own") {
  Diagnostics diagnostics;
  Model model = fashion();
  model.training->checkpoint = CheckpointSpec{};
  model.training->checkpoint->monitor = "no_such_metric";
  CHECK(interface_of(model, diagnostics).checkpoint.metric == 0);
}

TEST_CASE("without validation data the training metric is monitored, with a warning if asked for") {
  Diagnostics diagnostics;
  Model model = fashion(/*validation=*/false);
  CHECK_FALSE(interface_of(model, diagnostics).stopping.validation);
  CHECK(diagnostics.warnings().empty());
  model.training->early_stopping = EarlyStoppingSpec{};
  CHECK_FALSE(interface_of(model, diagnostics).stopping.validation);
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
