#!/usr/bin/env python3
"""Times training steps of marginscope, PyTorch and JAX in turn, and prints the table of BENCHMARKS.md.

Usage: compare.py [--python PYTHON] [--seconds S] [--runs N] [--binary PATH]

All three run one after the other, N times; a figure is the median of its N means. PYTHON is an
interpreter that has torch and jax; a peer that it does not have is left out. The standard library
is all that this script itself needs.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREADS = 2
# Largest ratio to the faster peer that counts as reached.
TARGETS = {
    "toy-mlp-2-64-64-2": (1 / 3, "1/3"),
    "mnist-mlp-784-256-128-2": (1 / 2, "1/2"),
    "mnist-cnn-16-32-128-2": (1 / 2.5, "1/2.5"),
    "free-embeddings-4096x2": (1 / 8, "1/8"),
    "head-only-100-classes-3d": (1 / 5, "1/5"),
}
# The products of a step of the workload below and nothing else, as another library makes them.
BARE_PRODUCTS = "PyTorch, bare products"
LEAST_SHARE_OF_GEMM = ("mnist-mlp-784-256-128-2", 0.70)


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter with torch and jax")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for a workload in a run (3)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, in turn (3)")
    parser.add_argument("--binary", type=Path, default=HERE.parent / "target/release/marginscope")
    found = parser.parse_args()
    if not found.seconds > 0 or found.runs < 1:
        parser.error("--seconds and --runs must be above 0")
    if not found.binary.exists():
        parser.error(f"{found.binary} is not there; run cargo build --release before")
    return found


def version(python, module):
    """The module's version, or None where PYTHON does not have it."""
    code = f"import {module}; print({module}.__version__)"
    try:
        found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def rows(command):
    """The JSON lines that a command prints."""
    print("running", Path(command[0]).name, *map(os.path.basename, command[1:]), file=sys.stderr, flush=True)
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{found.stderr}")
    return [json.loads(line) for line in found.stdout.splitlines()]


def commands(args):
    """Name and command of everything that can run here, and what to say of the rest."""
    seconds, threads = str(args.seconds), str(THREADS)
    ours = [str(args.binary), "bench", "--json", "--threads", threads, "--seconds", seconds]
    found, missing = {"marginscope": ours}, []
    names = {"marginscope": subprocess.run([ours[0], "--version"], capture_output=True, text=True, check=True).stdout.strip()}
    for name, module, script, extra in (
        ("PyTorch", "torch", "torch_baseline.py", [threads]),
        ("JAX", "jax", "jax_baseline.py", []),
    ):
        number = version(args.python, module)
        if number is None:
            missing.append(f"{name} is left out: {args.python} cannot import {module} (pip install {module}).")
        else:
            names[name] = f"{name} {number}"
            found[name] = [args.python, str(HERE / "peers" / script), seconds, *extra]
    if "PyTorch" in found:
        found[BARE_PRODUCTS] = [args.python, str(HERE / "peers/torch_products.py"), seconds, threads]
    return found, names, missing


def measure(found, n_runs):
    """{name: {(workload, threads): [row of each run]}}, runs taking turns."""
    results = {name: {} for name in found}
    for _ in range(n_runs):
        for name, command in found.items():
            for row in rows(command):
                key = row["workload"], row.get("threads", THREADS)
                results[name].setdefault(key, []).append(row)
    return results


def middle(results, name, key, field):
    """Median over the runs; None where there is no such row."""
    values = [row[field] for row in results.get(name, {}).get(key, []) if field in row]
    return statistics.median(values) if values else None


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def micros(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def peers_table(results):
    yield "| workload | marginscope, µs | PyTorch, µs | JAX, µs | ratio to the faster | target | of gemm |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for workload, (limit, target) in TARGETS.items():
        key = workload, THREADS
        # The peers print means, so means are compared.
        ours = middle(results, "marginscope", key, "mean_step_us")
        peers = [middle(results, name, key, "step_us") for name in ("PyTorch", "JAX")]
        known = [peer for peer in peers if peer is not None]
        ratio = ours / min(known) if known else None
        verdict = "–" if ratio is None else f"{ratio:.3f}" if ratio > limit else f"**{ratio:.3f}**"
        share = middle(results, "marginscope", key, "share_of_gemm")
        cell = "–" if share is None else f"{share:.0%}"
        if workload == LEAST_SHARE_OF_GEMM[0]:
            cell += f" (≥ {LEAST_SHARE_OF_GEMM[1]:.0%})"
        yield f"| `{workload}` | {' | '.join(map(micros, [ours, *peers]))} | {verdict} | ≤ {target} | {cell} |"


def bare_products(results):
    """One sentence: a whole step beside the products that another library makes for it."""
    alone = middle(results, BARE_PRODUCTS, ("mnist-mlp-products", THREADS), "step_us")
    if alone is not None:
        ours = middle(results, "marginscope", (LEAST_SHARE_OF_GEMM[0], THREADS), "mean_step_us")
        yield f"The products of a step of `{LEAST_SHARE_OF_GEMM[0]}` alone, and nothing else, take PyTorch {micros(alone)} µs: "
        yield f"a whole step of marginscope runs at {alone / ours:.0%} of that rate."


def growth_table(results):
    yield "| workload | batch | median step, µs | samples/s | GFLOP/s |"
    yield "|---|---:|---:|---:|---:|"
    for (workload, threads), found in results["marginscope"].items():
        if not workload.startswith("gemm"):
            key = workload, threads
            numbers = [middle(results, "marginscope", key, field) for field in ("step_us", "samples_per_s", "gflops")]
            yield f"| `{workload}` | {found[0]['batch']:,} | {micros(numbers[0])} | {numbers[1]:,.0f} | {numbers[2]:.2f} |"


def gemm_table(results):
    yield f"| product | shape on {THREADS} threads | 1 thread, GFLOP/s | {THREADS} threads, GFLOP/s |"
    yield "|---|---|---:|---:|"
    products = [key[0] for key in results["marginscope"] if key[0].startswith("gemm") and key[1] == 1]
    for product in products:
        one, all_ = (middle(results, "marginscope", (product, n), "gflops") for n in (1, THREADS))
        shape = results["marginscope"][product, THREADS][0]["shape"]
        yield f"| {product.removeprefix('gemm-')} | {'×'.join(map(str, shape))} | {one:.1f} | {all_:.1f} |"


def main():
    args = options()
    found, names, missing = commands(args)
    for line in missing:
        print(line, file=sys.stderr)
    results = measure(found, args.runs)
    print(f"{', '.join(names.values())}; {processor()}, {os.cpu_count()} processors, {THREADS} threads each, ", end="")
    print(f"{args.seconds:g} s a workload, median of {args.runs} runs, load {os.getloadavg()[0]:.1f} at the end.")
    for line in missing:
        print(line)
    for table in (peers_table, bare_products, growth_table, gemm_table):
        print("", *table(results), sep="\n")


if __name__ == "__main__":
    main()
