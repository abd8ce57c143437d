"""Sinter beside PyTorch: a training step and inference, side by side on this machine.

Compiles the example networks for this CPU and measures the programs' own `bench` and PyTorch
(torch_step.py) in turn, several rounds, so that what disturbs the machine disturbs both. Printed is
the median over the rounds of each run's median, and the ratio PyTorch / Sinter.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
OUTPUT = ROOT / 'build' / 'bench'
OPENBLAS = '/usr/lib/x86_64-linux-gnu/openblas-pthread'
CASES = [('train', 32), ('infer', 1), ('infer', 32)]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--models', nargs='+', default=['fashion_cnn', 'vgg7', 'resnet18_64'])
    parser.add_argument('--threads', nargs='+', type=int, default=[1, 2])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=2.0, help='of one measurement of the peer')
    parser.add_argument('--precision', choices=['f32', 'bf16'], default='f32',
                        help="bf16: Sinter's, beside PyTorch's autocast")
    parser.add_argument('--peer-precision', choices=['f32', 'bf16'], help="PyTorch's, if another")
    parser.add_argument('--cases', nargs='+', choices=['train', 'infer'],
                        default=['train', 'infer'])
    parser.add_argument('--peer-only', action='store_true', help='measure PyTorch alone')
    parser.add_argument('--json', action='store_true', help='print JSON instead of the table')
    options = parser.parse_args()
    options.peer_precision = options.peer_precision or options.precision
    return options


def run_json(command, **environment):
    """The JSON object that the command prints on the last line of its standard output."""
    done = subprocess.run([str(word) for word in command], env={**os.environ, **environment},
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'training_step.py: {" ".join(map(str, command))}: exit status {done.returncode}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def script_of(model):
    """The example; resnet18_64 is the zoo's ResNet-18 for images of 64 by 64."""
    if model != 'resnet18_64':
        return ROOT / 'examples' / f'{model}.py'
    script = OUTPUT / f'{model}.py'
    text = (ROOT / 'examples/zoo/resnet18.py').read_text()
    script.write_text(text.replace('shape=(224, 224, 3)', 'shape=(64, 64, 3)'))
    return script


def compile_model(model, precision):
    OUTPUT.mkdir(parents=True, exist_ok=True)
    program = OUTPUT / f'{model}_{precision}'
    subprocess.run([ROOT / 'build/bin/sinter', 'compile', script_of(model),
                    '-o', program, '--target=host', f'--precision={precision}'], check=True, stdout=sys.stderr)
    return program


def sinter_version():
    done = subprocess.run([ROOT / 'build/bin/sinter', 'version'], stdout=subprocess.PIPE, text=True,
                          check=True)
    return done.stdout.splitlines()[0]


def measure_sinter(program, mode, batch, threads):
    flags = ['--train'] if mode == 'train' else []
    return run_json([program, 'bench', *flags, f'--batch={batch}', f'--threads={threads}', '--json'])


def measure_torch(model, mode, batch, threads, options):
    return run_json(['/usr/bin/python3', HERE / 'torch_step.py', model, mode, batch, threads,
                     options.seconds, options.peer_precision],
                    LD_LIBRARY_PATH=OPENBLAS, OMP_NUM_THREADS=str(threads),
                    OPENBLAS_NUM_THREADS=str(threads))


def measure_case(model, program, mode, batch, threads, options):
    sinter, torch = [], []
    for _ in range(options.rounds):
        if program:
            sinter.append(measure_sinter(program, mode, batch, threads))
        torch.append(measure_torch(model, mode, batch, threads, options))
    row = {'model': model, 'mode': mode, 'batch': batch, 'threads': threads,
           'torch_ms': statistics.median(run['median_ms'] for run in torch),
           'torch_min_ms': min(run['min_ms'] for run in torch)}
    if sinter:
        row['sinter_ms'] = statistics.median(run['median_ms'] for run in sinter)
        row['sinter_min_ms'] = min(run['min_ms'] for run in sinter)
        row['ratio'] = row['torch_ms'] / row['sinter_ms']
        row['min_ratio'] = row['torch_min_ms'] / row['sinter_min_ms']
    return row, torch[0]['version']


def print_row(row):
    def cell(key, form):
        return format(row[key], form) if key in row else '-'.rjust(int(form.split('.')[0]))
    print(f'{row["model"]:<12} {row["mode"]:<6} {row["batch"]:>5} {row["threads"]:>7}'
          f' {cell("sinter_ms", "9.3f")} {cell("sinter_min_ms", "9.3f")}'
          f' {cell("torch_ms", "9.3f")} {cell("torch_min_ms", "9.3f")}'
          f' {cell("ratio", "6.2f")} {cell("min_ratio", "9.2f")}', flush=True)


def main():
    options = parse_arguments()
    rows = []
    if not options.json:
        print(f'{"":32} {"Sinter, ms":^19} {"PyTorch, ms":^19} {"PyTorch / Sinter":^16}')
        print(f'{"model":<12} {"mode":<6} {"batch":>5} {"threads":>7} {"median":>9} {"min":>9}'
              f' {"median":>9} {"min":>9} {"median":>6} {"min":>9}')
    for model in options.models:
        program = None if options.peer_only else compile_model(model, options.precision)
        for threads in options.threads:
            for mode, batch in (case for case in CASES if case[0] in options.cases):
                row, version = measure_case(model, program, mode, batch, threads, options)
                rows.append(row)
                if not options.json:
                    print_row(rows[-1])
    versions = {'torch': version}
    if not options.peer_only:
        versions['sinter'] = sinter_version()
    if options.json:
        print(json.dumps({'versions': versions, 'cases': rows}, indent=1))
    else:
        print(f'PyTorch {versions["torch"]} with OpenBLAS, channels_last, '
              f'{options.peer_precision}; Sinter in {options.precision}; '
              f'{versions.get("sinter", "Sinter not measured")}; '
              f'median of {options.rounds} interleaved rounds')


main()
