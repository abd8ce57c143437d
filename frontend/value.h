// What a name in a model script can stand for. Objects live in the interpreter's heap until the
// script has been read, so values point at them freely (cycles included).
#pragma once

#include "frontend/ast.h"
#include "ir/source_location.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinter {

struct None {};
struct Ellipsis {};
struct List;
struct Tuple;
struct Dict;
struct Slice;
struct Function;
struct Class;
struct Instance;
struct Super;
struct Partial;
struct Native;
struct BoundMethod;
struct Configured;
struct Layer;
struct KerasTensor;
struct KerasModel;
struct DataArray;
struct DataLoader;
struct Opaque;

/// A module, or a name inside one that Sinter gives no meaning: what may be done with it is
/// decided when it is used (modules.h).
struct ModuleName {
  std::string path; // canonical: "keras.layers", "numpy.unique"
};

using Value = std::variant<None, Ellipsis, bool, int64_t, double, std::string, List *, Tuple *,
                           Dict *, Slice *, Function *, Partial *, const Native *, BoundMethod *,
                           ModuleName, Configured *, Layer *, KerasTensor *, KerasModel *,
                           DataArray *, Opaque *, Class *, Instance *, Super *>;

struct List {
  std::vector<Value> items;
};
struct Tuple {
  std::vector<Value> items;
};
/// In the order of insertion; keys are strings, numbers, None or tuples of those.
struct Dict {
  std::vector<std::pair<Value, Value>> items;
  Value *find(const Value &key);
};
struct Slice {
  Value start, stop, step; // None when left out
};

/// Local variables; `outer` is the environment in which the function was defined.
struct Environment {
  std::map<std::string, Value> names;
  Environment *outer = nullptr;
  bool class_body = false; // its names are no variables of the methods defined in it
};

/// A def or a lambda with the environment it closes over.
struct Function {
  std::string name; // "<lambda>" for lambdas
  const std::vector<Parameter> *parameters = nullptr;
  std::vector<Value> defaults; // one a parameter; None where it has no default
  const Block *body = nullptr; // a def's
  Expr result = nullptr;       // a lambda's
  Environment *closure = nullptr;
  Class *owner = nullptr; // the class whose body defines it, which super() starts from
  enum class Kind { method, property, static_method, class_method } kind = Kind::method;
};

/// A class of the script. `native` is the class of a library that it derives from, itself or
/// through its bases: keras.layers.Layer, keras.models.Model, torch.nn.Module.
struct Class {
  std::string name;
  std::vector<Class *> bases;
  const Native *native = nullptr;
  bool callback = false; // derives from keras.callbacks.Callback
  Environment *members = nullptr;
  SourceLocation location;
  std::vector<const Class *> order; // itself and its ancestors, as attributes are looked up
};

/// What an object of a script's class holds: `self.name = value`, in the order of assignment.
/// Layers and models of such classes have one each (Layer::instance); an object of a class
/// without a library's base is one.
struct Instance {
  Class *type = nullptr;
  std::vector<std::pair<std::string, Value>> fields;
  Value *find(const std::string &name);
};

/// super(): attributes of `self` looked up behind `above`.
struct Super {
  Value self;
  Class *above;
};

struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> keywords;
};

/// functools.partial
struct Partial {
  Value callee;
  CallArguments arguments;
};

/// `model.add`: a method before it is called.
struct BoundMethod {
  Value self;
  const Native *method;
};

/// How a parameter starts: ParameterAttrs' initializer, a and b.
struct InitialValues {
  const char *initializer = "zeros";
  float a = 0;
  float b = 0;
};

/// Of a torch.nn.Parameter that no module has yet.
constexpr const char *kUnassigned = "?";

/// What is not known when compiling, and the place it came from: the result of a call that has no
/// meaning here, a prediction, a training history. It may flow anywhere but into what decides the
/// program; there it is an error that names the origin.
///
/// What PyTorch's scripts do with such values still says something: which module's parameters,
/// prediction or loss one is, and which loader's samples it comes from.
struct Opaque {
  std::string origin; // "np.unique"
  SourceLocation location;
  std::vector<int64_t> shape = {};         // of an example: torch.randn(1, 3, 224, 224)
  std::optional<InitialValues> start = {}; // what that begins as, if it is made a Parameter
  bool trained = true;                     // of a Parameter
  Layer *module = nullptr;                 // whose parameters, prediction or loss
  std::string parameter = {};              // "weight" of module.weight
  const DataLoader *loader = nullptr;      // the loader, its batches, what is computed from them
  const Configured *criterion = nullptr;   // of a loss
};

/// torch.utils.data.DataLoader
struct DataLoader {
  DataArray *images = nullptr;
  DataArray *labels = nullptr;
  int64_t batch_size = 1;
  bool shuffle = false;
  SourceLocation location;
};

/// The kind of a value, as Python names it: "int", "list".
std::string type_name(const Value &);
/// The value as messages show it: `-3`, `'relu'`, `(3, 3)`, `a layer`.
std::string describe(const Value &);
/// str(value) of a string is the string itself.
std::string to_text(const Value &);
/// Python's ==, on what can be compared; objects are equal when they are the same object.
bool equal(const Value &, const Value &);
/// Values in a value, as far down as `equal` looks: what comparing it may cost. Lists that share
/// lists have more of them than memory holds, so the count ends at forty million.
int64_t extent(const Value &);
/// The items of a list or tuple, else null.
const std::vector<Value> *sequence_items(const Value &);
/// bool, int and float as a number.
bool is_number(const Value &);
double to_number(const Value &);

/// The object that a value points at, or null.
template <typename T> T *object(const Value &value) {
  T *const *pointer = std::get_if<T *>(&value);
  return pointer ? *pointer : nullptr;
}

} // namespace sinter
