// Tools that are missing or fail, and output that appears whole or not at all.
#include "backends/program/runtime_archives.h"
#include "backends/program/staged_files.h"
#include "backends/program/tool_process.h"
#include "ir/diagnostics.h"
#include "tests/paths.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>

using namespace sinter;

namespace {

std::filesystem::path fresh_folder() {
  const std::filesystem::path folder = build_path("tests/staged_files");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

std::string read(const std::filesystem::path &path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

} // namespace

TEST_CASE("a tool's failure shows what it said") {
  run_tool({"sh", "-c", "echo fine"}, "testing");
  CHECK_THROWS_WITH_AS(run_tool({"sh", "-c", "echo out; echo err >&2; exit 3"}, "testing"),
                       "error: testing failed, `sh` says:\nout\nerr\n", CompileError);
  CHECK_THROWS_WITH_AS(run_tool({"no-such-tool", "x"}, "testing"),
                       "error: testing needs `no-such-tool`, which is not on PATH", CompileError);
}

TEST_CASE("staged files appear together, over old ones") {
  const std::filesystem::path folder = fresh_folder();
  std::ofstream(folder / "a") << "old";
  {
    StagedFiles files(folder);
    files.write("a", "new");
    files.write("b", "more");
    files.write_scratch("c", "unseen");
    CHECK(read(folder / "a") == "old");
    CHECK(files.publish().size() == 2);
  }
  CHECK(read(folder / "a") == "new");
  CHECK(read(folder / "b") == "more");
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 2);
}

TEST_CASE("staged files that are not published leave nothing") {
  const std::filesystem::path folder = fresh_folder();
  {
    StagedFiles files(folder);
    files.write("a", "new");
  }
  CHECK(std::filesystem::is_empty(folder));
  CHECK_THROWS_WITH_AS(StagedFiles(folder / "missing"),
                       doctest::Contains("missing: No such file or directory"), CompileError);
}

TEST_CASE("a runtime that is not installed is named") {
  setenv("SINTER_RUNTIME", "/nowhere", 1);
  CHECK_THROWS_WITH_AS(runtime_archive("sinter_core"),
                       doctest::Contains("/nowhere/libsinter_core.a"), CompileError);
  unsetenv("SINTER_RUNTIME");
  CHECK(std::filesystem::exists(runtime_archive("sinter_core")));
}
