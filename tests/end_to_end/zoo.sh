#!/bin/sh
# usage: zoo.sh SINTER EXAMPLES: makes training programs of the zoo's lighter networks: model and
# layer classes, a PyTorch loop, fire modules, inception modules with auxiliary losses.
set -e
sinter=$1
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT

for network in lenet5 deep_convnet fashion_cnn_torch squeezenet googlenet; do
  echo "== $network"
  "$sinter" compile "$2/zoo/$network.py" -o "$folder/$network"
  test -x "$folder/$network"
done
