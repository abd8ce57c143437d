// What a compilation learns from the databases: the user's entries for this CPU before the shipped
// ones, and of convolutions only what can be done.
#include "backends/halide/kernel_cache.h"
#include "ir/parse.h"
#include "passes/pipeline.h"
#include "tuning/cpu_model.h"
#include "tuning/tuning.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kConvolution = "convolution 14x14 32->32 padding 1,1,1,1 inference";

TuningEntry convolution(int64_t tile, const std::string &cpu = cpu_model()) {
  return {"convolution", kConvolution, "avx512", cpu, "", {{kWinogradTile, tile}}, 1, 2};
}

TuningEntry kernel(int64_t rows, const std::string &cpu) {
  return {"kernel", content_hash("text"), "avx512", cpu, "", {{"tile_rows", rows}}, 1, 2};
}

TuningDatabase database_of(const std::vector<TuningEntry> &entries) {
  TuningDatabase database;
  for (const TuningEntry &entry : entries)
    database.put(entry);
  return database;
}

Model model_with_convolution() {
  Model model;
  model.name = "net";
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,14,14,32]} : f32[N,14,14,32]
%1 = parameter {name="w", type=f32[3,3,32,32]} : f32[3,3,32,32]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,14,14,32]
output "prediction" %2)",
                            "net.sir");
  return model;
}

/// The tile of the net's convolution, 0 for a direct one.
int64_t tile_with(const Tuning &tuning, Math math = Math::fast) {
  ProgramOptions options;
  options.math = math;
  options.algorithms = tuning.algorithms("avx512");
  const Program program = build_program(model_with_convolution(), options);
  for (int i = 0; i < program.infer.graph.size(); ++i)
    if (const auto found = algorithm_of(program.infer.graph, {i}, /*training=*/false)) {
      CHECK(found->description == kConvolution);
      return found->tile;
    }
  FAIL("no convolution");
  return -1;
}

} // namespace

TEST_CASE("this CPU has a name") {
  CHECK(cpu_model().size() > 5);
  CHECK(cpu_model() == cpu_model());
}

TEST_CASE("kernels are found by text and target: of this CPU, else shipped") {
  const Variant variant{"avx512", "", 16, 32};
  const auto rows_with = [&](const Tuning &tuning, const std::string &text) -> int64_t {
    const auto found = tuning.kernels()(text, variant);
    return found ? found->choice.at("tile_rows") : 0;
  };
  const TuningDatabase here = database_of({kernel(7, cpu_model())});
  const TuningDatabase elsewhere = database_of({kernel(3, "another CPU")});
  CHECK_FALSE(Tuning().kernels());
  CHECK(rows_with({here, elsewhere}, "text") == 7);
  CHECK(rows_with({elsewhere, here}, "text") == 7);
  CHECK(rows_with({{}, elsewhere}, "text") == 3);
  CHECK(rows_with({elsewhere, {}}, "text") == 0);
  CHECK(rows_with({here, {}}, "other text") == 0);
  CHECK(Tuning(here, {}).fingerprint() != Tuning(elsewhere, {}).fingerprint());
}

TEST_CASE("the shipped table is sound") { CHECK_NOTHROW(shipped_tuning()); }

TEST_CASE("a convolution is computed as was measured, but exactly where that is asked for") {
  const int64_t estimated = tile_with({});
  CHECK(tile_with({database_of({convolution(0)}), {}}) == 0);
  CHECK(tile_with({database_of({convolution(2)}), {}}) == 2);
  CHECK(tile_with({database_of({convolution(4)}), {}}) == 4);
  CHECK(tile_with({database_of({convolution(4)}), {}}, Math::exact) == 0);
  CHECK(tile_with({database_of({convolution(4, "another CPU")}), {}}) == estimated);
  CHECK(tile_with({database_of({convolution(5)}), {}}) == estimated); // no such algorithm
}
