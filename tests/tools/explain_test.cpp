#include "passes/pipeline.h"
#include "tests/paths.h"
#include "tool_support.h"
#include "tools/explain.h"

#include <doctest/doctest.h>
#include <fstream>

using namespace sinter;

TEST_CASE("explain names what fused, what did not and why, and where values lie") {
  const ScriptFolder scripts;
  const std::string cache = "--cache=" + build_path("test_kernels");
  const ToolRun run = run_sinter({"explain", scripts.net(), "--json", cache});
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  const nlohmann::json explanation = nlohmann::json::parse(run.out);
  REQUIRE(explanation.at("phases").size() == 3);
  const nlohmann::json &infer = explanation.at("phases").at(0);
  CHECK(infer.at("name") == "infer");
  const nlohmann::json &first = infer.at("kernels").at(0);
  CHECK(first.at("ops").get<std::string>().rfind("conv2d+bias_add+relu", 0) == 0);
  CHECK(first.at("layers").get<std::string>().rfind("conv2d", 0) == 0);
  CHECK_FALSE(first.at("algorithm").get<std::string>().empty());
  const auto &refusals = infer.at("not_fused");
  REQUIRE_FALSE(refusals.empty());
  CHECK(refusals.at(0).at("producer") == "max_pool2d (max_pooling2d)");
  CHECK(refusals.at(0).at("consumer") == "matmul (dense)");
  CHECK(refusals.at(0).at("reason") == "each kernel has a loop nest of its own");
  CHECK_FALSE(infer.at("values").empty());

  const std::string text = run_sinter({"explain", scripts.net(), "--memory", cache}).out;
  CHECK(text.find("conv2d+bias_add+relu") != std::string::npos);
  CHECK(text.find("arena") != std::string::npos);
}

TEST_CASE("explain names what needs no kernel, and why a concatenation is copied") {
  const std::string path = build_path("explain_parts.sir");
  std::ofstream(path) << R"(%0 = input {name="x", type=f32[N,4,8]} : f32[N,4,8]
%1 = softmax %0 : f32[N,4,8]
%2 = exp %1 : f32[N,4,8]
%3 = concat %1, %2 {axis=2} : f32[N,4,16]
%4 = slice %3 {begin=[0,0,4], end=[N,4,12]} : f32[N,4,8]
%5 = softmax %4 : f32[N,4,8]
%6 = concat %5, %0 {axis=2} : f32[N,4,16]
%7 = softmax %6 : f32[N,4,16]
output "prediction" %7)";
  const ToolRun run =
      run_sinter({"explain", path, "--memory", "--cache=" + build_path("test_kernels")});
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("without a kernel:\n"
                     "  concat : f32[N,4,16]: its operands are written into it\n"
                     "  slice : f32[N,4,8]: it is read where it lies in its operand\n") !=
        std::string::npos);
  CHECK(run.out.find("softmax -> concat: another operand cannot lie in it\n") != std::string::npos);
  CHECK(run.out.find("part of %3 concat") != std::string::npos);
}

TEST_CASE("explain says that a reshape keeps a value out of a concatenation") {
  const ScriptFolder scripts;
  const std::string path =
      scripts.write("reshaped.sir", R"(%0 = input {name="x", type=f32[N,32]} : f32[N,32]
%1 = softmax %0 : f32[N,32]
%2 = reshape %1 {shape=[N,4,8]} : f32[N,4,8]
%3 = softmax %2 : f32[N,4,8]
%4 = concat %2, %3 {axis=2} : f32[N,4,16]
%5 = softmax %4 : f32[N,4,16]
output "prediction" %5)");
  const ToolRun run = run_sinter({"explain", path, "--cache=" + build_path("test_kernels")});
  CAPTURE(run.out);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("softmax -> concat: a reshape lies between\n") != std::string::npos);
  CHECK(run.out.find("softmax -> concat: another operand cannot lie in it\n") != std::string::npos);
}

TEST_CASE("explain says which kernels run for how many samples at a time") {
  const std::string path = build_path("explain_wide.sir");
  std::ofstream(path) << R"(%0 = input {name="x", type=f32[N,96,96,16]} : f32[N,96,96,16]
%1 = softmax %0 : f32[N,96,96,16]
%2 = softmax %1 : f32[N,96,96,16]
%3 = reduce_mean %2 {axes=[1,2]} : f32[N,16]
output "prediction" %3)";
  const std::string cache = "--cache=" + build_path("test_kernels");
  const nlohmann::json parts =
      nlohmann::json::parse(run_sinter({"explain", path, "--json", cache}).out)
          .at("phases")
          .at(0)
          .at("micro_batches");
  REQUIRE(parts.size() == 1);
  CHECK(parts.at(0).at("first") == "softmax.0");
  CHECK(parts.at(0).at("last") == "reduce_mean.0");
  CHECK(parts.at(0).at("samples") >= 4);
  const std::string text = run_sinter({"explain", path, cache}).out;
  CHECK(text.find("samples at a time: softmax.0 to reduce_mean.0") != std::string::npos);
}

TEST_CASE("explain says what stays in f32, and why") {
  const std::string cache = "--cache=" + build_path("test_kernels");
  const std::string net = source_path("examples/fashion_cnn.py");
  const ToolRun run = run_sinter({"explain", net, "--precision=bf16", "--json", cache});
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  const nlohmann::json explanation = nlohmann::json::parse(run.out);
  const nlohmann::json &kept = explanation.at("phases").at(0).at("not_in_bf16");
  REQUIRE(kept.size() == 2);
  CHECK(kept.at(0).at("node") == "conv2d (conv2d)");
  CHECK(kept.at(0).at("reason") == "it has too few channels or filters");
  CHECK(kept.at(1).at("node") == "matmul (dense_1)");
  CHECK(kept.at(1).at("reason") == "it is too little work");
}

TEST_CASE("explain says that a filter made of a parameter stays in f32") {
  const std::string path = build_path("explain_prepared.sir");
  std::ofstream(path) << R"(
%0 = input {name="x", type=f32[N,512]} : f32[N,512]
%1 = parameter {name="a", type=f32[512,512]} : f32[512,512]
%2 = matmul %0, %1 : f32[N,512]
%3 = parameter {name="b", type=f32[512,512]} : f32[512,512]
%4 = relu %3 : f32[512,512]
%5 = matmul %2, %4 : f32[N,512]
output "prediction" %5)";
  const ToolRun run = run_sinter(
      {"explain", path, "--precision=bf16", "--json", "--cache=" + build_path("test_kernels")});
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  const nlohmann::json kept = nlohmann::json::parse(run.out).at("phases").at(0).at("not_in_bf16");
  REQUIRE(kept.size() == 1);
  CHECK(kept.at(0).at("reason") == "its filter is no parameter");
}

TEST_CASE("explain says what a limit of memory costs") {
  const ScriptFolder scripts;
  const std::string net = scripts.write("chain.py", R"(from tensorflow import keras
model = keras.Sequential([keras.layers.Input(shape=(16, 16, 8))] + [
    keras.layers.Conv2D(8, 3, padding='same', activation='relu') for _ in range(8)
] + [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5, activation='softmax')])
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy')
)");
  const auto explained = [&](const std::string &limit) {
    return run_sinter({"explain", net, "--json", "--memory-batch=64", "--max-memory=" + limit,
                       "--cache=" + build_path("test_kernels")});
  };
  const ToolRun ample = explained("1G");
  REQUIRE(ample.code == 0);
  CHECK_FALSE(nlohmann::json::parse(ample.out).contains("recomputed"));
  const nlohmann::json memory = nlohmann::json::parse(ample.out).at("memory").at("training");
  CHECK(memory.at("batch") == 64);
  CHECK(memory.at("buffers") == 64 * (16 * 16 * 8 + 1) * 4);
  CHECK(memory.at("optimizer") >= 2 * 4 * (8 * (3 * 3 * 8 * 8 + 8) + 5 * 9)); // Adam's moments
  CHECK(memory.at("total") ==
        memory.at("weights").get<int64_t>() + memory.at("prepared").get<int64_t>() +
            memory.at("optimizer").get<int64_t>() + memory.at("arena").get<int64_t>() +
            memory.at("buffers").get<int64_t>());
  const ToolRun tight = explained("4500K");
  CAPTURE(tight.err);
  REQUIRE(tight.code == 0);
  const nlohmann::json recomputed = nlohmann::json::parse(tight.out).at("recomputed");
  CHECK(recomputed.at("batch") == 64);
  CHECK(recomputed.at("values") > 0);
  CHECK(recomputed.at("bytes") <= 4500 * 1024);
  CHECK(recomputed.at("bytes_before") > 4500 * 1024);
  CHECK(recomputed.at("more_flops_pct") > 1);
  const ToolRun hopeless = explained("2M");
  CHECK(hopeless.code == 1);
  CHECK(hopeless.err.find("the limit of 2097152") != std::string::npos);
  CHECK(explained("much").code == 2);
}
