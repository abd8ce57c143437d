// The compiler and a program, as commands: a hostile file is the user's fault (exit code 1), named
// in the error, within the limits.
#include "tests/fuzz/seeds.h"
#include "tests/hostile/bombs.h"
#include "tests/hostile/limited_run.h"
#include "tests/paths.h"
#include "tests/runtime/data_files.h"
#include "tests/runtime/tiny_program.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kLimits = kSanitized ? "timeout 100" : "ulimit -d 2097152; timeout 10";

/// A command with its standard error.
Result run_command(const TemporaryFolder &folder, const std::string &command) {
  const std::string err = folder.file("stderr");
  const int status = std::system(
      ("cd '" + folder.path.string() + "'; " + command + " >/dev/null 2>'" + err + "'").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, "", read_bytes(err)};
}

void check_refused(const Result &result, const std::string &file) {
  INFO(file << ": " << result.code << ": " << result.err);
  CHECK(result.code == 1);
  CHECK(contains(result.err, file));
}

} // namespace

TEST_CASE("the compiler refuses a hostile model with exit code 1") {
  const std::string tool = build_path("bin/sinter");
  REQUIRE(std::filesystem::exists(tool));
  const TemporaryFolder folder;
  const SeedFiles models = {
      {"loop.py", "while True: pass\n"},
      {"cut.sir", sir_seeds()[0].bytes.substr(0, 300)},
      {"cycle.onnx", onnx_bytes("node { op_type: 'Relu' input: 'y' output: 'y' } ")},
      {"length.onnx", "\x3a\xff\xff\xff\xff\x07"},
      {"deep.json", std::string(1'000'000, '[')},
      {"cut.keras", keras_archive_seeds()[0].bytes.substr(0, 4000)},
      {"cut.h5", hdf5_seeds()[0].bytes.substr(0, 4000)},
  };
  for (const SeedFile &model : models) {
    write_bytes(folder.file(model.name), model.bytes);
    check_refused(run_command(folder, kLimits + " '" + tool + "' compile " + model.name +
                                          " -o out --cache=off"),
                  model.name + ":");
    CHECK(!std::filesystem::exists(folder.file("out")));
  }
  write_bytes(folder.file("calls.pkl"), "\x80\x02"
                                        "cposix\nsystem\n)R.");
  check_refused(run_command(folder, kLimits + " '" + tool + "' inspect calls.pkl"),
                "calls.pkl: error: the pickle refers to posix.system");
}

TEST_CASE("a program refuses hostile data, pictures and weights with exit code 1") {
  const TinyProgram program;
  const auto refuses = [&](const std::string &arguments, const std::string &name,
                           const std::string &bytes) {
    write_bytes(program.folder.file(name), bytes);
    const Result result = program.run(arguments + name, kLimits);
    check_refused(result, name);
    return result.err;
  };
  refuses("predict ", "area.png", png_of_size(60000, 60000));
  refuses("predict ", "passes.jpg", jpeg_of_scans(1000));
  refuses("predict ", "many.npy",
          npy_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 30), }", "1234"));
  const std::string torch = pickle_seeds()[0].bytes;
  CHECK(contains(refuses("evaluate " + program.with_data() + "--weights=", "net.pt", torch),
                 "make one of it with sinter convert net.pt"));
  write_bytes(program.data.file("train-images-idx3-ubyte.gz"),
              gzip(std::string("\0\0\x08\x03\x7f\xff\xff\xff\0\0\0\x06\0\0\0\x05", 16)));
  check_refused(program.run("train" + program.with_data(), kLimits), "train-images-idx3-ubyte.gz");
}
