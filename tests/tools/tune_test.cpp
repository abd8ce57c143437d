// sinter tune as a user runs it, and what the other commands make of its database.
#include "backends/halide/kernel_cache.h"
#include "frontend/load_model.h"
#include "passes/pipeline.h"
#include "tests/paths.h"
#include "tool_support.h"
#include "tuning/cpu_model.h"
#include "tuning/tuning.h"

#include <doctest/doctest.h>
#include <filesystem>

using namespace sinter;

namespace {

const std::string kCache = "--cache=" + build_path("test_kernels");

/// An entry for every kernel of the model's inference: the second option of its first decision.
std::vector<TuningEntry> other_choices(const std::string &script) {
  Diagnostics diagnostics;
  const Program program = build_program(load_model(script, {}, diagnostics).model, {});
  const Variant host = variants_for_target("host").back();
  std::vector<TuningEntry> entries;
  for (size_t k = 0; k < program.infer.kernels.size(); ++k)
    for (const Decision &decision : kernel_decisions(program.infer, static_cast<int>(k), host, {}))
      if (decision.options.size() > 1) {
        entries.push_back({"kernel", content_hash(tuning_text(program.infer, static_cast<int>(k))),
                           host.name, cpu_model(), "", decision.choice(1), 1234.5, 2345.6});
        break;
      }
  return entries;
}

} // namespace

TEST_CASE("tune searches for a while and leaves a database that compilations read") {
  const ScriptFolder scripts;
  const std::string database = scripts.path("tuning.json");
  const ToolRun run =
      run_sinter({"tune", scripts.net(), "--time=2s", "--database=" + database, kCache});
  CAPTURE(run.err);
  CAPTURE(run.out);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("inference, batch 1, 1 thread") != std::string::npos);
  CHECK(run.out.find("training, batch 32") != std::string::npos);
  CHECK_NOTHROW(load_tuning(database));
  CHECK(std::filesystem::exists(database));
  const ToolRun explained = run_sinter({"explain", scripts.net(), "--tuning=" + database, kCache});
  CHECK(explained.code == 0);
  CHECK(explained.out.find("Chosen by") != std::string::npos);
}

TEST_CASE("what is in the database is what is compiled, unless it is off") {
  const ScriptFolder scripts;
  const std::string database = scripts.path("tuning.json");
  const std::vector<TuningEntry> entries = other_choices(scripts.net());
  REQUIRE_FALSE(entries.empty());
  update_tuning(database, entries, {});
  const auto stdout_of = [&](const std::string &command, const std::string &argument,
                             const std::string &tuning) {
    const ToolRun run = run_sinter(
        {command, scripts.net(), argument, "--target=host", "--tuning=" + tuning, kCache});
    CAPTURE(run.err);
    CHECK(run.code == 0);
    return run.out;
  };
  const std::string explained = stdout_of("explain", "--memory", database);
  CHECK(explained.find("tuned: 1234.5 us, the cost model's choice 2345.6 us") != std::string::npos);
  CHECK(stdout_of("explain", "--memory", "off").find("tuned:") == std::string::npos);
  CHECK(stdout_of("compile", "--emit=stmt", database) !=
        stdout_of("compile", "--emit=stmt", "off"));
  CHECK(stdout_of("verify", "--batch=2", database).find("all ok") != std::string::npos);
}

TEST_CASE("entries that fit no kernel are ignored and named; broken databases are refused") {
  const ScriptFolder scripts;
  const std::string database = scripts.path("tuning.json");
  std::vector<TuningEntry> entries = other_choices(scripts.net());
  for (TuningEntry &entry : entries)
    for (auto &[name, value] : entry.choice)
      value = 9999;
  update_tuning(database, entries, {});
  const ToolRun ignored = run_sinter({"compile", scripts.net(), "-o", scripts.path("net"),
                                      "--target=host", "--tuning=" + database, kCache});
  CHECK(ignored.code == 0);
  CHECK(ignored.err.find("=9999 does not fit") != std::string::npos);
  CHECK(run_sinter({"explain", scripts.net(), "--tuning=" + database, kCache})
            .out.find("does not fit") != std::string::npos);

  const std::string broken = scripts.write("broken.json", "{\"format\": \"sinter-tuning-1\",\n");
  for (const std::vector<std::string> &arguments :
       {std::vector<std::string>{"compile", scripts.net(), "--emit=plan", "--tuning=" + broken},
        {"tune", scripts.net(), "--time=1", "--database=" + broken}}) {
    const ToolRun refused = run_sinter(arguments);
    CHECK(refused.code == 1);
    CHECK(refused.err.find("broken.json:2:1: error: no tuning database") != std::string::npos);
  }
  CHECK(read_file(broken) == "{\"format\": \"sinter-tuning-1\",\n");
  CHECK(run_sinter({"explain", scripts.net(), "--tuning=" + scripts.path("none.json")}).code == 1);
}

TEST_CASE("tune says what it cannot do") {
  const ScriptFolder scripts;
  CHECK(run_sinter({"tune", scripts.net(), "--time=soon"}).code == 2);
  CHECK(run_sinter({"tune", scripts.net(), "--time=-1s"}).code == 2);
  CHECK(run_sinter({"tune", scripts.net(), "--train", "--inference"}).code == 2);
  const ToolRun nowhere = run_sinter({"tune", scripts.net(), "--database=/proc/tuning.json"});
  CHECK(nowhere.code == 1); // before it searches for a minute
  CHECK(nowhere.err.find("cannot lock /proc/tuning.json") != std::string::npos);
  const ToolRun elsewhere = run_sinter({"tune", scripts.net(), "--cache=off"});
  CHECK(elsewhere.code == 1);
  CHECK(elsewhere.err.find("--database=FILE") != std::string::npos);
}
