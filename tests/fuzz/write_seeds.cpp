// write_seeds FOLDER: FOLDER/TARGET/FILE for every fuzz target's seeds.
#include "tests/fuzz/seeds.h"

#include <filesystem>
#include <fstream>

int main(int count, char **arguments) {
  if (count != 2)
    return 2;
  for (const auto &[target, make] : sinter::seed_makers()) {
    const std::filesystem::path folder = std::filesystem::path(arguments[1]) / target;
    std::filesystem::create_directories(folder);
    for (const sinter::SeedFile &file : make())
      std::ofstream(folder / file.name, std::ios::binary) << file.bytes;
  }
}
