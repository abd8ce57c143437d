// Runs the tool inside the test, on scripts written for it.
#pragma once

#include "tools/command.h"
#include "tools/output_file.h"

#include <sstream>
#include <string>
#include <vector>

namespace sinter {

struct ToolRun {
  int code = 0;
  std::string out, err;
};

inline ToolRun run_sinter(const std::vector<std::string> &arguments) {
  std::ostringstream out;
  std::ostringstream err;
  ToolRun run;
  run.code = run_tool(arguments, out, err);
  run.out = out.str();
  run.err = err.str();
  return run;
}

/// A folder with a small model script in it.
struct ScriptFolder {
  ScriptFolder() {
    write("net.py", R"(from tensorflow import keras
model = keras.Sequential([
    keras.layers.Input(shape=(8, 8, 2)),
    keras.layers.Conv2D(9, 3, padding='same', activation='relu'),
    keras.layers.MaxPooling2D(2),
    keras.layers.Flatten(),
    keras.layers.Dropout(0.25),
    keras.layers.Dense(5, activation='softmax'),
])
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
)");
  }

  std::string path(const std::string &name) const { return folder.path() + "/" + name; }
  std::string write(const std::string &name, const std::string &text) const {
    write_file(path(name), text);
    return path(name);
  }
  std::string net() const { return path("net.py"); }

  TemporaryFolder folder;
};

} // namespace sinter
