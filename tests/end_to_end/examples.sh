#!/bin/sh
# usage: examples.sh SINTER EXAMPLES: builds and runs the programs of EXAMPLES in an empty folder, and
# prints the summary of every model script.
set -e
sinter=$1
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cp -r "$2" "$folder/examples" && cd "$folder/examples"

for script in *.py; do
  echo "== $script"
  "$sinter" summary "$script" | grep 'Total params'
done

echo '== c_program'
make -s -C c_program SINTER="$sinter"
c_program/two_networks

echo '== cpp_program'
cd cpp_program
"$sinter" compile ../fashion_cnn.py -o fashion --name=fashion --emit=lib
"$sinter" compile ../residual_functional.py -o residual --name=residual --emit=lib
cmake -S . -B build >/dev/null
cmake --build build >/dev/null
zcat /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz |
  build/ensemble fashion.safetensors residual.safetensors 2
