// The names that users see: emit kinds and the prefix of a program's C symbols.
#include "backends/program/build.h"

#include <doctest/doctest.h>

using namespace sinter;

TEST_CASE("any text becomes a legal, unreserved prefix of C symbols") {
  CHECK(c_identifier("fashion_cnn") == "fashion_cnn");
  CHECK(c_identifier("LeNet-5") == "LeNet_5");
  CHECK(c_identifier("5net") == "model_5net");
  CHECK(c_identifier("") == "model");
  CHECK(c_identifier("--") == "model");
  CHECK(c_identifier("__x__y__") == "x_y");
  CHECK(c_identifier("r\xC3\xA9seau \xE2\x80\x94 v2") == "r_seau_v2");
}

TEST_CASE("a prefix whose functions exist already is changed") {
  CHECK(c_identifier("timer") == "timer_model");
  CHECK(c_identifier("sinter") == "sinter_model");
  CHECK(c_identifier("timers") == "timers");
  CHECK(c_identifier("pthread_mutex") == "model_pthread_mutex");
  CHECK(c_identifier("x") == "x_model"); // X_OK
}

TEST_CASE("emit kinds are spelled as they are parsed") {
  for (const char *text : {"exe", "lib", "shared", "obj", "header", "llvm", "asm"}) {
    CAPTURE(text);
    REQUIRE(parse_emit(text));
    CHECK(name(*parse_emit(text)) == std::string(text));
  }
  CHECK_FALSE(parse_emit("plan"));
}
