// The layers in layers. A script's objects refer to each other as they like: a layer may be reached
// on many ways, and may hold itself. Every walk visits it once, and costs a step a value.
#pragma once

#include "frontend/keras_objects.h"

namespace sinter {

class Interpreter;

/// The layers and models among the fields of an object, those in lists and dicts included, in the
/// order of assignment.
std::vector<Layer *> tracked_layers(Interpreter &, const Instance &, const SourceLocation &);
/// A layer and all that it tracks, directly or through others; what holds comes before what it
/// holds.
std::vector<Layer *> tracked_tree(Interpreter &, Layer &root, const SourceLocation &);
/// The same with the layers of models, and with those that calls of the script's functions used
/// without tracking them: an object's call(), a Lambda's function, an activation.
std::vector<Layer *> all_layers(Interpreter &, Layer &root, const SourceLocation &);

/// Of a layer, and of everything in it.
void set_trainable(Interpreter &, Layer &root, bool trainable, const SourceLocation &);

} // namespace sinter
