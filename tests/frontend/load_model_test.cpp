#include "ir/print.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <filesystem>

using namespace sinter;

namespace {

std::string error_of_file(const std::string &path) {
  Diagnostics diagnostics;
  try {
    load_model(path, {}, diagnostics);
    return "";
  } catch (const CompileError &error) {
    return error.text();
  }
}

} // namespace

TEST_CASE("a file that is no model file is named as what it is") {
  CHECK(error_of_file(build_path("none.py")) == "no such file");
  CHECK(error_of_file(build_path("none.onnx")) == "no such file");
  CHECK(error_of_file(build_path("none.tflite")) ==
        "unknown kind of model file '.tflite': .py (a model script), .keras, .h5 and .json (saved "
        "Keras models), .onnx, .sir (the IR's text form) and .safetensors (of a program) are "
        "supported");
  std::filesystem::create_directories(build_path("folder.py"));
  CHECK(error_of_file(build_path("folder.py")) == "this is a folder, not a model file");
  CHECK(error_of_file(write_file("nul.py", std::string("x = 1\ny = \0", 11))) ==
        "this is a binary file: the line contains a NUL byte");
  CHECK(error_of_file(write_file("latin.py", "x = '\xE9'")) == "this line is not UTF-8 text");
  CHECK(error_of_file(write_file("huge.py", std::string((size_t{4} << 20U) + 1, '#'))) ==
        "the file has 4194305 bytes, more than the 4194304 of any model text");
  CHECK(error_of_file(write_file("empty.py", "")) == "the script builds no model");
}

TEST_CASE("an error names the file as it was given") {
  Diagnostics diagnostics;
  const std::string path = write_file("bad.py", "x = 1\ny = z\n");
  CHECK_THROWS_WITH_AS(load_model(path, {}, diagnostics),
                       (path + ":2:5: error: name 'z' is not defined").c_str(), CompileError);
}

TEST_CASE("a printed model loads again as it was") {
  Diagnostics diagnostics;
  const Model model = load_model(source_path("examples/fashion_cnn.py"), {}, diagnostics).model;
  const std::string text = print(model);
  const Model again = load_model(write_file("printed.sir", text), {}, diagnostics).model;
  CHECK(print(again) == text);
}
