// Learning rates that change, and clipped gradients, in compiled programs. The model's loss falls
// by the same amount in every direction, so a weight tells the sum of the rates of all steps.
#include "ir/parse.h"
#include "ir/print.h"
#include "tests/end_to_end/support.h"

#include <array>
#include <cstring>
#include <doctest/doctest.h>
#include <fstream>
#include <sstream>

using namespace sinter;

namespace {

constexpr int kSamples = 40;
constexpr int kBatch = 10; // four steps an epoch

/// The gradient is a sum of ten tenths: a rounding or two away from 1.
doctest::Approx about(double value) { return doctest::Approx(value).epsilon(1e-6); }

/// mean(x + w - y) * 4: the gradient of w is [1,1,1,1]. SGD with a rate of 1.
Model falling_model() {
  Model model;
  model.name = "falling";
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,4]} : f32[N,4]
%1 = input {name="y", role="label", type=f32[N,1]} : f32[N,1]
%2 = parameter {name="w", type=f32[4]} : f32[4]
%3 = bias_add %0, %2 : f32[N,4]
%4 = subtract %3, %1 : f32[N,4]
%5 = reduce_mean %4 {axes=[0,1]} : f32[]
%6 = affine %5 {scale=4} : f32[]
output "prediction" %3
output "loss" %6)",
                            "falling.sir");
  model.training = TrainingSpec{};
  model.training->epochs = 3;
  model.training->batch_size = kBatch;
  model.training->optimizer.kind = "sgd";
  model.training->optimizer.learning_rate = 1;
  model.training->checkpoint = CheckpointSpec{}; // the latest weights
  return model;
}

void write_zeros(const std::string &path, const std::vector<int> &extents) {
  std::string file{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  size_t size = 1;
  for (const int extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8)
      file += static_cast<char>(extent >> shift);
    size *= static_cast<size_t>(extent);
  }
  std::ofstream(path, std::ios::binary) << file + std::string(size, '\0');
}

class Falling {
public:
  Falling(const std::string &name, const Model &model) : folder_(fresh_folder("rate_" + name)) {
    write_zeros(folder_ + "/train-images-idx3-ubyte", {kSamples, 2, 2});
    write_zeros(folder_ + "/train-labels-idx1-ubyte", {kSamples});
    BuildOptions options;
    options.target = "host";
    options.output = folder_ + "/net";
    build_model(model, "net", options);
  }

  /// How far the weight has fallen.
  double train(const std::string &options = "") {
    const CommandResult result =
        run_command("cd " + folder_ + " && ./net train --data=. " + options);
    CAPTURE(result.output);
    REQUIRE(result.status == 0);
    output = result.output;
    std::ifstream stream(folder_ + "/net.safetensors", std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    const std::string file = text.str();
    std::array<float, 4> weight{};
    REQUIRE(file.size() > sizeof weight);
    std::memcpy(weight.data(), file.data() + file.size() - sizeof weight, sizeof weight);
    return -static_cast<double>(weight[3]);
  }

  std::string output; // of the latest training

private:
  std::string folder_;
};

} // namespace

TEST_CASE("a schedule sets the rate of every step") {
  Model model = falling_model();
  ScheduleSpec &schedule = model.training->optimizer.schedule.emplace();
  schedule.decay_steps = 4;
  schedule.decay_rate = 0.5;
  schedule.staircase = true;
  Falling program("schedule", model);
  CHECK(program.train() == about(4 + 4 * 0.5 + 4 * 0.25));
  CHECK(program.train("--learning-rate=2") == about(2 * 7));
  program.train("--epochs=1");
  CHECK(program.train("--resume") == about(7)); // the steps go on from those done
}

TEST_CASE("a plateau lowers the rate, down to the least one, and a resumed run goes on so") {
  Model model = falling_model();
  model.training->epochs = 4;
  PlateauSpec &plateau = model.training->plateau.emplace();
  plateau.monitor = "loss";
  plateau.factor = 0.5;
  plateau.patience = 1;
  plateau.min_delta = 1000; // what follows the first epoch is never so much better
  plateau.min_rate = 0.375F;
  Falling program("plateau", model);
  const double whole = 4 + 4 + 4 * 0.5 + 4 * 0.375;
  CHECK(program.train() == about(whole));
  CHECK(program.output.find("learning rate 0.5 from epoch 3 on") != std::string::npos);
  program.train("--epochs=3");
  CHECK(program.train("--resume") == about(whole));
  model.training->plateau->cooldown = 2; // epochs 3 and 4, of which the last counts again
  CHECK(Falling("cooldown", model).train("--epochs=5") == about(4 + 4 + 2 * 4 * 0.5 + 4 * 0.375));
}

TEST_CASE("a table gives the rate of every epoch, its last entry that of any more") {
  Model model = falling_model();
  model.training->epoch_rates = EpochRates{{1, 0.5F, 0.25F}};
  Falling program("table", model);
  CHECK(program.train() == about(7));
  CHECK(program.train("--epochs=5") == about(7 + 2));
  CHECK(program.train("--learning-rate=2") == about(2 * 7));
}

TEST_CASE("weights are brought back to their constraint after every step") {
  Model model = falling_model();
  model.training->epochs = 1;
  const std::string plain = "name=\"w\", ";
  std::string text = print(model.graph);
  text.insert(text.find(plain) + plain.size(),
              "constraint=\"max_norm\", norm_axes=[0], max_norm=3, ");
  model.graph = parse_graph(text, "constrained.sir"); // four equal elements: 1.5 each
  CHECK(Falling("max_norm", model).train() == about(1.5));
}

TEST_CASE("gradients are clipped by their norm, all together, and by value") {
  const auto fallen = [](const std::string &name, float OptimizerSpec::*clip, float limit) {
    Model model = falling_model();
    model.training->epochs = 1;
    model.training->optimizer.*clip = limit;
    return Falling(name, model).train();
  };
  CHECK(fallen("norm", &OptimizerSpec::clip_norm, 1) == about(4 * 0.5)); // the norm is 2
  CHECK(fallen("wide", &OptimizerSpec::clip_norm, 3) == about(4));
  CHECK(fallen("global", &OptimizerSpec::global_clip_norm, 0.5) == about(4 * 0.25));
  CHECK(fallen("value", &OptimizerSpec::clip_value, 0.125) == about(4 * 0.125));
}
