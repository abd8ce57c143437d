#include "tests/runtime/tiny_model.h"

#include <cstdlib>

// What the environment asks for, so that one program serves all of the tests.
int main(int argc, char **argv) {
  tiny::Model m;
  m.model.train_loop = tiny::train_loop;
  if (std::getenv("TINY_PATIENCE")) {
    m.training.early_stopping = m.training.restore_best_weights = 1;
    m.training.patience = std::atoi(std::getenv("TINY_PATIENCE"));
  }
  return sinter_main(&m.model, argc, argv);
}
