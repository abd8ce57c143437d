// The command line: what goes where, exit codes, and the text forms of every stage.
#include "tests/paths.h"
#include "tool_support.h"
#include "tools/op_table.h"
#include "tools/report_errors.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace sinter;

namespace {

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

std::string cache_option() { return "--cache=" + build_path("test_kernels"); }

/// A field of a Protocol Buffers message: number, length, bytes.
std::string field(int number, const std::string &bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

std::string field(int number, char value) { return {static_cast<char>(number << 3), value}; }

/// An ONNX file that computes y = relu(x) of [1,4]; `name` is the graph's and part of the tensors'.
std::string relu_onnx(const std::string &name) {
  const std::string shape = field(1, field(1, '\1')) + field(1, field(1, '\4'));
  const std::string type = field(1, field(1, '\1') + field(2, shape)); // float32
  const std::string x = "x" + name;
  const std::string y = "y" + name;
  const std::string node = field(1, x) + field(2, y) + field(4, std::string("Relu"));
  return field(1, '\x8') + field(8, field(2, '\xd')) + // IR version 8, operator set 13
         field(7, field(1, node) + field(2, name) + field(11, field(1, x) + field(2, type)) +
                      field(12, field(1, y) + field(2, type)));
}

} // namespace

TEST_CASE("wrong usage exits with 2 and says what is wrong on standard error") {
  const ScriptFolder scripts;
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"frobnicate"},
      {"compile"},
      {"compile", scripts.net()}, // an executable without a name
      {"compile", scripts.net(), "-o", scripts.path("x"), "--emit=pdf"},
      {"compile", scripts.net(), "-o", "-", "--emit=lib"},
      {"compile", scripts.net(), "-o", scripts.path("x"), "--precision=f16"},
      {"compile", scripts.net(), "--emit=plan", "--passes=canonicalize"},
      {"compile", scripts.net(), "--emit=ir", "--passes=no-such-pass"},
      {"compile", scripts.net(), "--emit=ir", "--passes=canonicalize,plan-memory"},
      {"compile", scripts.net(), "--emit=plan", "--print-after=no-such-pass"},
      {"plot", scripts.net(), "-o", scripts.path("net.txt")},
      {"convert", scripts.path("w.npz"), "-o", scripts.path("w.h5")},
      {"export", scripts.path("w.npz"), "-o", scripts.path("w.safetensors")},
      {"summary", scripts.net(), "--dim=N"},
      {"summary", scripts.net(), "--dim=N=0"},
      {"summary", scripts.net(), "--batch=0"},
      {"summary", scripts.net(), "--batch=9223372036854775807"},
      {"verify", scripts.net(), "--batch=2147483648"},
      {"verify", scripts.net(), "--threads=1000000000"},
      {"verify", scripts.net(), "--no-such-option"},
  };
  for (const std::vector<std::string> &arguments : wrong) {
    const ToolRun run = run_sinter(arguments);
    CAPTURE(run.err);
    CHECK(run.code == kExitUsage);
    CHECK(run.out.empty());
    CHECK_FALSE(run.err.empty());
  }
  CHECK(run_sinter({"--help"}).code == kExitOk);
  CHECK(contains(run_sinter({"compile", "--help"}).out, "--emit"));
}

TEST_CASE("the user's faults exit with 1 and leave nothing behind") {
  const ScriptFolder scripts;
  const std::string bad =
      scripts.write("bad.py", "from tensorflow import keras\nx = keras.layers.Nothing(3)\n");
  const std::string directory = scripts.path("directory");
  std::filesystem::create_directory(directory);
  std::filesystem::create_directory(directory + ".plan");
  const std::vector<std::vector<std::string>> faults = {
      {"summary", scripts.path("missing.py")},
      {"summary", bad},
      {"compile", scripts.net(), "-o", "/nowhere/at/all", "--target=host", cache_option()},
      {"compile", scripts.net(), "-o", directory, "--target=host", cache_option()},
      {"compile", scripts.net(), "--emit=plan", "-o", directory},
      {"compile", scripts.net(), "--emit=ir,plan", "-o", directory},
      {"compile", scripts.net(), "--emit=ir,lib", "-o", scripts.path("my net"), "--target=host",
       cache_option()},
      {"compile", scripts.net(), "-o", scripts.path("x"), "--target=pdp11"},
      {"compile", scripts.net(), "-o", scripts.path("x"), "--weights=/nowhere.npz"},
  };
  for (const std::vector<std::string> &arguments : faults) {
    const ToolRun run = run_sinter(arguments);
    CAPTURE(run.err);
    CHECK(run.code == kExitUserError);
    CHECK(contains(run.err, "error: "));
  }
  CHECK(contains(run_sinter({"summary", bad}).err, "bad.py:2:"));
  size_t entries = 0; // net.py, bad.py, directory, directory.plan
  for ([[maybe_unused]] const auto &entry :
       std::filesystem::directory_iterator(scripts.folder.path()))
    ++entries;
  CHECK(entries == 4);
}

TEST_CASE("warnings come before the error that follows them") {
  const ScriptFolder scripts;
  const std::string path =
      scripts.write("plot.py", "from tensorflow import keras\nimport matplotlib.pyplot as plt\n"
                               "plt.show()\nx = keras.layers.Nothing(3)\n");
  const ToolRun run = run_sinter({"summary", path});
  CHECK(run.code == kExitUserError);
  const size_t warning = run.err.find("plot.py:3:1: warning: ");
  const size_t error = run.err.find("plot.py:4:");
  CHECK(warning < error);
  CHECK(error != std::string::npos);
}

TEST_CASE("what several outputs are warned of is printed once") {
  const ScriptFolder scripts;
  const std::string path = scripts.write("callbacks.py", R"(from tensorflow import keras
(x, y), _ = keras.datasets.mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(input_shape=(28, 28)), keras.layers.Dense(10, 'softmax')])
model.compile(optimizer='sgd', loss='sparse_categorical_crossentropy')
model.fit(x, y, validation_split=0.1, callbacks=[
    keras.callbacks.ModelCheckpoint('best.keras'),
    keras.callbacks.EarlyStopping(restore_best_weights=True)])
)");
  const ToolRun run =
      run_sinter({"compile", path, "--emit=llvm,asm", "--target=host", cache_option()});
  CHECK(run.code == kExitOk);
  const size_t first = run.err.find("warning: the program keeps the weights of the checkpoint");
  CAPTURE(run.err);
  CHECK(first != std::string::npos);
  CHECK(run.err.find("keeps the weights", first + 60) == std::string::npos);
}

TEST_CASE("every stage is text on standard output") {
  const ScriptFolder scripts;
  const auto stage = [&](const std::string &kind) {
    const ToolRun run =
        run_sinter({"compile", scripts.net(), "--emit=" + kind, "--target=host", cache_option()});
    CAPTURE(run.err);
    CHECK(run.code == kExitOk);
    return run.out;
  };
  CHECK(contains(stage("ir"), "model \"sequential\" {"));
  CHECK(contains(stage("plan"), "kernel \"conv2d"));
  CHECK(contains(stage("stmt"), "produce "));
  CHECK(contains(stage("llvm"), "define "));
  CHECK(contains(stage("asm"), ".globl"));
}

TEST_CASE("the printed IR compiles to itself") {
  const ScriptFolder scripts;
  const std::string ir = run_sinter({"compile", scripts.net(), "--emit=ir"}).out;
  const std::string sir = scripts.write("net.sir", ir);
  CHECK(run_sinter({"compile", sir, "--emit=ir"}).out == ir);
}

TEST_CASE("text goes to the output path when there is one") {
  const ScriptFolder scripts;
  const ToolRun one =
      run_sinter({"compile", scripts.net(), "--emit=ir", "-o", scripts.path("one.sir")});
  CHECK(one.code == kExitOk);
  CHECK(one.out.empty());
  CHECK(contains(read_file(scripts.path("one.sir")), "graph {"));
  CHECK(run_sinter({"compile", scripts.net(), "--emit=ir,plan", "-o", scripts.path("two")}).code ==
        kExitOk);
  CHECK(contains(read_file(scripts.path("two.sir")), "graph {"));
  CHECK(contains(read_file(scripts.path("two.plan")), "// train"));
  CHECK(run_sinter({"compile", scripts.net(), "--emit=ir,header,ir", "-o", scripts.path("three")})
            .code == kExitOk);
  CHECK(read_file(scripts.path("three.sir")) == read_file(scripts.path("two.sir")));
  CHECK(std::filesystem::exists(scripts.path("three.h")));
}

TEST_CASE("texts of the module come of the build that makes the files") {
  const ScriptFolder scripts;
  const ToolRun run = run_sinter({"compile", scripts.net(), "--emit=lib,llvm,asm", "-o",
                                  scripts.path("net"), "--target=host", cache_option()});
  CHECK(run.code == kExitOk);
  CHECK(contains(read_file(scripts.path("net.ll")), "@net_infer("));
  const std::string assembly = read_file(scripts.path("net.s"));
  CHECK(contains(assembly, "net_infer:"));
  CHECK(contains(assembly, ", train: "));
}

TEST_CASE("a device is written to, not replaced") {
  const ScriptFolder scripts;
  const ToolRun run = run_sinter({"compile", scripts.net(), "--emit=ir", "-o", "/dev/full"});
  CHECK(run.code == kExitUserError);
  CHECK(run.err == "error: cannot write /dev/full: No space left on device\n");
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(run_sinter({"compile", scripts.net(), "--emit=ir", "-o", "/dev/null"}).code == kExitOk);
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("a library's symbols are named after the output") {
  const ScriptFolder scripts;
  const ToolRun run =
      run_sinter({"compile", scripts.net(), "--emit=header", "-o", scripts.path("boots")});
  CAPTURE(run.err);
  CHECK(run.code == kExitOk);
  CHECK(contains(read_file(scripts.path("boots.h")), "boots_infer"));
  CHECK(run_sinter({"compile", scripts.net(), "--emit=header", "--name=shoes", "-o",
                    scripts.path("boots")})
            .code == kExitOk);
  CHECK(contains(read_file(scripts.path("boots.h")), "shoes_infer"));
}

TEST_CASE("named passes run alone") {
  const ScriptFolder scripts;
  const ToolRun run = run_sinter(
      {"compile", scripts.net(), "--emit=ir", "--passes=canonicalize,specialize-for-inference"});
  CHECK(run.code == kExitOk);
  CHECK(contains(run.out, "conv2d"));
  CHECK_FALSE(contains(run.out, "= dropout"));
  const ToolRun printed = run_sinter({"compile", scripts.net(), "--emit=plan", "-o",
                                      scripts.path("p"), "--print-after=differentiate"});
  CHECK(contains(printed.err, "gradient:"));
}

TEST_CASE("verify passes and says so, as a table and as JSON") {
  const ScriptFolder scripts;
  const ToolRun table = run_sinter({"verify", scripts.net(), "--check-grad", cache_option()});
  CAPTURE(table.out);
  CHECK(table.code == kExitOk);
  CHECK(contains(table.out, "all ok"));
  const ToolRun run =
      run_sinter({"verify", scripts.net(), "--check-grad", "--json", cache_option()});
  const nlohmann::json report = nlohmann::json::parse(run.out);
  CHECK(report.at("ok") == true);
  CHECK(report.at("gradients").size() == 4);
  for (const nlohmann::json &kernel : report.at("kernels")) {
    CHECK(kernel.at("ok") == true);
    CHECK(kernel.contains("name"));
    CHECK(kernel.contains("max_abs_error"));
    CHECK(kernel.contains("max_rel_error"));
  }
}

TEST_CASE("verify runs the kernels that a program would, and no others") {
  const ScriptFolder scripts;
  const std::string avx2 = "--target=x86-64-linux-sse41-avx-f16c-fma-avx2";
  setenv("SINTER_VARIANT", "x86-64", 1); // as a processor without AVX2
  const ToolRun refused = run_sinter({"verify", scripts.net(), avx2, cache_option()});
  const ToolRun all = run_sinter({"verify", scripts.net(), "--target=x86-64", cache_option()});
  unsetenv("SINTER_VARIANT");
  CHECK(refused.code == kExitUserError);
  CHECK(contains(refused.err, "cannot be verified here: SINTER_VARIANT=x86-64"));
  CHECK(all.code == kExitOk);
  CHECK(contains(all.out, " infer/conv2d")); // of one variant: no other stands before it
  CHECK_FALSE(contains(all.out, "avx2:"));
}

TEST_CASE("JSON is UTF-8, whatever a file and its names are") {
  const ScriptFolder scripts;
  const std::string net = scripts.write("caf\xe9.onnx", relu_onnx("caf\xe9"));
  for (const std::string command : {"summary", "explain", "inspect", "verify"}) {
    std::vector<std::string> arguments{command, net, "--json"};
    if (command == "explain" || command == "verify")
      arguments.push_back(cache_option());
    const ToolRun run = run_sinter(arguments);
    CAPTURE(command);
    CAPTURE(run.err);
    CHECK(run.code == kExitOk);
    CHECK(nlohmann::json::accept(run.out));
    CHECK(contains(run.out, "caf\xEF\xBF\xBD") == (command != "verify")); // which names kernels
  }
}

TEST_CASE("docs/ir.md has the table that `sinter ops --markdown` prints") {
  const std::string path = source_path("docs/ir.md");
  const std::string begin = "<!-- ops -->\n";
  std::string document = read_file(path);
  const size_t table = document.find(begin) + begin.size();
  const size_t end = document.find("<!-- /ops -->");
  REQUIRE(end != std::string::npos);
  if (std::getenv("UPDATE_GOLDENS")) {
    document.replace(table, end - table, op_table_markdown());
    std::ofstream(path) << document;
  } else {
    CHECK(document.substr(table, end - table) == op_table_markdown());
  }
  CHECK(run_sinter({"ops"}).out == op_table_text());
}
