// Pickles and PyTorch checkpoints, written here opcode by opcode as Python writes them.
#include "frontend/pickle.h"
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <fstream>
#include <zip.h>

using namespace sinter;

namespace {

SourceLocation at(const std::string &path) {
  return {std::make_shared<const std::string>(path), 0, 0};
}

template <typename T> std::string bytes_of(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

std::string u32(size_t value) { return bytes_of<uint32_t>({static_cast<uint32_t>(value)}); }
std::string text(const std::string &value) { return "X" + u32(value.size()) + value; }
std::string global(const std::string &module, const std::string &name) {
  return "c" + module + "\n" + name + "\n";
}
std::string small(int value) { return std::string("K") + static_cast<char>(value); }
std::string tuple(const std::vector<std::string> &items) {
  std::string result = "(";
  for (const std::string &item : items)
    result += item;
  return result + "t";
}

/// NumPy's pickle of an array: _reconstruct(ndarray, (0,), b'b') and its state.
std::string numpy_array(const std::string &dtype, const std::string &shape,
                        const std::string &values, bool fortran = false) {
  const std::string type = global("numpy", "dtype") + tuple({text(dtype), small(0), small(1)}) +
                           "R" +
                           tuple({small(3), text("<"), "N", "N", "N", "J\xff\xff\xff\xff",
                                  "J\xff\xff\xff\xff", small(0)}) +
                           "b";
  return global("numpy.core.multiarray", "_reconstruct") +
         tuple({global("numpy", "ndarray"), tuple({small(0)}),
                "C\x01"
                "b"}) +
         "R" +
         tuple({small(1), shape, type, fortran ? "\x88" : "\x89",
                "B" + u32(values.size()) + values}) +
         "b";
}

std::string pickle(const std::string &body) { return "\x80\x03" + body + "."; }
std::string dict(const std::vector<std::pair<std::string, std::string>> &items) {
  std::string result = "}(";
  for (const auto &[key, value] : items)
    result += text(key) + value;
  return result + "u";
}

/// A tensor over a storage, as torch._utils._rebuild_tensor_v2 is told of it.
std::string tensor(const std::string &storage, const std::string &key, int offset,
                   const std::string &size, const std::string &strides) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(
             {tuple({text("storage"), global("torch", storage), text(key), text("cpu"), small(6)}) +
                  "Q",
              small(offset), size, strides, "\x89", global("collections", "OrderedDict") + ")R"}) +
         "R";
}

std::string write_archive(const std::string &name, const std::string &data,
                          const std::vector<std::pair<std::string, std::string>> &storages) {
  const std::string path = build_path(name);
  std::ofstream(path).close();
  zip_t *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(archive);
  const auto add = [&](const std::string &member, const std::string &bytes) {
    REQUIRE(zip_file_add(archive, ("net/" + member).c_str(),
                         zip_source_buffer(archive, bytes.data(), bytes.size(), 0), 0) >= 0);
  };
  add("data.pkl", data);
  for (const auto &[key, bytes] : storages)
    add("data/" + key, bytes);
  REQUIRE(zip_close(archive) == 0);
  return path;
}

std::string error_of_pickle(const std::string &path) {
  try {
    read_pickle(at(path));
    return "";
  } catch (const CompileError &error) {
    return error.text();
  }
}

const std::vector<float> kSix{0, 1, 2, 3, 4, 5};

} // namespace

TEST_CASE("a pickled dict of NumPy arrays is read in its order") {
  const std::string path = write_file(
      "book.pkl",
      pickle(dict({{"W1", numpy_array("f8", tuple({small(2), small(3)}),
                                      bytes_of<double>({0, 1, 2, 3, 4, 5}))},
                   {"b1", numpy_array("i2", tuple({small(3)}), bytes_of<int16_t>({7, -8, 9}))},
                   {"F", numpy_array("f4", tuple({small(2), small(3)}), bytes_of(kSix), true)},
                   {"note", text("no array")}})));
  const std::vector<NamedArray> arrays = read_pickle(at(path));
  REQUIRE(arrays.size() == 3);
  CHECK(arrays[0].name == "W1");
  CHECK(arrays[0].type == "f64");
  CHECK(arrays[0].array.shape == Shape{2, 3});
  CHECK(arrays[0].array.values == kSix);
  CHECK(arrays[1].array.values == std::vector<float>{7, -8, 9});
  CHECK(arrays[2].array.values == std::vector<float>{0, 2, 4, 1, 3, 5});
}

TEST_CASE("a PyTorch archive's tensors are views of its storages") {
  const std::string data = pickle(dict(
      {{"epoch", small(3)},
       {"state_dict",
        dict({{"module.a.weight", tensor("FloatStorage", "0", 0, tuple({small(2), small(3)}),
                                         tuple({small(3), small(1)}))},
              {"module.t.weight", tensor("FloatStorage", "0", 1, tuple({small(2), small(2)}),
                                         tuple({small(1), small(3)}))},
              {"module.far.weight",
               tensor("FloatStorage", "0", 4, tuple({small(3)}), tuple({small(1)}))}})},
       {"optimizer",
        dict({{"m", tensor("FloatStorage", "0", 0, tuple({small(6)}), tuple({small(1)}))}})}}));
  const std::vector<NamedArray> arrays =
      read_pickle(at(write_archive("net.pt", data, {{"0", bytes_of(kSix)}})));
  REQUIRE(arrays.size() == 3);
  CHECK(arrays[0].name == "a.weight");
  CHECK(arrays[0].array.values == kSix);
  CHECK(arrays[1].array.values == std::vector<float>{1, 4, 2, 5});
  CHECK(arrays[2].problem == "its values lie outside of what the file holds");
}

TEST_CASE("checkpoints of PyTorch before 1.6 are sequences of pickles") {
  const std::string magic =
      pickle(std::string("\x8a\x0a", 2) + "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
  const std::string object =
      pickle(dict({{"w", tensor("HalfStorage", "12", 0, tuple({small(2)}), tuple({small(1)}))}}));
  const std::string bytes = magic + pickle("M\xe9\x03") + pickle("}") + object +
                            pickle("](" + text("12") + "e") + bytes_of<uint64_t>({2}) +
                            bytes_of<uint16_t>({0x3C00, 0xC000});
  const std::vector<NamedArray> arrays = read_pickle(at(write_file("legacy.pth", bytes)));
  REQUIRE(arrays.size() == 1);
  CHECK(arrays[0].array.values == std::vector<float>{1, -2});
  CHECK(error_of_pickle(write_file("cut.pth", bytes.substr(0, bytes.size() - 1))) ==
        "the storage 12 is truncated or damaged");
}

TEST_CASE("older protocols spell the same things otherwise") {
  const SourceLocation file = at("old.pkl");
  const std::string zero = "(dp0\nS'a\\x41\\n'\np1\nI-12\nsS'b'\nF2.5\nsS'c'\n(lp2\nL7L\naI01\nas.";
  const Pickle old = parse_pickle(zero, file);
  const auto &pairs = old[old.root].pairs;
  REQUIRE(pairs.size() == 3);
  CHECK(old[pairs[0].first].text == "aA\n");
  CHECK(old[pairs[0].second].integer == -12);
  CHECK(old[pairs[1].second].real == 2.5);
  CHECK(old[pairs[2].second].items.size() == 2);
  const std::string framed = std::string("\x80\x05\x95\x10\0\0\0\0\0\0\0}\x94\x8c\x01k\x94G\x3f\xf8"
                                         "\0\0\0\0\0\0s.",
                                         28);
  const Pickle recent = parse_pickle(framed, file);
  CHECK(recent[recent[recent.root].pairs.at(0).second].real == 1.5);
}

TEST_CASE("a pickle that would call something is refused by name") {
  const std::string attack = pickle(global("posix", "system") + tuple({text("true")}) + "R");
  CHECK(
      error_of_pickle(write_file("attack.pkl", attack)) ==
      "the pickle refers to posix.system: only state dicts and NumPy arrays are read, and nothing "
      "is called");
  const std::string stacked = pickle(text("builtins") + text("eval") + "\x93" + ")R");
  CHECK(error_of_pickle(write_file("attack.pkl", stacked))
            .rfind("the pickle refers to builtins.eval", 0) == 0);
}

TEST_CASE("hostile pickles are errors") {
  const auto error = [](const std::string &bytes) {
    return error_of_pickle(write_file("hostile.pkl", bytes));
  };
  CHECK(error(pickle("X" + u32(0xFFFFFFFF))) == "damaged pickle: it ends too early at byte 7");
  CHECK(error("\x80\x09.") == "damaged pickle: an unknown protocol at byte 2");
  CHECK(error(pickle("h\x05")) == "damaged pickle: an unknown memo at byte 4");
  CHECK(error(pickle("u")) == "damaged pickle: a missing mark at byte 3");
  CHECK(error(pickle("")) == "damaged pickle: an empty stack at byte 3");
  CHECK(error(pickle("\xff")) == "damaged pickle: an unknown opcode at byte 3");
  CHECK(error(pickle("}q\x01"
                     "X" +
                     u32(1) + "ah\x01s")) == "the pickle holds no dict of arrays");
  const std::string huge =
      numpy_array("f8", tuple({"J\xff\xff\xff\x7f", "J\xff\xff\xff\x7f"}), bytes_of<double>({1}));
  CHECK(read_pickle(at(write_file("hostile.pkl", pickle(dict({{"w", huge}})))))[0].problem ==
        "its shape [2147483647,2147483647] does not fit its 8 bytes");
  // A view with strides of 0 makes much of little.
  const std::string view =
      tensor("FloatStorage", "0", 0, tuple({"J\xff\xff\xff\x7f"}), tuple({small(0)}));
  const auto arrays = read_pickle(
      at(write_archive("view.pt", pickle(dict({{"w", view}})), {{"0", bytes_of(kSix)}})));
  CHECK(arrays[0].problem != "");
}

TEST_CASE("dicts that are shared or hold themselves are bounded") {
  const std::string array = numpy_array("f4", tuple({small(0)}), "");
  const auto memo = [](const char *opcode, int i) { return opcode + std::string(1, char(i)); };
  std::string nested = dict({{"w", array}});
  for (int depth = 0; depth < 60; ++depth)
    nested = dict({{depth % 2 == 0 ? "model" : "state_dict", nested}});
  CHECK(read_pickle(at(write_file("wrapped.pkl", pickle(nested)))).size() == 1);
  CHECK(error_of_pickle(write_file("cycle.pkl", pickle("}q\x01" + text("model") + "h\x01s"))) ==
        "the pickle holds no dict of arrays");
  // Each dict holds its predecessor twice, the first one an array without elements.
  std::string doubled = dict({{"w", array}}) + memo("q", 0);
  for (int i = 0; i < 45; ++i)
    doubled += '0' + dict({{"a", memo("h", i)}, {"b", memo("h", i)}}) + memo("q", i + 1);
  CHECK(error_of_pickle(write_file("doubled.pkl", pickle(doubled))) ==
        "the dicts of the pickle have more entries than a file of this size can hold");
  // One list of extents, or one run of bytes, in many arrays is looked at once an array.
  std::string extents = "](";
  for (int i = 0; i < 100; ++i)
    extents += small(1);
  const auto long_shape = read_pickle(
      at(write_file("rank.pkl", pickle(dict({{"w", numpy_array("f4", extents + "e", "")}})))));
  CHECK(long_shape[0].problem == "it is no array of numbers");
}

TEST_CASE("the stride of an extent of 1 does not matter") {
  const std::string view =
      tensor("FloatStorage", "0", 1, tuple({small(2), small(1)}),
             tuple({small(3), std::string("\x8a\x08") + std::string(7, '\xff') + '\x7f'}));
  const auto arrays = read_pickle(
      at(write_archive("stride.pt", pickle(dict({{"w", view}})), {{"0", bytes_of(kSix)}})));
  CHECK(arrays[0].array.values == std::vector<float>{1, 4});
}

TEST_CASE("every truncation and every flipped bit of a pickle is survived") {
  const std::string sound =
      pickle(dict({{"W1", numpy_array("f4", tuple({small(2), small(3)}), bytes_of(kSix))}}));
  for (size_t length = 0; length < sound.size(); ++length)
    CHECK(error_of_pickle(write_file("cut.pkl", sound.substr(0, length))) != "");
  for (size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::string damaged = sound;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CHECK_NOTHROW(error_of_pickle(write_file("flip.pkl", damaged)));
  }
}

TEST_CASE("views that lie far apart in one storage cost what they span") {
  constexpr int kViews = 2000;
  std::string views = "}(";
  for (int i = 0; i < kViews; ++i)
    views += text(std::to_string(i)) + tensor("ByteStorage", "0", 0, tuple({small(2)}),
                                              tuple({"J" + u32(1048575)})); // 1048575 apart
  const std::vector<NamedArray> arrays = read_pickle(at(
      write_archive("views.pt", pickle(views + "u"), {{"0", std::string(size_t{1} << 20U, 'x')}})));
  REQUIRE(arrays.size() == kViews);
  CHECK(arrays.front().problem.empty());
  CHECK(arrays.back().problem == "it has more elements than a file of this size can hold");
}
