#include "tests/fuzz/seeds.h"
#include "tests/runtime/data_files.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <jpeglib.h>
#include <png.h>
#include <stdexcept>
#include <zip.h>

namespace sinter {

namespace {

void require(bool done, const char *what) {
  if (!done)
    throw std::runtime_error(std::string("cannot make a seed: ") + what);
}

template <typename T> std::string bytes_of(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

std::string floats(int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<float>(i) / 4);
  return bytes_of(values);
}

std::string npy(const std::string &type, const std::string &order, const std::string &shape,
                const std::string &values) {
  return npy_of("{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape +
                    ", }",
                values);
}

// ---- pickles, opcode by opcode as Python writes them -------------------------------------------

std::string u32(size_t value) { return bytes_of<uint32_t>({static_cast<uint32_t>(value)}); }
std::string text(const std::string &value) { return "X" + u32(value.size()) + value; }
std::string number(int value) { return std::string("K") + static_cast<char>(value); }
std::string global(const std::string &module, const std::string &name) {
  return "c" + module + "\n" + name + "\n";
}
std::string tuple(const std::vector<std::string> &items) {
  std::string result = "(";
  for (const std::string &item : items)
    result += item;
  return result + "t";
}
std::string pickled(const std::string &body) { return "\x80\x02" + body + "."; }

std::string torch_tensor(const std::string &key) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({tuple({text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"),
                       number(6)}) +
                    "Q",
                number(0), tuple({number(2), number(3)}), tuple({number(3), number(1)}), "\x89",
                global("collections", "OrderedDict") + ")R"}) +
         "R";
}

std::string torch_state() {
  return pickled("}q\x01(" + text("epoch") + number(3) + text("state_dict") + "}q\x02(" +
                 text("conv.weight") + torch_tensor("0") + text("conv.bias") + "h\x02" + "uu");
}

std::string numpy_array() {
  const std::string type = global("numpy", "dtype") + tuple({text("f4"), number(0), number(1)}) +
                           "R" +
                           tuple({number(3), text("<"), "N", "N", "N", "J\xff\xff\xff\xff",
                                  "J\xff\xff\xff\xff", number(0)}) +
                           "b";
  return global("numpy.core.multiarray", "_reconstruct") +
         tuple({global("numpy", "ndarray"), tuple({number(0)}), "C\x01" + std::string("b")}) + "R" +
         tuple(
             {number(1), tuple({number(2), number(3)}), type, "\x89", "B" + u32(24) + floats(6)}) +
         "b";
}

std::string legacy_checkpoint() {
  const std::string magic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 12);
  return pickled(magic) + pickled("M\xe9\x03") + pickled("}") +
         pickled("}(" + text("w") + torch_tensor("0") + "u") + pickled("](" + text("0") + "e") +
         bytes_of<uint64_t>({6}) + floats(6);
}

// ---- others ------------------------------------------------------------------------------------

std::string safetensors(const std::string &header, const std::string &values) {
  return bytes_of<uint64_t>({header.size()}) + header + values;
}

std::string png(uint32_t format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 5;
  image.height = 4;
  image.format = format;
  const std::string pixels = floats(5 * 4);
  std::string bytes(1000, '\0');
  png_alloc_size_t size = bytes.size();
  require(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr) != 0,
          "png");
  bytes.resize(size);
  return bytes;
}

std::string jpeg(bool progressive) {
  jpeg_compress_struct encoder;
  jpeg_error_mgr errors;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char *memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &memory, &size);
  encoder.image_width = encoder.image_height = 9;
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  if (progressive)
    jpeg_simple_progression(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  std::string row = floats(9);
  auto *pixels = reinterpret_cast<JSAMPROW>(row.data());
  while (encoder.next_scanline < encoder.image_height)
    jpeg_write_scanlines(&encoder, &pixels, 1);
  jpeg_finish_compress(&encoder);
  const std::string bytes(reinterpret_cast<char *>(memory), size);
  jpeg_destroy_compress(&encoder);
  std::free(memory);
  return bytes;
}

} // namespace

std::string npy_of(const std::string &header, const std::string &values) {
  const std::string padded = header + std::string(118 - header.size() % 64, ' ') + "\n";
  return std::string("\x93NUMPY\x01\0", 8) +
         bytes_of<uint16_t>({static_cast<uint16_t>(padded.size())}) + padded + values;
}

std::string zip_of(const SeedFiles &members, bool deflated) {
  zip_error_t error;
  zip_source_t *memory = zip_source_buffer_create(nullptr, 0, 0, &error);
  require(memory != nullptr, "zip");
  zip_source_keep(memory); // closing the archive gives it away
  zip_t *archive = zip_open_from_source(memory, ZIP_TRUNCATE, &error);
  for (const SeedFile &member : members) {
    zip_source_t *source = zip_source_buffer(archive, member.bytes.data(), member.bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, member.name.c_str(), source, 0);
    require(index >= 0, "zip member");
    const auto place = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive, place, deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    zip_file_set_mtime(archive, place, 1'000'000'000, 0);
  }
  require(zip_close(archive) == 0 && zip_source_open(memory) == 0, "zip archive");
  zip_source_seek(memory, 0, SEEK_END);
  std::string bytes(static_cast<size_t>(zip_source_tell(memory)), '\0');
  zip_source_seek(memory, 0, SEEK_SET);
  zip_source_read(memory, bytes.data(), bytes.size());
  zip_source_close(memory);
  zip_source_free(memory);
  return bytes;
}

SeedFiles pickle_seeds() {
  const std::string old =
      "(dp0\nS'a\\x41\\n'\np1\nI-12\nsV b\np2\nF2.5\nsS'c'\n(lp3\nL7L\naI01\nas.";
  const std::string framed(
      "\x80\x05\x95\x10\0\0\0\0\0\0\0}\x94\x8c\x01k\x94G\x3f\xf8\0\0\0\0\0\0s.", 28);
  return {{"archive.pt", zip_of({{"net/data.pkl", torch_state()},
                                 {"net/byteorder", "little"},
                                 {"net/data/0", floats(6)}},
                                false)},
          {"state.pkl", torch_state()},
          {"numpy.pkl", pickled("}q\x01(" + text("W1") + numpy_array() + text("b1") + "h\x01u")},
          {"legacy.pth", legacy_checkpoint()},
          {"protocol0.pkl", old},
          {"protocol5.pkl", framed}};
}

SeedFiles npy_seeds() {
  return {{"floats.npy", npy("<f4", "False", "(2, 3)", floats(6))},
          {"fortran.npy", npy("<f8", "True", "(3, 2, 1)", floats(12))},
          {"halves.npy", npy("<f2", "False", "(6,)", floats(3))},
          {"big.npy", npy(">i4", "False", "(2,)", floats(2))},
          {"bytes.npy", npy("|u1", "False", "(2, 2, 1)", floats(1))},
          {"longs.npy", npy("<u8", "False", "()", floats(2))}};
}

SeedFiles npz_seeds() {
  SeedFiles members = npy_seeds();
  const std::string small = zip_of({members[0]}, false);
  return {{"one.npz", small}, {"all.npz", zip_of(members, true)}};
}

SeedFiles safetensors_seeds() {
  const std::string w = R"("w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})";
  return {{"one.safetensors", safetensors("{" + w + "}", floats(6))},
          {"two.safetensors",
           safetensors(R"({"__metadata__":{"format":"pt"},)" + w +
                           R"(,"b":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]}})",
                       floats(7))}};
}

SeedFiles idx_seeds() {
  const std::string images = idx(8, {2, 3, 2}, floats(3));
  return {{"images.idx", images},
          {"images.idx.gz", gzip(images)},
          {"labels.idx", idx(8, {4}, floats(1))},
          {"floats.idx", idx(0x0d, {3}, floats(3))}};
}

SeedFiles picture_seeds() {
  return {{"grey.png", png(PNG_FORMAT_GRAY)},
          {"rgba.png", png(PNG_FORMAT_RGBA)},
          {"deep.png", png(PNG_FORMAT_LINEAR_Y)},
          {"baseline.jpg", jpeg(false)},
          {"progressive.jpg", jpeg(true)}};
}

const std::map<std::string, std::function<SeedFiles()>> &seed_makers() {
  static const std::map<std::string, std::function<SeedFiles()>> makers = {
      {"hdf5", hdf5_seeds},       {"idx", idx_seeds},
      {"keras", keras_seeds},     {"keras_archive", keras_archive_seeds},
      {"npy", npy_seeds},         {"npz", npz_seeds},
      {"onnx", onnx_seeds},       {"pickle", pickle_seeds},
      {"picture", picture_seeds}, {"safetensors", safetensors_seeds},
      {"script", script_seeds},   {"sir", sir_seeds},
  };
  return makers;
}

} // namespace sinter
