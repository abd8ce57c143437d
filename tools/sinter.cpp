// The `sinter` command; everything is in run_tool.
#include "tools/command.h"

#include <iostream>

int main(int argc, char **argv) {
  return sinter::run_tool(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
