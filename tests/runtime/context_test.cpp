#include "tests/runtime/internal.h"
#include "tests/runtime/tiny_model.h"

#include <climits>
#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <limits>
#include <string>

namespace {

const char *const three_variants[] = {"x86-64", "avx2", "avx512"};

struct ChosenVariant {
  explicit ChosenVariant(const char *name) { setenv("SINTER_VARIANT", name, 1); }
  ~ChosenVariant() { unsetenv("SINTER_VARIANT"); }
};

} // namespace

TEST_CASE("a context lies in the caller's memory, every part aligned") {
  tiny::Model m;
  tiny::Context context(m.model, 5, 2, 3);
  REQUIRE(context.status == SINTER_OK);
  const auto *base = static_cast<unsigned char *>(context.memory);
  const size_t bytes = sinter_context_bytes(&m.model, 5, SINTER_TRAIN);
  CHECK(context->parameters >= base);
  CHECK(reinterpret_cast<uintptr_t>(context->parameters) % SINTER_ALIGNMENT == 0);
  CHECK(reinterpret_cast<uintptr_t>(context->arena) % SINTER_ALIGNMENT == 0);
  const sinter_phase_info &train = m.model.phases[SINTER_TRAIN];
  CHECK(context->arena + train.arena_fixed + 5 * train.arena_per_sample <= base + bytes);
  CHECK(context->rng[0] == 3);
  CHECK(context->learning_rate == m.training.learning_rate);
}

TEST_CASE("only a training context has room for the optimizer's state") {
  tiny::Model m;
  m.model.phases[SINTER_TRAIN] = m.model.phases[SINTER_EVAL]; // the same arena
  CHECK(sinter_context_bytes(&m.model, 5, SINTER_TRAIN) -
            sinter_context_bytes(&m.model, 5, SINTER_EVAL) ==
        static_cast<size_t>(m.model.parameter_bytes - m.model.trainable_bytes));
}

TEST_CASE("sizes that overflow or make no sense are refused") {
  tiny::Model m;
  CHECK(sinter_context_bytes(nullptr, 1, SINTER_INFER) == 0);
  CHECK(sinter_context_bytes(&m.model, 0, SINTER_INFER) == 0);
  CHECK(sinter_context_bytes(&m.model, -1, SINTER_INFER) == 0);
  CHECK(sinter_context_bytes(&m.model, 1, 3) == 0);
  m.model.phases[SINTER_INFER].arena_per_sample = std::numeric_limits<int64_t>::max() / 2;
  CHECK(sinter_context_bytes(&m.model, INT_MAX, SINTER_INFER) == 0);
}

TEST_CASE("creation reports what is wrong and starts nothing") {
  tiny::Model m;
  alignas(64) static unsigned char memory[1 << 16];
  sinter_context *context = nullptr;
  const auto create = [&](const sinter_model *model, void *where, size_t bytes, int batch,
                          int threads) {
    return sinter_context_create(model, where, bytes, batch, SINTER_TRAIN, threads, 0, &context);
  };
  CHECK(create(nullptr, memory, sizeof memory, 1, 1) == SINTER_ERROR_INPUT);
  CHECK(create(&m.model, nullptr, sizeof memory, 1, 1) == SINTER_ERROR_INPUT);
  CHECK(create(&m.model, memory, 100, 4, 1) == SINTER_ERROR_MEMORY);
  CHECK(std::string(sinter_last_error()).find("got 100") != std::string::npos);
  CHECK(create(&m.model, memory + 4, sizeof memory - 4, 1, 1) == SINTER_ERROR_INPUT);
  CHECK(create(&m.model, memory, sizeof memory, 0, 1) == SINTER_ERROR_INPUT);
  CHECK(create(&m.model, memory, sizeof memory, 1, -1) == SINTER_ERROR_INPUT);
  CHECK(create(&m.model, memory, sizeof memory, 1, 1 << 20) == SINTER_ERROR_INPUT);
  m.model.phases[SINTER_EVAL].largest_batch = 3; // training evaluates, too
  CHECK(sinter_largest_batch(&m.model, SINTER_TRAIN) == 3);
  CHECK(sinter_largest_batch(&m.model, SINTER_INFER) == INT_MAX);
  CHECK(create(&m.model, memory, sizeof memory, 4, 1) == SINTER_ERROR_INPUT);
  CHECK(std::string(sinter_last_error()) ==
        "a batch of 4 is too large for training of tiny: its kernels take up to 3 samples");
  m.model.phases[SINTER_TRAIN].kernel_count = 0;
  CHECK(create(&m.model, memory, sizeof memory, 1, 1) == SINTER_ERROR_INPUT);
  CHECK(sinter_last_error() == std::string("tiny was compiled without training"));
  CHECK(context == nullptr);
  sinter_context_destroy(nullptr);
}

TEST_CASE("batches and labels are checked before anything runs") {
  tiny::Model m;
  tiny::Context context(m.model, 4);
  float x[4 * tiny::features] = {}, y[4 * tiny::classes];
  int32_t labels[] = {0, 2, 3, -1};
  void *inputs[] = {x}, *outputs[] = {y}, *targets[] = {labels}, *nothing[] = {nullptr};
  void *odd[] = {reinterpret_cast<char *>(x) + 1};
  CHECK(m.model.infer(context.context, inputs, 4, outputs) == SINTER_OK);
  for (const int n : {0, -1, 5, INT_MIN})
    CHECK(m.model.infer(context.context, inputs, n, outputs) == SINTER_ERROR_INPUT);
  CHECK(sinter_last_error() == std::string("the batch must be in 1..4, got -2147483648"));
  CHECK(m.model.infer(context.context, nothing, 1, outputs) == SINTER_ERROR_INPUT);
  CHECK(sinter_last_error() == std::string("x is a null pointer"));
  CHECK(m.model.infer(context.context, inputs, 1, odd) == SINTER_ERROR_INPUT);
  CHECK(sinter_last_error() == std::string("y is not 4-byte aligned"));
  CHECK(m.model.infer(nullptr, inputs, 1, outputs) == SINTER_ERROR_INPUT);
  const auto check = [&](void *const *given, int32_t n) {
    return sinter_check_step(context.context, SINTER_EVAL, inputs, given, n);
  };
  CHECK(check(targets, 2) == SINTER_OK);
  CHECK(check(targets, 4) == SINTER_ERROR_INPUT);
  CHECK(sinter_last_error() == std::string("label 2 is 3, but the classes are 0..2"));
  CHECK(check(nothing, 1) == SINTER_ERROR_INPUT);
}

TEST_CASE("a model without a batch computes one sample a call; bytes need no alignment") {
  tiny::Model m;
  m.input.batched = m.output.batched = m.model.batched = 0;
  m.output.element = SINTER_U8;
  tiny::Context context(m.model, 4);
  float x[tiny::features] = {}, y[tiny::classes + 1];
  void *inputs[] = {x}, *outputs[] = {reinterpret_cast<char *>(y) + 1};
  CHECK(sinter_check_infer(context.context, inputs, 1, outputs) == SINTER_OK);
  CHECK(sinter_check_infer(context.context, inputs, 2, outputs) == SINTER_ERROR_INPUT);
  CHECK(sinter_last_error() == std::string("tiny has no batch dimension: n must be 1, got 2"));
}

TEST_CASE("the variant is the best one not above SINTER_VARIANT") {
  const int32_t best = sinter_choose_variant(three_variants, 3);
  CHECK(best >= 0);
  {
    const ChosenVariant chosen("x86-64");
    CHECK(sinter_choose_variant(three_variants, 3) == 0);
  }
  {
    const ChosenVariant chosen("avx512");
    CHECK(sinter_choose_variant(three_variants, 3) == best);
  }
  const ChosenVariant chosen("neon");
  CHECK(sinter_choose_variant(three_variants, 3) == -1);
  CHECK(std::string(sinter_last_error()).find("neon") != std::string::npos);
}

TEST_CASE("training steps give the same bits for any number of threads") {
  tiny::Model m;
  float x[16 * tiny::features];
  int32_t labels[16];
  for (int i = 0; i < 16 * tiny::features; ++i)
    x[i] = static_cast<float>((i * 37) % 101) / 101.0f;
  for (int i = 0; i < 16; ++i)
    labels[i] = i % 3;
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    tiny::Context context(m.model, 16, threads);
    float metrics[SINTER_MAX_METRICS];
    void *inputs[] = {x}, *targets[] = {labels};
    for (int step = 0; step < 50; ++step)
      REQUIRE(m.model.train_step(context.context, inputs, targets, 16, metrics) == SINTER_OK);
    CHECK(context->steps_done == 50);
    CHECK(context->step == 50.0f);
    const std::vector<float> weights = tiny::logical(context, tiny::kernel);
    if (first.empty())
      first = weights;
    CHECK(weights == first);
  }
}

TEST_CASE("the watch names the first kernel with a non-finite output") {
  tiny::Model m;
  tiny::Context context(m.model, 4);
  float x[2 * tiny::features] = {}, metrics[SINTER_MAX_METRICS];
  int32_t labels[] = {0, 1};
  void *inputs[] = {x}, *targets[] = {labels};
  sinter_profile_entry profile[4] = {};
  sinter_watch watch{SINTER_TRAIN, 2, -1, 0, 0};
  context->profile = profile;
  context->watch = &watch;
  REQUIRE(m.model.train_step(context.context, inputs, targets, 2, metrics) == SINTER_OK);
  CHECK(watch.kernel == -1);
  reinterpret_cast<float *>(context->parameters + m.parameters[tiny::bias].offset)[1] = INFINITY;
  REQUIRE(m.model.train_step(context.context, inputs, targets, 2, metrics) == SINTER_OK);
  CHECK(watch.kernel == 1); // "dense.0": the noise before it is fine
  CHECK(watch.element == 1);
  CHECK(profile[3].calls == 2);
  CHECK(profile[3].seconds >= profile[3].min_seconds);
}
