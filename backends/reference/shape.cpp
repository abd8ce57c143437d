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
  const std::vector<int64_t> strides = row_major_strides(e.result.extents());
  int64_t first = 0;
  for (size_t i = 0; i < strides.size(); ++i)
    first += attrs.low[i] * strides[i];
  const Array &x = e.operand(0);
  int64_t i = 0;
  for_each_offset(x.extents(), strides, [&](int64_t offset) { e.result[first + offset] = x[i++]; });
}

void slice(const Evaluation &e) {
  const SliceAttrs &attrs = e.attrs<SliceAttrs>();
  const Array &x = e.operand(0);
  const std::vector<int64_t> strides = row_major_strides(x.extents());
  int64_t first = 0;
  for (size_t i = 0; i < strides.size(); ++i)
    first += attrs.begin[i] * strides[i];
  int64_t i = 0;
  for_each_offset(e.result.extents(), strides,
                  [&](int64_t offset) { e.result[i++] = x[first + offset]; });
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
