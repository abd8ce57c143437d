#include "tests/paths.h"
#include "tool_support.h"
#include "tools/summary.h"

#include <doctest/doctest.h>

using namespace sinter;

TEST_CASE("sizes read as Keras prints them") {
  CHECK(readable_size(0) == "0.00 B");
  CHECK(readable_size(1023) == "1023.00 B");
  CHECK(readable_size(4.0 * 333526) == "1.27 MB");
  CHECK(readable_size(4.0 * 61706) == "241.04 KB");
}

TEST_CASE("the table is Keras's, with FLOPs and memory") {
  const ToolRun run = run_sinter({"summary", source_path("examples/fashion_cnn.py")});
  CHECK(run.code == 0);
  const auto shows = [&](const std::string &line) {
    CAPTURE(line);
    CHECK(run.out.find(line) != std::string::npos);
  };
  shows("Model: \"sequential\"\n");
  shows("│ conv2d (Conv2D)                │ (None, 28, 28, 32) │     320 │   501,760 │\n");
  shows("│ max_pooling2d (MaxPooling2D)   │ (None, 14, 14, 32) │       0 │");
  shows("│ conv2d_1 (Conv2D)              │ (None, 14, 14, 64) │  18,496 │");
  shows("│ flatten (Flatten)              │ (None, 3136)       │       0 │");
  shows("│ dense (Dense)                  │ (None, 100)        │ 313,700 │");
  shows("│ dense_1 (Dense)                │ (None, 10)         │   1,010 │");
  shows(" Total params: 333,526 (1.27 MB)\n Trainable params: 333,526 (1.27 MB)\n"
        " Non-trainable params: 0 (0.00 B)\n");
}

TEST_CASE("a model with branches names what each layer is connected to") {
  const ToolRun run = run_sinter({"summary", source_path("examples/residual_functional.py")});
  CHECK(run.out.find("Connected to") != std::string::npos);
  const ToolRun plain = run_sinter({"summary", source_path("examples/fashion_cnn.py")});
  CHECK(plain.out.find("Connected to") == std::string::npos);
}

TEST_CASE("the JSON has the fields of the contract") {
  const ToolRun run = run_sinter({"summary", source_path("examples/fashion_cnn.py"), "--json"});
  const nlohmann::json summary = nlohmann::json::parse(run.out);
  CHECK(summary.at("model") == "sequential");
  CHECK(summary.at("total_params") == 333526);
  CHECK(summary.at("trainable_params") == 333526);
  const nlohmann::json &first = summary.at("layers").at(0);
  CHECK(first.at("name") == "conv2d");
  CHECK(first.at("type") == "Conv2D");
  CHECK(first.at("output_shape") == nlohmann::json::parse("[null, 28, 28, 32]"));
  CHECK(first.at("params") == 320);
  CHECK(first.at("flops") == 501760);
}

TEST_CASE("parameters of the whole module count, of which no layer is a part") {
  const ScriptFolder folder;
  folder.write("own.py", R"(import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(4, 3))
        self.head = nn.Linear(3, 2, bias=False)
    def forward(self, x):
        return self.head(x @ self.w)
Net()(torch.randn(1, 4))
)");
  const ToolRun run = run_sinter({"summary", folder.path("own.py"), "--json"});
  CHECK(nlohmann::json::parse(run.out).at("total_params") == 18);
}

TEST_CASE("the FLOPs of layers within a layer are that layer's") {
  const ToolRun run =
      run_sinter({"summary", source_path("examples/zoo/resnet18_torch.py"), "--json"});
  const nlohmann::json summary = nlohmann::json::parse(run.out);
  const nlohmann::json &stage = summary.at("layers").at(5);
  CHECK(stage.at("name") == "layer1");
  const int64_t convolutions = 4 * int64_t{2 * 56 * 56 * 64} * (9 * 64);
  const int64_t flops = stage.at("flops");
  CHECK(flops > convolutions);
  CHECK(flops < convolutions * 101 / 100);
  const double total = summary.at("flops");
  CHECK(total == doctest::Approx(2 * 1.814e9).epsilon(0.01)); // He et al. 2016, table 1: 1.8e9
}

TEST_CASE("memory grows with the batch") {
  const auto arena = [](const std::string &batch) {
    return nlohmann::json::parse(run_sinter({"summary", source_path("examples/fashion_cnn.py"),
                                             "--json", "--batch=" + batch})
                                     .out)
        .at("training_arena_bytes")
        .get<int64_t>();
  };
  CHECK(arena("64") > arena("32"));
  CHECK(arena("64") - arena("32") == 32 * (arena("2") - arena("1")));
}
