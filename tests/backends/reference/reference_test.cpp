// The oracle against values worked out by hand or published.
#include "reference_ops_support.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace sinter;
using Values = std::vector<double>;

TEST_CASE("elementwise operands broadcast from the right") {
  const Array x = array({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run(OpKind::add, {x, array({3}, {10, 20, 30})}, {2, 3}).values ==
        Values{11, 22, 33, 14, 25, 36});
  CHECK(run(OpKind::multiply, {x, array({2, 1}, {1, -1})}, {2, 3}).values ==
        Values{1, 2, 3, -4, -5, -6});
  CHECK(run(OpKind::subtract, {array({}, {1}), x}, {2, 3}).values == Values{0, -1, -2, -3, -4, -5});
}

TEST_CASE("a convolution with padding, stride and dilation") {
  const Array x = array({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Array w = array({2, 2, 1, 1}, {1, 10, 100, 1000});
  CHECK(run(OpKind::conv2d, {x, w}, {1, 2, 2, 1}, Conv2dAttrs{}).values ==
        Values{5421, 6532, 8754, 9865});
  Conv2dAttrs strided;
  strided.strides = {2, 2};
  strided.padding = {1, 1, 0, 0};
  CHECK(run(OpKind::conv2d, {x, w}, {1, 2, 2, 1}, strided).values ==
        Values{1000, 3200, 7040, 9865});
  Conv2dAttrs dilated;
  dilated.dilations = {2, 2};
  CHECK(run(OpKind::conv2d, {x, w}, {1, 1, 1, 1}, dilated).values == Values{9731});
}

TEST_CASE("groups of a convolution see their own channels only") {
  const Array x = array({1, 1, 1, 4}, {1, 2, 3, 4});
  const Array w = array({1, 1, 2, 2}, {1, 10, 100, 1000}); // [ci][co]: co 0 of group 0, co 1 of 1
  Conv2dAttrs attrs;
  attrs.groups = 2;
  CHECK(run(OpKind::conv2d, {x, w}, {1, 1, 1, 2}, attrs).values == Values{201, 4030});
}

TEST_CASE("matrix products with and without transposes") {
  const Array a = array({2, 3}, {1, 2, 3, 4, 5, 6});
  const Array a_transposed = array({3, 2}, {1, 4, 2, 5, 3, 6});
  const Array b = array({3, 2}, {1, 2, 3, 4, 5, 6});
  const Array b_transposed = array({2, 3}, {1, 3, 5, 2, 4, 6});
  const Values product{22, 28, 49, 64};
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      CHECK(run(OpKind::matmul, {ta ? a_transposed : a, tb ? b_transposed : b}, {2, 2},
                MatmulAttrs{ta, tb, 0})
                .values == product);
}

TEST_CASE("max pooling takes the first of equals, and padding never wins") {
  const Array x = array({1, 2, 4, 1}, {3, 3, -1, -2, 3, 3, -3, -1});
  CHECK(run(OpKind::max_pool2d, {x}, {1, 1, 2, 1}, Pool2dAttrs{}).values == Values{3, -1});
  CHECK(run(OpKind::max_pool2d_argmax, {x}, {1, 1, 2, 1}, Pool2dAttrs{}).values == Values{0, 0});
  Pool2dAttrs padded;
  padded.padding = {1, 1, 1, 1};
  const Array negative = array({1, 2, 2, 1}, {-1, -2, -3, -4});
  CHECK(run(OpKind::max_pool2d, {negative}, {1, 2, 2, 1}, padded).values == Values{-1, -2, -3, -4});
  CHECK(run(OpKind::max_pool2d_argmax, {negative}, {1, 2, 2, 1}, padded).values ==
        Values{3, 2, 1, 0}); // the place in the unclipped window
}

TEST_CASE("average pooling divides by the real positions unless asked otherwise") {
  Pool2dAttrs attrs;
  attrs.padding = {1, 1, 1, 1};
  const Array x = array({1, 2, 2, 1}, {4, 8, 12, 16});
  CHECK(run(OpKind::average_pool2d, {x}, {1, 2, 2, 1}, attrs).values == Values{4, 8, 12, 16});
  attrs.count_include_pad = true;
  CHECK(run(OpKind::average_pool2d, {x}, {1, 2, 2, 1}, attrs).values == Values{1, 2, 3, 4});
}

TEST_CASE("reductions and their reverse") {
  const Array x = array({2, 3, 2}, {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -60});
  CHECK(run(OpKind::reduce_sum, {x}, {3}, ReduceAttrs{{0, 2}, false}).values == Values{0, 0, -54});
  CHECK(run(OpKind::reduce_mean, {x}, {2, 1, 2}, ReduceAttrs{{1}, true}).values ==
        Values{3, 4, -3, -22});
  CHECK(run(OpKind::reduce_max, {x}, {2}, ReduceAttrs{{1, 2}, false}).values == Values{6, -1});
  CHECK(run(OpKind::argmax, {x}, {2, 2}, ArgmaxAttrs{1}).values == Values{2, 2, 0, 0});
  CHECK(run(OpKind::broadcast, {array({2}, {3, 6})}, {2, 3}, BroadcastAttrs{{2, 3}, {1}, true})
            .values == Values{1, 1, 1, 2, 2, 2});
}

TEST_CASE("data movement") {
  const Array x = array({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(run(OpKind::transpose, {x}, {3, 2}, TransposeAttrs{{1, 0}}).values ==
        Values{1, 4, 2, 5, 3, 6});
  CHECK(run(OpKind::pad, {x}, {2, 5}, PadAttrs{{0, 1}, {0, 1}, -1}).values ==
        Values{-1, 1, 2, 3, -1, -1, 4, 5, 6, -1});
  CHECK(run(OpKind::slice, {x}, {2, 2}, SliceAttrs{{0, 1}, {2, 3}}).values == Values{2, 3, 5, 6});
  CHECK(run(OpKind::concat, {x, array({2, 1}, {7, 8})}, {2, 4}, AxisAttrs{1}).values ==
        Values{1, 2, 3, 7, 4, 5, 6, 8});
}

TEST_CASE("softmax does not overflow") {
  const Array y = run(OpKind::softmax, {array({1, 3}, {1000, 1000 + std::log(2), 0})}, {1, 3});
  CHECK(y[0] == doctest::Approx(1.0 / 3));
  CHECK(y[1] == doctest::Approx(2.0 / 3));
  CHECK(y[2] == 0);
}

// Known answers of Philox4x32-10 (Random123's kat_vectors): the first word is 0x6627e8d5 for
// counter and key 0, and 0x408f276d when all their bits are set. As 24-bit fractions 0.39904 and
// 0.25218.
TEST_CASE("the dropout mask follows Philox4x32-10") {
  const auto keeps = [](Values key, float rate, int64_t stream) {
    return run(OpKind::dropout_mask, {array({4}, std::move(key))}, {1, 1},
               DropoutMaskAttrs{rate, stream, {1, 1}})[0] != 0;
  };
  CHECK(keeps({0, 0, 0, 0}, 0.399F, 0));
  CHECK_FALSE(keeps({0, 0, 0, 0}, 0.3991F, 0));
  CHECK_FALSE(keeps({0, 0, 0, 0}, 0.9999F, 1));

  const Array mask = run(OpKind::dropout_mask, {array({4}, {-1, -1, 7, 0})}, {10000, 1},
                         DropoutMaskAttrs{0.25F, 3, {10000, 1}});
  double kept = 0;
  for (double value : mask.values) {
    CHECK((value == 0 || value == doctest::Approx(4.0 / 3)));
    kept += value == 0 ? 0 : 1;
  }
  CHECK(kept / 10000 == doctest::Approx(0.75).epsilon(0.02));
}

TEST_CASE("losses of one row") {
  const Array p = array({1, 2}, {0.25, 0.75});
  const Array t = array({1, 2}, {0, 1});
  CHECK(run(OpKind::categorical_crossentropy, {p, t}, {1})[0] == doctest::Approx(-std::log(0.75)));
  CHECK(run(OpKind::binary_crossentropy, {p, t}, {1})[0] == doctest::Approx(-std::log(0.75)));
  CHECK(run(OpKind::mean_squared_error, {p, t}, {1})[0] == doctest::Approx(0.0625));
  CHECK(run(OpKind::categorical_accuracy, {p, t}, {1})[0] == 1);
  CHECK(run(OpKind::binary_accuracy, {p, array({1, 2}, {1, 1})}, {1})[0] == 0.5);
  // Keras compares with the targets as they are: smoothed ones never are 0 or 1.
  CHECK(run(OpKind::binary_accuracy, {p, array({1, 2}, {0, 0.9})}, {1})[0] == 0.5);
  const Array logits = array({1, 2}, {0, std::log(3)});
  CHECK(run(OpKind::softmax_cross_entropy, {logits, t}, {1})[0] ==
        doctest::Approx(-std::log(0.75)));
}
