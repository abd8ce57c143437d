#include "frontend/keras_file/hdf5_walk.h"
#include "frontend/load_model.h"
#include "ir/op.h"
#include "ir/print.h"
#include "tests/frontend/hdf5_fixture.h"
#include "tests/fuzz/seeds.h"
#include "tests/paths.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <google/protobuf/text_format.h>
#include <iterator>
#include <onnx/onnx_pb.h>
#include <stdexcept>

namespace sinter {

namespace {

std::string contents(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// The files of a folder of the source tree, by name.
SeedFiles files_of(const std::string &folder, const std::string &extension) {
  SeedFiles files;
  for (const auto &entry : std::filesystem::directory_iterator(source_path(folder)))
    if (entry.path().extension() == extension)
      files.push_back({entry.path().filename().string(), contents(entry.path().string())});
  std::sort(files.begin(), files.end(),
            [](const SeedFile &a, const SeedFile &b) { return a.name < b.name; });
  return files;
}

void append(SeedFiles &files, SeedFiles more) {
  std::move(more.begin(), more.end(), std::back_inserter(files));
}

// ---- ONNX, as protobuf text --------------------------------------------------------------------

const char *const kPicture = "input { name: 'x' type { tensor_type { elem_type: 1 shape { "
                             "dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 4 } "
                             "dim { dim_value: 4 } } } } } ";

/// Conv, Relu, MaxPool and a Reshape whose shape is computed.
const char *const kNetwork =
    "node { op_type: 'Conv' input: 'x' input: 'w' output: 'c' attribute { name: 'pads' type: INTS "
    "ints: 1 ints: 1 ints: 1 ints: 1 } } node { op_type: 'Relu' input: 'c' output: 'r' } "
    "node { op_type: 'MaxPool' input: 'r' output: 'p' attribute { name: 'kernel_shape' type: INTS "
    "ints: 2 ints: 2 } attribute { name: 'strides' type: INTS ints: 2 ints: 2 } } "
    "node { op_type: 'Shape' input: 'p' output: 's' } node { op_type: 'Gather' input: 's' "
    "input: 'zero' output: 'n' } node { op_type: 'Concat' input: 'n' input: 'rest' output: 't' "
    "attribute { name: 'axis' type: INT i: 0 } } node { op_type: 'Reshape' input: 'p' input: 't' "
    "output: 'y' } initializer { name: 'w' data_type: 1 dims: 1 dims: 1 dims: 3 dims: 3 "
    "float_data: 1 float_data: 2 float_data: 3 float_data: 4 float_data: 5 float_data: 6 "
    "float_data: 7 float_data: 8 float_data: 9 } initializer { name: 'zero' data_type: 7 dims: 1 "
    "int64_data: 0 } initializer { name: 'rest' data_type: 7 dims: 1 int64_data: -1 } ";

/// What folds: Range, ConstantOfShape, Slice, Tile, Expand, Pad, Resize, If.
const char *const kFolding =
    "node { op_type: 'Constant' output: 'shape' attribute { name: 'value_ints' type: INTS ints: 2 "
    "ints: 3 } } node { op_type: 'ConstantOfShape' input: 'shape' output: 'zeros' } "
    "node { op_type: 'Tile' input: 'zeros' input: 'shape' output: 'tiled' } "
    "node { op_type: 'Range' input: 'a' input: 'b' input: 'c' output: 'range' } "
    "node { op_type: 'Slice' input: 'range' input: 'one' input: 'two' output: 'sliced' } "
    "node { op_type: 'If' input: 'yes' output: 'chosen' attribute { name: 'then_branch' type: "
    "GRAPH g { node { op_type: 'Identity' input: 'sliced' output: 'i' } output { name: 'i' } } } "
    "attribute { name: 'else_branch' type: GRAPH g { output { name: 'one' } } } } "
    "node { op_type: 'Resize' input: 'x' input: '' input: 'scales' output: 'big' attribute { name: "
    "'mode' type: STRING s: 'linear' } } node { op_type: 'ReduceSum' input: 'big' input: 'chosen' "
    "output: 'sum' } node { op_type: 'Add' input: 'sum' input: 'tiled' output: 'y' } "
    "initializer { name: 'a' data_type: 7 int64_data: 0 } initializer { name: 'b' data_type: 7 "
    "int64_data: 3 } initializer { name: 'c' data_type: 7 int64_data: 1 } initializer { name: "
    "'one' data_type: 7 dims: 1 int64_data: 1 } initializer { name: 'two' data_type: 7 dims: 1 "
    "int64_data: 2 } initializer { name: 'yes' data_type: 9 int32_data: 1 } initializer { name: "
    "'scales' data_type: 1 dims: 4 float_data: 1 float_data: 1 float_data: 1 float_data: 2.25 } ";

// ---- Keras, as its versions write it -----------------------------------------------------------

const char *const kSequential =
    R"({"class_name":"Sequential","config":{"name":"net","layers":[{"class_name":"Conv2D","config":{
"name":"conv","batch_input_shape":[null,6,6,1],"dtype":"float32","filters":2,"kernel_size":[3,3],
"padding":"same","data_format":"channels_last","activation":"relu","kernel_initializer":{
"class_name":"VarianceScaling","config":{"scale":1.0,"mode":"fan_avg","distribution":"uniform",
"seed":null}},"kernel_regularizer":null}},{"class_name":"BatchNormalization","config":{"name":"norm",
"axis":[3],"momentum":0.9}},{"class_name":"Flatten","config":{"name":"flat"}},{"class_name":"Dense",
"config":{"name":"dense","units":3,"activation":"softmax"}}]},"compile_config":{"optimizer":{
"class_name":"Adam","config":{"learning_rate":0.001}},"loss":"sparse_categorical_crossentropy",
"metrics":["accuracy"]}})";

const char *const kDense =
    R"({"class_name":"Sequential","config":{"name":"net","layers":[{"class_name":"InputLayer","config":{
"batch_input_shape":[null,2],"name":"x"}},{"class_name":"Dense","config":{"name":"dense","units":3,
"activation":"relu"}}]}})";

const char *const kFunctional =
    R"({"class_name":"Functional","config":{"name":"net","trainable":true,"layers":[{"class_name":
"InputLayer","config":{"batch_shape":[null,4],"name":"x"},"name":"x","inbound_nodes":[]},{
"class_name":"Dense","config":{"name":"first","units":4,"dtype":{"class_name":"DTypePolicy","config":
{"name":"float32"}}},"name":"first","inbound_nodes":[{"args":[{"class_name":"__keras_tensor__",
"config":{"shape":[null,4],"keras_history":["x",0,0]}}],"kwargs":{"mask":null}}]},{"class_name":
"Sequential","config":{"name":"branch","layers":[{"class_name":"InputLayer","config":{"batch_shape":
[null,4],"name":"in"}},{"class_name":"Dense","config":{"name":"hidden","units":4}}]},"name":"branch",
"inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"shape":[null,4],
"keras_history":["x",0,0]}}],"kwargs":{}}]},{"class_name":"Add","config":{"name":"sum"},"name":"sum",
"inbound_nodes":[[["first",0,0,{}],["branch",0,0,{}]]]}],"input_layers":[["x",0,0]],"output_layers":
[["sum",0,0]]}})";

Hdf5Fixture dense_weights() {
  Hdf5Fixture fixture;
  fixture.texts = {{"model_config", kDense}};
  fixture.lists = {{"model_weights@layer_names", {"dense"}},
                   {"model_weights/dense@weight_names", {"dense/kernel:0", "dense/bias:0"}}};
  fixture.arrays = {{"model_weights/dense/dense/kernel:0", {2, 3}},
                    {"model_weights/dense/dense/bias:0", {3}}};
  return fixture;
}

Hdf5Fixture numbered_weights() {
  Hdf5Fixture fixture;
  fixture.arrays = {{"layers/dense/vars/0", {2, 3}}, {"layers/dense/vars/1", {3}}};
  fixture.fixed = true;
  return fixture;
}

/// What the child process sends of a file.
std::string records_of(const std::string &image) {
  char *memory = nullptr;
  size_t size = 0;
  std::FILE *stream = ::open_memstream(&memory, &size);
  walk_hdf5({"", image}, stream);
  std::fclose(stream);
  std::string records(memory, size);
  std::free(memory);
  return records;
}

} // namespace

std::string onnx_bytes(const std::string &graph) {
  const std::string text = "ir_version: 8 opset_import { version: 17 } graph { name: 'g' " + graph +
                           " output { name: 'y' } }";
  onnx::ModelProto model;
  if (!google::protobuf::TextFormat::ParseFromString(text, &model))
    throw std::runtime_error("this is no ONNX model: " + text);
  return model.SerializeAsString();
}

SeedFiles script_seeds() {
  SeedFiles files = files_of("examples", ".py");
  append(files, files_of("tests/frontend/golden", ".py"));
  append(files, files_of("tests/frontend/errors", ".py"));
  return files;
}

SeedFiles sir_seeds() {
  SeedFiles files = files_of("tests/frontend/golden", ".sir");
  for (const OpKind kind : all_op_kinds())
    files.push_back({std::string(name(kind)) + ".sir", std::string(op_def(kind).example)});
  return files;
}

SeedFiles onnx_seeds() {
  return {{"network.onnx", onnx_bytes(std::string(kPicture) + kNetwork)},
          {"folding.onnx", onnx_bytes(std::string(kPicture) + kFolding)}};
}

SeedFiles keras_seeds() {
  return {{"sequential.json", kSequential}, {"functional.json", kFunctional}};
}

SeedFiles hdf5_seeds() {
  const std::string dense = contents(write_hdf5("seed.h5", dense_weights()));
  const std::string numbered = contents(write_hdf5("seed.h5", numbered_weights()));
  return {{"dense.h5", dense},
          {"numbered.weights.h5", numbered},
          {"dense.records", records_of(dense)},
          {"numbered.records", records_of(numbered)}};
}

SeedFiles keras_archive_seeds() {
  const std::string weights = contents(write_hdf5("seed.h5", numbered_weights()));
  return {{"model.keras",
           zip_of({{"metadata.json", "{}"}, {"config.json", kDense}, {"model.weights.h5", weights}},
                  false)},
          {"deflated.keras", zip_of({{"config.json", kSequential}}, true)}};
}

} // namespace sinter
