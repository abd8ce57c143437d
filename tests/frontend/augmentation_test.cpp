// What layers do at random, by the reference interpreter, on the graph of a training step.
#include "backends/reference/interpreter.h"
#include "passes/specialize_for_inference.h"
#include "passes/specialize_for_training.h"
#include "tests/frontend/support.h"

#include <cmath>
#include <doctest/doctest.h>
#include <set>

using namespace sinter;

namespace {

constexpr int64_t kPictures = 12;

Model one_layer(const std::string &shape, const std::string &layer) {
  return load("from keras import layers, Sequential\nmodel = Sequential([layers.Input(shape=" +
              shape + "), layers." + layer + "])\n");
}

/// Values that are all different, in [0, 255].
Array pictures(const TensorType &type) {
  Array array(type, kPictures);
  for (int64_t i = 0; i < array.size(); ++i)
    array[i] = static_cast<double>((i * 37) % 251) + static_cast<double>(i % 5) / 8;
  return array;
}

struct Result {
  Array x, y;

  double at(const Array &array, int64_t picture, int64_t row, int64_t column) const {
    const Shape extents = array.extents();
    return array[((picture * extents[1] + row) * extents[2] + column) * extents[3]];
  }
};

/// The layer's output for a batch in a training step.
Result train(const std::string &shape, const std::string &layer) {
  Graph graph = one_layer(shape, layer).graph;
  specialize_for_training(graph);
  NamedArrays values;
  Result result;
  for (const NodeId id : graph.all(OpKind::input)) {
    const auto &input = attrs<InputAttrs>(graph[id]);
    Array &value = values[input.name] = Array(input.type, kPictures);
    if (input.role == "rng")
      value.values = {12345, 0, 7, 0};
    else
      value = result.x = pictures(input.type);
  }
  const NodeId output = graph.outputs.at(0).value;
  result.y = evaluate(graph, kPictures, values)[static_cast<size_t>(output.index)];
  return result;
}

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<double> &values) {
  Moments m;
  const auto count = static_cast<double>(values.size());
  for (const double value : values)
    m.mean += value / count;
  for (const double value : values)
    m.deviation += (value - m.mean) * (value - m.mean) / count;
  m.deviation = std::sqrt(m.deviation);
  return m;
}

} // namespace

TEST_CASE("outside training what is random is the identity") {
  for (const char *layer :
       {"RandomFlip()", "RandomRotation(0.1)", "RandomZoom(0.2)", "RandomTranslation(0.1, 0.1)",
        "RandomContrast(0.2)", "RandomBrightness(0.2)", "RandomCrop(6, 5)", "GaussianNoise(0.1)",
        "GaussianDropout(0.5)", "AlphaDropout(0.5)", "ActivityRegularization(l2=0.01)",
        "SpatialDropout2D(0.2, data_format='channels_first')"}) {
    CAPTURE(layer);
    Graph graph = one_layer("(6, 5, 2)", layer).graph;
    specialize_for_inference(graph);
    CHECK(graph.all(OpKind::input).size() == 1);
    CHECK(graph.size() - static_cast<int>(graph.all(OpKind::transpose).size()) == 1);
  }
}

TEST_CASE("some pictures are flipped, each as a whole") {
  const Result horizontal = train("(3, 4, 2)", "RandomFlip('horizontal')");
  const Result both = train("(3, 4, 2)", "RandomFlip()");
  int flipped = 0;
  int seen[2][2] = {{0, 0}, {0, 0}};
  for (int64_t n = 0; n < kPictures; ++n) {
    const bool turned =
        horizontal.at(horizontal.y, n, 0, 0) != horizontal.at(horizontal.x, n, 0, 0);
    flipped += turned ? 1 : 0;
    for (int64_t row = 0; row < 3; ++row)
      for (int64_t column = 0; column < 4; ++column)
        CHECK(horizontal.at(horizontal.y, n, row, column) ==
              horizontal.at(horizontal.x, n, row, turned ? 3 - column : column));
    for (const int64_t down : {0, 1})
      for (const int64_t across : {0, 1})
        if (both.at(both.y, n, 0, 0) == both.at(both.x, n, 2 * down, 3 * across))
          ++seen[down][across];
  }
  CHECK(flipped > 2);
  CHECK(flipped < kPictures - 2);
  CHECK(seen[0][0] + seen[0][1] + seen[1][0] + seen[1][1] == kPictures);
  CHECK(seen[0][1] > 0);
  CHECK(seen[1][0] > 0);
}

TEST_CASE("a quarter of a turn puts rows in the place of columns") {
  const Result r = train("(4, 4, 2)", "RandomRotation((0.25, 0.25))");
  for (int64_t row = 0; row < 4; ++row)
    for (int64_t column = 0; column < 4; ++column) // y[row, column] = x[column', row]
      CHECK(r.at(r.y, 3, row, column) ==
            doctest::Approx(r.at(r.x, 3, column, 3 - row)).epsilon(1e-4));
}

TEST_CASE("pictures move down and to the right, and are filled as told") {
  const auto row_of = [](const std::string &rest, const std::string &by = "0.5") {
    const Result r = // 0 1 2 3 moved by two, or by four times `by`
        train("(1, 4, 1)", "RandomTranslation(0, (" + by + ", " + by + ")" + rest + ")");
    std::vector<int64_t> from;
    for (int64_t column = 0; column < 4; ++column) {
      from.push_back(-1);
      for (int64_t source = 0; source < 4; ++source)
        if (r.at(r.y, 1, 0, column) == doctest::Approx(r.at(r.x, 1, 0, source)).epsilon(1e-5))
          from.back() = source;
      if (r.at(r.y, 1, 0, column) == doctest::Approx(999))
        from.back() = 999;
    }
    return from;
  };
  using Columns = std::vector<int64_t>;
  CHECK(row_of("") == Columns{1, 0, 0, 1});
  CHECK(row_of(", fill_mode='nearest'") == Columns{0, 0, 0, 1});
  CHECK(row_of(", fill_mode='wrap'") == Columns{2, 3, 0, 1});
  CHECK(row_of(", fill_mode='wrap'", "-0.5") == Columns{2, 3, 0, 1});
  // TensorFlow takes -3 and 6 for a second round, which puts them beyond the other border.
  CHECK(row_of(", fill_mode='wrap'", "0.75") == Columns{3, 2, 3, 0});
  CHECK(row_of(", fill_mode='wrap'", "-0.75") == Columns{3, 0, 1, 0});
  CHECK(row_of(", fill_mode='constant', fill_value=999.0") == Columns{999, 999, 0, 1});
  CHECK(row_of(", interpolation='nearest'") == Columns{1, 0, 0, 1});
}

TEST_CASE("half a pixel lies between two") {
  const Result r = train("(1, 4, 1)", "RandomTranslation(0, (0.125, 0.125))");
  CHECK(r.at(r.y, 2, 0, 2) ==
        doctest::Approx((r.at(r.x, 2, 0, 1) + r.at(r.x, 2, 0, 2)) / 2).epsilon(1e-5));
}

TEST_CASE("zooming leaves the middle where it is") {
  const Result out = train("(5, 5, 1)", "RandomZoom((1.0, 1.0), fill_mode='constant')");
  CHECK(out.at(out.y, 0, 2, 2) == doctest::Approx(out.at(out.x, 0, 2, 2)));
  CHECK(out.at(out.y, 0, 3, 3) == doctest::Approx(out.at(out.x, 0, 4, 4)));
  CHECK(out.at(out.y, 0, 0, 2) == doctest::Approx(0));
  const Result wide = train("(5, 5, 1)", "RandomZoom(0, (-0.5, -0.5))");
  CHECK(wide.at(wide.y, 0, 4, 4) == doctest::Approx(wide.at(wide.x, 0, 4, 3)));
  const Result one = train("(5, 5, 1)", "RandomZoom((-0.3, 0.3))"); // the width goes with it
  CHECK(one.at(one.y, 0, 2, 2) == doctest::Approx(one.at(one.x, 0, 2, 2)));
}

TEST_CASE("crops are parts of the picture, of different places") {
  const Result r = train("(6, 5, 2)", "RandomCrop(2, 3)");
  REQUIRE(r.y.extents() == Shape{kPictures, 2, 3, 2});
  std::set<std::pair<int64_t, int64_t>> places;
  for (int64_t n = 0; n < kPictures; ++n)
    for (int64_t top = 0; top <= 4; ++top)
      for (int64_t left = 0; left <= 2; ++left)
        if (r.at(r.y, n, 0, 0) == r.at(r.x, n, top, left) &&
            r.at(r.y, n, 1, 2) == r.at(r.x, n, top + 1, left + 2))
          places.insert({top, left});
  CHECK(places.size() > 3);
  CHECK(output_shape(one_layer("(4, 6, 1)", "RandomCrop(8, 8)"), "random_crop") == "[N,8,8,1]");
  CHECK(output_shape(one_layer("(4, 6, 1)", "Resizing(8, 3, crop_to_aspect_ratio=True)"),
                     "resizing") == "[N,8,3,1]");
  const Result middle = train("(6, 5, 2)", "CenterCrop(2, 3)");
  CHECK(middle.at(middle.y, 0, 0, 0) == middle.at(middle.x, 0, 2, 1));
}

TEST_CASE("contrast and brightness change by factors of their ranges") {
  const Result contrast =
      train("(4, 4, 2)", "RandomContrast((0.5, -0.5), value_range=(-9999, 9999))");
  double mean = 0;
  for (int64_t i = 0; i < 16; ++i)
    mean += contrast.at(contrast.x, 2, i / 4, i % 4) / 16;
  CHECK(contrast.at(contrast.y, 2, 1, 3) ==
        doctest::Approx(mean + (contrast.at(contrast.x, 2, 1, 3) - mean) / 2).epsilon(1e-5));
  const Result brightness =
      train("(4, 4, 2)", "RandomBrightness((0.2, 0.2), value_range=(0, 200))");
  for (int64_t i = 0; i < 16; ++i)
    CHECK(brightness.at(brightness.y, 1, i / 4, i % 4) ==
          doctest::Approx(std::min(brightness.at(brightness.x, 1, i / 4, i % 4) + 40, 200.0)));
}

TEST_CASE("noise has the deviation that it was given") {
  const auto noise = [](const std::string &layer, bool factor) {
    const Result r = train("(20, 20, 2)", layer);
    std::vector<double> values;
    for (int64_t i = 0; i < r.x.size(); ++i)
      if (!factor || r.x[i] > 0)
        values.push_back(factor ? r.y[i] / r.x[i] : r.y[i] - r.x[i]);
    return moments(values);
  };
  const Moments added = noise("GaussianNoise(0.5)", false);
  CHECK(std::fabs(added.mean) < 0.02);
  CHECK(added.deviation == doctest::Approx(0.5).epsilon(0.03));
  const Moments multiplied = noise("GaussianDropout(0.2)", true);
  CHECK(multiplied.mean == doctest::Approx(1).epsilon(0.02));
  CHECK(multiplied.deviation == doctest::Approx(0.5).epsilon(0.03));
}

TEST_CASE("saved models have the layers with the arguments of every version") {
  const std::string path = write_file("augmented.json", R"({"class_name": "Sequential",
"config": {"name": "net", "layers": [
  {"class_name": "InputLayer", "config": {"batch_shape": [null, 8, 8, 3], "name": "x"}},
  {"class_name": "RandomFlip", "config": {"name": "flip", "trainable": true, "dtype": "float32",
    "seed": null, "mode": "horizontal", "data_format": "channels_last"}},
  {"class_name": "RandomRotation", "config": {"name": "rotate", "factor": [-0.1, 0.1], "seed": 1,
    "fill_mode": "reflect", "fill_value": 0.0, "interpolation": "bilinear",
    "data_format": "channels_last"}},
  {"class_name": "Custom>RandomZoom", "config": {"name": "zoom", "height_factor": 0.2,
    "width_factor": null, "fill_mode": "constant", "fill_value": 0.0, "interpolation": "nearest",
    "seed": null}},
  {"class_name": "RandomContrast", "config": {"name": "contrast", "factor": 0.1, "seed": null}},
  {"class_name": "RandomBrightness", "config": {"name": "brightness", "factor": 0.1,
    "value_range": [0, 1], "seed": null}},
  {"class_name": "GaussianNoise", "config": {"name": "noise", "stddev": 0.1, "seed": null}},
  {"class_name": "SpatialDropout2D", "config": {"name": "drop", "rate": 0.5, "seed": null,
    "noise_shape": null}},
  {"class_name": "ActivityRegularization", "config": {"name": "small", "l1": 0.0, "l2": 0.01}}
]}})");
  Diagnostics diagnostics;
  const Model model = load_model(path, {}, diagnostics).model;
  CHECK(model.layers.size() == 8);
  CHECK(model.graph.all(OpKind::in_training).size() == 6);
  CHECK(model.graph.all(OpKind::dropout).size() == 1);
}

TEST_CASE("what is wrong with a layer is said") {
  const auto error = [](const std::string &layer, const std::string &shape = "(6, 5, 2)") {
    try {
      one_layer(shape, layer);
      return std::string();
    } catch (const CompileError &raised) {
      return raised.text();
    }
  };
  CHECK(error("RandomRotation('much')") ==
        "RandomRotation 'random_rotation' needs factor as two numbers (lower, upper), or as one of "
        "at least 0, got 'much'");
  CHECK(error("RandomContrast(1.5)") ==
        "RandomContrast 'random_contrast' takes at most 1 of the contrast away, got factor=1.5");
  CHECK(error("GaussianNoise(-1)") ==
        "GaussianNoise 'gaussian_noise' needs a stddev of at least 0, got -1");
  for (const char *layer : {"RandomRotation(0.1)", "RandomTranslation(0.1, 0.1)", "RandomZoom(0.1)",
                            "RandomCrop(3, 1)"}) {
    CAPTURE(layer);
    const auto refused = [&](const std::string &height, const std::string &width) {
      return error(layer, "(" + height + ", " + width + ", 1)")
                 .find(" of pictures of " + height + " x " + width + " pixels is not supported") !=
             std::string::npos;
    };
    CHECK(refused("1000000000", "1")); // before a table of its rows is made
    CHECK(refused("1048577", "2"));
    CHECK(refused("5000", "5000"));
    CHECK_FALSE(refused("4096", "4096"));
  }
  CHECK(error("RandomZoom(0.1, fill_mode='constant')", "(4096, 4096, 1)") != "");
}
