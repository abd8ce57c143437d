#include "tests/runtime/temporary_folder.h"

extern "C" {
#include "runtime/image.h"
#include "runtime/sinter_runtime.h"
}

#include <cstring>
#include <doctest/doctest.h>
#include <jpeglib.h>
#include <png.h>
#include <vector>

namespace {

using Pixels = std::vector<uint8_t>;

void write_png(const std::string &path, int format, uint32_t width, uint32_t height,
               const Pixels &pixels, const Pixels &colormap = {}) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = static_cast<png_uint_32>(format);
  image.colormap_entries = static_cast<png_uint_32>(colormap.size() / 3);
  REQUIRE(png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0,
                                  colormap.empty() ? nullptr : colormap.data()) != 0);
}

void write_jpeg(const std::string &path, unsigned width, unsigned height, int channels) {
  jpeg_compress_struct encoder;
  jpeg_error_mgr manager;
  encoder.err = jpeg_std_error(&manager);
  jpeg_create_compress(&encoder);
  std::FILE *file = std::fopen(path.c_str(), "wb");
  jpeg_stdio_dest(&encoder, file);
  encoder.image_width = width;
  encoder.image_height = height;
  encoder.input_components = channels;
  encoder.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, 100, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  Pixels row(width * static_cast<unsigned>(channels), 200);
  JSAMPROW rows = row.data();
  while (encoder.next_scanline < height)
    jpeg_write_scanlines(&encoder, &rows, 1);
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  std::fclose(file);
}

struct Image {
  explicit Image(const std::string &path) : status(sinter_image_read(path.c_str(), &image)) {}
  ~Image() { sinter_image_release(&image); }
  Image(const Image &) = delete;
  Pixels fit(int width, int height, int channels) const {
    Pixels to(static_cast<size_t>(width * height * channels));
    REQUIRE(sinter_image_fit(&image, width, height, channels, to.data()) == SINTER_OK);
    return to;
  }
  sinter_image image;
  int status;
};

} // namespace

TEST_CASE("png pictures of every kind become 8-bit grey or RGB") {
  const TemporaryFolder folder;
  const std::string path = folder.file("p.png");
  write_png(path, PNG_FORMAT_GRAY, 2, 2, {10, 20, 30, 40});
  CHECK(Image(path).fit(2, 2, 1) == Pixels{10, 20, 30, 40});
  CHECK(Image(path).fit(2, 2, 3) == Pixels{10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40});
  write_png(path, PNG_FORMAT_RGB, 1, 1, {255, 0, 0});
  CHECK(Image(path).fit(1, 1, 3) == Pixels{255, 0, 0});
  CHECK(Image(path).fit(1, 1, 1) == Pixels{76}); // 0.299 * 255
  write_png(path, PNG_FORMAT_RGBA, 1, 1, {1, 2, 3, 128});
  CHECK(Image(path).fit(1, 1, 3).size() == 3);
  CHECK(Image(path).image.channels == 3);
  write_png(path, PNG_FORMAT_RGB_COLORMAP, 2, 1, {1, 0}, {9, 8, 7, 6, 5, 4});
  CHECK(Image(path).fit(2, 1, 3) == Pixels{6, 5, 4, 9, 8, 7});
}

TEST_CASE("jpeg pictures are decoded") {
  const TemporaryFolder folder;
  const std::string path = folder.file("p.jpg");
  for (const int channels : {1, 3}) {
    write_jpeg(path, 16, 9, channels);
    const Image image(path);
    REQUIRE(image.status == SINTER_OK);
    CHECK((image.image.width == 16 && image.image.height == 9));
    CHECK(image.image.channels == channels);
    for (const uint8_t value : image.fit(16, 9, 1))
      CHECK(std::abs(value - 200) <= 1);
  }
}

TEST_CASE("resizing keeps a flat picture flat, averages down and interpolates up") {
  const TemporaryFolder folder;
  const std::string path = folder.file("p.png");
  write_png(path, PNG_FORMAT_GRAY, 30, 20, Pixels(600, 77));
  CHECK(Image(path).fit(7, 28, 1) == Pixels(7 * 28, 77));
  write_png(path, PNG_FORMAT_GRAY, 2, 1, {0, 100});
  CHECK(Image(path).fit(4, 1, 1) == Pixels{0, 25, 75, 100});
  CHECK(Image(path).fit(1, 1, 1) == Pixels{50});
}

TEST_CASE("bad pictures give an error, never an exit") {
  const TemporaryFolder folder;
  const std::string png = folder.file("p.png"), jpeg = folder.file("p.jpg");
  write_png(png, PNG_FORMAT_GRAY, 40, 40, Pixels(1600, 3));
  write_jpeg(jpeg, 64, 64, 3);
  const std::string good_png = read_bytes(png), good_jpeg = read_bytes(jpeg);
  std::string huge = good_png;
  huge.replace(16, 8, std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8));
  const std::string cases[] = {"",
                               "GIF89a",
                               good_png.substr(0, 8),
                               good_png.substr(0, 30),
                               good_png.substr(0, good_png.size() - 20),
                               huge,
                               good_jpeg.substr(0, 4),
                               good_jpeg.substr(0, 300),
                               good_jpeg.substr(0, good_jpeg.size() - 2)};
  for (const std::string &bytes : cases) {
    write_bytes(png, bytes);
    CHECK(Image(png).status != SINTER_OK);
    CHECK(std::string(sinter_last_error()).find(png) != std::string::npos);
  }
  CHECK(Image(folder.file("none")).status == SINTER_ERROR_IO);
  CHECK(Image(folder.path.string()).status != SINTER_OK);
}
