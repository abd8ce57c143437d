#include "tools/report_errors.h"

#include "frontend/source_file.h"
#include "ir/diagnostics.h"

#include <fmt/ostream.h>
#include <new>
#include <ostream>
#include <system_error>

namespace sinter {

int run_reporting_errors(const std::function<int()> &action, std::ostream &err) {
  try {
    return action();
  } catch (const CompileError &error) {
    fmt::print(err, "{}\n{}", error.what(), caret_excerpt(error.location()));
    return kExitUserError;
  } catch (const std::bad_alloc &) {
    fmt::print(err, "error: out of memory\n");
    return kExitUserError;
  } catch (const std::system_error &error) { // files, processes: the machine's, not a bug
    fmt::print(err, "error: {}\n", error.what());
    return kExitUserError;
  } catch (const InternalError &error) {
    fmt::print(err, "{}\nthis is a bug in sinter\n", error.what());
    return kExitBug;
  } catch (const std::exception &error) {
    fmt::print(err, "internal error: {}\nthis is a bug in sinter\n", error.what());
    return kExitBug;
  }
}

} // namespace sinter
