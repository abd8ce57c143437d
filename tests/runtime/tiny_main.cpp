#include "tests/runtime/tiny_model.h"

#include <cstdlib>
#include <string>

// What the environment asks for, so that one program serves all of the tests.
int main(int argc, char **argv) {
  tiny::Model m;
  m.model.train_loop = tiny::train_loop;
  if (std::getenv("TINY_PATIENCE")) {
    m.training.early_stopping = 1;
    m.training.patience = std::atoi(std::getenv("TINY_PATIENCE"));
  }
  if (const char *checkpoint = std::getenv("TINY_CHECKPOINT")) {
    m.training.checkpoint_every_epoch = std::string(checkpoint) == "every";
    if (std::string(checkpoint) == "accuracy")
      m.training.monitors[SINTER_JUDGE_CHECKPOINT] = {1, 0, 1, 0};
  }
  const char *names[] = {"loss", std::getenv("TINY_METRIC")};
  if (names[1])
    m.model.metric_names = names;
  return sinter_main(&m.model, argc, argv);
}
