"""One measurement of the peer: PyTorch on the CPU, with OpenBLAS, channels_last.

usage: torch_step.py MODEL train|infer BATCH THREADS SECONDS [f32|bf16]

bf16 is PyTorch's autocast: forward pass and loss under it, parameters and optimizer in float32.

Prints a JSON object with the median and the minimum in milliseconds. It is a process of its own so
that the number of threads is exact and no measurement inherits another's state. Debian's PyTorch
calls whatever libblas.so.3 is installed; the reference one is several times slower, so a run that
did not load OpenBLAS is an error, not a number.
"""
import itertools
import json
import statistics
import sys
import time

import torch
from torch import nn

from torch_nets import TRAINED


def require_openblas():
    with open('/proc/self/maps') as maps:
        if 'openblas' not in maps.read():
            sys.exit('torch_step.py: PyTorch did not load OpenBLAS; install libopenblas0-pthread')


def random_batches(size, shape, classes):
    """Several, in turn, so that the network cannot learn one by heart: gradients of zero are no load."""
    return itertools.cycle(
        [(torch.rand(size, *shape).contiguous(memory_format=torch.channels_last),
          torch.randint(0, classes, (size,))) for _ in range(16)])


def make_train_step(model, batches, optimizer, autocast):
    model.train()
    criterion = nn.CrossEntropyLoss()

    def step():
        x, labels = next(batches)
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            loss = criterion(model(x), labels)
        loss.backward()
        optimizer.step()

    return step


def make_infer_step(model, batches, _, autocast):
    model.eval()

    def step():
        x, _ = next(batches)
        with torch.inference_mode(), autocast():
            torch.softmax(model(x), dim=1)

    return step


def measure(step, seconds):
    """Milliseconds of each step over that many seconds, after a quarter of them as warm-up."""
    end = time.perf_counter() + seconds / 4
    while time.perf_counter() < end:
        step()
    samples = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        begin = time.perf_counter()
        step()
        samples.append((time.perf_counter() - begin) * 1e3)
    return samples


def autocast_to(precision):
    return lambda: torch.autocast('cpu', dtype=torch.bfloat16, enabled=precision == ['bf16'])


def main():
    name, mode, batch, threads, seconds, *precision = sys.argv[1:7]
    torch.manual_seed(42)
    torch.set_num_threads(int(threads))
    net = TRAINED[name]
    model = net.make().to(memory_format=torch.channels_last)
    batches = random_batches(int(batch), net.shape, net.classes)
    make_step = make_train_step if mode == 'train' else make_infer_step
    step = make_step(model, batches, net.optimizer(model), autocast_to(precision))
    samples = measure(step, float(seconds))
    require_openblas()
    print(json.dumps({'median_ms': statistics.median(samples), 'min_ms': min(samples),
                      'version': torch.__version__}))


main()
