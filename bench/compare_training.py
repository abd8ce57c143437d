"""Sinter beside PyTorch: the same weights, the same batches, 1 and 20 training steps.

Compiles the networks of tests/end_to_end/training_steps, trains the programs on the first 160
images of Fashion-MNIST in batches of 8, does the same in PyTorch in float32 and in float64, and
compares weights, Adam's moments and batch-norm statistics: the largest difference in a tensor
relative to the largest magnitude in it, the largest over all tensors of a kind. float64 is what the
result should be; PyTorch's own distance from it tells how much of a difference is float32.

Training amplifies rounding: where two positions of a pooling window are equal but for it, or a
gradient is about as small as it, float32 may take another way altogether. The narrow networks
rarely meet such a place, so that they agree within TOLERANCE. With --wide, of the usual widths,
PyTorch differs from itself by as much as from Sinter: asked is that over several initial weights
the median distance from float64 is within the tolerance or ten times PyTorch's own.

With --write-goldens it makes the files that the tests compare with instead, from float64.
"""
import argparse
import gzip
import pathlib
import re
import subprocess
import sys

import numpy
import torch
import torch.nn.functional as F

from safetensors_file import read_safetensors, write_safetensors
from training_nets import SCRIPTS, WIDTHS, make_net

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path('/usr/share/datasets/fashion-mnist')
BATCH = 8
STEPS = (1, 20)
KINDS = ('weights', 'adam_m', 'adam_v', 'statistics')
TOLERANCE = {1: 2e-5, 20: 2e-4}  # as in tests/end_to_end/training_steps_test.cpp
PAIRS = ('Sinter, PyTorch float32', 'Sinter, PyTorch float64', 'PyTorch float32, float64')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('nets', nargs='*', metavar='NET', help=', '.join(WIDTHS))
    parser.add_argument('--wide', action='store_true', help="not the scripts' own widths")
    parser.add_argument('--seeds', nargs='+', type=int, default=[1, 2, 3],
                        help='of the initial weights')
    parser.add_argument('--target', default='host', help='what the programs are compiled for')
    parser.add_argument('--sinter', default=ROOT / 'build/bin/sinter', type=pathlib.Path)
    parser.add_argument('--output', default=ROOT / 'build/bench', type=pathlib.Path)
    parser.add_argument('--write-goldens', action='store_true')
    return parser.parse_args()


# ---- files ---------------------------------------------------------------------------------------

def read_idx(name, count):
    with gzip.open(DATA / f'{name}.gz') as file:
        data = numpy.frombuffer(file.read(), numpy.uint8)
    extents = data[4:4 + 4 * data[3]].view('>i4')
    return data[4 + 4 * data[3]:].reshape(extents)[:count]


def write_data(folder, images, labels):
    folder.mkdir(parents=True, exist_ok=True)
    for part in ('train', 'test'):
        numpy.save(folder / f'x_{part}.npy', images)
        numpy.save(folder / f'y_{part}.npy', labels)


# ---- PyTorch -------------------------------------------------------------------------------------

def initial_weights(name, width, seed):
    """PyTorch's own, but no vector is all zeros or ones: a mistake in one would not be seen."""
    torch.manual_seed(seed)
    net = make_net(name, width)
    arrays = {}
    for entry in net.exchanged():
        with torch.no_grad():
            if entry.tensor.dim() == 1:
                entry.tensor.add_(0.1 * torch.rand_like(entry.tensor))
        arrays[entry.name] = to_sinter(entry, entry.tensor)
    return arrays


def to_sinter(entry, tensor):
    return numpy.array(tensor.detach().permute(entry.order), numpy.float32, order='C')


def load(net, arrays):
    with torch.no_grad():
        for entry in net.exchanged():
            back = [entry.order.index(d) for d in range(len(entry.order))]
            entry.tensor.copy_(torch.from_numpy(arrays[entry.name]).permute(back))


def state(net, optimizer):
    arrays = {}
    for entry in net.exchanged():
        arrays[entry.name] = to_sinter(entry, entry.tensor)
        if entry.trained:
            moments = optimizer.state[entry.tensor]
            arrays[entry.name + '/adam_m'] = to_sinter(entry, moments['exp_avg'])
            arrays[entry.name + '/adam_v'] = to_sinter(entry, moments['exp_avg_sq'])
    return arrays


def train_torch(name, width, initial, images, labels, dtype):
    """The state after each number of steps."""
    net = make_net(name, width).to(dtype)
    load(net, initial)
    net.train()
    optimizer = net.make_optimizer()
    pixels = torch.from_numpy(images.astype(numpy.float32) / numpy.float32(255))[:, None].to(dtype)
    classes = torch.from_numpy(labels.astype(numpy.int64))
    states = {}
    for step in range(1, max(STEPS) + 1):
        batch = slice((step - 1) * BATCH, step * BATCH)
        optimizer.zero_grad()
        net.before_step(optimizer, step)
        losses = [F.cross_entropy(logits, classes[batch]) for logits in net(pixels[batch])]
        sum(w * loss for w, loss in zip(net.loss_weights, losses)).backward()
        optimizer.step()
        if step in STEPS:
            states[step] = state(net, optimizer)
    return states


# ---- Sinter --------------------------------------------------------------------------------------

def train_sinter(name, width, initial, images, labels, options):
    folder = options.output / f'training_{name}_{width}'
    folder.mkdir(parents=True, exist_ok=True)
    text = (SCRIPTS / f'{name}.py').read_text()
    script = folder / f'{name}.py'
    script.write_text(re.sub(r'^width = \d+$', f'width = {width}', text, flags=re.MULTILINE))
    write_safetensors(folder / 'initial.safetensors', initial)
    program = folder / name
    run([options.sinter, 'compile', script, f'--weights={folder}/initial.safetensors',
         f'--target={options.target}', '-o', program])
    states = {}
    for steps in STEPS:
        data = folder / f'data_{steps}'
        write_data(data, images[:steps * BATCH], labels[:steps * BATCH])
        run([program, 'train', f'--data={data}', f'--checkpoint={folder}/steps.safetensors',
             '--quiet'])
        states[steps] = read_safetensors(folder / 'steps.resume.safetensors')
    return states


def run(command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f'compare_training.py: exit status {done.returncode}: '
                 f'{" ".join(map(str, command))}')


# ---- comparison ----------------------------------------------------------------------------------

def kind_of(name, state):
    for kind in ('adam_m', 'adam_v'):
        if name.endswith('/' + kind):
            return kind
    return 'weights' if name + '/adam_m' in state else 'statistics'


def differences(a, b):
    """By kind."""
    worst = dict.fromkeys(KINDS, 0.0)
    for name, expected in b.items():
        scale = max(numpy.abs(expected).max(), numpy.finfo(numpy.float32).tiny)
        difference = numpy.abs(a[name].astype(float) - expected).max() / scale
        kind = kind_of(name, b)
        worst[kind] = max(worst[kind], difference)
    return worst


def measure(name, width, seed, data, options):
    """Differences by (steps, pair) and kind."""
    initial = initial_weights(name, width, seed)
    single = train_torch(name, width, initial, *data, torch.float32)
    double = train_torch(name, width, initial, *data, torch.float64)
    sinter = train_sinter(name, width, initial, *data, options)
    return {(steps, pair): differences(a[steps], b[steps]) for steps in STEPS
            for pair, (a, b) in zip(PAIRS, [(sinter, single), (sinter, double), (single, double)])}


def summary(rows, wide):
    """Of several seeds: the worst, or the median where luck decides over single ones."""
    pick = numpy.median if wide else max
    return {kind: float(pick([row[kind] for row in rows])) for kind in KINDS}


def is_close(table, steps, wide):
    with_single, with_double, own = (table[steps, pair] for pair in PAIRS)
    if not wide:
        return max(with_single.values()) <= TOLERANCE[steps]
    return all(with_double[kind] <= max(TOLERANCE[steps], 10 * own[kind]) for kind in KINDS)


def compare(name, options, data):
    """Prints a row for each number of steps and pair; whether all is as close as it should be."""
    width = WIDTHS[name] if options.wide else script_width(name)
    tables = [measure(name, width, seed, data, options) for seed in options.seeds]
    table = {key: summary([t[key] for t in tables], options.wide) for key in tables[0]}
    for (steps, pair), row in table.items():
        print(f'{name:<15}{width:>5}{steps:>6}  {pair:<25}'
              + ''.join(f'{row[kind]:>11.1e}' for kind in KINDS), flush=True)
    return all(is_close(table, steps, options.wide) for steps in STEPS)


def script_width(name):
    return int(re.search(r'^width = (\d+)$', (SCRIPTS / f'{name}.py').read_text(),
                         flags=re.MULTILINE).group(1))


def write_golden(name, data):
    width = script_width(name)
    initial = initial_weights(name, width, seed=1)
    arrays = {f'initial/{key}': array for key, array in initial.items()}
    states = train_torch(name, width, initial, *data, torch.float64)
    for steps, results in states.items():
        arrays.update({f'{steps}/{key}': array for key, array in results.items()})
    write_safetensors(SCRIPTS / f'{name}.safetensors', arrays)


def main():
    options = parse_arguments()
    count = max(STEPS) * BATCH
    data = (read_idx('train-images-idx3-ubyte', count), read_idx('train-labels-idx1-ubyte', count))
    nets = options.nets or list(WIDTHS)
    if options.write_goldens:
        for name in nets:
            write_golden(name, data)
        return
    print(f'{"network":<15}{"width":>5}{"steps":>6}  {"between":<25}'
          + ''.join(f'{kind:>11}' for kind in KINDS))
    good = all([compare(name, options, data) for name in nets])
    print(f'PyTorch {torch.__version__}: {"they agree" if good else "THEY DIFFER"}')
    sys.exit(0 if good else 1)


main()
