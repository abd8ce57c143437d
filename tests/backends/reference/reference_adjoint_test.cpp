// The linear ops and their gradients are adjoint: <op(x), dy> = <x, gradient(dy)>. The two sides
// share no loop, so an index slip in either shows.
#include "reference_ops_support.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

struct ConvCase {
  Conv2dAttrs attrs;
  Shape image, filter, result;
};

const ConvCase kConvCases[] = {
    {{{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, {2, 5, 4, 3}, {3, 3, 3, 5}, {2, 5, 4, 5}},
    {{{2, 3}, {1, 1}, {0, 1, 1, 0}, 1}, {2, 7, 8, 2}, {3, 2, 2, 4}, {2, 3, 3, 4}},
    {{{1, 2}, {2, 1}, {2, 0, 1, 0}, 2}, {1, 6, 5, 4}, {2, 3, 2, 6}, {1, 7, 2, 6}},
};

} // namespace

TEST_CASE("convolution gradients are its adjoints") {
  for (const ConvCase &c : kConvCases) {
    const Array x = irregular(c.image, 1);
    const Array w = irregular(c.filter, 2);
    const Array dy = irregular(c.result, 3);
    const double expected = dot(run(OpKind::conv2d, {x, w}, c.result, c.attrs), dy);
    CHECK(expected != 0);

    Conv2dGradientAttrs attrs{c.attrs, {c.image[1], c.image[2]}, 0};
    const Array dx = run(OpKind::conv2d_input_gradient, {dy, w}, c.image, attrs);
    CHECK(dot(x, dx) == doctest::Approx(expected));
    attrs.size = {c.filter[0], c.filter[1]};
    const Array dw = run(OpKind::conv2d_filter_gradient, {x, dy}, c.filter, attrs);
    CHECK(dot(w, dw) == doctest::Approx(expected));
  }
}

TEST_CASE("pooling gradients are its adjoints, with overlapping windows and padding") {
  const Array x = irregular({2, 6, 7, 3}, 1);
  const Array dy = irregular({2, 3, 3, 3}, 2);
  const Pool2dAttrs pool{{3, 3}, {2, 3}, {1, 1, 0, 1}, false};
  const Pool2dGradientAttrs gradient{pool, {6, 7}};
  const Array average = run(OpKind::average_pool2d, {x}, {2, 3, 3, 3}, pool);
  CHECK(dot(run(OpKind::average_pool2d_gradient, {dy}, {2, 6, 7, 3}, gradient), x) ==
        doctest::Approx(dot(average, dy)));

  // A maximum is linear as long as the winners stay.
  const Array argmax = run(OpKind::max_pool2d_argmax, {x}, {2, 3, 3, 3}, pool);
  const Array dx = run(OpKind::max_pool2d_gradient, {dy, argmax}, {2, 6, 7, 3}, gradient);
  CHECK(dot(dx, x) == doctest::Approx(dot(run(OpKind::max_pool2d, {x}, {2, 3, 3, 3}, pool), dy)));
}

TEST_CASE("broadcast is the adjoint of a reduction") {
  const Array x = irregular({3, 4, 5}, 1);
  const Array dy = irregular({4}, 2);
  for (const bool mean : {false, true}) {
    const Array y =
        run(mean ? OpKind::reduce_mean : OpKind::reduce_sum, {x}, {4}, ReduceAttrs{{0, 2}, false});
    const Array dx =
        run(OpKind::broadcast, {dy}, {3, 4, 5}, BroadcastAttrs{{3, 4, 5}, {0, 2}, mean});
    CHECK(dot(dx, x) == doctest::Approx(dot(y, dy)));
  }
}
