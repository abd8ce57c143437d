#!/usr/bin/python3
"""Sinter's convolution kernels beside oneDNN's: the distinct convolutions of a model.

Needs Debian's libdnnl-dev and g++. Sinter's time is that of its fused kernel (with activation,
residual and pooling where they are fused), oneDNN's the fastest of its algorithms with bias alone,
in layouts of its own choice. Rounds alternate; printed are the least of the rounds' medians.
"""
import argparse
import json
import os
import re
import subprocess
import tempfile

import models
import sides

TYPE = r"f32\[([^\]]*)\]"


def build(folder):
    program = os.path.join(folder, "onednn_convolutions")
    subprocess.run(["g++", "-O2", "-std=c++17", os.path.join(sides.PEERS, "onednn_convolutions.cpp"),
                    "-o", program, "-ldnnl"], check=True)
    return program


def extents(text):
    return [int(word) for word in text.split(";")[0].split(",") if word not in ("N", "")]


def attribute(text, name, otherwise):
    found = re.search(name + r"=\[?([\d,]+)", text)
    return [int(word) for word in found.group(1).split(",")] if found else otherwise


def convolutions(compiler, model, batch):
    """Kernel name -> the line that describes its convolution to onednn_convolutions."""
    plan = subprocess.run([compiler, "compile", model, "--emit=plan", "--target=host"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    plan = plan[plan.index("// infer"):].split("\n// ")[0]
    shapes = {}
    nodes = {}
    for line in plan.splitlines():
        node = re.match(r"\s*%(\d+) = (\w+)(.*) : " + TYPE, line)
        if not node:
            continue
        number, kind, rest, shape = node.groups()
        shapes[number] = extents(shape)
        if kind in ("conv2d", "winograd_conv2d"):
            nodes[number] = (kind, rest)
    lines = {}
    for name, members in re.findall(r'kernel "([^"]+)" \{([^}]*)\}', plan):
        for number in re.findall(r"%(\d+)", members):
            if number in nodes:
                lines[name] = describe(nodes[number], shapes, number, batch)
    return lines


def describe(node, shapes, number, batch):
    kind, rest = node
    x, filter_ = re.findall(r"%(\d+)", rest)[:2]
    size = [3, 3] if kind == "winograd_conv2d" else shapes[filter_][:2]
    top, left, bottom, right = attribute(rest, "padding", [0, 0, 0, 0])
    fields = [batch, *shapes[x], *shapes[number], *size, *attribute(rest, "strides", [1, 1]),
              top, left, bottom, right, *attribute(rest, "groups", [1])]
    return " ".join(map(str, fields))


def time_sinter(compiler, model, batch, threads):
    done = subprocess.run([compiler, "bench", model, f"--batch={batch}", f"--threads={threads}",
                           "--json"], check=True, stdout=subprocess.PIPE, text=True)
    return {kernel["name"]: kernel for kernel in json.loads(done.stdout)["kernels"]}


def time_onednn(program, lines, threads):
    done = subprocess.run([program], input="\n".join(lines) + "\n", check=True, text=True,
                          stdout=subprocess.PIPE,
                          env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    answers = [answer.split() for answer in done.stdout.splitlines()]
    return {line: (float(ms), name) for line, (ms, name) in zip(lines, answers)}


def compare(name, program, folder, options):
    model = models.export(name, folder)
    kernels = convolutions(options.sinter, model, options.batch)
    distinct = {line: kernel for kernel, line in kernels.items()}
    ours, theirs = {}, {}
    for _ in range(options.rounds):
        for kernel, row in time_sinter(options.sinter, model, options.batch, options.threads).items():
            ours[kernel] = min(ours.get(kernel, row), row, key=lambda found: found["median_ms"])
        for line, found in time_onednn(program, list(distinct), options.threads).items():
            theirs[line] = min(theirs.get(line, found), found)
    print(f"{name}, batch {options.batch}, {options.threads} thread(s)\n"
          f"{'image, filters, window, strides':36} {'Sinter':>9} {'oneDNN':>9} {'ratio':>6}")
    for line, kernel in distinct.items():
        words = line.split()
        label = f"{'x'.join(words[1:4])}, {words[6]}, {'x'.join(words[7:9])}, {'x'.join(words[9:11])}"
        ms, implementation = theirs[line]
        row = ours[kernel]
        print(f"{label:36} {row['median_ms']:9.4f} {ms:9.4f} {ms / row['median_ms']:6.2f}"
              f"  {row['algorithm']} / {implementation}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["vgg16", "resnet50", "mobilenet_v2"])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="keep exported models there")
    parser.add_argument("--sinter",
                        default=os.path.join(sides.PEERS, "..", "..", "build", "bin", "sinter"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        os.makedirs(folder, exist_ok=True)
        program = build(temporary)
        for name in options.models:
            compare(name, program, folder, options)


if __name__ == "__main__":
    main()
