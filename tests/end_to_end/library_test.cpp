// Generated libraries as a user links them: C99 and C++, two models in one program, static and
// shared, found by pkg-config and CMake, clean under valgrind.
#include "tests/end_to_end/support.h"
#include "tests/passes/nets.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

using namespace sinter;

namespace {

/// Both models' libraries, made once; the folder.
const std::string &libraries() {
  static const std::string folder = [] {
    const std::string made = fresh_folder("libraries");
    BuildOptions options;
    options.emit = {Emit::lib, Emit::shared};
    options.output = made + "/first";
    build_model(fashion_net(12, 4, 0.5F), "first", options);
    options.output = made + "/second";
    build_model(binary_net(), "second", options);
    return made;
  }();
  return folder;
}

void check_command(const std::string &command) {
  const CommandResult result = run_command(command);
  INFO(command);
  INFO(result.output);
  CHECK(result.status == 0);
}

std::string warnings(const std::string &standard) {
  return " -std=" + standard + " -Wall -Wextra -pedantic -Werror ";
}

/// Compiles two_models.c against the static libraries.
std::string user_program(const std::string &compiler, const std::string &name) {
  const std::string &folder = libraries();
  const std::string program = folder + "/" + name;
  check_command(compiler + " -I" + folder + " -o " + program + " " +
                source_path("tests/end_to_end/two_models.c") + " -x none " + folder +
                "/libfirst.a " + folder + "/libsecond.a -lm -lpthread");
  return program;
}

std::vector<std::string> exported(const std::string &nm_command) {
  std::istringstream lines(run_command(nm_command).output);
  std::vector<std::string> names;
  for (std::string name; lines >> name;)
    names.push_back(name);
  return names;
}

} // namespace

TEST_CASE("a C99 program and a C++ program link two models and train both at once") {
  for (const auto &[compiler, name] :
       {std::pair<std::string, std::string>{"gcc" + warnings("c99") + "-x c", "c_user"},
        {"g++" + warnings("c++17") + "-x c++", "cpp_user"}}) {
    const std::string program = user_program(compiler, name);
    const CommandResult result = run_command(program + " " + program + ".safetensors");
    CHECK(result.status == 0);
    CHECK(result.output.find("ok\n") != std::string::npos);
    CAPTURE(result.output);
  }
}

TEST_CASE("every variant gives a trained model, and the one asked for is taken") {
  const std::string program = user_program("gcc" + warnings("c99") + "-x c", "variant_user");
  for (const std::string variant : {"x86-64", "avx2"}) {
    const CommandResult result =
        run_command("SINTER_VARIANT=" + variant + " " + program + " " + program + ".safetensors");
    CAPTURE(result.output);
    CHECK(result.status == 0);
    CHECK(result.output.find("variant " + variant + "\n") != std::string::npos);
  }
}

TEST_CASE("valgrind finds no error and no leak in a user's program") {
  REQUIRE_MESSAGE(run_command("command -v valgrind").status == 0, "valgrind is not installed");
  const std::string program = user_program("gcc -g" + warnings("c99") + "-x c", "valgrind_user");
  const CommandResult result =
      run_command("valgrind --leak-check=full --show-leak-kinds=all --error-exitcode=99 " +
                  program + " " + program + ".safetensors");
  CAPTURE(result.output);
  CHECK(result.status == 0);
}

TEST_CASE("a step without memory fails, and after the first one a library allocates nothing") {
  const std::string program = libraries() + "/steady_memory";
  check_command("gcc -I" + libraries() + " -o " + program + " " +
                source_path("tests/end_to_end/steady_memory.c") + " " + libraries() +
                "/libfirst.a -lm -lpthread -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,"
                "--wrap=aligned_alloc");
  CHECK(run_command(program).output == "ok\n");
}

TEST_CASE("libraries export their prefix alone") {
  for (const std::string library : {"/libfirst.a", "/libfirst.so"}) {
    const std::string dynamic = library == "/libfirst.so" ? "-D " : "";
    const std::vector<std::string> names =
        exported("nm " + dynamic + "--defined-only --extern-only --format=just-symbols " +
                 libraries() + library + " | grep -v ':$'");
    CHECK(names.size() == 14);
    for (const std::string &name : names)
      CHECK(name.rfind("first_", 0) == 0);
  }
}

TEST_CASE("a library whose prefix another one inside it shares exports its own functions alone") {
  const std::string folder = fresh_folder("shared_prefix");
  BuildOptions options;
  options.emit = {Emit::lib, Emit::shared};
  options.target = "host";
  options.output = folder + "/json";
  build_model(fashion_net(8, 3, 0.5F), "json", options);
  for (const std::string library : {"libjson.a", "-D libjson.so"})
    CHECK(exported("cd " + folder + " && nm --defined-only --extern-only --format=just-symbols " +
                   library + " | grep -v ':$'")
              .size() == 14);
}

TEST_CASE("a shared library needs libc and libm") {
  const CommandResult result = run_command("readelf -d " + libraries() + "/libfirst.so");
  CHECK(result.output.find("[libfirst.so]") != std::string::npos);
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(NEEDED)") == std::string::npos)
      continue;
    CAPTURE(line);
    const bool plain = line.find("[libc.so.6]") != std::string::npos ||
                       line.find("[libm.so.6]") != std::string::npos ||
                       line.find("[ld-linux-x86-64.so.2]") != std::string::npos;
    CHECK(plain);
  }
}

TEST_CASE("pkg-config finds the library beside its file, wherever that was moved") {
  REQUIRE_MESSAGE(run_command("command -v pkg-config").status == 0, "pkg-config is not installed");
  const std::string moved = fresh_folder("moved");
  std::filesystem::copy(libraries(), moved, std::filesystem::copy_options::recursive);
  check_command("cd " + moved + " && export PKG_CONFIG_PATH=" + moved + " && gcc -o user " +
                source_path("tests/end_to_end/two_models.c") +
                " $(pkg-config --cflags --libs first second) -Wl,-rpath," + moved +
                " -lpthread && ./user user.safetensors");
}

TEST_CASE("CMake finds the library as a package") {
  const std::string folder = fresh_folder("cmake_user");
  std::ofstream(folder + "/CMakeLists.txt")
      << "cmake_minimum_required(VERSION 3.10)\nproject(user C)\n"
      << "find_package(first REQUIRED CONFIG)\nfind_package(second REQUIRED CONFIG)\n"
      << "add_executable(user " << source_path("tests/end_to_end/two_models.c") << ")\n"
      << "target_link_libraries(user first::first second::shared)\n";
  check_command(
      "cd " + folder + " && cmake -S . -B build -DCMAKE_PREFIX_PATH=" + libraries() +
      " >log 2>&1 && cmake --build build >>log 2>&1 && build/user weights || { cat log; false; }");
}

TEST_CASE("weights that a build would replace are kept, and a library's name is one word") {
  const std::string folder = fresh_folder("replaced");
  BuildOptions options;
  options.emit = {Emit::lib};
  options.target = "host";
  options.output = folder + "/net";
  const auto build = [&] {
    return build_model(fashion_net(8, 3, 0.5F), "net", options).files.size();
  };
  const size_t files = build();
  CHECK(build() == files); // the same weights again
  std::ofstream(folder + "/net.safetensors") << "trained for a week";
  CHECK(build() == files + 1);
  CHECK(std::filesystem::file_size(folder + "/net.safetensors.before") == 18);
  CHECK(std::filesystem::file_size(folder + "/net.safetensors") > 18);
  options.weights = {{"dense_1/bias", std::vector<float>(10, 0.25F)}}; // another net: no training
  CHECK(build() == files + 1);
  std::ofstream(folder + "/net.safetensors") << "trained again";
  CHECK(build() == files + 1);
  CHECK(std::filesystem::file_size(folder + "/net.safetensors.before") == 18);
  CHECK(std::filesystem::file_size(folder + "/net.safetensors.before.2") > 18);
  CHECK(std::filesystem::file_size(folder + "/net.safetensors.before.3") == 13);
  CHECK(build() == files);
  options.output = folder + "/my net";
  CHECK_THROWS_WITH_AS(
      build(),
      "error: a library cannot be called \"my net\": only letters, digits and . _ + "
      "- can be part of its name",
      CompileError);
}

TEST_CASE("folders of builds that were killed are removed by the next one") {
  const std::string folder = fresh_folder("left_over");
  std::filesystem::create_directories(folder + "/.sinter-2147483646-abcdef/scratch");
  std::filesystem::create_directories(folder + "/.sinter-1-abcdef");
  std::filesystem::create_directories(folder + "/.sinter-notes");
  const std::string far = folder + "/.sinter-2147483645-abcdef"; // of a process that we cannot see
  std::filesystem::create_directories(far);
  const int lock = open(far.c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(flock(lock, LOCK_EX) == 0);
  BuildOptions options;
  options.emit = {Emit::header};
  options.target = "host";
  options.output = folder + "/net";
  build_model(fashion_net(8, 3, 0.5F), "net", options);
  CHECK_FALSE(std::filesystem::exists(folder + "/.sinter-2147483646-abcdef"));
  CHECK(std::filesystem::exists(folder + "/.sinter-1-abcdef")); // a process that lives
  CHECK(std::filesystem::exists(folder + "/.sinter-notes"));
  CHECK(std::filesystem::exists(far));
  close(lock);
}

TEST_CASE("the initial weights lie beside the library, or inside it") {
  const std::string folder = fresh_folder("weights");
  BuildOptions options;
  options.emit = {Emit::lib};
  options.output = folder + "/net";
  options.weights = {{"dense_1/bias", std::vector<float>(10, 0.25F)}};
  build_model(fashion_net(8, 3, 0.5F), "net", options);
  CHECK(std::filesystem::exists(folder + "/net.safetensors"));
  std::filesystem::remove(folder + "/net.safetensors");
  options.embed_weights = true;
  build_model(fashion_net(8, 3, 0.5F), "net", options);
  CHECK_FALSE(std::filesystem::exists(folder + "/net.safetensors"));
  CHECK(run_command("nm " + folder + "/libnet.a | grep sinter_weights").output.find(" r ") !=
        std::string::npos);
}
