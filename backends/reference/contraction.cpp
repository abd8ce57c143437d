// Convolutions (NHWC images, HWIO filters), their gradients, and matrix products. The innermost
// loop always runs over contiguous output channels, so that whole networks stay feasible.
#include "backends/reference/reference_ops.h"

namespace sinter::reference {

namespace {

/// One application of a filter row: the input pixel, filter tap and output pixel that meet.
/// `image`, `tap` and `result` are offsets of the first channel of group 0.
struct Meeting {
  int64_t image, tap, result;
};

struct Channels {
  int64_t groups, in, out; // in and out per group
};

/// Visits every (input pixel, tap, output pixel) that meets in a convolution, for every sample.
/// image is [n,h,w,ci], filter [kh,kw,ci/groups,co], result [n,oh,ow,co].
template <typename A, typename F>
void for_each_meeting(const A &attrs, const Shape &image, const Shape &filter, const Shape &result,
                      F &&visit) {
  for (int64_t n = 0; n < result[0]; ++n)
    for (int64_t oy = 0; oy < result[1]; ++oy)
      for (int64_t ox = 0; ox < result[2]; ++ox)
        for (int64_t ky = 0; ky < filter[0]; ++ky) {
          const int64_t iy = oy * attrs.strides[0] + ky * attrs.dilations[0] - attrs.padding[0];
          if (iy < 0 || iy >= image[1])
            continue;
          for (int64_t kx = 0; kx < filter[1]; ++kx) {
            const int64_t ix = ox * attrs.strides[1] + kx * attrs.dilations[1] - attrs.padding[1];
            if (ix < 0 || ix >= image[2])
              continue;
            visit(Meeting{((n * image[1] + iy) * image[2] + ix) * image[3],
                          (ky * filter[1] + kx) * filter[2] * filter[3],
                          ((n * result[1] + oy) * result[2] + ox) * result[3]});
          }
        }
}

Channels channels_of(int64_t groups, const Shape &filter) {
  return {groups, filter[2], filter[3] / groups};
}

/// visit(image channel, filter row, first output channel) for every input channel of a meeting.
template <typename F> void for_each_row(const Meeting &at, const Channels &channels, F &&visit) {
  const int64_t all_out = channels.groups * channels.out;
  for (int64_t g = 0; g < channels.groups; ++g)
    for (int64_t ci = 0; ci < channels.in; ++ci)
      visit(at.image + g * channels.in + ci, at.tap + ci * all_out + g * channels.out,
            at.result + g * channels.out);
}

} // namespace

// y[n,oy,ox,co] = sum over ky, kx, ci of x[n, oy*s + ky*d - p, ..., ci] * w[ky,kx,ci,co]
void conv2d(const Evaluation &e) {
  const Conv2dAttrs &attrs = e.attrs<Conv2dAttrs>();
  const Array &x = e.operand(0);
  const Array &w = e.operand(1);
  const Channels channels = channels_of(attrs.groups, w.extents());
  for_each_meeting(attrs, x.extents(), w.extents(), e.result.extents(), [&](const Meeting &at) {
    for_each_row(at, channels, [&](int64_t image, int64_t row, int64_t out) {
      const double value = x[image];
      for (int64_t co = 0; co < channels.out; ++co)
        e.result[out + co] += value * w[row + co];
    });
  });
}

// Operands (dy, w): dx[image] += sum over co of dy[co] * w[.., co] wherever they met.
void conv2d_input_gradient(const Evaluation &e) {
  const Conv2dGradientAttrs &attrs = e.attrs<Conv2dGradientAttrs>();
  const Array &dy = e.operand(0);
  const Array &w = e.operand(1);
  const Channels channels = channels_of(attrs.groups, w.extents());
  for_each_meeting(attrs, e.result.extents(), w.extents(), dy.extents(), [&](const Meeting &at) {
    for_each_row(at, channels, [&](int64_t image, int64_t row, int64_t out) {
      double sum = 0;
      for (int64_t co = 0; co < channels.out; ++co)
        sum += dy[out + co] * w[row + co];
      e.result[image] += sum;
    });
  });
}

// Operands (x, dy): dw[.., co] += x * dy[co] wherever they met.
void conv2d_filter_gradient(const Evaluation &e) {
  const Conv2dGradientAttrs &attrs = e.attrs<Conv2dGradientAttrs>();
  const Array &x = e.operand(0);
  const Array &dy = e.operand(1);
  const Channels channels = channels_of(attrs.groups, e.result.extents());
  for_each_meeting(attrs, x.extents(), e.result.extents(), dy.extents(), [&](const Meeting &at) {
    for_each_row(at, channels, [&](int64_t image, int64_t row, int64_t out) {
      const double value = x[image];
      for (int64_t co = 0; co < channels.out; ++co)
        e.result[row + co] += value * dy[out + co];
    });
  });
}

// op(a) . op(b), where op may transpose.
void matmul(const Evaluation &e) {
  const MatmulAttrs &attrs = e.attrs<MatmulAttrs>();
  const Array &a = e.operand(0);
  const Array &b = e.operand(1);
  const Shape result = e.result.extents();
  const int64_t depth = a.extents()[attrs.transpose_a ? 0 : 1];
  std::vector<double> row(static_cast<size_t>(result[1])); // of op(b)
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t j = 0; j < result[1]; ++j)
      row[static_cast<size_t>(j)] = attrs.transpose_b ? b[j * depth + k] : b[k * result[1] + j];
    for (int64_t i = 0; i < result[0]; ++i) {
      const double value = attrs.transpose_a ? a[k * result[0] + i] : a[i * depth + k];
      for (int64_t j = 0; j < result[1]; ++j)
        e.result[i * result[1] + j] += value * row[static_cast<size_t>(j)];
    }
  }
}

// op(a) . op(b) of the matrices at each leading index.
void batch_matmul(const Evaluation &e) {
  const MatmulAttrs &attrs = e.attrs<MatmulAttrs>();
  const Array &a = e.operand(0);
  const Array &b = e.operand(1);
  const Shape result = e.result.extents();
  const size_t leading = result.size() - 2;
  const int64_t rows = result[leading];
  const int64_t columns = result[leading + 1];
  const int64_t matrices = e.result.size() / (rows * columns);
  const int64_t depth = a.extents()[a.extents().size() - (attrs.transpose_a ? 2 : 1)];
  /// Where the operand's matrix for the m-th one of the result begins.
  const auto first = [&](const Array &x, int64_t m) {
    const Shape extents = x.extents();
    const std::vector<int64_t> strides = row_major_strides(extents);
    int64_t offset = 0;
    for (size_t i = extents.size() - 2, d = leading; i-- > 0;) {
      --d;
      offset += extents[i] == 1 ? 0 : m % result[d] * strides[i];
      m /= result[d];
    }
    return offset;
  };
  for (int64_t m = 0; m < matrices; ++m) {
    const int64_t at_a = first(a, m);
    const int64_t at_b = first(b, m);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < columns; ++j)
        for (int64_t k = 0; k < depth; ++k)
          e.result[(m * rows + i) * columns + j] +=
              a[at_a + (attrs.transpose_a ? k * rows + i : i * depth + k)] *
              b[at_b + (attrs.transpose_b ? j * depth + k : k * columns + j)];
  }
}

} // namespace sinter::reference
