// Writes small data sets in the formats that the runtime reads.
#pragma once

#include "tests/runtime/temporary_folder.h"
#include "tests/runtime/tiny_model.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>
#include <zlib.h>

inline std::string idx(unsigned char code, const std::vector<uint32_t> &dims,
                       const std::string &data) {
  std::string bytes{'\0', '\0', static_cast<char>(code), static_cast<char>(dims.size())};
  for (const uint32_t extent : dims)
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes += static_cast<char>(extent >> shift);
  return bytes + data;
}

inline std::string gzip(const std::string &bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2 failed");
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef *>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

template <typename T>
std::string npy(const std::string &descr, const std::string &shape, const std::vector<T> &values) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += '\x01';
  bytes += '\0';
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header +
         std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
}

// n images whose class shows in which third of the rows is bright, and their labels.
struct TinyImages {
  explicit TinyImages(int n, unsigned seed = 1) {
    unsigned state = seed;
    const auto noise = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
    for (int i = 0; i < n; ++i) {
      const int label = static_cast<int>(noise()) % tiny::classes;
      labels += static_cast<char>(label);
      for (int y = 0; y < tiny::height; ++y)
        for (int x = 0; x < tiny::width; ++x)
          pixels += static_cast<char>(noise() / 2 + (y / 2 == label ? 90u : 0u));
    }
  }
  std::string pixels, labels;
};

inline void write_tiny_data(const TemporaryFolder &folder, int train = 200, int test = 50) {
  const auto write = [&](const std::string &stem, int n, unsigned seed) {
    const TinyImages images(n, seed);
    const auto count = static_cast<uint32_t>(n);
    write_bytes(folder.file(stem + "-images-idx3-ubyte.gz"),
                gzip(idx(8, {count, tiny::height, tiny::width}, images.pixels)));
    write_bytes(folder.file(stem + "-labels-idx1-ubyte"), idx(8, {count}, images.labels));
  };
  write("train", train, 1);
  write("t10k", test, 2);
}
