// Generated programs as a user runs them: training, the same bits whatever the threads, killed and
// resumed, and what they say when something is wrong.
#include "ir/parse.h"
#include "tests/end_to_end/striped_images.h"
#include "tests/end_to_end/support.h"
#include "tests/passes/nets.h"
#include "tests/runtime/data_files.h"

#include <array>
#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

using namespace sinter;

namespace {

/// Where the program and its data lie, both made once.
const std::string &folder() {
  static const std::string made = [] {
    const std::string path = fresh_folder("program");
    write_striped_images(path);
    BuildOptions options;
    options.target = "host";
    options.output = path + "/net";
    build_model(striped_model(4), "net", options);
    return path;
  }();
  return made;
}

CommandResult run(const std::string &arguments, const std::string &program = "./net") {
  return run_command("cd " + folder() + " && " + program + " " + arguments);
}

std::string read(const std::string &name) { return read_bytes(folder() + "/" + name); }

/// The checkpoint of a training with these options, as bytes.
std::string trained(const std::string &options) {
  const CommandResult result = run("train --data=. --checkpoint=bits.safetensors " + options);
  CAPTURE(result.output);
  CHECK(result.status == 0);
  return read("bits.safetensors");
}

/// x + count, by `count` layers that multiply by one and add one.
Model counting_net(int count) {
  Model model;
  model.name = "counting";
  const auto ones = [&](int layer, const std::string &name, const Shape &shape) {
    ParameterAttrs parameter;
    parameter.name = "dense_" + std::to_string(layer) + "/" + name;
    parameter.role = "weight";
    parameter.initializer = "ones";
    parameter.type = {ElementType::f32, shape, 0};
    return model.graph.append(OpKind::parameter, {}, parameter);
  };
  NodeId x = model.graph.append(OpKind::input, {},
                                InputAttrs{"x", "data", {ElementType::f32, {kBatch, 1}, 0}});
  for (int i = 0; i < count; ++i) {
    x = model.graph.append(OpKind::matmul, {x, ones(i, "kernel", {1, 1})}, MatmulAttrs{});
    x = model.graph.append(OpKind::bias_add, {x, ones(i, "bias", {1})});
  }
  model.graph.outputs.push_back({"prediction", x});
  return model;
}

int lines(const std::string &text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST_CASE("a program trains, evaluates and predicts") {
  const CommandResult training = run("train --data=. --history=history.csv");
  CAPTURE(training.output);
  CHECK(training.status == 0);
  CHECK(lines(read("history.csv")) == 7);
  const CommandResult evaluation = run("evaluate --data=. --json");
  CAPTURE(evaluation.output);
  CHECK(evaluation.status == 0);
  CHECK(evaluation.output.find("\"samples\"") != std::string::npos);
}

TEST_CASE("a program is small and needs nothing but the C library") {
  CHECK(std::filesystem::file_size(folder() + "/net") < 3 << 20);
  std::istringstream needed(
      run_command("readelf -d " + folder() + "/net | grep NEEDED | grep -o '\\[.*\\]'").output);
  for (std::string library; needed >> library;) {
    CAPTURE(library);
    const bool plain =
        library == "[libc.so.6]" || library == "[libm.so.6]" || library == "[ld-linux-x86-64.so.2]";
    CHECK(plain);
  }
}

TEST_CASE("the same seed gives the same bits, whatever the threads") {
  const std::string bits = trained("--threads=1 --epochs=2");
  CHECK(bits.size() > 1000);
  CHECK(bits == trained("--threads=1 --epochs=2"));
  CHECK(bits == trained("--threads=2 --epochs=2"));
  CHECK(bits == trained("--threads=3 --epochs=2"));
  CHECK(bits != trained("--threads=1 --epochs=2 --seed=1"));
}

TEST_CASE("killed again and again, training goes on with the same bits") {
  const std::string whole = trained("--history=whole.csv");
  const std::string options = "train --data=. --checkpoint=killed.safetensors --resume";
  for (const char *delay : {"0.02", "0.05", "0.03", "0.08", "0.04"})
    run(options, "timeout -s KILL " + std::string(delay) + " ./net");
  CHECK(run(options).status == 0);
  CHECK(read("killed.safetensors") == whole);
  CHECK(run(options).status == 0); // nothing left to do
  CHECK(read("killed.safetensors") == whole);
}

TEST_CASE("a program tells what is wrong and how") {
  const auto fails = [](const std::string &arguments, int status, const std::string &text) {
    const CommandResult result = run(arguments);
    CAPTURE(arguments);
    CAPTURE(result.output);
    CHECK(result.status == status);
    CHECK(result.output.find(text) != std::string::npos);
  };
  fails("juggle", 2, "juggle");
  fails("train --epochs=none", 2, "none");
  fails("train --data=nowhere", 1, "nowhere");
  fails("train --data=. --learning-rate=1e30 --checkpoint=nan.safetensors", 1, "layer dense");
  fails("train --data=. --learning-rate=1e30 --checkpoint=nan.safetensors", 1, "step ");
  CHECK_FALSE(std::filesystem::exists(folder() + "/nan.safetensors"));
}

TEST_CASE("a step of many kernels runs them all in order") {
  constexpr int kLayers = 70; // more than two functions hold
  BuildOptions options;
  options.target = "host";
  options.output = folder() + "/counting";
  build_model(counting_net(kLayers), "counting", options);
  const CommandResult result = run("run --input=2x1xf32=0.5 --output=@sums.npy", "./counting");
  CAPTURE(result.output);
  REQUIRE(result.status == 0);
  std::array<float, 2> sums{};
  const std::string file = read("sums.npy");
  REQUIRE(file.size() > sizeof sums);
  std::memcpy(sums.data(), file.data() + file.size() - sizeof sums, sizeof sums);
  CHECK(sums == std::array<float, 2>{kLayers + 0.5F, kLayers + 0.5F});
}

TEST_CASE("a batch that runs for some samples at a time gives each what it gets alone") {
  constexpr int kSamples = 9; // micro-batches of 4, the last one of 1
  constexpr int kClasses = 5;
  Model model;
  model.name = "wide";
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,96,96,3]} : f32[N,96,96,3]
%1 = parameter {name="a", type=f32[3,3,3,16], initializer="uniform", a=-0.3, b=0.3} : f32[3,3,3,16]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,96,96,16]
%3 = parameter {name="b", type=f32[3,3,16,16], initializer="uniform", a=-0.3, b=0.3} : f32[3,3,16,16]
%4 = conv2d %2, %3 {padding=[1,1,1,1]} : f32[N,96,96,16]
%5 = add %2, %4 : f32[N,96,96,16]
%6 = reduce_mean %5 {axes=[1,2]} : f32[N,16]
%7 = parameter {name="c", type=f32[16,5], initializer="uniform", a=-0.3, b=0.3} : f32[16,5]
%8 = matmul %6, %7 : f32[N,5]
output "prediction" %8)",
                            "wide.sir");
  BuildOptions options;
  options.target = "host";
  options.output = folder() + "/wide";
  build_model(model, "wide", options);
  const auto predict = [](int first, int count, int threads) {
    std::vector<float> pixels(static_cast<size_t>(count) * 96 * 96 * 3);
    for (size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = std::sin(static_cast<float>(i + static_cast<size_t>(first) * 96 * 96 * 3));
    write_bytes(folder() + "/pixels.npy",
                npy("<f4", "(" + std::to_string(count) + ",96,96,3)", pixels));
    const CommandResult result =
        run("run --input=@pixels.npy --output=@scores.npy --threads=" + std::to_string(threads),
            "./wide");
    CAPTURE(result.output);
    REQUIRE(result.status == 0);
    const std::string file = read("scores.npy");
    return file.substr(file.size() - static_cast<size_t>(count) * kClasses * sizeof(float));
  };
  std::string alone;
  for (int i = 0; i < kSamples; ++i)
    alone += predict(i, 1, 1);
  CHECK(predict(0, kSamples, 1) == alone);
  CHECK(predict(0, kSamples, 2) == alone);
}

namespace {

/// The numbers of a history's rows, without the header.
std::vector<double> history_numbers(const std::string &name) {
  std::istringstream text(read(name));
  std::string cell;
  std::getline(text, cell);
  std::vector<double> numbers;
  for (std::string row; std::getline(text, row);)
    for (std::istringstream cells(row); std::getline(cells, cell, ',');)
      numbers.push_back(std::stod(cell));
  return numbers;
}

} // namespace

// Validation by Winograd's algorithm, with filters that each epoch of training makes stale.
TEST_CASE("every validation is one of the weights that training has made") {
  Model model = fashion_net(kStripedSize, 16, 0);
  model.data = striped_model(4).data;
  model.training->epochs = 4;
  std::vector<std::vector<double>> histories;
  for (const Math math : {Math::fast, Math::exact}) {
    BuildOptions options;
    options.target = "host";
    options.output = folder() + "/validated";
    ProgramOptions program;
    program.math = math;
    build_model(model, "validated", options, program);
    const CommandResult result = run("train --data=. --history=validated.csv", "./validated");
    CAPTURE(result.output);
    REQUIRE(result.status == 0);
    histories.push_back(history_numbers("validated.csv"));
  }
  REQUIRE(histories[0].size() == histories[1].size());
  REQUIRE(histories[0].size() >= 4 * 5); // epoch, loss, accuracy and both of validation
  for (size_t i = 0; i < histories[0].size(); ++i)
    CHECK(histories[0][i] == doctest::Approx(histories[1][i]).epsilon(1e-4));
}

/// Two heads on the same pictures, each with a loss of its own: class numbers and one-hot rows.
Model two_headed_model() {
  Model model;
  model.name = "heads";
  model.graph = parse_graph(fmt::format(R"(%0 = input {{name="x", type=f32[N,{0}]}} : f32[N,{0}]
%1 = input {{name="main", role="label", type=i32[N]}} : i32[N]
%2 = input {{name="aux", role="label", type=f32[N,10]}} : f32[N,10]
%3 = parameter {{name="dense/kernel", initializer="uniform", a=-0.1, b=0.1, type=f32[{0},10]}} : f32[{0},10]
%4 = parameter {{name="aux/kernel", initializer="uniform", a=-0.1, b=0.1, type=f32[{0},10]}} : f32[{0},10]
%5 = matmul %0, %3 : f32[N,10] @"dense"
%6 = softmax %5 : f32[N,10] @"dense"
%7 = matmul %0, %4 : f32[N,10] @"aux"
%8 = softmax %7 : f32[N,10] @"aux"
%9 = one_hot %1 {{depth=10}} : f32[N,10]
%10 = categorical_crossentropy %6, %9 : f32[N]
%11 = categorical_crossentropy %8, %2 : f32[N]
%12 = reduce_mean %10 {{axes=[0]}} : f32[]
%13 = reduce_mean %11 {{axes=[0]}} : f32[]
%14 = affine %13 {{scale=0.3}} : f32[]
%15 = add %12, %14 : f32[]
output "prediction:dense" %6
output "prediction:aux" %8
output "loss" %15
output "dense_loss" %12
output "aux_loss" %13)",
                                        kStripedSize * kStripedSize),
                            "heads.sir");
  model.training = TrainingSpec{};
  model.training->epochs = 3;
  model.data = DataSpec{};
  model.data->scaling = {{"divide", 255.0F}};
  model.data->train.source = "train";
  model.data->test.source = "test";
  return model;
}

TEST_CASE("two heads are trained on one array of labels") {
  BuildOptions options;
  options.target = "host";
  options.output = folder() + "/heads";
  build_model(two_headed_model(), "heads", options);
  std::string bits;
  for (const std::string threads : {"1", "2"}) {
    const CommandResult result =
        run("train --data=. --history=heads.csv --threads=" + threads, "./heads");
    CAPTURE(result.output);
    CHECK(result.status == 0);
    CHECK(read("heads.csv").rfind("epoch,loss,dense_loss,aux_loss\n1,", 0) == 0);
    CHECK((bits.empty() || bits == read("heads.safetensors")));
    bits = read("heads.safetensors");
  }
  const CommandResult evaluation = run("evaluate --data=. --json", "./heads");
  CHECK(evaluation.output.find("\"aux_loss\"") != std::string::npos);
}

/// One sigmoid output that is trained on class numbers 0 to 9, for which binary cross-entropy has
/// no least value: the loss falls without end.
Model diverging_model() {
  Model model;
  model.name = "diverging";
  model.graph = parse_graph(fmt::format(R"(%0 = input {{name="x", type=f32[N,{0}]}} : f32[N,{0}]
%1 = input {{name="y", role="label", type=f32[N,1]}} : f32[N,1]
%2 = parameter {{name="dense/kernel", initializer="uniform", a=-0.1, b=0.1, type=f32[{0},1]}} : f32[{0},1]
%3 = matmul %0, %2 : f32[N,1] @"dense"
%4 = sigmoid %3 : f32[N,1] @"dense"
%5 = binary_crossentropy %4, %1 : f32[N]
%6 = reduce_mean %5 {{axes=[0]}} : f32[]
output "prediction" %4
output "loss" %6)",
                                        kStripedSize * kStripedSize),
                            "diverging.sir");
  model.training = TrainingSpec{};
  model.training->optimizer.kind = "sgd";
  return model;
}

TEST_CASE("a loss that diverges is trained on while it is finite, as Keras does, and no longer") {
  BuildOptions options;
  options.target = "host";
  options.output = folder() + "/diverging";
  build_model(diverging_model(), "diverging", options);
  const std::string train = "train --data=. --epochs=1 --history=diverging.csv --learning-rate=";
  const CommandResult finite = run(train + "1e20", "./diverging");
  CAPTURE(finite.output);
  CHECK(finite.status == 0);
  CHECK(finite.output.find("loss -") != std::string::npos);
  const CommandResult infinite = run(train + "1e37", "./diverging");
  CAPTURE(infinite.output);
  CHECK(infinite.status == 1);
  CHECK(infinite.output.find("the loss is not finite in epoch 1, batch ") != std::string::npos);
  CHECK(infinite.output.find("in layer dense") != std::string::npos);
}

TEST_CASE("early stopping ends a training that gains nothing more") {
  Model model = striped_model(4);
  model.training->epochs = 50;
  model.training->early_stopping = EarlyStoppingSpec{};
  model.training->early_stopping->monitor = "val_loss";
  model.training->early_stopping->min_delta = 10; // nothing is ever that much better
  model.training->early_stopping->patience = 2;
  BuildOptions options;
  options.target = "host";
  options.output = folder() + "/stopping";
  build_model(model, "stopping", options);
  const CommandResult result = run("train --data=. --history=stopping.csv", "./stopping");
  CAPTURE(result.output);
  CHECK(result.status == 0);
  CHECK(lines(read("stopping.csv")) == 1 + 3); // the first epoch beats infinity, two more do not
}

TEST_CASE("nothing is left of a build that fails") {
  const std::string place = fresh_folder("failing");
  BuildOptions options;
  options.output = place + "/net";
  options.emit = {Emit::exe, Emit::lib};
  options.weights = {{"no/such", {1.0F}}};
  CHECK_THROWS_WITH_AS(build_model(striped_model(4), "net", options),
                       "error: the weights have no/such, the model has no such parameter",
                       CompileError);
  options.weights.clear();
  std::filesystem::create_directory(place + "/libnet.a");
  CHECK_THROWS_AS(build_model(striped_model(4), "net", options), CompileError);
  CHECK(std::distance(std::filesystem::directory_iterator(place), {}) == 1);
  options.output = place + "/pipe";
  options.emit = {Emit::exe};
  REQUIRE(mkfifo(options.output.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(
      build_model(striped_model(4), "net", options),
      ("error: cannot write " + options.output + ": it is no regular file").c_str(), CompileError);
  CHECK(std::filesystem::is_fifo(options.output));
  options.output = place + "/missing/net";
  CHECK_THROWS_AS(build_model(striped_model(4), "net", options), CompileError);
}
