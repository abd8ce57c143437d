// sinter export: what is written for other tools is read again as the same weights.
#include "backends/verify/random_inputs.h"
#include "frontend/load_model.h"
#include "tool_support.h"
#include "tools/report_errors.h"
#include "tools/write_safetensors.h"

#include <doctest/doctest.h>
#include <zip.h>

using namespace sinter;

namespace {

LoadedModel load_file(const std::string &path) {
  Diagnostics diagnostics;
  return load_model(path, {}, diagnostics);
}

/// A script with batch normalisation and a frozen layer, and weights for it.
struct Trained : ScriptFolder {
  Trained() {
    write("model.py", R"(from tensorflow import keras
layers = keras.layers
inputs = keras.Input(shape=(8, 8, 2))
x = layers.GaussianNoise(0.1)(layers.RandomFlip()(inputs))
x = layers.Conv2D(9, 3, padding='same', name='stem')(x)
x = layers.BatchNormalization()(x)
y = layers.Conv2D(9, 3, padding='same', activation='relu')(x)
x = layers.Add()([x, y])
x = layers.Conv2D(4, 1, trainable=False)(x)
x = layers.Dropout(0.25)(layers.Flatten()(x))
model = keras.Model(inputs, layers.Dense(5, activation='softmax')(x))
)");
    const Model model = load_file(path("model.py")).model;
    NamedWeights named;
    for (const auto &[name, array] : random_inputs(model.graph, 1, 1))
      if (model.graph.find_parameter(name).valid()) {
        WeightArray &weights = values[name];
        weights.shape = array.type.shape;
        weights.values.assign(array.values.begin(), array.values.end());
        named.emplace_back(name, weights);
      }
    write("run.safetensors", safetensors_bytes(named));
  }

  ToolRun export_to(const std::string &name) const {
    return run_sinter(
        {"export", path("run.safetensors"), "-o", path(name), "--model", path("model.py")});
  }

  std::map<std::string, WeightArray> values;
};

void check_same(const std::map<std::string, WeightArray> &found,
                const std::map<std::string, WeightArray> &wanted) {
  CHECK(found.size() == wanted.size());
  for (const auto &[name, array] : wanted) {
    CAPTURE(name);
    REQUIRE(found.count(name) == 1);
    CHECK(found.at(name).shape == array.shape);
    CHECK(found.at(name).values == array.values);
  }
}

} // namespace

TEST_CASE("weights in the forms of Keras 2 and 3 are read again as they were") {
  const Trained trained;
  const Model model = load_file(trained.path("model.py")).model;
  for (const char *name : {"weights.h5", "run.weights.h5"}) {
    CAPTURE(name);
    const ToolRun run = trained.export_to(name);
    CAPTURE(run.err);
    REQUIRE(run.code == 0);
    check_same(load_weights(trained.path(name), model), trained.values);
  }
}

TEST_CASE("Keras 3's form has a group for every layer of models within models") {
  const ScriptFolder folder;
  folder.write("nested.py", R"(from tensorflow import keras
layers = keras.layers
inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, name='deep'),
                          layers.BatchNormalization()], name='inner')
x = keras.Input((6,))
branch = keras.Model(x, layers.Dense(6, name='shallow')(inner(layers.Dense(6, name='first')(x))),
                     name='branch')
inputs = keras.Input((6,))
y = layers.Dense(6, name='front')(inputs)
y = layers.Add()([branch(y), keras.Sequential([layers.Dense(6, name='other')])(y)])
model = keras.Model(inputs, layers.Dense(2, name='back')(y))
)");
  const Model model = load_file(folder.path("nested.py")).model;
  std::map<std::string, WeightArray> values;
  NamedWeights named;
  for (const auto &[name, array] : random_inputs(model.graph, 1, 1))
    if (model.graph.find_parameter(name).valid()) {
      WeightArray &weights = values[name];
      weights.shape = array.type.shape;
      weights.values.assign(array.values.begin(), array.values.end());
      named.emplace_back(name, weights);
    }
  folder.write("run.safetensors", safetensors_bytes(named));
  const std::string output = folder.path("run.weights.h5");
  const ToolRun run = run_sinter({"export", folder.path("run.safetensors"), "-o", output, "--model",
                                  folder.path("nested.py")});
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  check_same(load_weights(output, model), values);
  const ToolRun listed = run_sinter({"inspect", output});
  for (const char *path :
       {"layers/dense/vars/0", "layers/dense_1/vars/1", "layers/functional/layers/dense/vars/0",
        "layers/functional/layers/dense_1/vars/0",
        "layers/functional/layers/sequential/layers/dense/vars/0",
        "layers/functional/layers/sequential/layers/batch_normalization/vars/3",
        "layers/sequential/layers/dense/vars/0"}) {
    CAPTURE(path);
    CHECK(listed.out.find(path) != std::string::npos);
  }
}

TEST_CASE("a model with its weights becomes ONNX, and that ONNX once more") {
  const Trained trained;
  const ToolRun run = trained.export_to("model.onnx");
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  check_same(load_file(trained.path("model.onnx")).weights, trained.values);
  REQUIRE(
      run_sinter({"export", trained.path("model.onnx"), "-o", trained.path("again.onnx")}).code ==
      0);
  check_same(load_file(trained.path("again.onnx")).weights, trained.values);
}

TEST_CASE("objects that hold layers are not written in Keras 3's form") {
  const ScriptFolder folder;
  for (const char *layers : {"self.d(x)", "self.e(self.d(x))"}) {
    folder.write("block.py", std::string(R"(from tensorflow import keras
L = keras.layers
class Block(L.Layer):
    def __init__(self):
        super().__init__()
        self.d = L.Dense(5)
        self.e = L.Dense(5)
    def call(self, x):
        return )") + layers + R"(
model = keras.Sequential([keras.Input((5,)), Block()])
)");
    NamedWeights named;
    for (const auto &[name, array] :
         random_inputs(load_file(folder.path("block.py")).model.graph, 1, 1))
      named.emplace_back(name,
                         WeightArray{array.type.shape, {array.values.begin(), array.values.end()}});
    folder.write("run.safetensors", safetensors_bytes(named));
    const auto export_to = [&](const char *name) {
      return run_sinter({"export", folder.path("run.safetensors"), "-o", folder.path(name),
                         "--model", folder.path("block.py")});
    };
    CAPTURE(layers);
    CHECK(export_to("run.h5").code == 0);
    const ToolRun run = export_to("run.weights.h5");
    CHECK(run.code == kExitUserError);
    CHECK(run.err.find("Block 'block' holds layers") != std::string::npos);
  }
}

TEST_CASE("export says what it needs") {
  const Trained trained;
  const auto error = [&](const std::string &output) {
    const ToolRun run =
        run_sinter({"export", trained.path("run.safetensors"), "-o", trained.path(output)});
    CHECK(run.code == 1);
    return run.err;
  };
  CHECK(error("model.onnx").find("--model=MODEL") != std::string::npos);
  CHECK(error("run.weights.h5").find("--model=MODEL") != std::string::npos);
}

TEST_CASE("a saved model without its weights cannot be exported") {
  const ScriptFolder folder;
  const std::string path = folder.path("net.keras");
  const std::string config = R"({"class_name":"Sequential","config":{"layers":[
{"class_name":"InputLayer","config":{"batch_input_shape":[null,2],"name":"x"}},
{"class_name":"Dense","config":{"name":"dense","units":3}}]}})";
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  REQUIRE(archive != nullptr);
  REQUIRE(zip_file_add(archive, "config.json",
                       zip_source_buffer(archive, config.data(), config.size(), 0), 0) >= 0);
  REQUIRE(zip_close(archive) == 0);
  for (const char *output : {"net.onnx", "net.h5", "net.weights.h5"}) {
    const ToolRun run = run_sinter({"export", path, "-o", folder.path(output)});
    CAPTURE(run.err);
    CHECK(run.code == kExitUserError);
    CHECK(run.err.find("no weights for dense/kernel") != std::string::npos);
  }
}
