// The header and the description of a library.
#include "backends/program/description.h"
#include "backends/program/header.h"
#include "ir/parse.h"
#include "tests/backends/program/small_programs.h"
#include "tests/paths.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace sinter;

namespace {

/// Compares with a file beside this one; UPDATE_GOLDENS=1 rewrites it.
void check_golden(const std::string &text, const std::string &file) {
  const std::string path = source_path("tests/backends/program/" + file);
  if (std::getenv("UPDATE_GOLDENS") != nullptr)
    std::ofstream(path) << text;
  std::ostringstream expected;
  expected << std::ifstream(path).rdbuf();
  CHECK(text == expected.str());
}

} // namespace

TEST_CASE("the header of a trainable model") {
  const Program program = plan_program(fashion_net(8, 3, 0.5F), "fashion");
  check_golden(library_header(without_kernels(program), "fashion", true), "fashion.h.golden");
}

TEST_CASE("a model without training has no function for it") {
  const Program program = plan_program(binary_net(), "binary", /*train=*/false);
  const std::string text = library_header(without_kernels(program), "binary", true);
  CHECK(text.find("binary_eval_step") != std::string::npos);
  CHECK(text.find("binary_load(context, \"binary.safetensors\")") != std::string::npos);
  const std::string embedded = library_header(without_kernels(program), "binary", false);
  CHECK(embedded.find("binary.safetensors") == std::string::npos);
  CHECK(text.find("train_step") == std::string::npos);
  CHECK(text.find("set_learning_rate") == std::string::npos);
  CHECK(text.find("TRAIN") == std::string::npos);
}

TEST_CASE("a model's name cannot end the header's comments") {
  Model model = fashion_net(8, 3, 0.5F);
  model.name = "evil */ #error \xC3\xA9\n";
  const Program program = plan_program(model, "evil");
  CHECK(library_header(without_kernels(program), "evil", true).rfind("/* evil *_ #error ___:", 0) ==
        0);
}

TEST_CASE("the header's memory formula is at least what the runtime asks for") {
  const Program program = plan_program(fashion_net(8, 3, 0.5F), "fashion");
  const CompiledProgram compiled = without_kernels(program);
  const ContextBytes infer = context_bytes(compiled, SINTER_INFER);
  const ContextBytes train = context_bytes(compiled, SINTER_TRAIN);
  CHECK(infer.per_sample >= static_cast<uint64_t>(program.infer.arena_per_sample));
  CHECK(train.per_sample >= static_cast<uint64_t>(program.train->arena_per_sample));
  CHECK(infer.fixed >= static_cast<uint64_t>(program.infer.arena_fixed));
  CHECK(train.fixed > static_cast<uint64_t>(program.parameter_bytes));
  CHECK(train.fixed > infer.fixed);
}

TEST_CASE("micro-batches need memory for their samples, and no more for a larger batch") {
  Model model;
  model.name = "wide";
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,96,96,16]} : f32[N,96,96,16]
%1 = softmax %0 : f32[N,96,96,16]
%2 = softmax %1 : f32[N,96,96,16]
%3 = reduce_mean %2 {axes=[1,2]} : f32[N,16]
output "prediction" %3)",
                            "wide.sir");
  const Program program = plan_program(model, "wide");
  REQUIRE(program.infer.micro_batches.size() == 1);
  const int64_t samples = program.infer.micro_batches[0].samples;
  const int64_t value = int64_t{96} * 96 * 16 * 4;
  CHECK(program.infer.arena_bytes(samples + 100) ==
        program.infer.arena_bytes(samples) + 100 * program.infer.arena_per_sample);
  CHECK(program.infer.arena_per_sample < value);
  CHECK(program.infer.arena_bytes(1) < 3 * value);
  const ContextBytes bytes = context_bytes(without_kernels(program), SINTER_INFER);
  CHECK(bytes.micro_batch_most >= bytes.micro_batch_per_sample * static_cast<uint64_t>(samples));
  const std::string text = library_header(without_kernels(program), "wide", true);
  CHECK(text.find(fmt::format("((size_t)(n) < {}u ?", samples)) != std::string::npos);
}

TEST_CASE("the description says what the program is") {
  Model model = fashion_net(8, 3, 0.5F);
  model.name = "caf\xC3"; // cut in the middle of a letter
  model.training->early_stopping = EarlyStoppingSpec{};
  model.data = DataSpec{};
  model.data->dataset = "fashion_mnist";
  const Program program = plan_program(model, "fashion");
  const auto json = nlohmann::json::parse(describe_program(without_kernels(program)));
  CHECK(json["prefix"] == "fashion");
  CHECK(json["inputs"][0]["shape"] == nlohmann::json::parse("[null, 8, 8, 1]"));
  CHECK(json["labels"][0]["classes"] == 10);
  CHECK(json["metrics"] == nlohmann::json::parse(R"(["loss", "accuracy"])"));
  CHECK(json["variants"].size() == 3);
  CHECK(json["parameters"]["total"] == json["parameters"]["trainable"]);
  CHECK(json["training"]["optimizer"]["kind"] == "adam");
  CHECK(json["training"]["early_stopping"]["monitor"] == "val_loss");
  CHECK(json["memory"]["train"]["kernels"].get<size_t>() == program.train->kernels.size());
  CHECK(json["data"]["dataset"] == "fashion_mnist");
}

TEST_CASE("several tensors are parameters in their order, each with its size") {
  Model model;
  model.name = "two";
  model.graph = parse_graph(R"(%0 = input {name="image", type=f32[N,4]} : f32[N,4]
%1 = input {name="offset", type=i32[3]} : i32[3]
%2 = input {name="flag", type=u8[]} : u8[]
%3 = exp %0 : f32[N,4]
output "prediction:boxes" %3
output "prediction:flag" %2
output "prediction:offset" %1)",
                            "two.sir");
  const Program program = plan_program(model, "two");
  const std::string text = library_header(without_kernels(program), "two", true);
  INFO(text);
  const auto has = [&](const std::string &part) { return text.find(part) != std::string::npos; };
  CHECK(
      has("#define TWO_INPUTS 3\n#define TWO_INPUT_IMAGE_ELEMENTS 4 /* \"image\": float [n][4] */\n"
          "#define TWO_INPUT_OFFSET_ELEMENTS 3 /* \"offset\": int32_t [3] */\n"
          "#define TWO_INPUT_FLAG_ELEMENTS 1 /* \"flag\": uint8_t */\n"));
  CHECK(has("row-major.\n * One without [n] is the same for any n. */"));
  CHECK(has("int two_infer(two_context *context, const float *x_image, const int32_t *x_offset,\n"
            "               const uint8_t *x_flag, int32_t n, float *y_boxes, uint8_t *y_flag,\n"
            "               int32_t *y_offset);"));
  CHECK(has("two_infer(context, x_image, x_offset, x_flag, 1, y_boxes, y_flag, y_offset)"));
  const auto json = nlohmann::json::parse(describe_program(without_kernels(program)));
  CHECK(json["inputs"][1] == nlohmann::json::parse(R"({"name": "offset", "type": "i32",
                                                       "shape": [3], "argument": "x_offset"})"));
  CHECK(json["outputs"].size() == 3);
}

TEST_CASE("without a batch, n is 1") {
  Model model;
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[1,3]} : f32[1,3]
%1 = exp %0 : f32[1,3]
output "prediction" %1)",
                            "static.sir");
  const Program program = plan_program(model, "fixed");
  CHECK(library_header(without_kernels(program), "fixed", true)
            .find("/* y = the prediction for x: there is no batch, so n must be 1. */") !=
        std::string::npos);
}
