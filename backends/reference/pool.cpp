// Pooling over NHWC images, and its gradients.
#include "backends/reference/reference_ops.h"

#include <limits>

namespace sinter::reference {

namespace {

/// The window's positions inside the image: padding never takes part.
struct Window {
  std::vector<int64_t> y, x;   // rows and columns of the image
  std::vector<int64_t> ky, kx; // and where in the window they are
};

void find_positions(int64_t first, int64_t size, int64_t dilation, int64_t extent,
                    std::vector<int64_t> &image, std::vector<int64_t> &window) {
  for (int64_t k = 0; k < size; ++k) {
    const int64_t position = first + k * dilation;
    if (position < 0 || position >= extent)
      continue;
    image.push_back(position);
    window.push_back(k);
  }
}

template <typename A>
Window window_at(const A &attrs, int64_t height, int64_t width, int64_t oy, int64_t ox) {
  Window window;
  find_positions(oy * attrs.strides[0] - attrs.padding[0], attrs.size[0], attrs.dilations[0],
                 height, window.y, window.ky);
  find_positions(ox * attrs.strides[1] - attrs.padding[1], attrs.size[1], attrs.dilations[1], width,
                 window.x, window.kx);
  return window;
}

/// visit(n, c, output offset, window) for every element of an NHWC array of pooled extents.
template <typename A, typename F>
void for_each_window(const A &attrs, const Shape &pooled, int64_t height, int64_t width,
                     F &&visit) {
  int64_t offset = 0;
  for (int64_t n = 0; n < pooled[0]; ++n)
    for (int64_t oy = 0; oy < pooled[1]; ++oy)
      for (int64_t ox = 0; ox < pooled[2]; ++ox) {
        const Window window = window_at(attrs, height, width, oy, ox);
        for (int64_t c = 0; c < pooled[3]; ++c)
          visit(n, c, offset++, window);
      }
}

struct Best {
  double value;
  int64_t position; // in the window, row-major
};

/// The first maximum in row-major window order, or the first NaN.
Best best_in_window(const Array &x, const Shape &extents, const Window &window,
                    int64_t window_width, int64_t n, int64_t c) {
  Best best{-std::numeric_limits<double>::infinity(), 0};
  bool first = true;
  for (size_t i = 0; i < window.y.size(); ++i)
    for (size_t j = 0; j < window.x.size(); ++j) {
      const double value =
          x[((n * extents[1] + window.y[i]) * extents[2] + window.x[j]) * extents[3] + c];
      if (!first && !exceeds(value, best.value))
        continue;
      best = {value, window.ky[i] * window_width + window.kx[j]};
      first = false;
    }
  return best;
}

template <typename F> void max_pool(const Evaluation &e, F &&result) {
  const Pool2dAttrs &attrs = e.attrs<Pool2dAttrs>();
  const Array &x = e.operand(0);
  const Shape extents = x.extents();
  for_each_window(attrs, e.result.extents(), extents[1], extents[2],
                  [&](int64_t n, int64_t c, int64_t offset, const Window &window) {
                    e.result[offset] =
                        result(best_in_window(x, extents, window, attrs.size[1], n, c));
                  });
}

/// What an average divides by.
template <typename A> double average_divisor(const A &attrs, const Window &window) {
  return attrs.count_include_pad ? static_cast<double>(attrs.size[0] * attrs.size[1])
                                 : static_cast<double>(window.y.size() * window.x.size());
}

} // namespace

void max_pool2d(const Evaluation &e) {
  max_pool(e, [](const Best &best) { return best.value; });
}

// The winner's place in its window, row-major: ky * width + kx.
void max_pool2d_argmax(const Evaluation &e) {
  max_pool(e, [](const Best &best) { return static_cast<double>(best.position); });
}

// Operands (dy, argmax): dx at the winner of each window += dy.
void max_pool2d_gradient(const Evaluation &e) {
  const Pool2dGradientAttrs &attrs = e.attrs<Pool2dGradientAttrs>();
  const Array &dy = e.operand(0);
  const Array &argmax = e.operand(1);
  const Shape dx = e.result.extents();
  for_each_window(attrs, dy.extents(), dx[1], dx[2],
                  [&](int64_t n, int64_t c, int64_t offset, const Window &window) {
                    const int64_t position = static_cast<int64_t>(argmax[offset]);
                    for (size_t i = 0; i < window.y.size(); ++i)
                      for (size_t j = 0; j < window.x.size(); ++j)
                        if (window.ky[i] * attrs.size[1] + window.kx[j] == position)
                          e.result[((n * dx[1] + window.y[i]) * dx[2] + window.x[j]) * dx[3] + c] +=
                              dy[offset];
                  });
}

void average_pool2d(const Evaluation &e) {
  const Pool2dAttrs &attrs = e.attrs<Pool2dAttrs>();
  const Array &x = e.operand(0);
  const Shape extents = x.extents();
  for_each_window(attrs, e.result.extents(), extents[1], extents[2],
                  [&](int64_t n, int64_t c, int64_t offset, const Window &window) {
                    double sum = 0;
                    for (int64_t iy : window.y)
                      for (int64_t ix : window.x)
                        sum += x[((n * extents[1] + iy) * extents[2] + ix) * extents[3] + c];
                    e.result[offset] = sum / average_divisor(attrs, window);
                  });
}

// Operand dy: every position of a window gets its share.
void average_pool2d_gradient(const Evaluation &e) {
  const Pool2dGradientAttrs &attrs = e.attrs<Pool2dGradientAttrs>();
  const Array &dy = e.operand(0);
  const Shape dx = e.result.extents();
  for_each_window(attrs, dy.extents(), dx[1], dx[2],
                  [&](int64_t n, int64_t c, int64_t offset, const Window &window) {
                    const double share = dy[offset] / average_divisor(attrs, window);
                    for (int64_t iy : window.y)
                      for (int64_t ix : window.x)
                        e.result[((n * dx[1] + iy) * dx[2] + ix) * dx[3] + c] += share;
                  });
}

} // namespace sinter::reference
