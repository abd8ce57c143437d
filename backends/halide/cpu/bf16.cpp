// The loops, innermost last; the products come from a function of the runtime, which keeps 32
// positions by 32 filters in registers for the whole sum:
//
//   parallel image, parallel strip of rows
//     pixels = the input that the strip reads, rounded, with zeros around
//     bands of a few rows
//       products = of the band's positions by all filters
//       rows, x, vectors of filters: epilogue and store
//
// so that results, and what an epilogue adds, pass by in the order in which they lie in memory. All
// of the filter passes by each band, so where it is larger than an image threads share the filters
// instead, and a block of them serves several images, or the rows of a matrix:
//
//   some images
//     pixels = of these images, in parallel over rows
//     parallel block of filters
//       image
//         products = of the image's positions by the block's filters
//         epilogue and store as above
#include "backends/halide/cpu/bf16.h"

#include "backends/halide/cpu/loops.h"
#include "backends/halide/cpu/surroundings.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

/// Filters of a block: two tiles of AMX.
constexpr int64_t kBlock = 32;
/// Bytes of a strip's pixels and of a band's products at most: they stay in the second cache.
constexpr int64_t kPixelBytes = int64_t{1} << 19;
constexpr int64_t kProductBytes = int64_t{1} << 17;
/// Bytes of pixels of the images that a block of filters serves.
constexpr int64_t kImagesBytes = int64_t{1} << 20;
constexpr int64_t kMostImages = 16;
/// Rows of a matrix that a block of columns serves.
constexpr int64_t kMostRows = 128;
/// A filter no larger than this is read again for each strip.
constexpr int64_t kSmallFilter = int64_t{1} << 19;
/// Multiply-adds that make a parallel task worth its start, and tasks of an image at most.
constexpr int64_t kTaskWork = int64_t{1} << 23;
constexpr int64_t kTasks = 8;

/// Func dimensions of an image, innermost first; a matrix has the first two.
enum Dimension { channel = 0, x = 1, y = 2, image = 3 };

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

class Bf16Schedule {
public:
  Bf16Schedule(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        pixels_(stage("pixels")), products_(stage("products")), filter_(node.find_stage("filter")) {
    const Shape &result = kernel.kernel.graph.type(node.id).shape;
    matrix_ = result.size() == 2;
    rows_ = matrix_ ? 1 : result[1];
    strip_ = rows_;
    block_ = std::min(kBlock, divided_up(result.back(), 16) * 16);
    const Shape &pixels = pixels_.type.shape;
    row_bytes_ = pixels[1] * pixels[2] * pixels[3] * 2;
    const TensorType &filter = second_operand_type(kernel, node, filter_);
    const int64_t image_bytes = row_bytes_ * rows_;
    share_filters_ = matrix_ || filter.storage_bytes() > std::max(image_bytes, kSmallFilter);
    if (matrix_)
      images_ = std::clamp(kImagesBytes / row_bytes_, kBlock, kMostRows);
    else if (share_filters_)
      images_ = std::clamp<int64_t>(kImagesBytes / image_bytes, 1, kMostImages);
    else
      choose_strip(filter.storage_elements() * 2 * result[2], result[3]);
  }

  std::string apply() {
    if (filter_)
      schedule_at_root(*filter_, variant_);
    if (around_.plain_before && around_.plain_after) {
      apply_to(kernel_.groups[0].func);
    } else {
      Func result = node_.result;
      result.compute_root();
      pad_buffer(result, kernel_.kernel.graph.type(node_.id), static_cast<int>(block_));
      around_.pooled = nullptr;
      apply_to(result);
      schedule_rest(kernel_, node_, variant_);
    }
    return share_filters_ ? fmt::format("bf16, {} {}", images_, matrix_ ? "rows" : "images")
                          : fmt::format("bf16, strips of {}x{}", divided_up(strip_, band_), band_);
  }

private:
  const Stage &stage(const char *role) const {
    const Stage *found = node_.find_stage(role);
    SINTER_ASSERT(found, "products of bf16 numbers without the stage {}", role);
    return *found;
  }

  /// `row_work`: multiply-adds of a row; `filters`, whose products a band has.
  void choose_strip(int64_t row_work, int64_t filters) {
    const int64_t most = std::clamp<int64_t>(kPixelBytes / row_bytes_, 1, rows_);
    const int64_t tasks = std::clamp<int64_t>(rows_ * row_work / kTaskWork, 1, kTasks);
    const int64_t strips = std::max(divided_up(rows_, most), std::min(tasks, rows_));
    strip_ = divided_up(rows_, strips);
    const int64_t product_bytes = pixels_.type.shape[1] * filters * 4;
    band_ = std::clamp<int64_t>(kProductBytes / product_bytes, 1, strip_);
  }

  /// Splits the consumer's dimensions and puts the loops in order.
  void apply_to(Func consumer) {
    const std::vector<Var> v = consumer.args();
    const int lanes = variant_.vector_width;
    const Var block("block"), in_block("in_block"), vector("vector"), lane("lane");
    const Var images("images"), sample("sample");
    consumer.split(v[channel], block, in_block, static_cast<int>(block_),
                   TailStrategy::GuardWithIf);
    consumer.split(in_block, vector, lane, lanes);
    consumer.split(v.back(), images, sample, static_cast<int>(images_), TailStrategy::GuardWithIf);
    consumer.vectorize(lane).unroll(vector);
    if (share_filters_)
      share_filters(consumer);
    else
      share_strips(consumer);
  }

  void share_filters(Func consumer) {
    const Var block("block"), sample("sample"), images("images");
    std::vector<VarOrRVar> order{Var("lane"), Var("vector")};
    if (!matrix_)
      order.insert(order.end(), {consumer.args()[x], consumer.args()[y]});
    order.insert(order.end(), {sample, block, images});
    consumer.reorder(order).parallel(block);
    place_products(consumer, matrix_ ? block : sample);
    place_pixels(consumer, images);
  }

  void share_strips(Func consumer) {
    const std::vector<Var> v = consumer.args();
    const Var strip("strip"), in_strip("in_strip"), band("band"), row("row");
    const Var sample("sample"), images("images");
    const int64_t step = around_.pooled ? pooling().strides[0] : 1; // rows that make one
    const auto stored = [&](int64_t rows) {
      return static_cast<int>(std::max<int64_t>(1, rows / step));
    };
    consumer.split(v[y], strip, in_strip, stored(strip_), TailStrategy::GuardWithIf);
    consumer.split(in_strip, band, row, stored(band_), TailStrategy::GuardWithIf);
    consumer.reorder(
        {Var("lane"), Var("vector"), Var("block"), v[x], row, band, strip, sample, images});
    consumer.parallel(strip).parallel(images);
    place_products(consumer, band);
    place_pixels(consumer, strip);
  }

  const Pool2dAttrs &pooling() const {
    return attrs<Pool2dAttrs>(kernel_.kernel.graph[around_.pools[0]->id]);
  }

  void place_products(Func consumer, const Var &at) {
    Func products = products_.func;
    products.compute_at(consumer, at);
    pad_buffer(products, products_.type, static_cast<int>(block_));
  }

  void place_pixels(Func consumer, const Var &at) {
    Func pixels = pixels_.func;
    pixels.compute_at(consumer, at);
    const std::vector<Var> v = pixels.args();
    const Shape &shape = pixels_.type.shape;
    for (size_t d = 0; d < 3; ++d) // Halide knows but what sinter_bf16_products answers
      pixels.bound(v[d], 0, static_cast<int>(shape[3 - d]));
    pixels.vectorize(v.front(), 2 * variant_.vector_width);
    if (share_filters_)
      pixels.parallel(pixels.args().back());
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  Surroundings around_;
  const Stage &pixels_;
  const Stage &products_;
  const Stage *filter_; // a copy; null where the filter is read as it is
  bool matrix_ = false;
  int64_t rows_ = 1;           // of an image
  int64_t row_bytes_ = 0;      // of pixels
  int64_t block_ = kBlock;     // filters
  int64_t strip_ = 1;          // rows of the result that one task computes
  int64_t band_ = 1;           // rows whose products are made at once
  int64_t images_ = 1;         // whose pixels are staged at once
  bool share_filters_ = false; // among threads, rather than strips
};

} // namespace

std::string schedule_bf16(const LoweredKernel &kernel, const LoweredNode &contraction,
                          const Variant &variant) {
  return Bf16Schedule(kernel, contraction, variant).apply();
}

} // namespace sinter
