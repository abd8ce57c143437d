// Leaves. Inputs and parameters are looked up by name in the interpreter and never computed.
#include "backends/reference/reference_ops.h"
#include "ir/diagnostics.h"

namespace sinter::reference {

void input(const Evaluation &) { SINTER_UNREACHABLE("inputs are given, not computed"); }

void parameter(const Evaluation &) { SINTER_UNREACHABLE("parameters are given, not computed"); }

void constant(const Evaluation &e) {
  const std::vector<float> &values = e.attrs<ConstantAttrs>().values;
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = static_cast<double>(values[values.size() == 1 ? 0 : static_cast<size_t>(i)]);
}

} // namespace sinter::reference
