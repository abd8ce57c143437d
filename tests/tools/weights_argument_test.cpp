#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "tests/paths.h"
#include "tools/weights_argument.h"
#include "tools/write_safetensors.h"

#include <cstring>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <zip.h>

using namespace sinter;

namespace {

Model two_weights() {
  Model model;
  model.graph = parse_graph(R"(
%0 = parameter {name="dense/kernel", type=f32[2,1]} : f32[2,1]
)",
                            "net.sir");
  return model;
}

/// arr_0 = [[0.5], [-2]], as numpy.savez writes it.
std::string write_npz() {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";
  const std::vector<float> values{0.5F, -2.0F};
  std::string array("\x93NUMPY\x01\x00", 8);
  array += static_cast<char>(header.size());
  array += '\0';
  array += header;
  array.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float));
  const std::string path = build_path("weights_argument.npz");
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(archive);
  REQUIRE(zip_file_add(archive, "arr_0.npy",
                       zip_source_buffer(archive, array.data(), array.size(), 0), 0) >= 0);
  REQUIRE(zip_close(archive) == 0);
  return path;
}

std::string contents(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

} // namespace

TEST_CASE("a name that safetensors cannot hold is told") {
  CHECK_THROWS_WITH_AS(safetensors_bytes({{"caf\xe9", {{1}, {0.5F}}}}),
                       "error: the array \"caf\\ufffd\" cannot be written: safetensors names are "
                       "UTF-8",
                       CompileError);
}

TEST_CASE("weights of another format reach the program as safetensors") {
  const std::string npz = write_npz();
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"net", "run", "--weights", npz, "--json"},
        std::vector<std::string>{"net", "run", "--weights=" + npz, "--json"}}) {
    convert_weights_argument(arguments, two_weights());
    const std::string &argument = arguments[arguments.size() - 2];
    const std::string bytes = contents(argument.substr(argument.find('/')));
    REQUIRE(bytes.size() > 8);
    const auto length = static_cast<size_t>(static_cast<unsigned char>(bytes[0]));
    const auto header = nlohmann::json::parse(bytes.substr(8, length));
    CHECK(header["dense/kernel"]["shape"] == nlohmann::json({2, 1}));
    REQUIRE(bytes.size() == 8 + length + 2 * sizeof(float));
    float values[2];
    std::memcpy(values, bytes.data() + 8 + length, sizeof values);
    CHECK(values[0] == 0.5F);
    CHECK(values[1] == -2.0F);
  }
}

TEST_CASE("what the program reads itself passes untouched, and a bad file is the user's error") {
  NamedWeights weights{{"dense/kernel", {{2, 1}, {0.5F, -2.0F}}}};
  const std::string path = build_path("weights_argument.safetensors");
  const auto write = [&] { std::ofstream(path, std::ios::binary) << safetensors_bytes(weights); };
  write();
  std::vector<std::string> arguments{"net", "run", "--weights=" + path, "--output=@y.npy"};
  const std::vector<std::string> before = arguments;
  convert_weights_argument(arguments, two_weights());
  CHECK(arguments == before);
  weights = {{"dense.weight", {{1, 2}, {0.5F, -2.0F}}}}; // PyTorch's name and layout
  write();
  convert_weights_argument(arguments, two_weights());
  CHECK(arguments != before);
  arguments = {"net", "run", "--weights=missing.npz"};
  CHECK_THROWS_AS(convert_weights_argument(arguments, two_weights()), CompileError);
}
