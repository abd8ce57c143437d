// The scripts of examples/zoo mean the networks of the papers: their parameters are counted.
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <set>

using namespace sinter;

namespace {

struct ZooEntry {
  const char *file;
  int64_t total;
  int64_t trainable;
};

/// Where the papers print only rounded figures, those of keras.applications and torchvision, or
/// the sums of the papers' tables: layers' weights and biases, batch normalisation's statistics in
/// the total.
constexpr ZooEntry kZoo[] = {
    {"alexnet.py", 62378344, 62378344},
    {"deep_convnet.py", 123552, 123552},
    {"densenet121.py", 8062504, 7978856}, // keras.applications
    {"fashion_cnn_torch.py", 333526, 333526},
    {"googlenet.py", 13378280, 13378280}, // 6,998,552 and 3,188,840 + 3,190,888 of the heads
    {"lenet5.py", 61706, 61706},
    {"mobilenet.py", 4253864, 4231976},    // keras.applications
    {"mobilenet_v2.py", 3538984, 3504872}, // keras.applications
    {"resnet18.py", 11699112, 11689512},   // torchvision
    {"resnet18_torch.py", 11699112, 11689512},
    {"resnet34.py", 21306826, 21289802},   // with 10 classes
    {"resnet50.py", 25636712, 25583592},   // keras.applications: convolutions have biases
    {"resnet152.py", 60419944, 60268520},  // keras.applications
    {"se_inception.py", 7478655, 7478655}, // GoogLeNet without its heads and 480,103 of nine blocks
    {"se_resnet50.py", 28141144, 28088024},
    {"squeezenet.py", 1235496, 1235496}, // torchvision's squeezenet1_1
    {"unet.py", 31030593, 31030593},
    {"vgg11.py", 132863336, 132863336},
    {"vgg16.py", 138357544, 138357544},
    {"vgg19.py", 143667240, 143667240},
    {"xception.py", 22910480, 22855952}, // keras.applications
    {"zfnet.py", 62357608, 62357608},
};

} // namespace

TEST_CASE("the zoo's networks have the papers' parameters") {
  for (const ZooEntry &entry : kZoo) {
    INFO(entry.file);
    Diagnostics diagnostics;
    const Model model =
        load_model(source_path(std::string("examples/zoo/") + entry.file), {}, diagnostics).model;
    int64_t trainable = 0;
    for (const NodeId id : model.graph.all(OpKind::parameter))
      if (attrs<ParameterAttrs>(model.graph[id]).role == "weight")
        trainable += model.graph.type(id).elements();
    CHECK(parameter_count(model) == entry.total);
    CHECK(trainable == entry.trainable);
    CHECK(model.training.has_value());
  }
}

TEST_CASE("every script of the zoo is in the table") {
  std::set<std::string> files, known;
  for (const auto &entry : std::filesystem::directory_iterator(source_path("examples/zoo")))
    if (entry.path().extension() == ".py")
      files.insert(entry.path().filename().string());
  for (const ZooEntry &entry : kZoo)
    known.insert(entry.file);
  CHECK(files == known);
}

TEST_CASE("GoogLeNet weighs its heads' losses") {
  Diagnostics diagnostics;
  const Model model = load_model(source_path("examples/zoo/googlenet.py"), {}, diagnostics).model;
  std::vector<float> weights;
  for (const NodeId id : model.graph.all(OpKind::affine))
    if (model.graph.type(id).shape.empty())
      weights.push_back(attrs<AffineAttrs>(model.graph[id]).scale);
  CHECK(weights == std::vector<float>{0.3F, 0.3F});
  CHECK(model.graph.find_output("auxiliary_1_loss").valid());
}
