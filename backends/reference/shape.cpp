// The same elements elsewhere.
#include "backends/reference/reference_ops.h"

namespace sinter::reference {

void reshape(const Evaluation &e) { e.result.values = e.operand(0).values; }

// Result dimension i is operand dimension permutation[i].
void transpose(const Evaluation &e) {
  const Array &x = e.operand(0);
  const std::vector<int64_t> operand_strides = row_major_strides(x.extents());
  std::vector<int64_t> strides;
  for (int64_t dimension : e.attrs<TransposeAttrs>().permutation)
    strides.push_back(operand_strides[static_cast<size_t>(dimension)]);
  int64_t i = 0;
  for_each_offset(e.result.extents(), strides, [&](int64_t offset) { e.result[i++] = x[offset]; });
}

void pad(const Evaluation &e) {
  const PadAttrs &attrs = e.attrs<PadAttrs>();
  for (double &value : e.result.values)
    value = static_cast<double>(attrs.value);
  std::vector<int64_t> strides = row_major_strides(e.result.extents());
  int64_t first = 0;
  for (size_t i = 0; i < strides.size(); ++i) {
    first += attrs.low[i] * strides[i];
    if (!attrs.interior.empty())
      strides[i] *= attrs.interior[i] + 1;
  }
  const Array &x = e.operand(0);
  int64_t i = 0;
  for_each_offset(x.extents(), strides, [&](int64_t offset) { e.result[first + offset] = x[i++]; });
}

void slice(const Evaluation &e) {
  const SliceAttrs &attrs = e.attrs<SliceAttrs>();
  const Array &x = e.operand(0);
  std::vector<int64_t> strides = row_major_strides(x.extents());
  int64_t first = 0;
  for (size_t i = 0; i < strides.size(); ++i) {
    first += attrs.begin[i] * strides[i];
    if (!attrs.step.empty())
      strides[i] *= attrs.step[i];
  }
  int64_t i = 0;
  for_each_offset(e.result.extents(), strides,
                  [&](int64_t offset) { e.result[i++] = x[first + offset]; });
}

// Walks x backwards along the axes.
void reverse(const Evaluation &e) {
  const Array &x = e.operand(0);
  const Shape extents = x.extents();
  std::vector<int64_t> strides = row_major_strides(extents);
  int64_t first = 0;
  for (int64_t axis : e.attrs<ReverseAttrs>().axes) {
    int64_t &stride = strides[static_cast<size_t>(axis)];
    first += (extents[static_cast<size_t>(axis)] - 1) * stride;
    stride = -stride;
  }
  int64_t i = 0;
  for_each_offset(extents, strides, [&](int64_t offset) { e.result[i++] = x[first + offset]; });
}

void concat(const Evaluation &e) {
  const size_t axis = static_cast<size_t>(e.attrs<AxisAttrs>().axis);
  const std::vector<int64_t> strides = row_major_strides(e.result.extents());
  int64_t first = 0;
  for (size_t operand = 0; operand < e.operands.size(); ++operand) {
    const Array &x = e.operand(operand);
    int64_t i = 0;
    for_each_offset(x.extents(), strides,
                    [&](int64_t offset) { e.result[first + offset] = x[i++]; });
    first += x.extents()[axis] * strides[axis];
  }
}

} // namespace sinter::reference
