"""The matrix products of one mnist-mlp step and nothing else, in PyTorch: an outside limit.

Usage: torch_products.py SECONDS THREADS
"""
import json
import sys
import time

import torch

SIZES = [784, 256, 128, 2]
BATCH = 256
WARM_UP = 20


def products():
    """Factors and result of each product, from the inputs to the features and back."""
    layers = []
    for i, (n_in, n_out) in enumerate(zip(SIZES, SIZES[1:])):
        weight, x, grad = torch.rand(n_out, n_in), torch.rand(BATCH, n_in), torch.rand(BATCH, n_out)
        layers.append((x, weight.T, torch.empty(BATCH, n_out)))
        layers.append((grad.T, x, torch.empty(n_out, n_in)))
        if i > 0:  # the inputs themselves want no gradient
            layers.append((grad, weight, torch.empty(BATCH, n_in)))
    return layers


def main():
    seconds, threads = float(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    step = products()
    n_flops = sum(2 * a.shape[0] * a.shape[1] * b.shape[1] for a, b, _ in step)
    n_steps, start = -WARM_UP, 0.0
    while n_steps <= 0 or time.perf_counter() - start < seconds:
        if n_steps == 0:
            start = time.perf_counter()
        for a, b, out in step:
            torch.mm(a, b, out=out)
        n_steps += 1
    secs = (time.perf_counter() - start) / n_steps
    print(json.dumps({
        "workload": "mnist-mlp-products", "threads": threads,
        "step_us": round(1e6 * secs, 1), "gflops": round(1e-9 * n_flops / secs, 1),
    }))


if __name__ == "__main__":
    main()
