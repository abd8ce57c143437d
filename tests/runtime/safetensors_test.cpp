#include "tests/runtime/internal.h"
#include "tests/runtime/temporary_folder.h"
#include "tests/runtime/tiny_model.h"

#include <csignal>
#include <cstring>
#include <doctest/doctest.h>
#include <limits>
#include <sys/resource.h>

namespace {

// A file with this header and data.
std::string tensors(const std::string &header, const std::string &data) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

std::string entry(const std::string &dtype, const std::string &shape, int begin, int end) {
  return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

sinter_parameter vector_parameter(int64_t extent) {
  sinter_parameter p{};
  p.rank = 1;
  p.dims[0] = extent;
  p.bytes = 4 * extent;
  return p;
}

bool error_has(const std::string &text) {
  return std::string(sinter_last_error()).find(text) != std::string::npos;
}

} // namespace

TEST_CASE("weights survive a save and a load bit for bit, in logical order") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w.safetensors");
  tiny::Model packed, plain;
  for (sinter_parameter &p : plain.parameters)
    p.block = 0;
  tiny::Context a(packed.model, 4, 1, 1), b(packed.model, 4, 1, 2), c(plain.model, 4, 1, 3);
  REQUIRE(sinter_save(a.context, path.c_str()) == SINTER_OK);
  CHECK(folder.count() == 1);
  REQUIRE(sinter_load(b.context, path.c_str()) == SINTER_OK);
  REQUIRE(sinter_load(c.context, path.c_str()) == SINTER_OK);
  CHECK(tiny::logical(b, tiny::kernel) == tiny::logical(a, tiny::kernel));
  CHECK(tiny::logical(c, tiny::kernel) == tiny::logical(a, tiny::kernel));
  CHECK(read_bytes(path).find("momentum") == std::string::npos);
  CHECK(read_bytes(path).find(R"("__metadata__":{"sinter_model":"model \"tiny\" {\n}\n"})") !=
        std::string::npos);
  // The plain layout writes the very same file.
  REQUIRE(sinter_save(c.context, folder.file("c").c_str()) == SINTER_OK);
  CHECK(read_bytes(folder.file("c")) == read_bytes(path));
}

TEST_CASE("a file that could not name all of its tensors is not written") {
  const TemporaryFolder folder;
  tiny::Model m;
  m.parameters[tiny::kernel].name = "caf\xe9";
  tiny::Context context(m.model, 4);
  CHECK(sinter_save(context.context, folder.file("w").c_str()) == SINTER_ERROR_INPUT);
  CHECK(error_has("the tensor caf\xe9 cannot be written to "));
  CHECK(folder.count() == 0);
}

TEST_CASE("double, half and brain floats are widened") {
  const TemporaryFolder folder;
  const std::string path = folder.file("t");
  const double f64[] = {1.5, -2.0};
  const uint16_t f16[] = {0x3e00, 0xc000, 0x0001, 0xfc00, 0x7bff};
  const uint16_t bf16[] = {0x3fc0, 0xc000};
  std::string data(reinterpret_cast<const char *>(f64), sizeof f64);
  data.append(reinterpret_cast<const char *>(f16), sizeof f16);
  data.append(reinterpret_cast<const char *>(bf16), sizeof bf16);
  write_bytes(path, tensors("{\"d\":" + entry("F64", "[2]", 0, 16) +
                                ",\"h\":" + entry("F16", "[5]", 16, 26) +
                                ",\"b\":" + entry("BF16", "[2]", 26, 30) + "}",
                            data));
  sinter_tensor_file *file;
  REQUIRE(sinter_tensor_file_open(path.c_str(), &file) == SINTER_OK);
  float values[5];
  const sinter_parameter two = vector_parameter(2), five = vector_parameter(5);
  REQUIRE(sinter_tensor_file_read(file, "d", &two, values) == SINTER_OK);
  CHECK((values[0] == 1.5f && values[1] == -2.0f));
  REQUIRE(sinter_tensor_file_read(file, "b", &two, values) == SINTER_OK);
  CHECK((values[0] == 1.5f && values[1] == -2.0f));
  REQUIRE(sinter_tensor_file_read(file, "h", &five, values) == SINTER_OK);
  CHECK((values[0] == 1.5f && values[1] == -2.0f && values[2] == 0x1p-24f));
  CHECK((values[3] == -std::numeric_limits<float>::infinity() && values[4] == 65504.0f));
  sinter_tensor_file_close(file);
}

TEST_CASE("broken files are refused with a reason") {
  const TemporaryFolder folder;
  const std::string path = folder.file("bad");
  const std::string good = "{\"a\":" + entry("F32", "[2]", 0, 8) + "}";
  const std::string eight(8, 'x');
  const struct {
    std::string bytes, reason;
  } cases[] = {
      {"", "too few"},
      {"1234567", "too few"},
      {"PK\x03\x04, a PyTorch archive", "make one of it with sinter convert"},
      {std::string(8, '\xff') + good, "does not fit"},
      {tensors(good, eight).substr(0, 20), "does not fit"},
      {tensors(good, "1234567"), "7 bytes of data"},
      {tensors("[1, 2]", eight), "no safetensors file"},
      {tensors("{\"a\":", eight), "no JSON object"},
      {tensors("{\"a\":1}", eight), "lacks a sound"},
      {tensors("{\"a\":" + entry("F32", "[3]", 0, 8) + "}", eight), "3 elements"},
      {tensors("{\"a\":" + entry("F32", "[-2]", 0, 8) + "}", eight), "lacks a sound"},
      {tensors("{\"a\":" + entry("F32", "[4294967296,4294967296,16]", 0, 8) + "}", eight),
       "lacks a sound"},
      {tensors("{\"a\":" + entry("F32", "[2]", 8, 0) + "}", eight), "lies at"},
      {tensors("{\"a\":" + entry("F32", "[2]", -8, 0) + "}", eight), "lies at"},
  };
  for (const auto &c : cases) {
    INFO(c.reason);
    write_bytes(path, c.bytes);
    sinter_tensor_file *file = nullptr;
    CHECK(sinter_tensor_file_open(path.c_str(), &file) != SINTER_OK);
    CHECK(file == nullptr);
    CHECK(error_has(path));
    CHECK(error_has(c.reason));
  }
  sinter_tensor_file *file;
  CHECK(sinter_tensor_file_open(folder.file("none").c_str(), &file) == SINTER_ERROR_IO);
  CHECK(sinter_tensor_file_open(folder.path.c_str(), &file) != SINTER_OK);
}

TEST_CASE("a load that does not fit names both shapes and changes nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  tiny::Model m, other;
  tiny::Context a(m.model, 1, 1, 1), b(m.model, 1, 1, 2);
  REQUIRE(sinter_save(a.context, path.c_str()) == SINTER_OK);
  const std::vector<float> before = tiny::logical(b, tiny::kernel);
  m.parameters[tiny::bias].dims[0] = 2;
  CHECK(sinter_load(b.context, path.c_str()) == SINTER_ERROR_INPUT);
  CHECK(error_has("dense/bias has shape [3], but the model needs [2]"));
  m.parameters[tiny::bias].dims[0] = 3;
  CHECK(tiny::logical(b, tiny::kernel) == before);
  m.parameters[tiny::bias].name = "dense/offset";
  CHECK(sinter_load(b.context, path.c_str()) == SINTER_ERROR_INPUT);
  CHECK(error_has("has no tensor dense/offset"));
  CHECK(sinter_load(nullptr, path.c_str()) == SINTER_ERROR_INPUT);
  CHECK(sinter_save(b.context, nullptr) == SINTER_ERROR_INPUT);
}

TEST_CASE("a write that fails leaves the old file and no temporary") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  tiny::Model m;
  tiny::Context a(m.model);
  write_bytes(path, "old");
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{64, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const int status = sinter_save(a.context, path.c_str());
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(status == SINTER_ERROR_IO);
  CHECK(error_has("File too large"));
  CHECK(read_bytes(path) == "old");
  CHECK(folder.count() == 1);
  CHECK(sinter_save(a.context, "/dev/full") == SINTER_ERROR_IO);
  CHECK(error_has("No space left"));
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(sinter_save(a.context, folder.file("none/w").c_str()) == SINTER_ERROR_IO);
  CHECK(sinter_save(a.context, folder.path.c_str()) == SINTER_ERROR_IO);
}

TEST_CASE("a symbolic link keeps pointing at the file that was written") {
  const TemporaryFolder folder;
  write_bytes(folder.file("target"), "old");
  std::filesystem::create_symlink("target", folder.path / "link");
  REQUIRE(sinter_write_file(folder.file("link").c_str(), "new", 3) == SINTER_OK);
  CHECK(std::filesystem::is_symlink(folder.path / "link"));
  CHECK(read_bytes(folder.file("target")) == "new");
}

TEST_CASE("temporaries of killed writers are cleaned, those of live ones kept") {
  const TemporaryFolder folder;
  const std::string path = folder.file("w");
  write_bytes(path + ".99999999.0.tmp", "");
  write_bytes(path + "." + std::to_string(getpid()) + ".0.tmp", "");
  write_bytes(path + ".99999999.0.tmpx", "");
  sinter_atomic_clean(path.c_str());
  CHECK(folder.count() == 2);
  write_bytes(path, "");
  write_bytes(path + ".99999999.0.tmp", "");
  const TemporaryFolder elsewhere;
  std::filesystem::create_symlink(path, elsewhere.path / "link");
  sinter_atomic_clean(elsewhere.file("link").c_str());
  CHECK(folder.count() == 3);
}
