#include "frontend/pickle.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>

namespace sinter {

namespace {

constexpr size_t kMaxValues = 4'000'000; // a hundred times those of a large network

/// Everything that state dicts and NumPy arrays are made of.
constexpr std::array<std::string_view, 36> kKnownGlobals = {
    "__builtin__.set",
    "_codecs.encode",
    "argparse.Namespace",
    "builtins.set",
    "collections.OrderedDict",
    "collections.defaultdict",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.numeric._frombuffer",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "numpy.dtype",
    "numpy.ndarray",
    "torch.BFloat16Storage",
    "torch.BoolStorage",
    "torch.ByteStorage",
    "torch.CharStorage",
    "torch.DoubleStorage",
    "torch.FloatStorage",
    "torch.HalfStorage",
    "torch.IntStorage",
    "torch.LongStorage",
    "torch.ShortStorage",
    "torch.Size",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch.bfloat16",
    "torch.device",
    "torch.float16",
    "torch.float32",
    "torch.float64",
    "torch.int64",
    "torch.nn.parameter.Parameter",
    "torch.serialization._get_layout",
};

/// The opcodes of pickletools.py, by its names.
enum Opcode : unsigned char {
  MARK = '(',
  STOP = '.',
  POP = '0',
  POP_MARK = '1',
  DUP = '2',
  FLOAT = 'F',
  INT = 'I',
  BININT = 'J',
  BININT1 = 'K',
  LONG = 'L',
  BININT2 = 'M',
  NONE = 'N',
  BINPERSID = 'Q',
  REDUCE = 'R',
  STRING = 'S',
  BINSTRING = 'T',
  SHORT_BINSTRING = 'U',
  UNICODE = 'V',
  BINUNICODE = 'X',
  APPEND = 'a',
  BUILD = 'b',
  GLOBAL = 'c',
  DICT = 'd',
  EMPTY_DICT = '}',
  APPENDS = 'e',
  GET = 'g',
  BINGET = 'h',
  LONG_BINGET = 'j',
  LIST = 'l',
  EMPTY_LIST = ']',
  PUT = 'p',
  BINPUT = 'q',
  LONG_BINPUT = 'r',
  SETITEM = 's',
  TUPLE = 't',
  EMPTY_TUPLE = ')',
  SETITEMS = 'u',
  BINFLOAT = 'G',
  BINBYTES = 'B',
  SHORT_BINBYTES = 'C',
  PROTO = 0x80,
  NEWOBJ = 0x81,
  TUPLE1 = 0x85,
  TUPLE2 = 0x86,
  TUPLE3 = 0x87,
  NEWTRUE = 0x88,
  NEWFALSE = 0x89,
  LONG1 = 0x8a,
  LONG4 = 0x8b,
  SHORT_BINUNICODE = 0x8c,
  BINUNICODE8 = 0x8d,
  BINBYTES8 = 0x8e,
  EMPTY_SET = 0x8f,
  ADDITEMS = 0x90,
  FROZENSET = 0x91,
  STACK_GLOBAL = 0x93,
  MEMOIZE = 0x94,
  FRAME = 0x95,
  BYTEARRAY8 = 0x96
};

/// The stack machine of pickle.py, without its calls.
class Machine {
public:
  Machine(std::string_view bytes, const SourceLocation &file) : bytes_(bytes), file_(file) {}
  Pickle run();

private:
  [[noreturn]] void fail(const char *what) const {
    throw CompileError(file_, "damaged pickle: {} at byte {}", what, at_);
  }
  // Reading.
  std::string_view take(uint64_t count);
  uint64_t number(size_t bytes); // little-endian
  std::string_view line();
  int64_t decimal(std::string_view digits) const;
  // The stack.
  void push(PickleId id) {
    if (stack_.size() >= kMaxValues)
      fail("too many values");
    stack_.push_back(id);
  }
  PickleValue &push_new(PickleKind kind);
  PickleId pop();
  PickleValue &top();
  std::vector<PickleId> pop_to_mark();
  // The groups of opcodes: each tells whether the opcode was one of its own.
  bool execute_number(unsigned char op);
  bool execute_text(unsigned char op);
  bool execute_container(unsigned char op);
  bool execute_memo(unsigned char op);
  bool execute_object(unsigned char op);
  // Single opcodes.
  void push_text(PickleKind kind, std::string_view text) { push_new(kind).text = text; }
  void push_quoted();
  void push_long(std::string_view bytes);
  void push_global(const std::string &name);
  void push_call(PickleKind kind, std::vector<PickleId> items);
  void extend_list();
  void extend_dict(const std::vector<PickleId> &items);
  void remember(uint64_t key) {
    if (memo_.size() >= kMaxValues)
      fail("too many values");
    memo_[key] = stack_.empty() ? pop() : stack_.back();
  }
  void recall(uint64_t key);

  std::string_view bytes_;
  SourceLocation file_;
  size_t at_ = 0;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;
  std::map<uint64_t, PickleId> memo_;
};

std::string_view Machine::take(uint64_t count) {
  if (count > bytes_.size() - at_)
    fail("it ends too early");
  const std::string_view taken = bytes_.substr(at_, static_cast<size_t>(count));
  at_ += static_cast<size_t>(count);
  return taken;
}

uint64_t Machine::number(size_t count) {
  const std::string_view taken = take(count);
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;)
    value = value << 8U | static_cast<unsigned char>(taken[i]);
  return value;
}

std::string_view Machine::line() {
  const size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos)
    fail("it ends too early");
  const std::string_view taken = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  return taken;
}

int64_t Machine::decimal(std::string_view digits) const {
  if (!digits.empty() && digits.back() == 'L')
    digits.remove_suffix(1);
  const std::string text(digits);
  char *end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0')
    fail("a malformed number");
  return value;
}

PickleValue &Machine::push_new(PickleKind kind) {
  if (pickle_.values.size() >= kMaxValues)
    fail("too many values");
  push(static_cast<PickleId>(pickle_.values.size()));
  PickleValue &value = pickle_.values.emplace_back();
  value.kind = kind;
  return value;
}

PickleId Machine::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back()))
    fail("an empty stack");
  const PickleId id = stack_.back();
  stack_.pop_back();
  return id;
}

PickleValue &Machine::top() {
  push(pop()); // checks that there is one
  return pickle_.values[static_cast<size_t>(stack_.back())];
}

std::vector<PickleId> Machine::pop_to_mark() {
  if (marks_.empty())
    fail("a missing mark");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleId> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

/// Integers of up to 8 bytes; larger ones (PyTorch's magic number) keep their low 64 bits.
void Machine::push_long(std::string_view bytes) {
  uint64_t value = 0;
  const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0;
  for (size_t i = 8; i-- > 0;)
    value = value << 8U | (i < bytes.size() ? static_cast<unsigned char>(bytes[i])
                           : negative       ? 0xFFU
                                            : 0U);
  push_new(PickleKind::integer).integer = static_cast<int64_t>(value);
}

bool Machine::execute_number(unsigned char op) {
  switch (op) {
  case NONE:
    push_new(PickleKind::none);
    return true;
  case NEWTRUE:
  case NEWFALSE:
    push_new(PickleKind::boolean).integer = op == NEWTRUE ? 1 : 0;
    return true;
  case INT:
  case LONG: {
    const int64_t value = decimal(line());
    push_new(PickleKind::integer).integer = value;
    return true;
  }
  case BININT: {
    const auto value = static_cast<int32_t>(number(4));
    push_new(PickleKind::integer).integer = value;
    return true;
  }
  case BININT1:
  case BININT2: {
    const uint64_t value = number(op == BININT1 ? 1 : 2);
    push_new(PickleKind::integer).integer = static_cast<int64_t>(value);
    return true;
  }
  case LONG1:
  case LONG4:
    push_long(take(number(op == LONG1 ? 1 : 4)));
    return true;
  case FLOAT: {
    const std::string text(line());
    push_new(PickleKind::real).real = std::strtod(text.c_str(), nullptr);
    return true;
  }
  case BINFLOAT: { // big-endian
    std::string reversed(take(8));
    std::reverse(reversed.begin(), reversed.end());
    std::memcpy(&push_new(PickleKind::real).real, reversed.data(), sizeof(double));
    return true;
  }
  default:
    return false;
  }
}

/// STRING: a Python 2 literal in quotes, with escapes.
void Machine::push_quoted() {
  std::string_view literal = line();
  if (literal.size() < 2 || literal.front() != literal.back())
    fail("a string without quotes");
  literal = literal.substr(1, literal.size() - 2);
  std::string &text = pickle_.texts.emplace_back();
  for (size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] != '\\' || i + 1 == literal.size()) {
      text += literal[i];
      continue;
    }
    const char escape = literal[++i];
    if (escape == 'x' && i + 2 < literal.size()) {
      text += static_cast<char>(
          std::strtol(std::string(literal.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      text += escape == 'n' ? '\n' : escape == 't' ? '\t' : escape == 'r' ? '\r' : escape;
    }
  }
  push_text(PickleKind::bytes, text);
}

bool Machine::execute_text(unsigned char op) {
  switch (op) {
  case STRING:
    push_quoted();
    return true;
  case UNICODE:
    push_text(PickleKind::text, line());
    return true;
  case SHORT_BINUNICODE:
    push_text(PickleKind::text, take(number(1)));
    return true;
  case BINUNICODE:
    push_text(PickleKind::text, take(number(4)));
    return true;
  case BINUNICODE8:
    push_text(PickleKind::text, take(number(8)));
    return true;
  case SHORT_BINSTRING:
  case SHORT_BINBYTES:
    push_text(PickleKind::bytes, take(number(1)));
    return true;
  case BINSTRING:
  case BINBYTES:
    push_text(PickleKind::bytes, take(number(4)));
    return true;
  case BINBYTES8:
  case BYTEARRAY8:
    push_text(PickleKind::bytes, take(number(8)));
    return true;
  default:
    return false;
  }
}

void Machine::extend_list() {
  const std::vector<PickleId> items = pop_to_mark();
  std::vector<PickleId> &list = top().items;
  list.insert(list.end(), items.begin(), items.end());
}

void Machine::extend_dict(const std::vector<PickleId> &items) {
  if (items.size() % 2 != 0)
    fail("a key without a value");
  auto &pairs = top().pairs;
  for (size_t i = 0; i < items.size(); i += 2)
    pairs.emplace_back(items[i], items[i + 1]);
}

bool Machine::execute_container(unsigned char op) {
  switch (op) {
  case EMPTY_LIST:
  case EMPTY_SET:
    push_new(PickleKind::list);
    return true;
  case EMPTY_TUPLE:
    push_new(PickleKind::tuple);
    return true;
  case EMPTY_DICT:
    push_new(PickleKind::dict);
    return true;
  case LIST:
  case TUPLE:
  case FROZENSET: {
    std::vector<PickleId> items = pop_to_mark();
    push_new(op == TUPLE ? PickleKind::tuple : PickleKind::list).items = std::move(items);
    return true;
  }
  case TUPLE1:
  case TUPLE2:
  case TUPLE3: {
    std::vector<PickleId> items(static_cast<size_t>(op - TUPLE1 + 1));
    for (size_t i = items.size(); i-- > 0;)
      items[i] = pop();
    push_new(PickleKind::tuple).items = std::move(items);
    return true;
  }
  case DICT: {
    const std::vector<PickleId> items = pop_to_mark();
    push_new(PickleKind::dict);
    extend_dict(items);
    return true;
  }
  case APPEND: {
    const PickleId item = pop();
    top().items.push_back(item);
    return true;
  }
  case APPENDS:
  case ADDITEMS:
    extend_list();
    return true;
  case SETITEM: {
    const PickleId value = pop();
    const PickleId key = pop();
    top().pairs.emplace_back(key, value);
    return true;
  }
  case SETITEMS:
    extend_dict(pop_to_mark());
    return true;
  default:
    return false;
  }
}

void Machine::recall(uint64_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end())
    fail("an unknown memo");
  push(found->second);
}

bool Machine::execute_memo(unsigned char op) {
  switch (op) {
  case PUT:
    remember(static_cast<uint64_t>(decimal(line())));
    return true;
  case BINPUT:
    remember(number(1));
    return true;
  case LONG_BINPUT:
    remember(number(4));
    return true;
  case MEMOIZE:
    remember(memo_.size());
    return true;
  case GET:
    recall(static_cast<uint64_t>(decimal(line())));
    return true;
  case BINGET:
    recall(number(1));
    return true;
  case LONG_BINGET:
    recall(number(4));
    return true;
  case MARK:
    if (marks_.size() >= kMaxValues)
      fail("too many values");
    marks_.push_back(stack_.size());
    return true;
  case POP_MARK:
    pop_to_mark();
    return true;
  case POP:
    pop();
    return true;
  case DUP:
    push(static_cast<PickleId>(&top() - pickle_.values.data()));
    return true;
  default:
    return false;
  }
}

void Machine::push_global(const std::string &name) {
  if (std::find(kKnownGlobals.begin(), kKnownGlobals.end(), name) == kKnownGlobals.end())
    throw CompileError(file_,
                       "the pickle refers to {}: only state dicts and NumPy arrays are read, and "
                       "nothing is called",
                       name);
  push_text(PickleKind::global, pickle_.texts.emplace_back(name));
}

void Machine::push_call(PickleKind kind, std::vector<PickleId> items) {
  push_new(kind).items = std::move(items);
}

bool Machine::execute_object(unsigned char op) {
  switch (op) {
  case GLOBAL: {
    const std::string module(line());
    push_global(module + "." + std::string(line()));
    return true;
  }
  case STACK_GLOBAL: {
    const std::string name(pickle_[pop()].text);
    push_global(std::string(pickle_[pop()].text) + "." + name);
    return true;
  }
  case REDUCE:
  case NEWOBJ: {
    const PickleId arguments = pop();
    const PickleId callee = pop();
    push_call(PickleKind::call, {callee, arguments});
    return true;
  }
  case BUILD: {
    const PickleId state = pop();
    top().state = state;
    return true;
  }
  case BINPERSID:
    push_call(PickleKind::persistent, {pop()});
    return true;
  case PROTO:
    if (number(1) > 5)
      fail("an unknown protocol");
    return true;
  case FRAME:
    take(8);
    return true;
  default:
    return false;
  }
}

Pickle Machine::run() {
  for (;;) {
    const auto op = static_cast<unsigned char>(take(1)[0]);
    if (op == STOP)
      break;
    if (!execute_number(op) && !execute_text(op) && !execute_container(op) && !execute_memo(op) &&
        !execute_object(op))
      fail("an unknown opcode");
  }
  pickle_.root = pop();
  pickle_.size = at_;
  return std::move(pickle_);
}

} // namespace

Pickle parse_pickle(std::string_view bytes, const SourceLocation &file) {
  return Machine(bytes, file).run();
}

} // namespace sinter
