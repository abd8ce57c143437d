// Pooling over NHWC images, and its gradients.
#include "backends/reference/reference_ops.h"

#include <limits>

namespace sinter::reference {

namespace {

/// The window's positions inside the image, clipped to it: padding never takes part.
struct Window {
  int64_t y0, y1, x0, x1; // [y0, y1) x [x0, x1)
  int64_t top, left;      // unclipped corner
};

template <typename A>
Window window_at(const A &attrs, int64_t height, int64_t width, int64_t oy, int64_t ox) {
  const int64_t top = oy * attrs.strides[0] - attrs.padding[0];
  const int64_t left = ox * attrs.strides[1] - attrs.padding[1];
  return {top < 0 ? 0 : top,
          top + attrs.size[0] > height ? height : top + attrs.size[0],
          left < 0 ? 0 : left,
          left + attrs.size[1] > width ? width : left + attrs.size[1],
          top,
          left};
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
  int64_t position; // in the unclipped window, row-major
};

/// The first maximum in row-major window order.
Best best_in_window(const Array &x, const Shape &extents, const Window &window,
                    int64_t window_width, int64_t n, int64_t c) {
  Best best{-std::numeric_limits<double>::infinity(), 0};
  bool first = true;
  for (int64_t iy = window.y0; iy < window.y1; ++iy)
    for (int64_t ix = window.x0; ix < window.x1; ++ix) {
      const double value = x[((n * extents[1] + iy) * extents[2] + ix) * extents[3] + c];
      if (!first && value <= best.value)
        continue;
      best = {value, (iy - window.top) * window_width + ix - window.left};
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
  return static_cast<double>(attrs.count_include_pad
                                 ? attrs.size[0] * attrs.size[1]
                                 : (window.y1 - window.y0) * (window.x1 - window.x0));
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
                    const int64_t iy = window.top + position / attrs.size[1];
                    const int64_t ix = window.left + position % attrs.size[1];
                    e.result[((n * dx[1] + iy) * dx[2] + ix) * dx[3] + c] += dy[offset];
                  });
}

void average_pool2d(const Evaluation &e) {
  const Pool2dAttrs &attrs = e.attrs<Pool2dAttrs>();
  const Array &x = e.operand(0);
  const Shape extents = x.extents();
  for_each_window(attrs, e.result.extents(), extents[1], extents[2],
                  [&](int64_t n, int64_t c, int64_t offset, const Window &window) {
                    double sum = 0;
                    for (int64_t iy = window.y0; iy < window.y1; ++iy)
                      for (int64_t ix = window.x0; ix < window.x1; ++ix)
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
                    for (int64_t iy = window.y0; iy < window.y1; ++iy)
                      for (int64_t ix = window.x0; ix < window.x1; ++ix)
                        e.result[((n * dx[1] + iy) * dx[2] + ix) * dx[3] + c] += share;
                  });
}

} // namespace sinter::reference
