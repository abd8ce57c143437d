// Weights files, made here byte by byte: there is no writer in the tool.
#include "tool_support.h"
#include "tools/report_errors.h"
#include "tools/weights_file.h"

#include <cstring>
#include <doctest/doctest.h>
#include <zlib.h>

using namespace sinter;

namespace {

std::string little_endian(uint64_t value, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i)
    bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

template <typename T> std::string raw(const std::vector<T> &values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string npy(const std::string &dtype, const std::string &order, const std::string &shape,
                const std::string &data) {
  const std::string header =
      "{'descr': '" + dtype + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  return "\x93NUMPY" + std::string("\x01\x00", 2) + little_endian(header.size(), 2) + header + data;
}

std::string deflated(const std::string &content) {
  std::string packed(content.size() + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef *>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

/// A zip archive; every second entry is deflated.
std::string zip(const std::vector<std::pair<std::string, std::string>> &entries) {
  std::string local;
  std::string directory;
  for (size_t i = 0; i < entries.size(); ++i) {
    const auto &[name, content] = entries[i];
    const std::string packed = i % 2 ? deflated(content) : content;
    const uLong crc = crc32(0, reinterpret_cast<const Bytef *>(content.data()),
                            static_cast<uInt>(content.size()));
    const std::string facts = little_endian(i % 2 ? 8 : 0, 2) + little_endian(0, 4) +
                              little_endian(crc, 4) + little_endian(packed.size(), 4) +
                              little_endian(content.size(), 4) + little_endian(name.size(), 2);
    directory += little_endian(0x02014b50, 4) + little_endian(20, 2) + little_endian(20, 2) +
                 little_endian(0, 2) + facts + little_endian(0, 12) +
                 little_endian(local.size(), 4) + name;
    local += little_endian(0x04034b50, 4) + little_endian(20, 2) + little_endian(0, 2) + facts +
             little_endian(0, 2) + name + packed;
  }
  return local + directory + little_endian(0x06054b50, 4) + little_endian(0, 4) +
         little_endian(entries.size(), 2) + little_endian(entries.size(), 2) +
         little_endian(directory.size(), 4) + little_endian(local.size(), 4) + little_endian(0, 2);
}

std::string example_npz() {
  return zip({{"a.npy", npy("<f4", "False", "(2, 2)", raw<float>({1, 2, 3, 4}))},
              {"b/c.npy", npy("<f8", "True", "(2, 3)", raw<double>({1, 4, 2, 5, 3, 6}))},
              {"note.txt", "not an array"}});
}

} // namespace

TEST_CASE(".npz: stored and deflated, float32 and float64, both orders") {
  const ScriptFolder folder;
  const auto tensors = read_weights_file(folder.write("w.npz", example_npz()));
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].name == "a");
  CHECK(tensors[0].shape == Shape{2, 2});
  CHECK(tensors[0].values == std::vector<float>{1, 2, 3, 4});
  CHECK(tensors[1].name == "b/c");
  CHECK(tensors[1].shape == Shape{2, 3});
  CHECK(tensors[1].values == std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE(".safetensors: float32 and float64") {
  const std::string header = R"({"__metadata__":{"x":"y"},)"
                             R"("b":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},)"
                             R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const ScriptFolder folder;
  const auto tensors =
      read_weights_file(folder.write("w.safetensors", little_endian(header.size(), 8) + header +
                                                          raw<float>({1, 2}) + raw<double>({3})));
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].values == std::vector<float>{1, 2});
  CHECK(tensors[1].values == std::vector<float>{3});
}

TEST_CASE("no truncated or damaged archive is read, at any length") {
  const ScriptFolder folder;
  const std::string whole = example_npz();
  for (size_t length = 0; length < whole.size(); ++length)
    CHECK_THROWS_AS(read_weights_file(folder.write("w.npz", whole.substr(0, length))),
                    CompileError);
  std::string damaged = whole;
  damaged[whole.find("\x93NUMPY") + 80] ^= 1; // in the stored array
  CHECK_THROWS_AS(read_weights_file(folder.write("w.npz", damaged)), CompileError);
}

TEST_CASE("a safetensors header that lies about the data is refused") {
  const ScriptFolder folder;
  for (const char *entry :
       {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
        R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
        R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})",
        R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", R"({"a":{}})", "{"}) {
    CAPTURE(entry);
    const std::string header(entry);
    CHECK_THROWS_AS(
        read_weights_file(folder.write("w.safetensors", little_endian(header.size(), 8) + header +
                                                            raw<float>({1, 2}))),
        CompileError);
  }
  CHECK_THROWS_AS(read_weights_file(folder.write("w.safetensors", little_endian(1 << 30, 8))),
                  CompileError);
}

TEST_CASE("unnamed arrays are numbered") {
  CHECK(position_of("arr_0") == 0);
  CHECK(position_of("arr_12") == 12);
  CHECK(position_of("arr_x") == -1);
  CHECK(position_of("conv2d/kernel") == -1);
}

TEST_CASE("weights that do not fit the model are named") {
  const ScriptFolder scripts;
  const std::string weights = scripts.write(
      "w.npz", zip({{"conv2d/kernel.npy", npy("<f4", "False", "(2,)", raw<float>({1, 2}))}}));
  const ToolRun run =
      run_sinter({"compile", scripts.net(), "-o", scripts.path("x"), "--weights=" + weights});
  CHECK(run.code == kExitUserError);
  CHECK(run.err.find("conv2d/kernel expects shape [3,3,2,9], got [2]") != std::string::npos);
}
