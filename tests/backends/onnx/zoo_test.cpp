// The zoo's networks on small pictures, written as ONNX and read again.
#include "ir/diagnostics.h"
#include "tests/backends/onnx/round_trip.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <regex>

using namespace sinter;

namespace {

struct SmallNetwork {
  const char *file;
  int size; // of its pictures; 0: as it is
};

/// As small as each network's strides allow.
constexpr SmallNetwork kNetworks[] = {
    {"alexnet", 67},      {"deep_convnet", 0},  {"densenet121", 32}, {"fashion_cnn_torch", 0},
    {"googlenet", 80},    {"lenet5", 0},        {"mobilenet", 32},   {"mobilenet_v2", 32},
    {"resnet152", 32},    {"resnet18", 32},     {"resnet34", 32},    {"resnet50", 32},
    {"se_inception", 32}, {"se_resnet50", 32},  {"squeezenet", 64},  {"unet", 32},
    {"vgg11", 32},        {"vgg16", 32},        {"vgg19", 32},       {"xception", 71},
    {"zfnet", 64},        {"resnet18_torch", 0}};

std::string script(const SmallNetwork &network) {
  std::ifstream stream(source_path(std::string("examples/zoo/") + network.file + ".py"));
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (network.size == 0)
    return text;
  const std::string size = std::to_string(network.size);
  return std::regex_replace(text, std::regex("shape=([(\\[])\\d+, \\d+, "),
                            "shape=$01" + size + ", " + size + ", ");
}

} // namespace

TEST_CASE("the zoo's networks survive being written as ONNX") {
  for (const SmallNetwork &network : kNetworks) {
    CAPTURE(network.file);
    Diagnostics diagnostics;
    const Model model = load_script(network.file, script(network), {}, diagnostics);
    CHECK(round_trip_problem(model, /*batch=*/1, /*seed=*/1) == "");
  }
}
