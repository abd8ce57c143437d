// What the importer makes of whole files: batches, names, weights, and files that are wrong.
#include "frontend/onnx/load_onnx.h"
#include "ir/diagnostics.h"
#include "ir/print.h"
#include "tests/onnx/model_text.h"
#include "tests/paths.h"

#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <limits>

using namespace sinter;

namespace {

LoadedModel load(const onnx::ModelProto &model, const LoadOptions &options = {}) {
  Diagnostics diagnostics;
  return load_onnx_bytes("model.onnx", model.SerializeAsString(), options, diagnostics);
}

std::string error_of(const onnx::ModelProto &model) {
  try {
    load(model);
  } catch (const CompileError &error) {
    return error.what();
  }
  return "no error";
}

/// Gives node 0 an initialiser as its next operand.
onnx::TensorProto &add_operand(onnx::ModelProto &model, const std::string &name,
                               const std::vector<int64_t> &shape) {
  model.mutable_graph()->mutable_node(0)->add_input(name);
  onnx::TensorProto &tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  for (int64_t extent : shape)
    tensor.add_dims(extent);
  return tensor;
}

void add_integers(onnx::ModelProto &model, const std::string &name,
                  const std::vector<int64_t> &values) {
  onnx::TensorProto &tensor = add_operand(model, name, {static_cast<int64_t>(values.size())});
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (int64_t value : values)
    tensor.add_int64_data(value);
}

void add_reals(onnx::ModelProto &model, const std::string &name, const std::vector<int64_t> &shape,
               const std::vector<float> &values) {
  onnx::TensorProto &tensor = add_operand(model, name, shape);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (float value : values)
    tensor.add_float_data(value);
}

/// A length-delimited field of a protobuf message.
std::string field(char tag, const std::string &contents) {
  std::string bytes(1, tag);
  for (size_t rest = contents.size(); rest > 0; rest >>= 7U)
    bytes += static_cast<char>((rest & 0x7fU) | (rest > 0x7f ? 0x80U : 0U));
  return bytes + contents;
}

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

Shape input_shape(const LoadedModel &loaded) {
  return loaded.model.graph.type(loaded.model.graph.all(OpKind::input).at(0)).shape;
}

} // namespace

TEST_CASE("a leading 1 or dynamic extent is the batch") {
  CHECK(input_shape(load(relu_model("dim { dim_value: 1 } dim { dim_value: 3 }"))) ==
        Shape{kBatch, 3});
  CHECK(input_shape(load(relu_model("dim { dim_param: 'N' } dim { dim_value: 3 }"))) ==
        Shape{kBatch, 3});
  CHECK(input_shape(load(relu_model("dim { dim_value: 2 } dim { dim_value: 3 }"))) == Shape{2, 3});
}

TEST_CASE("--dim gives dynamic dimensions their extents") {
  const onnx::ModelProto model = relu_model("dim { dim_param: 'N' } dim { dim_param: 'W' }");
  CHECK(error_of(model) == "model.onnx: error: input 'x' has the dynamic dimension 'W': give it "
                           "with --dim W=N");
  LoadOptions options;
  options.dimensions = {{"W", 5}};
  CHECK(input_shape(load(model, options)) == Shape{kBatch, 5});
  options.dimensions = {{"W", 5}, {"N", 1}};
  CHECK(input_shape(load(model, options)) == Shape{1, 5});
}

TEST_CASE("what moves the batch makes the shapes static") {
  const onnx::ModelProto model =
      one_node_model("op_type: 'Transpose'", "dim { dim_param: 'N' } dim { dim_value: 3 }");
  Diagnostics diagnostics;
  const LoadedModel loaded =
      load_onnx_bytes("model.onnx", model.SerializeAsString(), {}, diagnostics);
  CHECK(input_shape(loaded) == Shape{1, 3});
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK(diagnostics.warnings()[0].find("the batch is 1") != std::string::npos);
}

TEST_CASE("a filter becomes a parameter HWIO under its own name") {
  const LoadedModel loaded = load(conv_model());
  const Graph &graph = loaded.model.graph;
  const NodeId filter = graph.find_parameter("w");
  REQUIRE(filter.valid());
  CHECK(graph.type(filter).shape == Shape{1, 2, 1, 2});
  // OIHW [o][i][h][w] = o * 2 + w becomes [h][w][i][o]
  CHECK(loaded.weights.at("w").values == std::vector<float>{0, 2, 1, 3});
  CHECK(prediction_name(graph.outputs.at(0)) == "y");
}

TEST_CASE("everything that is not supported is listed at once") {
  onnx::ModelProto model = relu_model("dim { dim_value: 1 }");
  for (const char *name : {"first", "second"}) {
    onnx::NodeProto &node = *model.mutable_graph()->add_node();
    node.set_op_type("NonMaxSuppression");
    node.set_name(name);
  }
  onnx::NodeProto &node = *model.mutable_graph()->add_node();
  node.set_op_type("Mystery");
  node.set_domain("com.example");
  node.set_name("third");
  CHECK(error_of(model) == "model.onnx: error: operators that are not supported: NonMaxSuppression "
                           "(first, second), com.example.Mystery (third)");
}

TEST_CASE("wrong files are errors") {
  Diagnostics diagnostics;
  const auto message = [&](const std::string &bytes) {
    try {
      load_onnx_bytes("model.onnx", bytes, {}, diagnostics);
    } catch (const CompileError &error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::string bytes = conv_model().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK_NOTHROW(message(bytes.substr(0, size)));
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string flipped = bytes;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    CHECK_NOTHROW(message(flipped));
  }
  CHECK(message("") == "model.onnx: error: this ONNX file holds no graph");
  CHECK(message("\x3a\xff\xff\xff\xff\x07") ==
        "model.onnx: error: this is no ONNX file: truncated, or no protobuf message");
}

TEST_CASE("a file of empty messages is refused before protobuf multiplies it") {
  std::string nodes;
  while (nodes.size() < size_t{32} << 20U)
    nodes += std::string("\x0a\x00", 2);
  const std::string bytes = field('\x3a', nodes);
  Diagnostics diagnostics;
  const auto message = [&](const std::string &file) -> std::string {
    try {
      load_onnx_bytes("model.onnx", file, {}, diagnostics);
      return "no error";
    } catch (const CompileError &error) {
      return error.text();
    }
  };
  CHECK(message(bytes) == "the file's graph takes 33554434 bytes beside its weights, more than the "
                          "25165824 of any model");
  // Neither behind an unknown group, nor as unknown fields in a part of a tensor.
  CHECK(message("\xa3\x06\xa4\x06" + bytes) ==
        "this is no ONNX file: truncated, or no protobuf message");
  CHECK(message(field('\x3a', field('\x2a', field('\x1a', nodes))))
            .rfind("the file's graph takes", 0) == 0);
}

TEST_CASE("numbers beyond what they may be are errors") {
  const std::string plane = "dim { dim_value: 1 } dim { dim_value: 4 }";
  const std::string image = "dim { dim_value: 2 } dim { dim_value: 1 } ";
  onnx::ModelProto pad = one_node_model("op_type: 'Pad'", plane);
  add_integers(pad, "pads", {0, kLowest, 0, 0});
  CHECK(error_of(pad).find("pads by -9223372036854775807 and 0") != std::string::npos);

  onnx::ModelProto positions = one_node_model(
      "op_type: 'MaxPool' attribute { name: 'kernel_shape' type: INTS ints: 1 ints: 1 }",
      image + "dim { dim_value: 16384 } dim { dim_value: 16384 }");
  positions.mutable_graph()->mutable_node(0)->add_output("positions");
  CHECK(error_of(positions).find("the positions of 536870912 maxima") != std::string::npos);

  onnx::ModelProto product = one_node_model("op_type: 'Reshape'", plane);
  add_integers(product, "shape", {});
  product.mutable_graph()->mutable_initializer(0)->set_name("factors");
  product.mutable_graph()->mutable_initializer(0)->set_dims(0, 2);
  for (int i = 0; i < 2; ++i)
    product.mutable_graph()->mutable_initializer(0)->add_int64_data(int64_t{1} << 62);
  onnx::NodeProto &fold = *product.mutable_graph()->add_node();
  fold.set_op_type("ReduceProd");
  fold.add_input("factors");
  fold.add_output("shape");
  CHECK(error_of(product).find("beyond 64 bits") != std::string::npos);

  onnx::ModelProto crop = one_node_model(
      "op_type: 'Resize' attribute { name: 'coordinate_transformation_mode' type: STRING s: "
      "'tf_crop_and_resize' }",
      image + "dim { dim_value: 4 } dim { dim_value: 4 }");
  add_reals(crop, "roi", {8}, {0, 0, 0, 0, 1, 1, 1, std::numeric_limits<float>::infinity()});
  add_reals(crop, "scales", {4}, {1, 1, 1, 2});
  CHECK(error_of(crop).find("has a region without bounds") != std::string::npos);

  onnx::ModelProto norm = one_node_model("op_type: 'InstanceNormalization'",
                                         image + "dim { dim_value: 4 } dim { dim_value: 4 }");
  add_reals(norm, "scale", {}, {1});
  add_reals(norm, "offset", {}, {0});
  CHECK(error_of(norm).find("expects one number a channel, got []") != std::string::npos);

  onnx::ModelProto old = relu_model(plane);
  old.mutable_opset_import(0)->set_version(0);
  CHECK(error_of(old) == "model.onnx: error: the file needs operator set 0: 1 to 22 are supported");
}

TEST_CASE("a resize by factors looks where the factors say") {
  const auto indices = [](const std::string &coordinates, float scale) {
    onnx::ModelProto model = one_node_model(
        "op_type: 'Resize' attribute { name: 'coordinate_transformation_mode' type: STRING s: '" +
            coordinates + "' }",
        "dim { dim_value: 2 } dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 5 }");
    model.mutable_graph()->mutable_node(0)->add_input("");
    add_reals(model, "scales", {4}, {1, 1, 1, scale});
    const Graph graph = load(model).model.graph;
    const std::vector<NodeId> tables = graph.all(OpKind::resample);
    return tables.empty() ? std::vector<int64_t>{} : attrs<ResampleAttrs>(graph[tables[0]]).indices;
  };
  CHECK(indices("half_pixel", 1) == std::vector<int64_t>{});
  // 5 * 1.15 and 5 * 0.5 are cut to 5 and to 2: the positions are as far apart as ever.
  CHECK(indices("asymmetric", 1.15F) == std::vector<int64_t>{0, 1, 2, 3, 3});
  CHECK(indices("half_pixel", 0.5F) == std::vector<int64_t>{0, 2});
  CHECK(indices("half_pixel_symmetric", 0.5F) == std::vector<int64_t>{1, 3});
}

TEST_CASE("a slice may end at the lowest or the largest number") {
  onnx::ModelProto backwards =
      one_node_model("op_type: 'Slice'", "dim { dim_value: 1 } dim { dim_value: 4 }");
  add_integers(backwards, "starts", {-1});
  add_integers(backwards, "ends", {kLowest});
  add_integers(backwards, "axes", {1});
  add_integers(backwards, "steps", {-1});
  CHECK(print(load(backwards).model.graph).find("reverse %0 {axes=[1]}") != std::string::npos);
  onnx::ModelProto whole =
      one_node_model("op_type: 'Slice'", "dim { dim_param: 'N' } dim { dim_value: 4 }");
  add_integers(whole, "starts", {0});
  add_integers(whole, "ends", {std::numeric_limits<int32_t>::max()});
  CHECK(input_shape(load(whole)) == Shape{kBatch, 4});
}

TEST_CASE("folding has a limit") {
  onnx::ModelProto model = relu_model("dim { dim_value: 1 }");
  onnx::GraphProto &graph = *model.mutable_graph();
  graph.mutable_node(0)->set_op_type("Sum");
  onnx::TensorProto &shape = *graph.add_initializer();
  shape.set_name("shape");
  shape.set_data_type(onnx::TensorProto::INT64);
  shape.add_dims(1);
  shape.add_int64_data(int64_t{1} << 23);
  for (int i = 0; i < 20; ++i) {
    onnx::NodeProto &node = *graph.add_node();
    node.set_op_type("ConstantOfShape");
    node.add_input("shape");
    node.add_output("constant" + std::to_string(i));
    graph.mutable_node(0)->add_input(node.output(0));
  }
  CHECK(error_of(model).find("the file's constants have more than") != std::string::npos);
}

TEST_CASE("folding keeps NaNs") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const char *op : {"ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd", "Max", "Min"})
    for (const std::vector<float> &values :
         std::vector<std::vector<float>>{{kNan, 2}, {2, kNan}, {kNan, kNan}}) {
      CAPTURE(op);
      onnx::ModelProto model = one_node_model("op_type: 'Add'", "dim { dim_value: 1 }");
      add_reals(model, "a", {2}, values);
      onnx::GraphProto &graph = *model.mutable_graph();
      graph.mutable_node(0)->set_input(1, "folded");
      onnx::NodeProto &node = *graph.add_node();
      node.set_op_type(op);
      node.add_input("a");
      if (node.op_type().size() == 3) {
        graph.mutable_initializer(0)->set_dims(0, 1);
        graph.mutable_initializer(0)->mutable_float_data()->Truncate(1);
        add_reals(model, "b", {1}, {values[1]});
        graph.mutable_node(0)->mutable_input()->RemoveLast();
        node.add_input("b");
      }
      node.add_output("folded");
      const Graph loaded = load(model).model.graph;
      const std::vector<NodeId> constants = loaded.all(OpKind::constant);
      REQUIRE(constants.size() == 1);
      CHECK(std::isnan(attrs<ConstantAttrs>(loaded[constants[0]]).values.at(0)));
    }
}

TEST_CASE("what folding would make beyond all limits is not folded") {
  onnx::ModelProto model = one_node_model("op_type: 'Reshape'", "dim { dim_value: 4 }");
  add_integers(model, "column", std::vector<int64_t>(65536, 1));
  add_integers(model, "row", std::vector<int64_t>(65536, 1));
  onnx::GraphProto &graph = *model.mutable_graph();
  graph.mutable_initializer(0)->add_dims(1);
  graph.mutable_node(0)->mutable_input()->RemoveLast();
  graph.mutable_node(0)->set_input(1, "sum");
  onnx::NodeProto &sum = *graph.add_node(); // [65536, 1] + [65536]: 2^32 elements
  sum.set_op_type("Add");
  sum.add_input("column");
  sum.add_input("row");
  sum.add_output("sum");
  CHECK(error_of(model) != "no error");
}

TEST_CASE("a cycle is an error") {
  onnx::ModelProto model = relu_model("dim { dim_value: 1 }");
  model.mutable_graph()->mutable_node(0)->set_input(0, "z");
  onnx::NodeProto &node = *model.mutable_graph()->add_node();
  node.set_op_type("Relu");
  node.add_input("y");
  node.add_output("z");
  CHECK(error_of(model) == "model.onnx: error: the graph has a cycle through 'y'");
}

TEST_CASE("a tensor's shape must agree with its data") {
  onnx::ModelProto model = conv_model();
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, int64_t{1} << 40);
  CHECK(error_of(model).find("beyond what a tensor may have") != std::string::npos);
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, 3);
  CHECK(error_of(model) ==
        "model.onnx: error: tensor 'w' has 4 elements of data, its shape needs 6");
}

TEST_CASE("external data lies in the model's folder") {
  const std::filesystem::path folder = build_path("tests/onnx_external");
  std::filesystem::create_directories(folder / "model");
  const float values[] = {0, 1, 2, 3, 4};
  for (const auto &path : {folder / "outside.bin", folder / "model" / "inside.bin"})
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(values), sizeof values);
  const auto load_from = [&](const std::string &location, const std::string &offset) {
    onnx::ModelProto model = conv_model();
    onnx::TensorProto &tensor = *model.mutable_graph()->mutable_initializer(0);
    tensor.clear_float_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto &[key, value] :
         {std::pair("location", location), std::pair("offset", offset)}) {
      onnx::StringStringEntryProto &entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(value);
    }
    const std::string path = (folder / "model" / "model.onnx").string();
    std::ofstream(path, std::ios::binary) << model.SerializeAsString();
    Diagnostics diagnostics;
    return load_onnx(path, {}, diagnostics);
  };
  CHECK(load_from("inside.bin", "4").weights.at("w").values == std::vector<float>{1, 3, 2, 4});
  CHECK_THROWS_AS(load_from("../outside.bin", "0"), CompileError);
  CHECK_THROWS_AS(load_from((folder / "outside.bin").string(), "0"), CompileError);
  CHECK_THROWS_AS(load_from("inside.bin", "8"), CompileError);
  CHECK_THROWS_AS(load_from("inside.bin", "-4"), CompileError);
}
