// The same elements under another shape, and shapes themselves.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

#include <algorithm>

namespace sinter {

namespace {

using ResultShape = Shape (*)(const OperatorContext &);

template <ResultShape shape_of> void import_view(OperatorContext &c) {
  c.result(c.reshape(c.tensor(0), shape_of(c)));
}

template <ResultShape shape_of> bool fold_view(OperatorContext &c) {
  c.result(reshaped(c.constant(0), shape_of(c)));
  return true;
}

/// Fills in the one extent that is -1, so that the extents from `begin` on have `count` elements.
void fill_extent(const OperatorContext &c, Shape &shape, size_t begin, int64_t count) {
  int64_t product = 1;
  size_t open = shape.size();
  for (size_t i = begin; i < shape.size(); ++i) {
    c.require(shape[i] != kSymbolicBatch, "moves the batch to dimension {}", i);
    if (shape[i] == -1) {
      c.require(open == shape.size(), "has two extents of -1");
      open = i;
      continue;
    }
    c.require(shape[i] == 0 || product <= kMaxElements / std::max<int64_t>(shape[i], 1),
              "asks for more than {} elements", kMaxElements);
    product *= shape[i];
  }
  if (open < shape.size()) {
    c.require(product > 0 && count % product == 0, "cannot make {} elements {}", count, str(shape));
    shape[open] = count / product;
    product *= shape[open];
  }
  c.require(product == count, "cannot make {} elements {}", count, str(shape));
}

/// Of a batched operand the batch must stay in front. An extent of 1 in the file stands for it
/// there, as every other leading 1 does.
Shape batched_shape(const OperatorContext &c, Shape target, int64_t count) {
  c.require(!target.empty(), "cannot drop the batch");
  if (target[0] == -1) {
    Shape rest(target.begin() + 1, target.end());
    fill_extent(c, rest, 0, count);
  } else {
    c.require(target[0] == 1 || target[0] == kSymbolicBatch,
              "moves elements between the batch and other dimensions");
  }
  fill_extent(c, target, 1, count);
  target[0] = kBatch;
  return target;
}

Shape reshape_shape(const OperatorContext &c) {
  const Shape x = c.shape(0);
  const bool copies_zero = !c.flag("allowzero", false);
  Shape target = c.constant_integers(1);
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] != 0 || !copies_zero) {
      c.require(target[i] >= -1 || target[i] == kSymbolicBatch, "asks for extent {}", target[i]);
      continue;
    }
    c.require(i < x.size(), "cannot copy extent {} of {}", i, str(x));
    target[i] = x[i] == kBatch ? kSymbolicBatch : x[i];
  }
  const bool batched = !x.empty() && x[0] == kBatch;
  const int64_t count = extent_product_between(x, batched ? 1 : 0, x.size());
  if (batched)
    return batched_shape(c, std::move(target), count);
  fill_extent(c, target, 0, count);
  return target;
}

/// [d0 * ... , da * ...], split at `axis`.
Shape flatten_shape(const OperatorContext &c) {
  const Shape x = c.shape(0);
  int64_t axis = c.integer("axis", 1);
  const int rank = static_cast<int>(x.size());
  axis = axis == rank ? axis : c.axis(axis, std::max(rank, 1));
  const auto split = static_cast<size_t>(axis);
  const bool batched = rank > 0 && x[0] == kBatch;
  c.require(!batched || split == 1, "with axis {} mixes the batch with other dimensions", axis);
  return {batched ? kBatch : extent_product_between(x, 0, split),
          extent_product_between(x, split, x.size())};
}

/// Both ways of naming axes: an attribute at first, an operand since opset 13.
std::vector<int64_t> given_axes(const OperatorContext &c) {
  return c.has_operand(1) ? c.constant_integers(1) : c.integers("axes");
}

Shape squeeze_shape(const OperatorContext &c) {
  const Shape x = c.shape(0);
  const bool all = !c.has_operand(1) && !c.has_attribute("axes");
  const std::vector<int64_t> axes = c.axes(given_axes(c), static_cast<int>(x.size()));
  Shape result;
  for (size_t i = 0; i < x.size(); ++i) {
    const bool named = std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i));
    c.require(!named || x[i] == 1, "cannot drop dimension {} of {}", i, str(x));
    // Whether a dynamic batch is 1 is not known here, so "all that are 1" leaves it.
    if (!named && !(all && x[i] == 1))
      result.push_back(x[i]);
  }
  return result;
}

Shape unsqueeze_shape(const OperatorContext &c) {
  const Shape x = c.shape(0);
  const std::vector<int64_t> given = given_axes(c);
  const size_t rank = x.size() + given.size();
  const std::vector<int64_t> axes = c.axes(given, static_cast<int>(rank));
  Shape result;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i)
    result.push_back(
        std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i)) ? 1 : x[next++]);
  return result;
}

/// The extents as integers; the batch is a symbol.
std::vector<int64_t> shape_values(const OperatorContext &c) {
  std::vector<int64_t> values = c.shape(0);
  std::replace(values.begin(), values.end(), kBatch, kSymbolicBatch);
  return values;
}

void import_shape(OperatorContext &c) {
  const std::vector<int64_t> values = shape_values(c);
  const auto rank = static_cast<int64_t>(values.size());
  const auto clipped = [&](int64_t position) {
    return std::clamp<int64_t>(position < 0 ? position + rank : position, 0, rank);
  };
  const int64_t start = clipped(c.integer("start", 0));
  const int64_t end = std::max(start, clipped(c.integer("end", rank)));
  c.result(HostTensor::vector({values.begin() + start, values.begin() + end}));
}

void import_size(OperatorContext &c) {
  const Shape shape = c.shape(0);
  c.require(shape.empty() || shape[0] != kBatch, "computes with the batch");
  const int64_t count = count_elements(shape);
  c.require(count >= 0, "counts {}, more than a tensor may have", str(shape));
  c.result(HostTensor::of_integers({}, {count}));
}

void import_identity(OperatorContext &c) { c.forward(0); }

} // namespace

const OnnxOperators &onnx_shape_operators() {
  static const OnnxOperators operators = {
      {"Flatten", import_view<flatten_shape>, fold_view<flatten_shape>},
      {"Identity", import_identity},
      {"Reshape", import_view<reshape_shape>, fold_view<reshape_shape>},
      {"Shape", import_shape},
      {"Size", import_size},
      {"Squeeze", import_view<squeeze_shape>, fold_view<squeeze_shape>},
      {"Unsqueeze", import_view<unsqueeze_shape>, fold_view<unsqueeze_shape>},
  };
  return operators;
}

} // namespace sinter
