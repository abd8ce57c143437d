// Saved Keras models of all versions. The files are written here, as the versions write them;
// tests/end_to_end/golden_files_test.cpp reads real ones.
#include "ir/print.h"
#include "tests/frontend/hdf5_fixture.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <zip.h>

using namespace sinter;

namespace {

using Json = nlohmann::json;

LoadedModel load_file(const std::string &path) {
  Diagnostics diagnostics;
  return load_model(path, {}, diagnostics);
}

LoadedModel load_json(const Json &json) {
  return load_file(write_file("architecture.json", json.dump()));
}

std::string error_of_file(const std::string &path) {
  try {
    load_file(path);
    return "";
  } catch (const CompileError &error) {
    return error.text();
  }
}

std::string error_of_json(const Json &json) {
  return error_of_file(write_file("wrong.json", json.dump()));
}

Json layer(const std::string &class_name, Json config) {
  return {{"class_name", class_name}, {"config", std::move(config)}};
}

Json keras2_sequential() {
  return layer("Sequential",
               {{"name", "net"},
                {"layers",
                 {layer("Conv2D", {{"name", "conv"},
                                   {"batch_input_shape", {nullptr, 6, 6, 1}},
                                   {"dtype", "float32"},
                                   {"filters", 2},
                                   {"kernel_size", {3, 3}},
                                   {"padding", "same"},
                                   {"data_format", "channels_last"},
                                   {"activation", "relu"},
                                   {"kernel_initializer",
                                    {{"class_name", "VarianceScaling"},
                                     {"config",
                                      {{"scale", 1.0},
                                       {"mode", "fan_avg"},
                                       {"distribution", "uniform"},
                                       {"seed", nullptr}}}}},
                                   {"kernel_regularizer", nullptr}}),
                  layer("BatchNormalization", {{"name", "norm"}, {"axis", {3}}, {"momentum", 0.9}}),
                  layer("Flatten", {{"name", "flat"}}),
                  layer("Dense", {{"name", "out"}, {"units", 3}, {"activation", "softmax"}})}}});
}

/// Keras 3's spelling of a reference to a layer's output.
Json keras_tensor(const std::string &name) {
  return {{"class_name", "__keras_tensor__"},
          {"config", {{"shape", {nullptr, 4}}, {"keras_history", {name, 0, 0}}}}};
}

Json keras3_layer(const std::string &class_name, Json config, const std::vector<Json> &inputs) {
  Json entry = layer(class_name, std::move(config));
  entry["module"] = "keras.layers";
  entry["name"] = entry["config"]["name"];
  entry["inbound_nodes"] = Json::array();
  if (inputs.empty())
    return entry;
  const Json argument = inputs.size() == 1 ? inputs[0] : Json(inputs);
  entry["inbound_nodes"].push_back({{"args", {argument}}, {"kwargs", {{"mask", nullptr}}}});
  return entry;
}

/// Two branches, one of them a model of its own, added.
Json keras3_functional() {
  const Json policy = {{"class_name", "DTypePolicy"}, {"config", {{"name", "float32"}}}};
  const Json inner = layer(
      "Sequential", {{"name", "branch"},
                     {"layers",
                      {layer("InputLayer", {{"batch_shape", {nullptr, 4}}, {"name", "in_branch"}}),
                       layer("Dense", {{"name", "hidden"}, {"units", 5}, {"dtype", policy}}),
                       layer("Dense", {{"name", "back"}, {"units", 4}})}}});
  Json nested = keras3_layer("Sequential", inner["config"], {keras_tensor("x")});
  return layer(
      "Functional",
      {{"name", "net"},
       {"layers",
        {keras3_layer("InputLayer", {{"batch_shape", {nullptr, 4}}, {"name", "x"}}, {}),
         keras3_layer("Dense", {{"name", "first"}, {"units", 4}}, {keras_tensor("x")}), nested,
         keras3_layer("Add", {{"name", "sum"}}, {keras_tensor("first"), keras_tensor("branch")})}},
       {"input_layers", {{"x", 0, 0}}},
       {"output_layers", {{"sum", 0, 0}}}});
}

std::string write_keras(const std::string &name,
                        const std::vector<std::pair<std::string, std::string>> &members) {
  const std::string path = build_path(name);
  std::filesystem::remove(path);
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  REQUIRE(archive);
  for (const auto &[member, bytes] : members)
    REQUIRE(zip_file_add(archive, member.c_str(),
                         zip_source_buffer(archive, bytes.data(), bytes.size(), 0), 0) >= 0);
  REQUIRE(zip_close(archive) == 0);
  return path;
}

Hdf5Fixture keras2_weights(const std::string &root) {
  Hdf5Fixture fixture;
  const std::string prefix = root.empty() ? "" : root + "/";
  fixture.lists[root + "@layer_names"] = {"conv", "norm", "flat", "out"};
  fixture.lists[prefix + "conv@weight_names"] = {"conv/kernel:0", "conv/bias:0"};
  fixture.lists[prefix + "norm@weight_names"] = {"norm/gamma:0", "norm/beta:0",
                                                 "norm/moving_mean:0", "norm/moving_variance:0"};
  fixture.lists[prefix + "out@weight_names"] = {"out/kernel:0", "out/bias:0"};
  fixture.arrays = {
      {prefix + "conv/conv/kernel:0", {3, 3, 1, 2}}, {prefix + "conv/conv/bias:0", {2}},
      {prefix + "norm/norm/gamma:0", {2}},           {prefix + "norm/norm/beta:0", {2}},
      {prefix + "norm/norm/moving_mean:0", {2}},     {prefix + "norm/norm/moving_variance:0", {2}},
      {prefix + "out/out/kernel:0", {72, 3}},        {prefix + "out/out/bias:0", {3}}};
  return fixture;
}

Hdf5Fixture keras3_weights(const std::string &container) {
  Hdf5Fixture fixture;
  for (const auto &[group, shape] :
       std::map<std::string, Shape>{{"dense", {4, 4}},
                                    {"sequential/" + container + "/dense", {4, 5}},
                                    {"sequential/" + container + "/dense_1", {5, 4}}}) {
    fixture.arrays[container + "/" + group + "/vars/0"] = shape;
    fixture.arrays[container + "/" + group + "/vars/1"] = {shape[1]};
  }
  return fixture;
}

} // namespace

TEST_CASE("Keras 2's architecture is the model that the script made") {
  const Model model = load_json(keras2_sequential()).model;
  CHECK(model.name == "net");
  CHECK(layer_names(model) == std::vector<std::string>{"conv", "norm", "flat", "out"});
  CHECK(output_shape(model, "conv") == "[N,6,6,2]");
  CHECK(parameter(model, "conv/kernel").initializer == "uniform");
  CHECK(parameter(model, "out/kernel").type.shape == Shape{72, 3});
  Json list = keras2_sequential(); // Keras before 2.2.3: the config is the list of layers
  list["config"] = list["config"]["layers"];
  CHECK(parameter_count(load_json(list).model) == parameter_count(model));
}

TEST_CASE("Keras 2's functional models name their operands in lists") {
  Json net = keras3_functional();
  for (Json &entry : net["config"]["layers"])
    for (Json &node : entry["inbound_nodes"]) {
      Json operands = Json::array();
      const Json &argument = node["args"][0];
      for (const Json &tensor : argument.is_array() ? argument : Json::array({argument}))
        operands.push_back({tensor["config"]["keras_history"][0], 0, 0, Json::object()});
      node = operands;
    }
  const Model model = load_json(net).model;
  CHECK(layer_names(model) == std::vector<std::string>{"x", "first", "branch", "sum"});
  CHECK(parameter_count(model) == 20 + 25 + 24);
}

TEST_CASE("an activation may be a layer") {
  Json net = keras2_sequential();
  Json &activation = net["config"]["layers"][0]["config"]["activation"];
  activation = {{"module", "keras.layers"},
                {"class_name", "LeakyReLU"},
                {"config", {{"name", "leaky"}, {"negative_slope", 0.125}}},
                {"registered_name", nullptr}};
  const Model model = load_json(net).model;
  CHECK(layer_names(model) == std::vector<std::string>{"conv", "norm", "flat", "out"});
  CHECK(print(model.graph).find("0.125") != std::string::npos);
  activation = layer("Lambda", {{"name", "code"}});
  CHECK(error_of_json(net).find("Conv2D 'conv': a Lambda layer as an activation is not "
                                "supported") != std::string::npos);
}

TEST_CASE("a layer that is an activation has weights of its own") {
  const Json net =
      layer("Sequential",
            {{"name", "net"},
             {"layers",
              {layer("InputLayer", {{"batch_shape", {nullptr, 4}}, {"name", "x"}}),
               layer("Dense", {{"name", "fc"},
                               {"units", 3},
                               {"activation", layer("PReLU", {{"name", "slopes"},
                                                              {"alpha_initializer",
                                                               {{"class_name", "Constant"},
                                                                {"config", {{"value", 0.25}}}}},
                                                              {"shared_axes", nullptr}})}}),
               layer("PReLU", {{"name", "last"}, {"shared_axes", nullptr}})}}});
  Hdf5Fixture keras3;
  keras3.arrays = {{"layers/dense/vars/0", {4, 3}},
                   {"layers/dense/vars/1", {3}},
                   {"layers/dense/activation/vars/0", {3}},
                   {"layers/p_re_lu/vars/0", {3}}};
  Hdf5Fixture keras2;
  keras2.texts["model_config"] = net.dump();
  keras2.lists["model_weights@layer_names"] = {"fc", "last"};
  keras2.lists["model_weights/fc@weight_names"] = {"fc/kernel:0", "fc/bias:0", "fc/alpha:0"};
  keras2.lists["model_weights/last@weight_names"] = {"last/alpha:0"};
  keras2.arrays = {{"model_weights/fc/fc/kernel:0", {4, 3}},
                   {"model_weights/fc/fc/bias:0", {3}},
                   {"model_weights/fc/fc/alpha:0", {3}},
                   {"model_weights/last/last/alpha:0", {3}}};
  const std::string archive = write_keras(
      "slopes.keras", {{"config.json", net.dump()},
                       {"model.weights.h5", read_file(write_hdf5("slopes.weights.h5", keras3))}});
  for (const std::string &path : {archive, write_hdf5("slopes.h5", keras2)}) {
    CAPTURE(path);
    const LoadedModel loaded = load_file(path);
    CHECK(loaded.weights.size() == 4);
    CHECK(loaded.weights.at("fc/slopes/alpha").shape == Shape{3});
    CHECK(loaded.weights.at("last/alpha").shape == Shape{3});
  }
}

TEST_CASE("operators among the layers are applied") {
  Json net = keras3_functional();
  Json lambda = layer("TFOpLambda", {{"name", "tf.math.multiply"}, {"function", "math.multiply"}});
  lambda["name"] = "tf.math.multiply";
  lambda["inbound_nodes"] = {{"sum", 0, 0, {{"y", 0.5}, {"name", nullptr}}}};
  net["config"]["layers"].push_back(lambda);
  net["config"]["output_layers"] = {{"tf.math.multiply", 0, 0}};
  const Model model = load_json(net).model;
  const Node &last = model.graph[model.graph.find_output("prediction")];
  CHECK(last.kind == OpKind::affine);
  CHECK(attrs<AffineAttrs>(last).scale == 0.5F);
}

TEST_CASE("operations of Keras 3 are applied with their arguments") {
  const auto with = [](const std::string &class_name, Json config) {
    Json net = keras3_functional();
    config["name"] = "op";
    Json op = keras3_layer(class_name, std::move(config), {keras_tensor("sum")});
    op["module"] = "keras.src.ops.nn";
    net["config"]["layers"].push_back(op);
    net["config"]["output_layers"] = {{"op", 0, 0}};
    return net;
  };
  const auto printed = [&](const std::string &class_name, const Json &config) {
    return print(load_json(with(class_name, config)).model.graph);
  };
  CHECK(printed("LeakyRelu", {{"negative_slope", 0.3}}).find("scale=0.3") != std::string::npos);
  CHECK(printed("Elu", {{"alpha", 0.7}}).find("scale=0.7") != std::string::npos);
  CHECK(printed("Gelu", {{"approximate", false}}).find("erf") != std::string::npos);
  CHECK(printed("Gelu", {{"approximate", true}}).find("sigmoid") != std::string::npos);
  CHECK(printed("Gelu", Json::object()).find("sigmoid") != std::string::npos);
  CHECK(error_of_json(with("Softmax", {{"axis", 5}})).find("axis 5") != std::string::npos);
  CHECK(error_of_json(with("Gelu", {{"precision", 3}})) ==
        "1 of the model's layers are not supported: Gelu 'op': precision=3 is not supported");
}

TEST_CASE("models within models within models may use a name again") {
  const auto dense = [](const std::string &name) {
    return layer("Dense", {{"name", name}, {"units", 4}});
  };
  const auto sequential = [](const std::string &name, Json layers) {
    return layer("Sequential", {{"name", name}, {"layers", std::move(layers)}});
  };
  const auto half = [&](const std::string &name) {
    return sequential(name, {sequential("inner", {dense("fc")})});
  };
  Json net = sequential("net", {layer("InputLayer", {{"batch_shape", {nullptr, 4}}, {"name", "x"}}),
                                half("left"), half("right"), half("last")});
  const Model model = load_json(net).model;
  CHECK(parameter_count(model) == 3 * 20);
  CHECK(model.graph.find_parameter("fc/kernel").valid());
  CHECK(model.graph.find_parameter("right/inner/fc/kernel").valid());
  CHECK(model.graph.find_parameter("last/inner/fc/kernel").valid());
}

TEST_CASE("HDF5 files are read beside whatever memory the compiler has") {
  constexpr size_t kMuch = size_t{2} << 30U;
  void *much = mmap(nullptr, kMuch, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(much != MAP_FAILED);
  Hdf5Fixture fixture = keras2_weights("model_weights");
  fixture.texts["model_config"] = keras2_sequential().dump();
  CHECK(load_file(write_hdf5("beside.h5", fixture)).weights.size() == 8);
  munmap(much, kMuch);
}

TEST_CASE("Keras 2's weights are found by layer, whatever their strings") {
  for (const bool fixed : {false, true}) {
    Hdf5Fixture fixture = keras2_weights("model_weights");
    fixture.fixed = fixed;
    fixture.texts["model_config"] = keras2_sequential().dump();
    const LoadedModel loaded = load_file(write_hdf5("keras2.h5", fixture));
    CHECK(loaded.weights.size() == 8);
    CHECK(loaded.weights.at("conv/kernel").values == fixture_values({3, 3, 1, 2}));
    CHECK(loaded.weights.at("norm/moving_variance").shape == Shape{2});
    CHECK_FALSE(loaded.model.training);
  }
}

TEST_CASE("a list of layers may be split over several attributes") {
  Hdf5Fixture fixture = keras2_weights("model_weights");
  fixture.texts["model_config"] = keras2_sequential().dump();
  fixture.lists.erase("model_weights@layer_names");
  fixture.lists["model_weights@layer_names0"] = {"conv", "norm"};
  fixture.lists["model_weights@layer_names1"] = {"flat", "out"};
  CHECK(load_file(write_hdf5("chunked.h5", fixture)).weights.size() == 8);
}

TEST_CASE("Keras 3's weights are found by class and order, also of models within models") {
  for (const char *container : {"layers", "_layer_checkpoint_dependencies"}) {
    const std::string weights = read_file(write_hdf5("keras3.h5", keras3_weights(container)));
    const std::string path = write_keras(
        "net.keras", {{"config.json", keras3_functional().dump()}, {"model.weights.h5", weights}});
    const LoadedModel loaded = load_file(path);
    CHECK(loaded.weights.size() == 6);
    CHECK(loaded.weights.at("hidden/kernel").shape == Shape{4, 5});
    CHECK(loaded.weights.at("back/bias").values == fixture_values({4}));
  }
}

TEST_CASE("Keras 3's weights alone are found in models within models") {
  const char *const script = R"(from tensorflow import keras
layers = keras.layers
x = keras.Input(shape=(4,))
branch = keras.Sequential([layers.Input(shape=(4,)), layers.Dense(5%s), layers.Dense(4%s)])
model = keras.Model(x, layers.Add()([layers.Dense(4)(x), branch(x)]))
)";
  const auto named = [&](const char *first, const char *second) {
    std::string text = script;
    for (const char *name : {first, second})
      text.replace(text.find("%s"), 2, name);
    return load(text);
  };
  Hdf5Fixture fixture = keras3_weights("layers");
  const std::string path = write_hdf5("nested.weights.h5", fixture);
  CHECK(load_weights(path, named("", "")).size() == 6); // by the names that Keras gives a Dense
  fixture.lists["layers/sequential/layers/dense/vars@name"] = {"hidden"};
  fixture.lists["layers/sequential/layers/dense_1/vars@name"] = {"back"};
  const auto weights = load_weights(write_hdf5("nested.weights.h5", fixture),
                                    named(", name='hidden'", ", name='back'"));
  CHECK(weights.size() == 6);
  CHECK(weights.at("hidden/kernel").shape == Shape{4, 5});
}

TEST_CASE("a map of names finds what Keras's order does not") {
  const Model model = load(R"(from tensorflow import keras
layers = keras.layers
model = keras.Sequential([layers.Input(shape=(4,)), layers.Dense(4, name='a'),
                          layers.Dense(4, name='b'), layers.Dense(2, name='c')])
)");
  Hdf5Fixture keras3;
  keras3.arrays = {{"layers/dense/vars/0", {4, 4}},   {"layers/dense/vars/1", {4}},
                   {"layers/dense_1/vars/0", {4, 2}}, {"layers/dense_1/vars/1", {2}},
                   {"layers/dense_2/vars/0", {4, 4}}, {"layers/dense_2/vars/1", {4}}};
  const std::string path = write_hdf5("map.weights.h5", keras3);
  CHECK_THROWS_AS(load_weights(path, model), CompileError);
  WeightNames names = {{"b/kernel", "layers/dense_2/vars/0"}, {"b/bias", "layers/dense_2/vars/1"}};
  CHECK(load_weights(path, model, names).size() == 6); // the others in their order
  names.erase("b/bias");
  names["a/kernel"] = "layers/dense_7/vars/0";
  CHECK_THROWS_WITH_AS(load_weights(path, model, names),
                       (path + ": error: the weights do not fit the model: there is no "
                               "'layers/dense_7/vars/0' for a/kernel; the map names other weights "
                               "of 'a', but not a/bias; the map names other weights of 'b', but "
                               "not b/bias; c/kernel has shape [4,4], the model needs [4,2]; "
                               "c/bias has shape [4], the model needs [2]")
                           .c_str(),
                       CompileError);
  Hdf5Fixture keras2;
  keras2.lists["model_weights@layer_names"] = {"one", "two", "three"};
  for (const auto &[layer, units] :
       std::map<std::string, int64_t>{{"one", 4}, {"two", 4}, {"three", 2}}) {
    keras2.lists["model_weights/" + layer + "@weight_names"] = {layer + "/kernel:0",
                                                                layer + "/bias:0"};
    keras2.arrays["model_weights/" + layer + "/" + layer + "/kernel:0"] = {4, units};
    keras2.arrays["model_weights/" + layer + "/" + layer + "/bias:0"] = {units};
  }
  CHECK(load_weights(write_hdf5("map.h5", keras2), model,
                     {{"a/kernel", "model_weights/two/two/kernel:0"},
                      {"a/bias", "model_weights/two/two/bias:0"}})
            .size() == 6);
}

TEST_CASE("a Normalization layer's statistics are weights unless they are given") {
  const Json net =
      layer("Sequential",
            {{"name", "net"},
             {"layers",
              {layer("InputLayer", {{"batch_input_shape", {nullptr, 3}}, {"name", "x"}}),
               layer("Normalization",
                     {{"name", "n"}, {"axis", {-1}}, {"mean", nullptr}, {"variance", nullptr}})}}});
  Hdf5Fixture fixture;
  fixture.texts["model_config"] = net.dump();
  fixture.lists["model_weights@layer_names"] = {"n"};
  fixture.lists["model_weights/n@weight_names"] = {"n/mean:0", "n/variance:0", "n/count:0"};
  fixture.arrays = {{"model_weights/n/n/mean:0", {3}},
                    {"model_weights/n/n/variance:0", {3}},
                    {"model_weights/n/n/count:0", {}}};
  const LoadedModel loaded = load_file(write_hdf5("normalization.h5", fixture));
  CHECK(loaded.weights.size() == 2);
  CHECK(loaded.weights.at("n/variance").values == fixture_values({3}));
  CHECK(parameter(loaded.model, "n/mean").role == "statistic");
}

TEST_CASE("weights that do not fit are listed at once") {
  Hdf5Fixture fixture = keras2_weights("model_weights");
  fixture.texts["model_config"] = keras2_sequential().dump();
  fixture.arrays["model_weights/out/out/bias:0"] = {4};
  fixture.arrays.erase("model_weights/conv/conv/bias:0");
  CHECK(error_of_file(write_hdf5("misfit.h5", fixture)) ==
        "the weights do not fit the model: the file lists conv/bias:0, but does not hold it; "
        "Conv2D 'conv' has 2 weights, the file has 1 for it; out/bias has shape [4], the model "
        "needs [3]");
}

TEST_CASE("a compiled model trains as it was compiled") {
  Json net = keras2_sequential();
  Hdf5Fixture fixture = keras2_weights("model_weights");
  fixture.texts["model_config"] = net.dump();
  fixture.texts["training_config"] =
      Json({{"loss", "sparse_categorical_crossentropy"},
            {"metrics",
             {{{{"class_name", "MeanMetricWrapper"},
                {"config", {{"name", "accuracy"}, {"fn", "sparse_categorical_accuracy"}}}}}}},
            {"optimizer_config",
             {{"class_name", "Custom>Adam"},
              {"config", {{"name", "Adam"}, {"learning_rate", 0.25}, {"jit_compile", true}}}}}})
          .dump();
  const Model older = load_file(write_hdf5("compiled.h5", fixture)).model;
  REQUIRE(older.training);
  CHECK(older.training->optimizer.kind == "adam");
  CHECK(older.training->optimizer.learning_rate == 0.25F);
  CHECK(older.graph.find_output("accuracy").valid());
  net["compile_config"] = {
      {"optimizer", {{"class_name", "SGD"}, {"config", {{"momentum", 0.5}, {"nesterov", true}}}}},
      {"loss",
       {{"class_name", "SparseCategoricalCrossentropy"},
        {"config", {{"from_logits", true}, {"reduction", "sum_over_batch_size"}}}}},
      {"metrics", {"accuracy"}}};
  const Model newer = load_json(net).model;
  REQUIRE(newer.training);
  CHECK(newer.training->optimizer.nesterov);
  net["compile_config"]["optimizer"]["config"] = {
      {"clipnorm", 2.0},
      {"clipvalue", nullptr},
      {"learning_rate",
       {{"module", "keras.optimizers.schedules"},
        {"class_name", "CosineDecay"},
        {"config", {{"name", "CosineDecay"}, {"initial_learning_rate", 0.5}, {"decay_steps", 100}}},
        {"registered_name", nullptr}}}};
  const OptimizerSpec scheduled = load_json(net).model.training->optimizer;
  CHECK(scheduled.clip_norm == 2);
  CHECK(scheduled.learning_rate == 0.5F);
  REQUIRE(scheduled.schedule);
  CHECK(scheduled.schedule->decay_steps == 100);
  net["compile_config"]["optimizer"]["config"] = Json::object();
  net["compile_config"]["optimizer"]["class_name"] = "Ftrl";
  Diagnostics diagnostics;
  const std::string path = write_file("ftrl.json", net.dump());
  CHECK_FALSE(load_model(path, {}, diagnostics).model.training);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK(diagnostics.warnings()[0] ==
        path + ": warning: the program only predicts: of how the model was compiled, "
               "keras.optimizers.Ftrl is not supported");
}

TEST_CASE("a model compiled with what is not known predicts") {
  for (const auto &[loss, metric] : std::vector<std::pair<std::string, std::string>>{
           {"my_loss", "accuracy"}, {"mse", "my_metric"}}) {
    Json net = keras2_sequential();
    net["compile_config"] = {{"optimizer", "sgd"}, {"loss", loss}, {"metrics", {metric}}};
    Diagnostics diagnostics;
    const std::string path = write_file("unknown.json", net.dump());
    CHECK_FALSE(load_model(path, {}, diagnostics).model.training);
    REQUIRE(diagnostics.warnings().size() == 1);
    CHECK(diagnostics.warnings()[0].find(
              ": warning: the program only predicts: of how the model was compiled, ") !=
          std::string::npos);
  }
}

TEST_CASE("the losses of several outputs keep their weights") {
  Json net = keras3_functional();
  net["config"]["output_layers"] = {{"sum", 0, 0}, {"first", 0, 0}};
  net["compile_config"] = {
      {"optimizer", "sgd"}, {"loss", {"mse", "mse"}}, {"loss_weights", {1.0, 0.25}}};
  const Model model = load_json(net).model;
  REQUIRE(model.training);
  CHECK(print(model.graph).find("{scale=0.25}") != std::string::npos);
}

TEST_CASE("everything that is not supported is listed at once, with names") {
  Json net = keras2_sequential();
  Json &layers = net["config"]["layers"];
  layers.insert(layers.begin() + 1, layer("GaussianNoise3", {{"name", "noise"}}));
  layers.push_back(layer("Dense", {{"name", "more"}, {"units", 3}, {"unheard_of", 2}}));
  CHECK(error_of_json(net) ==
        "2 of the model's layers are not supported: GaussianNoise3 'noise': this layer is not "
        "supported; Dense 'more': unheard_of=2 is not supported");
  CHECK(error_of_json(layer("MyModel", Json::object())) ==
        "the file holds a MyModel: only Sequential and functional models can be read, other "
        "classes are Python code");
}

TEST_CASE("networks that make no sense are named as such") {
  Json net = keras3_functional();
  net["config"]["layers"][1]["inbound_nodes"][0]["args"] = {keras_tensor("sum")};
  CHECK(error_of_json(net) ==
        "the calls of layer 'first' depend on themselves, or on a layer that is not there");
  net = keras3_functional();
  net["config"]["output_layers"] = {{"sum", 0, 7}};
  CHECK(error_of_json(net) ==
        "one of the model's outputs is output 7 of call 0 of layer 'sum', which is not there");
  net["config"]["output_layers"] = 3;
  CHECK(error_of_json(net) == "the list of the model's outputs is malformed");
  const uint64_t no_int64 = uint64_t{1} << 63U;
  net["config"]["output_layers"] = {{"sum", 0, no_int64}};
  CHECK(error_of_json(net) == "the list of the model's outputs is malformed");
  net = keras3_functional();
  net["config"]["layers"][1]["inbound_nodes"] = {{{"x", 0, no_int64, Json::object()}}};
  CHECK(error_of_json(net) == "1 of the model's layers are not supported: Dense 'first': a call "
                              "with arguments that are not supported");
  CHECK(error_of_json("text").rfind("the file holds a nothing that Keras writes", 0) == 0);
}

TEST_CASE("files that were never models are errors, and so are their every truncation") {
  CHECK(error_of_file(write_file("no.keras", "hello")).rfind("this is no .keras archive", 0) == 0);
  CHECK(error_of_file(write_file("no.h5", "hello")) == "this is no HDF5 file, or it is damaged");
  CHECK(error_of_file(write_file("no.json", "{\"class")) ==
        "the file is no JSON, or it is truncated");
  CHECK(error_of_file(write_file("deep.json", std::string(5000, '['))) ==
        "the file is nested deeper than 200 levels");
  CHECK(error_of_file(write_keras("empty.keras", {{"metadata.json", "{}"}})) ==
        "the archive has no config.json: Keras did not write it");
  CHECK(error_of_file(write_hdf5("weights_only.h5", keras2_weights(""))) ==
        "the file holds no model, only weights: compile a model with --weights of it");
  Hdf5Fixture fixture = keras2_weights("model_weights");
  fixture.texts["model_config"] = keras2_sequential().dump();
  const std::string whole = read_file(write_hdf5("whole.h5", fixture));
  for (size_t length = 0; length < whole.size(); length += whole.size() / 40)
    CHECK(error_of_file(write_file("cut.h5", whole.substr(0, length))) != "");
}

TEST_CASE("a damaged HDF5 file is an error or a model, never a crash") {
  Hdf5Fixture fixture = keras2_weights("model_weights");
  fixture.texts["model_config"] = keras2_sequential().dump();
  const std::string whole = read_file(write_hdf5("sound.h5", fixture));
  unsigned state = 7;
  for (int i = 0; i < 60; ++i) {
    std::string damaged = whole;
    for (int flips = 0; flips < 4; ++flips) {
      state = state * 1664525U + 1013904223U;
      damaged[state % 4096 % damaged.size()] ^= static_cast<char>(1U << (state >> 29U));
    }
    CHECK_NOTHROW(error_of_file(write_file("damaged.h5", damaged)));
  }
}
