#include "ir/verify.h"
#include "tests/frontend/support.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kHead = R"(from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
)";
const std::string kCompile =
    "model.compile(loss='sparse_categorical_crossentropy', metrics=['accuracy'])\n";

OptimizerSpec optimizer(const std::string &given) {
  return load(kHead + "model.compile(" + given + ", loss='sparse_categorical_crossentropy')\n" +
              "model.fit(x, y)\n")
      .training->optimizer;
}

/// "loss=softmax_cross_entropy" of every output but the prediction.
std::string outputs(const std::string &units, const std::string &compile_arguments) {
  const Model model = load("from keras import layers, losses, metrics, Sequential\n"
                           "model = Sequential([layers.Input((4,)), layers.Dense(" +
                           units + ")])\nmodel.compile('sgd', " + compile_arguments + ")\n");
  std::string text;
  for (const Output &output : model.graph.outputs) {
    const Node &mean = model.graph[output.value];
    if (output.name == "prediction")
      continue;
    CHECK(mean.type.shape.empty());
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", output.name,
                        name(model.graph[mean.inputs[0]].kind));
  }
  return text;
}

std::string label_type(const std::string &units, const std::string &compile_arguments) {
  const Model model = load("from keras import layers, losses, Sequential\n"
                           "model = Sequential([layers.Input((4,)), layers.Dense(" +
                           units + ")])\nmodel.compile('sgd', " + compile_arguments + ")\n");
  for (const NodeId id : model.graph.all(OpKind::input))
    if (attrs<InputAttrs>(model.graph[id]).role == "label")
      return model.graph.type(id).str();
  return "";
}

} // namespace

TEST_CASE("callbacks of the script's are skipped, unless they train") {
  const auto with = [](const std::string &body) {
    return "from keras import layers, Sequential, callbacks, datasets\nimport os\n"
           "(x, y), _ = datasets.mnist.load_data()\n"
           "class Own(callbacks.Callback):\n"
           "    def __init__(self, limit):\n        super().__init__()\n"
           "        self.limit = limit\n"
           "    def on_epoch_end(self, epoch, logs=None):\n" +
           body +
           "model = Sequential([layers.Input(shape=(28, 28)), layers.Flatten(), "
           "layers.Dense(10)])\n"
           "model.compile('sgd', 'mse')\n"
           "model.fit(x / 255., x / 255., epochs=2, callbacks=[Own(0.9), "
           "callbacks.ModelCheckpoint(os.path.join(os.getcwd(), 'a.keras'))])\n";
  };
  const std::string labels = with("        print(epoch, logs['loss'], self.model.optimizer.lr)\n");
  std::string code = labels;
  code.replace(code.find("layers.Dense(10)"), 16, "layers.Dense(784), layers.Reshape((28, 28))");
  CHECK(load(code).training->epochs == 2);
  CHECK(error_of(with("        if logs['loss'] < self.limit:\n"
                      "            self.model.stop_training = True\n"))
            .find("10: setting stop_training of the callback's model is not supported: use "
                  "EarlyStopping") != std::string::npos);
  CHECK(
      error_of(with("        self.model.optimizer.lr = 0.1\n")).find("use LearningRateScheduler") !=
      std::string::npos);
}

TEST_CASE("an autoencoder's samples are its labels") {
  const auto script = [](const std::string &loss, const std::string &fit) {
    return "from tensorflow import keras\n"
           "(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()\n"
           "x = x.reshape(-1, 784) / 255.0\nxt = xt.reshape(-1, 784) / 255.0\n"
           "model = keras.Sequential([keras.layers.Input((784,)), keras.layers.Dense(784)])\n"
           "model.compile('sgd', '" +
           loss + "')\n" + fit + "\n";
  };
  const Model model = load(script("mse", "model.fit(x, x, validation_data=(xt, xt))"));
  CHECK(model.data->reconstruct);
  CHECK(model.data->validation.source == "test");
  CHECK_FALSE(load(kHead + kCompile + "model.fit(x, y)\n").data->reconstruct);
  CHECK(error_of(script("sparse_categorical_crossentropy", "model.fit(x, x)")) ==
        "7: the loss expects class numbers as labels, got images (60000, 784) "
        "(line 3)");
  CHECK(error_of(script("mse", "model.fit(x, x * 2)")) ==
        "7: the samples are scaled as x / 255 (line 3), as labels they are "
        "scaled as x / 255 * 2 (line 7): that must be the same");
  CHECK(error_of(script("mse", "model.fit(x, x.reshape(-1, 28, 28))")) ==
        "7: model 'sequential' predicts [N,784], the labels are images (60000, "
        "28, 28) (line 7)");
  CHECK(error_of(script("mse", "model.fit(x, x, validation_data=(xt, yt))")) ==
        "7: the labels here are labels (10000,), those of line 7 images (60000, "
        "784)");
}

TEST_CASE("optimizers by name and by object, with Keras's defaults") {
  CHECK(optimizer("'adam'").learning_rate == 0.001F);
  CHECK(optimizer("'adam'").epsilon == 1e-7F);
  CHECK(optimizer("'Adam'").kind == "adam");
  CHECK(optimizer("'sgd'").learning_rate == 0.01F);
  CHECK(optimizer("'rmsprop'").rho == 0.9);
  CHECK(optimizer("keras.optimizers.Adam").kind == "adam");
  const OptimizerSpec adam = optimizer("keras.optimizers.Adam(0.01, beta_1=0.8, beta_2=0.9)");
  CHECK(adam.learning_rate == 0.01F);
  CHECK(adam.beta_1 == 0.8);
  CHECK(adam.beta_2 == 0.9);
  const OptimizerSpec sgd =
      optimizer("keras.optimizers.legacy.SGD(lr=0.5, momentum=0.9, nesterov=True)");
  CHECK(sgd.kind == "sgd");
  CHECK(sgd.learning_rate == 0.5F);
  CHECK(sgd.momentum == 0.9);
  CHECK(sgd.nesterov);
}

TEST_CASE("gradients are clipped in one way") {
  CHECK(optimizer("keras.optimizers.Adam(clipnorm=1.5)").clip_norm == 1.5F);
  CHECK(optimizer("keras.optimizers.SGD(global_clipnorm=2)").global_clip_norm == 2);
  CHECK(optimizer("keras.optimizers.RMSprop(clipvalue=0.5, clipnorm=None)").clip_value == 0.5F);
  const auto error = [](const std::string &arguments) {
    return error_of(kHead + "model.compile(keras.optimizers.Adam(" + arguments + "), 'mse')\n");
  };
  CHECK(error("clipnorm=-1") == "4: Adam: clipnorm must be above 0, got -1");
  CHECK(error("clipnorm=1, clipvalue=1") ==
        "4: Adam: only one of clipnorm, global_clipnorm and clipvalue can be given");
}

TEST_CASE("schedules of the learning rate are relative to one rate") {
  const auto scheduled = [](const std::string &given) {
    return optimizer("keras.optimizers.Adam(learning_rate=keras.optimizers.schedules." + given +
                     ")");
  };
  const OptimizerSpec exponential = scheduled("ExponentialDecay(0.01, 20, 0.9, staircase=True)");
  CHECK(exponential.learning_rate == 0.01F);
  CHECK(exponential.schedule->decay_rate == 0.9);
  CHECK(exponential.schedule->staircase);
  CHECK(scheduled("InverseTimeDecay(0.1, 20, 0.5)").schedule->kind == "inverse_time_decay");
  CHECK(scheduled("PolynomialDecay(0.1, 20, 0.01)").schedule->end == doctest::Approx(0.1));
  const OptimizerSpec cosine =
      scheduled("CosineDecay(0.01, 100, alpha=0.5, warmup_target=0.1, warmup_steps=10)");
  CHECK(cosine.learning_rate == 0.1F);
  CHECK(cosine.schedule->start == doctest::Approx(0.1));
  CHECK(cosine.schedule->end == 0.5);
  CHECK(scheduled("CosineDecay(0.01, 100, warmup_target=0.1)").learning_rate == 0.1F);
  const OptimizerSpec steps = scheduled("PiecewiseConstantDecay([10, 20], [0.2, 0.1, 0])");
  CHECK(steps.learning_rate == 0.2F);
  CHECK(steps.schedule->factors == std::vector<float>{1, 0.5F, 0});
  CHECK(scheduled("PiecewiseConstantDecay([0.5, 2.5, 1e30], [4, 3, 2, 1])").schedule->boundaries ==
        std::vector<int64_t>{0, 2, 1'000'000'000'000'000'000});
  const auto error = [](const std::string &given) {
    return error_of(kHead + "model.compile(keras.optimizers.SGD(keras.optimizers.schedules." +
                    given + "), 'mse')\n");
  };
  CHECK(error("ExponentialDecay(0.1, 0, 0.9)") ==
        "4: ExponentialDecay needs decay_steps above 0, got 0");
  CHECK(error("PiecewiseConstantDecay([10, 20], [0.1])") ==
        "4: PiecewiseConstantDecay needs one more of values than of boundaries, got 1 and 2");
  CHECK(error("PiecewiseConstantDecay([10], [0.1, float('nan')])") ==
        "4: PiecewiseConstantDecay needs values as a list of numbers, got [0.1, nan]");
}

TEST_CASE("losses by name, by function and by object") {
  const std::string sparse = "loss=categorical_crossentropy";
  CHECK(outputs("3", "'sparse_categorical_crossentropy'") == sparse);
  CHECK(outputs("3", "losses.sparse_categorical_crossentropy") == sparse);
  CHECK(outputs("3", "losses.SparseCategoricalCrossentropy()") == sparse);
  CHECK(outputs("3", "losses.SparseCategoricalCrossentropy(from_logits=True)") ==
        "loss=softmax_cross_entropy");
  CHECK(outputs("3", "'categorical_crossentropy'") == sparse);
  CHECK(outputs("1", "'binary_crossentropy'") == "loss=binary_crossentropy");
  CHECK(outputs("1", "losses.BinaryCrossentropy(from_logits=True)") ==
        "loss=sigmoid_cross_entropy");
  CHECK(outputs("3", "'mse'") == "loss=mean_squared_error");
  CHECK(outputs("3", "losses.MeanSquaredError()") == "loss=mean_squared_error");
  CHECK(label_type("3", "'sparse_categorical_crossentropy'") == "i32[N]");
  CHECK(label_type("3", "'categorical_crossentropy'") == "f32[N,3]");
  CHECK(label_type("1", "'binary_crossentropy'") == "f32[N,1]");
}

TEST_CASE("metrics are what Keras makes of them, under the names that it logs") {
  const std::string loss = "loss=categorical_crossentropy ";
  CHECK(outputs("3", "'sparse_categorical_crossentropy', metrics=['accuracy', 'mse']") ==
        loss + "accuracy=categorical_accuracy mse=mean_squared_error");
  CHECK(outputs("3", "'categorical_crossentropy', metrics=['acc']") ==
        loss + "acc=categorical_accuracy");
  CHECK(outputs("3", "'sparse_categorical_crossentropy', "
                     "metrics=[metrics.SparseCategoricalAccuracy(), "
                     "metrics.SparseCategoricalAccuracy(name='top')]") ==
        loss + "sparse_categorical_accuracy=categorical_accuracy top=categorical_accuracy");
  CHECK(outputs("1", "'binary_crossentropy', metrics=['accuracy']") ==
        "loss=binary_crossentropy accuracy=binary_accuracy");
  CHECK(outputs("3", "'mse', metrics=['accuracy']") ==
        "loss=mean_squared_error accuracy=categorical_accuracy");
}

TEST_CASE("fit's settings") {
  const TrainingSpec spec =
      *load(kHead + kCompile + R"(model.fit(x, y, batch_size=64, epochs=7, shuffle=False,
    verbose=2, validation_split=0.1, callbacks=[
    keras.callbacks.EarlyStopping('val_accuracy', patience=3, min_delta=0.5, mode='max'),
    keras.callbacks.ModelCheckpoint('best.keras', monitor='loss', save_best_only=True),
    keras.callbacks.TensorBoard('logs')]))")
           .training;
  CHECK(spec.batch_size == 64);
  CHECK(spec.epochs == 7);
  CHECK(!spec.shuffle);
  REQUIRE(spec.early_stopping);
  CHECK(spec.early_stopping->monitor == "val_accuracy");
  CHECK(spec.early_stopping->patience == 3);
  CHECK(spec.early_stopping->min_delta == 0.5F);
  CHECK(spec.early_stopping->mode == "max");
  CHECK(!spec.early_stopping->restore_best_weights);
  REQUIRE(spec.checkpoint);
  CHECK(spec.checkpoint->filepath == "best.keras");
  CHECK(spec.checkpoint->save_best_only);
}

TEST_CASE("callbacks that change the learning rate") {
  const auto fit = [](const std::string &callbacks, const std::string &functions = "") {
    return kHead + "model.compile(keras.optimizers.SGD(0.5), 'mse')\n" + functions +
           "model.fit(x, keras.utils.to_categorical(y), epochs=3, callbacks=[" + callbacks + "])\n";
  };
  const auto rates = [&](const std::string &function, const std::string &functions = "") {
    return load(fit("keras.callbacks.LearningRateScheduler(" + function + ")", functions))
        .training->epoch_rates->values;
  };
  CHECK(rates("lambda epoch: 0.5 ** epoch") == std::vector<float>{1, 0.5F, 0.25F});
  CHECK(rates("halve", "def halve(epoch, lr):\n    return lr if epoch < 1 else lr / 2\n") ==
        std::vector<float>{0.5F, 0.25F, 0.125F});
  const std::string plateau = "keras.callbacks.ReduceLROnPlateau('loss', factor=0.5, patience=4, "
                              "cooldown=1, min_lr=0.001)";
  const PlateauSpec spec = *load(fit(plateau)).training->plateau;
  CHECK(spec.monitor == "loss");
  CHECK(spec.factor == 0.5);
  CHECK(spec.patience == 4);
  CHECK(spec.cooldown == 1);
  CHECK(spec.min_delta == 1e-4F);
  CHECK(spec.min_rate == 0.001F);
  CHECK(error_of(fit("keras.callbacks.LearningRateScheduler(lambda epoch: -1)")) ==
        "5: the learning rate of epoch 0 must be a number of at least 0, got -1");
  CHECK(error_of(fit("keras.callbacks.LearningRateScheduler(lambda epoch: 1e39)")) ==
        "5: the learning rate of epoch 0 must be a number of at least 0, got 1e+39");
  CHECK(error_of(fit(plateau + ", keras.callbacks.LearningRateScheduler(lambda epoch: 1)")) ==
        "5: LearningRateScheduler and ReduceLROnPlateau together are not supported");
}

TEST_CASE("a callback without anything to monitor is skipped with a warning, as in Keras") {
  Diagnostics diagnostics;
  const Model model = load(kHead + kCompile +
                               "model.fit(x, y, callbacks=[keras.callbacks.EarlyStopping(), "
                               "keras.callbacks.ModelCheckpoint('a')])\n",
                           diagnostics);
  CHECK(!model.training->early_stopping);
  CHECK(model.training->checkpoint); // it saves every epoch, so nothing is monitored
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{"script.py:5:1: warning: EarlyStopping monitors 'val_loss', but "
                                 "fit() has no validation data: it is skipped"});
}

TEST_CASE("the last model that is fit becomes the program") {
  Diagnostics diagnostics;
  const Model model = load(kHead + kCompile + R"(model.fit(x, y, epochs=3)
other = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)], name='other')
other.compile('adam', 'sparse_categorical_crossentropy')
other.fit(x, y, epochs=5)
other.fit(x, y, epochs=6)
third = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
)",
                           diagnostics);
  CHECK(model.name == "other");
  CHECK(model.training->epochs == 6);
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{
            "script.py:8:1: warning: model 'sequential' fit on line 5 is not part of the program: "
            "the last model that is fit is",
            "script.py:9:1: warning: this fit() replaces the one on line 8: the program trains "
            "once"});
}

TEST_CASE("a model without a loss is for inference only") {
  const std::string model = "from keras import layers, Sequential\n"
                            "m = Sequential([layers.Input((2,)), layers.Dense(1)])\n";
  CHECK(!load(model).training);
  CHECK(!load(model + "m.compile('adam')\n").training);
  CHECK(load(model + "m.compile('adam', 'mse')\n").training->epochs == 1);
  CHECK(!load(model + "m.compile('adam', 'mse')\n").data);
}

TEST_CASE("files that the script saves can be loaded in it") {
  const std::string head = kHead + kCompile + R"(model.fit(x, y)
model.save_weights('w.h5')
model.save('m.keras')
other = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
other.load_weights('w.h5')
again = keras.models.load_model('m.keras')
again.evaluate(xt[:10], yt[:10])
)";
  const Model model = load(head);
  CHECK(model.name == "sequential");
  CHECK(model.data->test.steps.size() == 1);
  CHECK(error_of(head + "other.compile('adam', 'mse')\nother.fit(x, y)\n") ==
        "13: training that starts from another model's weights (loaded on line 9) is not "
        "supported: use --weights=FILE");
}

namespace {

const std::string kTwoHeads = R"(from keras import layers, regularizers, Model
a = layers.Input((4,))
b = layers.Dense(3, activation='softmax', name='b', kernel_regularizer=regularizers.l2(0.5))(a)
c = layers.Dense(3, activation='softmax', name='c')(a)
model = Model(a, [b, c])
)";

std::vector<std::string> logged(const std::string &script) {
  std::vector<std::string> names;
  for (const Output &output : load(script).graph.outputs)
    names.push_back(output.name);
  return names;
}

} // namespace

TEST_CASE("several outputs have losses, weights and metrics of their own") {
  using Names = std::vector<std::string>;
  const std::string compile = "model.compile('sgd', 'sparse_categorical_crossentropy', ";
  const Names all{"prediction:b", "prediction:c", "loss",      "b_loss",
                  "c_loss",       "b_accuracy",   "c_accuracy"};
  CHECK(logged(kTwoHeads + compile + "metrics=['accuracy'])") == all);
  CHECK(logged(kTwoHeads + compile + "metrics=[['accuracy'], ['acc']])").back() == "c_acc");
  CHECK(logged(kTwoHeads + compile + "metrics={'c': 'accuracy'})").back() == "c_accuracy");
  const Names one{"prediction:b", "prediction:c", "loss", "b_loss"};
  CHECK(logged(kTwoHeads + "model.compile('sgd', {'b': 'mse'})") == one);
}

TEST_CASE("a dict of outputs names them") {
  const Model model = load(R"(import keras
from keras import layers
image = keras.Input((8,), name='image')
x = layers.Dense(4)(image)
model = keras.Model(inputs={'image': image},
                    outputs={'digit': layers.Dense(10, activation='softmax', name='first')(x),
                             'odd': layers.Dense(1, activation='sigmoid')(x)})
model.compile(loss={'digit': 'sparse_categorical_crossentropy', 'odd': 'binary_crossentropy'},
              loss_weights={'digit': 1.0, 'odd': 0.5}, metrics={'digit': ['accuracy']})
)");
  CHECK(model.graph.find_output("prediction:digit").valid());
  CHECK(model.graph.find_output("prediction:odd").valid());
  CHECK(model.graph.find_output("digit_accuracy").valid());
}

TEST_CASE("outputs with the same labels share an input; others have their own") {
  const auto labels = [](const std::string &loss) {
    const Model model = load(kTwoHeads + "model.compile('sgd', " + loss + ")");
    std::string names;
    for (const NodeId id : model.graph.all(OpKind::input))
      if (attrs<InputAttrs>(model.graph[id]).role == "label")
        names += attrs<InputAttrs>(model.graph[id]).name + " ";
    return names;
  };
  CHECK(labels("'sparse_categorical_crossentropy'") == "label ");
  CHECK(labels("['sparse_categorical_crossentropy', 'mse']") == "label label_c ");
}

TEST_CASE("what the program feeds is named apart from the model's inputs") {
  const auto inputs = [](const std::string &name, const std::string &rest) {
    const Model model = load("import keras\nfrom keras import layers\n"
                             "x = keras.Input((4, 4, 1), name='" +
                             name + "')\ny = layers.Flatten()(" + rest);
    verify(model.graph);
    std::string text;
    for (const NodeId id : model.graph.all(OpKind::input)) {
      const auto &input = attrs<InputAttrs>(model.graph[id]);
      text += fmt::format("{}:{} ", input.role, input.name);
    }
    return text;
  };
  const std::string flipped = "layers.RandomFlip()(x))\nmodel = keras.Model(x, y)\n";
  CHECK(inputs("picture", flipped) == "data:picture rng:rng ");
  CHECK(inputs("rng", flipped) == "data:rng rng:_rng ");
  CHECK(inputs("label", "x)\nmodel = keras.Model(x, y)\nmodel.compile('sgd', 'mse')\n") ==
        "data:label label:_label ");
  CHECK(inputs("picture", "x)\nmiddle = layers.ReLU(name='rng')(x)\n"
                          "model = keras.Model(middle, layers.GaussianNoise(0.5)(middle))\n") ==
        "data:rng rng:_rng ");
}

TEST_CASE("regularizers add to the loss what they weigh") {
  const auto scales = [](const std::string &regularizer, const std::string &more = "") {
    const Model model = load("from keras import layers, regularizers, Sequential\n"
                             "model = Sequential([layers.Input((4,)), layers.Dense(3, "
                             "kernel_regularizer=" +
                             regularizer + ")])\n" + more + "model.compile('sgd', 'mse')");
    std::string text;
    for (const NodeId id : model.graph.all(OpKind::affine))
      text += fmt::format("{} ", attrs<AffineAttrs>(model.graph[id]).scale);
    return text;
  };
  CHECK(scales("'l2'") == "0.01 ");
  CHECK(scales("regularizers.L1(0.5)") == "0.5 ");
  CHECK(scales("regularizers.l1_l2(l1=0.25, l2=0.5)") == "0.25 0.5 ");
  CHECK(scales("None") == "");
  CHECK(scales("'l2'", "model.layers[0].trainable = False\n") == "");
  const std::string activity = "None, activity_regularizer='l2'";
  CHECK(scales(activity, "model.layers[0].trainable = False\n") == scales(activity));
  CHECK(scales(activity) != "");
}

TEST_CASE("losses beyond the classic ones") {
  for (const char *loss :
       {"mae", "huber", "hinge", "squared_hinge", "log_cosh", "poisson", "kl_divergence"}) {
    INFO(loss);
    CHECK(outputs("3", fmt::format("'{}', metrics=['mse']", loss)).find("loss=") == 0);
  }
  CHECK(outputs("9", "'sparse_categorical_crossentropy', "
                     "metrics=[metrics.SparseTopKCategoricalAccuracy(k=3)]") ==
        "loss=categorical_crossentropy sparse_top_k_categorical_accuracy=cast");
  CHECK(outputs("3", "losses.CategoricalCrossentropy(label_smoothing=0.1)") ==
        "loss=categorical_crossentropy");
}

TEST_CASE("the rarer optimizers and weight decay") {
  CHECK(optimizer("keras.optimizers.AdamW()").weight_decay == 0.004F);
  CHECK(optimizer("keras.optimizers.AdamW()").kind == "adam");
  CHECK(optimizer("keras.optimizers.SGD(0.1, weight_decay=1e-4)").weight_decay == 1e-4F);
  CHECK(optimizer("'adagrad'").kind == "adagrad");
  CHECK(optimizer("'Adamax'").kind == "adamax");
  CHECK(optimizer("'nadam'").kind == "nadam");
  CHECK(optimizer("keras.optimizers.Nadam()").momentum_decay == 1);
  CHECK(optimizer("keras.optimizers.Adadelta(1.0)").rho == 0.95);
  CHECK(optimizer("keras.optimizers.Adagrad(initial_accumulator_value=0.5)").initial_accumulator ==
        0.5F);
}
