// Reads ONNX models, opset 6 to 22.
#pragma once

#include "frontend/load_model.h"

#include <string_view>

namespace sinter {

/// A model with its weights. Inputs and outputs keep the file's names, shapes and NCHW order;
/// inside, transposes lead to the IR's NHWC operators and back. A leading extent that is 1 or
/// dynamic becomes the run-time batch if every operator allows it; otherwise all shapes are static.
/// Shape arithmetic is folded away. Everything that is not supported is listed in one CompileError.
LoadedModel load_onnx(const std::string &path, const LoadOptions &, Diagnostics &);

/// The same from bytes at hand; `name` stands for the file in messages, and external data lies
/// beside it.
LoadedModel load_onnx_bytes(const std::string &name, std::string_view bytes, const LoadOptions &,
                            Diagnostics &);

} // namespace sinter
