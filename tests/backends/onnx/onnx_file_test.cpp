// Whole models as files of ONNX: names, layouts, transposes, outputs, and what cannot be written.
#include "backends/onnx/onnx_file.h"
#include "backends/verify/random_inputs.h"
#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "tests/backends/onnx/round_trip.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>

using namespace sinter;

namespace {

Model network(const std::string &layers) {
  Diagnostics diagnostics;
  return load_script("net.py",
                     "from tensorflow import keras\nfrom tensorflow.keras import layers\n" + layers,
                     {}, diagnostics);
}

Model small_network() {
  return network(R"(model = keras.Sequential([
    layers.Input(shape=(8, 8, 2)),
    layers.Conv2D(5, 3, padding='same', name='first'),
    layers.BatchNormalization(),
    layers.ReLU(),
    layers.Conv2D(4, 3),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.5),
    layers.Dense(3, activation='softmax', name='last'),
])
)");
}

onnx::ModelProto file_of(const Model &model) {
  return exported(model, random_inputs(model.graph, 1, 1));
}

int count(const onnx::ModelProto &file, const std::string &op) {
  return static_cast<int>(std::count_if(file.graph().node().begin(), file.graph().node().end(),
                                        [&](const auto &node) { return node.op_type() == op; }));
}

const onnx::TensorProto *initializer(const onnx::ModelProto &file, const std::string &name) {
  for (const onnx::TensorProto &tensor : file.graph().initializer())
    if (tensor.name() == name)
      return &tensor;
  return nullptr;
}

Model graph_model(const std::string &text) {
  Model model;
  model.graph = parse_graph(text, "test");
  return model;
}

std::string error_of(const Model &model) {
  try {
    file_of(model);
  } catch (const CompileError &error) {
    return error.what();
  }
  return "no error";
}

} // namespace

TEST_CASE("a network turns its pictures once and turns them back once") {
  const onnx::ModelProto file = file_of(small_network());
  CHECK(count(file, "Transpose") == 2); // before the first convolution, before Flatten
  CHECK(count(file, "Conv") == 2);
  CHECK(count(file, "BatchNormalization") == 1);
  CHECK(count(file, "Gemm") == 1);
  CHECK(count(file, "Add") == 0); // biases are the operators' own
  CHECK(count(file, "Identity") == 0);
}

TEST_CASE("inputs, outputs and weights keep their names, filters are OIHW") {
  const onnx::ModelProto file = file_of(small_network());
  REQUIRE(file.graph().input_size() == 1);
  const onnx::ValueInfoProto &input = file.graph().input(0);
  const auto &shape = input.type().tensor_type().shape();
  CHECK(shape.dim(0).dim_param() == "N");
  CHECK(shape.dim(1).dim_value() == 8);
  CHECK(shape.dim(3).dim_value() == 2);
  CHECK(file.graph().output(0).name() == "prediction");
  const onnx::TensorProto *filter = initializer(file, "first/kernel");
  REQUIRE(filter);
  CHECK(std::vector<int64_t>(filter->dims().begin(), filter->dims().end()) ==
        std::vector<int64_t>{5, 2, 3, 3});
  const onnx::TensorProto *dense = initializer(file, "last/kernel");
  REQUIRE(dense);
  CHECK(std::vector<int64_t>(dense->dims().begin(), dense->dims().end()) ==
        std::vector<int64_t>{36, 3});
  CHECK(initializer(file, "last/bias"));
}

TEST_CASE("what was imported from ONNX is exported without transposes, and once more") {
  const onnx::ModelProto file = file_of(small_network());
  const LoadedModel first = imported(file);
  const NamedArrays values = random_inputs(first.model.graph, 1, 2);
  const onnx::ModelProto again = exported(first.model, values);
  CHECK(count(again, "Transpose") == count(file, "Transpose"));
  CHECK(count(again, "Conv") == 2);
  CHECK(round_trip_problem(first.model, 3, 4) == "");
  std::set<std::string> before, after;
  for (const NodeId id : first.model.graph.all(OpKind::parameter))
    before.insert(attrs<ParameterAttrs>(first.model.graph[id]).name);
  const LoadedModel second = imported(again);
  for (const NodeId id : second.model.graph.all(OpKind::parameter))
    after.insert(attrs<ParameterAttrs>(second.model.graph[id]).name);
  CHECK(before == after);
  CHECK(before.count("first/kernel") == 1);
}

TEST_CASE("a residual network's branches meet channels first") {
  const Model model = network(R"(inputs = keras.Input(shape=(9, 7, 4))
x = layers.Conv2D(6, 3, padding='same')(inputs)
y = layers.Conv2D(6, 3, padding='same', activation='relu')(x)
y = layers.Multiply()([y, layers.Dense(6, activation='sigmoid')(layers.GlobalAveragePooling2D(keepdims=True)(y))])
z = layers.Concatenate()([layers.Add()([x, y]), layers.ZeroPadding2D(1)(layers.Conv2D(2, 3)(x))])
z = layers.GlobalAveragePooling2D()(layers.UpSampling2D(2)(layers.Softmax()(z)))
model = keras.Model(inputs, layers.Dense(3)(z))
)");
  CHECK(round_trip_problem(model, 3, 1) == "");
  CHECK(count(file_of(model), "Transpose") <= 3);
}

TEST_CASE("several outputs, of which some are inputs or one another") {
  const Model model = graph_model(R"(graph {
  %0 = input {name="x", type=f32[N,3,4,2]} : f32[N,3,4,2]
  %1 = input {name="unused", type=f32[N,2]} : f32[N,2]
  %2 = parameter {name="w", type=f32[2]} : f32[2]
  %3 = relu %0 : f32[N,3,4,2]
  %4 = transpose %3 {permutation=[0,3,1,2]} : f32[N,2,3,4]
  %5 = dropout %3 : f32[N,3,4,2]
  output "prediction:a" %3
  output "prediction:x" %0
  output "prediction:b" %5
  output "prediction:c" %4
  output "prediction:w" %2
  output "prediction:d" %3
})");
  CHECK(round_trip_problem(model, 2, 1) == "");
  const onnx::ModelProto file = file_of(model);
  CHECK(file.graph().input_size() == 2);
  CHECK(file.graph().output(0).name() == "a");
  CHECK(file.graph().output(1).name() == "x#2"); // x is the input
  CHECK(file.graph().output(5).name() == "d");
}

TEST_CASE("a bias is an operator's own only right behind it") {
  for (const char *between :
       {"dropout %2 : f32[N,4,4,2]", "transpose %2 {permutation=[0,2,1,3]} : f32[N,4,4,2]",
        "transpose %2 {permutation=[0,1,3,2]} : f32[N,4,2,4]"}) {
    CAPTURE(between);
    const std::string type = std::string(between).substr(std::string(between).rfind(": "));
    const std::string channels = type.substr(type.size() - 2, 1);
    const Model model =
        graph_model("graph {\n  %0 = input {name=\"x\", type=f32[N,4,4,2]} : f32[N,4,4,2]\n"
                    "  %1 = parameter {name=\"w\", type=f32[1,1,2,2]} : f32[1,1,2,2]\n"
                    "  %2 = conv2d %0, %1 : f32[N,4,4,2]\n  %3 = " +
                    std::string(between) + "\n  %4 = parameter {name=\"b\", type=f32[" + channels +
                    "]} : f32[" + channels + "]\n  %5 = bias_add %3, %4 " + type +
                    "\n  output \"prediction:a\" %2\n  output \"prediction:b\" %5\n}");
    CHECK(round_trip_problem(model, 2, 1) == "");
  }
}

TEST_CASE("loss and metrics stay behind") {
  const Model model = network(
      R"(model = keras.Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
)");
  const onnx::ModelProto file = file_of(model);
  CHECK(file.graph().input_size() == 1);
  CHECK(file.graph().output_size() == 1);
  CHECK(file.graph().node_size() == 2); // Gemm, Softmax
}

TEST_CASE("what ONNX has no operators for is listed") {
  CHECK(error_of(graph_model(R"(graph {
  %0 = input {name="x", type=f32[N,7]} : f32[N,7]
  %1 = input {name="y", type=f32[N,7]} : f32[N,7]
  %2 = softmax_cross_entropy %0, %1 : f32[N] @"head"
  %3 = mean_squared_error %0, %1 : f32[N]
  %4 = add %2, %3 : f32[N]
  output "prediction" %4
})")) == "error: ONNX has no operators for: mean_squared_error (%3), softmax_cross_entropy (layer "
         "head)");
}
