#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "ir/print.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

/// A model of one input and the given layers, `layers` imported.
Model chain(const std::string &input_shape, const std::string &chained) {
  return load(
      "from keras import layers, initializers, Sequential\nmodel = Sequential([layers.Input("
      "shape=" +
      input_shape + "), " + chained + "])\n");
}

std::string last_shape(const std::string &input_shape, const std::string &chained) {
  const Model model = chain(input_shape, chained);
  return output_shape(model, model.layers.back().name);
}

Model example(const std::string &name) {
  Diagnostics diagnostics;
  return load_model(source_path("examples/" + name), {}, diagnostics).model;
}

/// Parameters of every layer that has some, in order.
std::vector<int64_t> layer_parameters(const Model &model) {
  std::vector<int64_t> counts;
  for (const LayerRecord &layer : model.layers) {
    int64_t count = 0;
    for (const NodeId id : layer.parameters)
      count += model.graph.type(id).elements();
    if (count > 0)
      counts.push_back(count);
  }
  return counts;
}

} // namespace

TEST_CASE("the textbook's networks have the textbook's parameters") {
  using Counts = std::vector<int64_t>;
  CHECK(layer_parameters(example("fashion_cnn.py")) == Counts{320, 18496, 313700, 1010});
  CHECK(layer_parameters(example("simple_convnet.py")) == Counts{780, 432100, 1010});
  CHECK(layer_parameters(example("handson_cnn.py")) ==
        Counts{3200, 73856, 147584, 295168, 590080, 295040, 8256, 650});
  CHECK(layer_parameters(example("lenet5.py")) == Counts{156, 2416, 48120, 10164, 850});
  CHECK(parameter_count(example("alexnet.py")) == 62378344);
  CHECK(layer_parameters(example("tensorflow_6_7.py")) == Counts{160, 4640, 18496, 3965056, 1290});
  CHECK(layer_parameters(example("tensorflow_6_10.py")) == Counts{320, 18496, 73856, 147584, 1290});
  CHECK(layer_parameters(example("vgg7.py")) ==
        Counts{320, 18496, 73856, 295168, 4719104, 131328, 2570});
}

TEST_CASE("layers are named as Keras names them") {
  CHECK(layer_names(example("fashion_cnn.py")) ==
        std::vector<std::string>{"conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1",
                                 "flatten", "dense", "dropout", "dense_1"});
  const Model model = load(R"(from keras import layers, Model, Input
x = Input((8, 8, 4))
y = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
y = layers.Dense(4)(layers.Dense(4, name='own')(y))
y = layers.Activation('relu')(layers.Softmax()(y) + y * 2)
model = Model(x, y)
)");
  CHECK(layer_names(model) == std::vector<std::string>{"input_layer", "batch_normalization",
                                                       "re_lu", "global_average_pooling2d", "own",
                                                       "dense", "softmax", "multiply", "add",
                                                       "activation"});
  CHECK(model.name == "functional");
  CHECK(model.layers[0].type == "InputLayer");
  CHECK(model.layers[8].inbound == std::vector<std::string>{"softmax", "multiply"});
  CHECK(snake_case_name("MaxPooling2D") == "max_pooling2d");
  CHECK(snake_case_name("Conv2DTranspose") == "conv2d_transpose");
}

TEST_CASE("names start again after clear_session") {
  const Model model = load("import keras\nfrom keras import layers\nlayers.Dense(1)\n"
                           "keras.backend.clear_session()\n"
                           "m = keras.Sequential([layers.Input((2,)), layers.Dense(1)])\n");
  CHECK(layer_names(model) == std::vector<std::string>{"dense"});
}

TEST_CASE("output shapes") {
  CHECK(last_shape("(28, 28, 1)", "layers.Conv2D(8, 5, strides=2, padding='same')") ==
        "[N,14,14,8]");
  CHECK(last_shape("(28, 27, 1)", "layers.Conv2D(8, (5, 3), strides=(2, 3))") == "[N,12,9,8]");
  CHECK(last_shape("(28, 28, 4)", "layers.Conv2D(8, 3, dilation_rate=2, groups=4)") ==
        "[N,24,24,8]");
  CHECK(last_shape("(7, 7, 4)", "layers.MaxPooling2D(2)") == "[N,3,3,4]");
  CHECK(last_shape("(7, 7, 4)", "layers.MaxPool2D(3, 2, 'same')") == "[N,4,4,4]");
  CHECK(last_shape("(7, 7, 4)", "layers.AvgPool2D((2, 3), strides=1)") == "[N,6,5,4]");
  CHECK(last_shape("(7, 7, 4)", "layers.GlobalMaxPooling2D(keepdims=True)") == "[N,1,1,4]");
  CHECK(last_shape("(7, 7, 4)", "layers.GlobalAveragePooling2D()") == "[N,4]");
  CHECK(last_shape("(4, 6)", "layers.Reshape((-1, 3))") == "[N,8,3]");
  CHECK(last_shape("(4, 6, 2)", "layers.Permute((2, 3, 1))") == "[N,6,2,4]");
  CHECK(last_shape("(4, 6, 2)", "layers.ZeroPadding2D(((1, 2), (3, 4)))") == "[N,7,13,2]");
  CHECK(last_shape("(4, 6, 2)", "layers.ZeroPadding2D((1, 2))") == "[N,6,10,2]");
  CHECK(last_shape("(4, 6)", "layers.Dense(3)") == "[N,4,3]");
  CHECK(last_shape("(4, 6, 5)", "layers.Dense(3)") == "[N,4,6,3]");
  CHECK(last_shape("(28, 28)", "layers.Flatten(), layers.Rescaling(1/255), layers.Dropout(0)") ==
        "[N,784]");
}

TEST_CASE("same padding puts the odd pixel below and to the right") {
  const Model model = chain("(6, 5, 1)", "layers.Conv2D(1, 4, strides=(1, 2), padding='same')");
  const auto &conv = attrs<Conv2dAttrs>(model.graph[model.graph.all(OpKind::conv2d).at(0)]);
  CHECK(conv.padding == std::array<int64_t, 4>{1, 1, 2, 2});
}

TEST_CASE("initializers are resolved as Keras does") {
  struct Case {
    std::string given, name;
    double a, b;
  };
  // The kernel is [3,3,4,8]: fan_in 36, fan_out 72, fan_avg 54.
  const double truncated = 0.87962566103423978;
  const std::vector<Case> cases = {
      {"'glorot_uniform'", "uniform", -std::sqrt(3 / 54.0), std::sqrt(3 / 54.0)},
      {"None", "zeros", 0, 0},
      {"'glorot_normal'", "truncated_normal", 0, std::sqrt(1 / 54.0) / truncated},
      {"'he_uniform'", "uniform", -std::sqrt(6 / 36.0), std::sqrt(6 / 36.0)},
      {"initializers.HeNormal(seed=1)", "truncated_normal", 0, std::sqrt(2 / 36.0) / truncated},
      {"initializers.he_normal()", "truncated_normal", 0, std::sqrt(2 / 36.0) / truncated},
      {"initializers.LecunUniform", "uniform", -std::sqrt(3 / 36.0), std::sqrt(3 / 36.0)},
      {"'lecun_normal'", "truncated_normal", 0, std::sqrt(1 / 36.0) / truncated},
      {"initializers.VarianceScaling(3, 'fan_out', 'untruncated_normal')", "normal", 0,
       std::sqrt(3 / 72.0)},
      {"'zeros'", "zeros", 0, 0},
      {"'ones'", "ones", 0, 0},
      {"initializers.Constant(0.5)", "constant", 0.5, 0},
      {"'random_normal'", "normal", 0, 0.05},
      {"'RandomUniform'", "uniform", -0.05, 0.05},
      {"initializers.TruncatedNormal(mean=1, stddev=0.25)", "truncated_normal", 1, 0.25},
      {"'orthogonal'", "orthogonal", 1, 0},
      {"initializers.OrthogonalInitializer(gain=0.5, seed=2)", "orthogonal", 0.5, 0}};
  for (const Case &test : cases) {
    CAPTURE(test.given);
    const Model model =
        chain("(8, 8, 4)", "layers.Conv2D(8, 3, kernel_initializer=" + test.given + ")");
    const ParameterAttrs &kernel = parameter(model, "conv2d/kernel");
    CHECK(kernel.initializer == test.name);
    CHECK(kernel.a == doctest::Approx(test.a).epsilon(1e-6));
    CHECK(kernel.b == doctest::Approx(test.b).epsilon(1e-6));
  }
  const Model identity = chain("(4,)", "layers.Dense(4, kernel_initializer='identity')");
  CHECK(parameter(identity, "dense/kernel").initializer == "identity");
  CHECK(error_of("from keras import layers, Sequential\nm = Sequential([layers.Input((4, 4, 3)),\n"
                 "layers.Conv2D(8, 3, kernel_initializer='Identity')])") ==
        "3: Identity needs a matrix, got a weight of shape [3,3,3,8]");
  CHECK(error_of("from keras import layers, Sequential\nm = Sequential([layers.Input((4,)),\n"
                 "layers.Dense(8, bias_initializer='orthogonal')])") ==
        "3: Orthogonal needs two dimensions or more, got a weight of shape [8]");
}

TEST_CASE("parameters and roles of batch normalisation and frozen layers") {
  const Model model =
      chain("(4,)", "layers.BatchNormalization(), layers.Dense(2, trainable=False)");
  CHECK(parameter(model, "batch_normalization/gamma").initializer == "ones");
  CHECK(parameter(model, "batch_normalization/beta").role == "weight");
  CHECK(parameter(model, "batch_normalization/moving_mean").role == "statistic");
  CHECK(parameter(model, "batch_normalization/moving_variance").initializer == "ones");
  CHECK(parameter(model, "dense/kernel").role == "statistic");
  CHECK(parameter_count(chain("(4,)", "layers.BatchNormalization(scale=False, center=False)")) ==
        8);
}

TEST_CASE("a shared layer and a nested model have their parameters once") {
  const Model model = load(R"(from keras import layers, Model, Input, Sequential
encoder = Sequential([layers.Input((4,)), layers.Dense(3)], name='encoder')
x = Input((4,))
shared = layers.Dense(2)
y = layers.Add()([shared(encoder(x)), shared(encoder(x * 2.0))])
model = Model(x, y)
)");
  CHECK(parameter_count(model) == 4 * 3 + 3 + 3 * 2 + 2);
  CHECK(layer_names(model) ==
        std::vector<std::string>{"input_layer_1", "multiply", "encoder", "dense_1", "add"});
  CHECK(model.layers[2].type == "Sequential");
  CHECK(model.layers[2].parameters.size() == 2);
  CHECK(model.layers[2].inbound == std::vector<std::string>{"input_layer_1", "multiply"});
}

TEST_CASE("the dropouts of a model draw from streams of their own") {
  const Model model = chain("(4,)", "layers.Dropout(0.1), layers.Dropout(0.2), layers.Dense(1)");
  const std::vector<NodeId> dropouts = model.graph.all(OpKind::dropout);
  REQUIRE(dropouts.size() == 2);
  CHECK(attrs<DropoutAttrs>(model.graph[dropouts[0]]).stream == 0);
  CHECK(attrs<DropoutAttrs>(model.graph[dropouts[1]]).stream == 1);
}

TEST_CASE("every import spelling finds the same layer") {
  for (const char *import :
       {"import keras\nL = keras.layers", "from tensorflow import keras\nL = keras.layers",
        "import tensorflow as tf\nL = tf.keras.layers", "from keras import layers as L",
        "import tensorflow.keras.layers as L", "from tensorflow.keras import layers\nL = layers",
        "from tensorflow.python.keras import layers as L"})
    CHECK(layer_names(load(std::string(import) +
                           "\nimport keras\nkeras.Sequential([L.Input((2,)), L.Dense(1)])\n")) ==
          std::vector<std::string>{"dense"});
}

TEST_CASE("every layer entry takes the common arguments and names its own") {
  for (const LayerType &type : layer_types()) {
    CAPTURE(std::string(type.native.path));
    CHECK(find_native(type.native.path) != nullptr);
    bool named = false;
    for (const ArgumentSpec &spec : type.native.arguments)
      named = named || spec.name == "name";
    CHECK((named || type.native.path.rfind("torch.", 0) == 0)); // modules are named by their place
    CHECK(((type.apply != nullptr) != (type.native.name() == "Lambda")));
  }
}

TEST_CASE("every synonym that a star import brings stands for something") {
  for (const char *module : {"keras.layers", "keras.initializers", "keras.losses", "keras.metrics",
                             "keras.models", "keras.activations", "numpy"})
    for (const auto &[name, value] : module_members(module)) {
      CAPTURE(name);
      CHECK(std::get<const Native *>(value) != nullptr);
    }
}

TEST_CASE("convolutions of every kind have Keras's shapes and parameters") {
  const auto count = [](const std::string &shape, const std::string &layer) {
    return parameter_count(chain(shape, layer));
  };
  CHECK(last_shape("(8, 8, 6)", "layers.DepthwiseConv2D(3, strides=2, padding='same')") ==
        "[N,4,4,6]");
  CHECK(count("(8, 8, 6)", "layers.DepthwiseConv2D(3)") == 3 * 3 * 6 + 6);
  CHECK(last_shape("(8, 8, 6)", "layers.DepthwiseConv2D(3, depth_multiplier=2)") == "[N,6,6,12]");
  // A separable 3 x 3 layer of 256 -> 256 channels without bias.
  CHECK(count("(8, 8, 256)", "layers.SeparableConv2D(256, 3, use_bias=False)") == 67840);
  CHECK(last_shape("(20, 6)", "layers.Conv1D(16, (5,), padding='causal')") == "[N,20,16]");
  CHECK(count("(20, 6)", "layers.Conv1D(16, 5)") == 5 * 6 * 16 + 16);
  CHECK(last_shape("(20, 6)", "layers.MaxPooling1D(3)") == "[N,6,6]");
  CHECK(last_shape("(20, 6)", "layers.GlobalAveragePooling1D(keepdims=True)") == "[N,1,6]");
  CHECK(last_shape("(3, 8, 8)", "layers.Conv2D(4, 3, data_format='channels_first')") ==
        "[N,4,6,6]");
  CHECK(last_shape("(3, 8, 8)", "layers.BatchNormalization(axis=1)") == "[N,3,8,8]");
}

TEST_CASE("layers that change an image's extent") {
  CHECK(last_shape("(8, 8, 2)", "layers.Cropping2D(((1, 2), (3, 0)))") == "[N,5,5,2]");
  CHECK(last_shape("(8, 8, 2)", "layers.UpSampling2D((2, 3))") == "[N,16,24,2]");
  CHECK(last_shape("(8, 2)", "layers.ZeroPadding1D((1, 2))") == "[N,11,2]");
  CHECK(last_shape("(8, 2)", "layers.Cropping1D((1, 2))") == "[N,5,2]");
  CHECK(last_shape("(8, 8, 2)", "layers.UpSampling2D(2, interpolation='bilinear')") ==
        "[N,16,16,2]");
  CHECK(
      error_of("from keras import layers, Sequential\nmodel = Sequential([layers.Input((1, 1, 1)), "
               "layers.UpSampling2D((2000000, 1), interpolation='bilinear')])\n") ==
      "2: UpSampling2D 'up_sampling2d' interpolates 2000000 x 1 pixels; more than 1048576 a side "
      "are not supported");
  CHECK(last_shape("(8, 2)", "layers.UpSampling1D(3)") == "[N,24,2]");
  CHECK(last_shape("(7,)", "layers.RepeatVector(3)") == "[N,3,7]");
  CHECK(last_shape("(8, 8, 2)", "layers.SpatialDropout2D(0.5)") == "[N,8,8,2]");
}

TEST_CASE("dropout can drop rows, columns and channels whole") {
  const auto shared = [](const std::string &layer) {
    const Model model = chain("(8, 6, 2)", layer);
    return attrs<DropoutAttrs>(model.graph[model.graph.find_output("prediction")]).shared;
  };
  using Axes = std::vector<int64_t>;
  CHECK(shared("layers.Dropout(0.5)").empty());
  CHECK(shared("layers.SpatialDropout2D(0.5)") == Axes{1, 2});
  CHECK(shared("layers.Dropout(0.5, noise_shape=(None, 1, 6, 1))") == Axes{1, 3});
  CHECK(shared("layers.Dropout(0.5, noise_shape=[1, None, None, None])") == Axes{0});
  CHECK(error_of("from keras import layers, Sequential\nm = Sequential([layers.Input((4, 3)),\n"
                 "layers.Dropout(0.5, noise_shape=(None, 2, 3), name='d')])")
            .find("Dropout 'd' with noise_shape=(None, 2, 3) does not fit an input [N,4,3]") !=
        std::string::npos);
}

TEST_CASE("a frozen batch normalisation keeps its statistics in training") {
  const auto frozen = [](const std::string &calls) {
    const Model model = load("from keras import layers, Model\na = layers.Input((4,))\n"
                             "norm = layers.BatchNormalization()\n" +
                             calls + "model = Model(a, y)\n");
    return attrs<BatchNormAttrs>(model.graph[model.graph.find_output("prediction")]).frozen;
  };
  CHECK_FALSE(frozen("y = norm(a)\n"));
  CHECK(frozen("y = norm(a, training=False)\n"));
  CHECK(frozen("y = norm(a)\nnorm.trainable = False\n"));
}

TEST_CASE("feature maps are models of a model's layers") {
  const Model model = load("from keras import layers, Model, Sequential\n"
                           "net = Sequential([layers.Input((8, 8, 1)), layers.Conv2D(2, 3, "
                           "name='first'), layers.Flatten(), layers.Dense(3)])\n"
                           "first = Model(net.inputs, net.layers[0].output)\n"
                           "maps = Model(net.input, net.get_layer('first').output)\n");
  CHECK(layer_names(model) == std::vector<std::string>{"input_layer", "first"});
}

TEST_CASE("functions on tensors are layers") {
  const auto shape = [](const std::string &expression) {
    const Model model =
        load("import tensorflow as tf\nfrom tensorflow import keras\nfrom keras import layers, "
             "ops, backend as K\nx = layers.Input((4, 6, 9))\ny = " +
             expression + "\nmodel = keras.Model(x, y)\n");
    return str(model.graph.type(model.graph.find_output("prediction")).shape);
  };
  CHECK(shape("tf.reduce_mean(x, axis=[1, 2])") == "[N,9]");
  CHECK(shape("layers.Lambda(lambda t: tf.reduce_mean(t, axis=[1, 2]))(x)") == "[N,9]");
  CHECK(shape("layers.Lambda(lambda t, k: ops.max(t, axis=-1, keepdims=True) * k, "
              "arguments={'k': 2})(x)") == "[N,4,6,1]");
  CHECK(shape("tf.nn.max_pool(x, ksize=(1, 1, 1, 3), strides=(1, 1, 1, 3), padding='VALID')") ==
        "[N,4,6,3]");
  CHECK(shape("tf.nn.avg_pool(x, 2, 2, 'SAME')") == "[N,2,3,9]");
  CHECK(shape("tf.nn.lrn(x, depth_radius=2)") == "[N,4,6,9]");
  CHECK(shape("K.reshape(x, (-1, 12, 18))") == "[N,12,18]");
  CHECK(shape("tf.transpose(x, [0, 3, 1, 2])") == "[N,9,4,6]");
  CHECK(shape("ops.squeeze(tf.expand_dims(x, -1), -1)") == "[N,4,6,9]");
  CHECK(shape("tf.concat([x, tf.square(x)], axis=-1)") == "[N,4,6,18]");
  CHECK(shape("tf.clip_by_value(tf.maximum(x, 0.0) + K.exp(x), 0, 6)") == "[N,4,6,9]");
  CHECK(shape("tf.cast(x, tf.float32) ** 2") == "[N,4,6,9]");
}

TEST_CASE("activations of every name") {
  for (const std::string &path : activation_paths()) {
    INFO(path);
    const std::string name = path.substr(path.rfind('.') + 1);
    CHECK(last_shape("(4, 4, 3)", "layers.Activation('" + name + "')") == "[N,4,4,3]");
    CHECK(last_shape("(4, 4, 3)", "layers.Conv2D(5, 1, activation='" + name + "')") == "[N,4,4,5]");
  }
}

TEST_CASE("activation functions take Keras's arguments") {
  const auto text = [](const std::string &expression) {
    return print(load("import keras\nimport tensorflow as tf\nfrom keras import layers\n"
                      "x = layers.Input((4, 3))\ny = " +
                      expression + "\nmodel = keras.Model(x, y)\n")
                     .graph);
  };
  const auto has = [&](const std::string &expression, const char *part) {
    return text(expression).find(part) != std::string::npos;
  };
  CHECK(has("keras.activations.gelu(x)", "erf"));
  CHECK(has("keras.activations.gelu(x, approximate=True)", "sigmoid"));
  CHECK(has("keras.ops.gelu(x)", "sigmoid"));
  CHECK(has("keras.ops.gelu(x, approximate=False)", "erf"));
  CHECK(has("tf.nn.gelu(x)", "erf"));
  CHECK(has("layers.Dense(3, activation=keras.ops.gelu)(layers.Flatten()(x))", "sigmoid"));
  CHECK(has("layers.Dense(3, activation='gelu')(layers.Flatten()(x))", "erf"));
  CHECK(has("keras.activations.leaky_relu(x, negative_slope=0.3)", "scale=0.3"));
  CHECK(has("keras.activations.relu(x, max_value=6.0)", "minimum"));
  CHECK(has("keras.activations.softmax(x, axis=1)", "transpose"));
  CHECK(has("keras.activations.log_softmax(x, axis=1)", "axes=[1]"));
}

TEST_CASE("layers that are activations") {
  CHECK(last_shape("(4, 4, 3)", "layers.ReLU(6, negative_slope=0.1, threshold=1)") == "[N,4,4,3]");
  CHECK(last_shape("(4, 4, 3)", "layers.LeakyReLU(alpha=0.1)") == "[N,4,4,3]");
  CHECK(last_shape("(4, 4, 3)", "layers.ELU(0.5)") == "[N,4,4,3]");
  CHECK(last_shape("(4, 4, 3)", "layers.Softmax(axis=1)") == "[N,4,4,3]");
  CHECK(parameter_count(chain("(4, 4, 3)", "layers.PReLU()")) == 48);
  CHECK(parameter_count(chain("(4, 4, 3)", "layers.PReLU(shared_axes=[1, 2])")) == 3);
}

TEST_CASE("functions and layers are activations, too") {
  const std::string script = R"(
import tensorflow as tf
from functools import partial
from keras import layers, Input, Model
def twice(x):
    return x + x
inputs = Input((5, 5, 2))
shared = layers.PReLU(shared_axes=[1, 2], name='slopes')
x = layers.Conv2D(4, 3, activation=twice, name='a')(inputs)
x = layers.Conv2D(4, 3, activation=layers.LeakyReLU(0.25), padding='same', name='b')(x)
x = layers.Activation(lambda t: tf.exp(t), name='c')(x)
x = layers.Dense(3, activation=partial(tf.nn.leaky_relu, alpha=0.1), name='d')(x)
x = layers.Dense(3, activation=shared, name='e')(x)
model = Model(inputs, x)
)";
  const Model model = load(script);
  CHECK(layer_names(model) == std::vector<std::string>{"input_layer", "a", "b", "c", "d", "e"});
  CHECK(parameter_count(model) == 4 * 19 + 4 * 37 + 15 + 12 + 3);
  const std::string graph = print(model.graph);
  for (const char *op : {"add %4, %4", "0.25", " exp ", "0.1"}) {
    CAPTURE(op);
    CHECK(graph.find(op) != std::string::npos);
  }
  CHECK(error_of("from keras import layers, Sequential\nm = Sequential([layers.Input((4,)),\n"
                 "layers.Dense(2, activation=lambda x: 3, name='odd')])")
            .find("the activation of 'odd' returns 3, not a tensor") != std::string::npos);
  CHECK(error_of("from keras import layers, Sequential\nm = Sequential([layers.Input((4,)),\n"
                 "layers.Dense(2, activation=lambda x: x + 'a', name='odd')])") ==
        "3: '+' of the output of layer 'odd' and 'a' is not supported");
  CHECK(error_of("from keras import layers\nlayers.Dense(2, activation=7)")
            .find("7 is not supported as an activation") != std::string::npos);
}

TEST_CASE("the layers of an activation are parts of its layer") {
  const Model model = load(R"(
from keras import layers, Sequential
slopes = layers.PReLU(alpha_regularizer='l2')
dense = layers.Dense(3, activation=slopes, name='dense')
model = Sequential([layers.Input((4,)), dense])
assert dense.count_params() == 4 * 3 + 3 + 3
model.compile('sgd', 'mse')
)");
  REQUIRE(model.layers.size() == 1);
  CHECK(model.layers[0].parameters.size() == 3);
  CHECK(model.graph.all(OpKind::square).size() == 1); // the penalty
  const Model frozen = load(R"(
from keras import layers, Sequential
model = Sequential([layers.Input((4,)), layers.Dense(3, activation=layers.PReLU(), name='dense')])
model.trainable = False
)");
  CHECK(parameter(frozen, "dense/p_re_lu/alpha").role == "statistic");
}

TEST_CASE("an activation gets the image as its layer returns it") {
  const auto with = [](const std::string &activation) {
    return load("from keras import layers, Sequential\nm = Sequential([layers.Input((2, 5, 7)),\n"
                "layers.Conv2D(4, 3, data_format='channels_first', name='conv', activation=" +
                activation + ")])");
  };
  CHECK(str(parameter(with("layers.PReLU(shared_axes=[2, 3])"), "conv/p_re_lu/alpha").type.shape) ==
        "[4,1,1]");
  const Model named = with("'softmax'"); // along the last dimension, whatever that is
  CHECK(str(named.graph.type(named.graph.all(OpKind::softmax)[0]).shape) == "[N,4,3,5]");
}

TEST_CASE("transposed convolutions magnify") {
  const std::string layer = "layers.Conv2DTranspose(8, 3, strides=2, padding='same')";
  CHECK(last_shape("(4, 5, 6)", layer) == "[N,8,10,8]");
  CHECK(parameter_count(chain("(4, 5, 6)", layer)) == 3 * 3 * 8 * 6 + 8);
  CHECK(last_shape("(4, 5, 6)", "layers.Conv2DTranspose(8, 3, strides=2)") == "[N,9,11,8]");
  CHECK(last_shape("(4, 5, 6)", "layers.Conv2DTranspose(8, 2, strides=3)") == "[N,12,15,8]");
  CHECK(last_shape("(4, 5, 6)", "layers.Conv2DTranspose(8, 3)") == "[N,6,7,8]");
}

TEST_CASE("add_weight is called as in Keras 3 and as in Keras 2") {
  const auto initializer_of = [](const std::string &arguments) {
    const Model model = load("from keras import layers, Model\nclass Scale(layers.Layer):\n"
                             "    def build(self, shape):\n        self.w = self.add_weight(" +
                             arguments +
                             ")\n    def call(self, x):\n        return x * self.w\n"
                             "x = layers.Input((4,))\nmodel = Model(x, Scale()(x))\n");
    return parameter(model, "scale/w").initializer;
  };
  CHECK(initializer_of("name='w', shape=(4,), initializer='ones'") == "ones");
  CHECK(initializer_of("(4,), 'ones', name='w'") == "ones");
  CHECK(initializer_of("'w', shape=[4], initializer='ones'") == "ones");
  CHECK(initializer_of("'w', (4,), 'float32', 'ones'") == "ones");
}

TEST_CASE("constraints by name and by object, with Keras's defaults") {
  const auto kernel = [](const std::string &constraint) {
    return parameter(load("from keras import layers, constraints, Sequential\n"
                          "m = Sequential([layers.Input((4, 4, 2)), layers.Conv2D(3, 2, "
                          "name='conv', kernel_constraint=" +
                          constraint + ")])\nm.compile('sgd', 'mse')\n"),
                     "conv/kernel");
  };
  CHECK(kernel("None").constraint.empty());
  CHECK(kernel("'non_neg'").constraint == "non_neg");
  CHECK(kernel("'max_norm'").max_norm == 2);
  CHECK(kernel("'max_norm'").norm_axes == std::vector<int64_t>{0});
  CHECK(kernel("constraints.unit_norm(axis=[0, 1, -2])").norm_axes ==
        std::vector<int64_t>{0, 1, 2});
  const ParameterAttrs bounded = kernel("constraints.MinMaxNorm(0.5, 3, rate=0.25)");
  CHECK(bounded.constraint == "min_max_norm");
  CHECK(bounded.min_norm == 0.5F);
  CHECK(bounded.max_norm == 3);
  CHECK(bounded.norm_rate == 0.25F);
  CHECK_THROWS_AS(kernel("constraints.MaxNorm(axis=4)"), CompileError);
}
