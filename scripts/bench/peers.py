"""The jobs of `tumble bench` in JAX and PyTorch, or Numba: one line of JSON for each job and framework.

    python peers.py [--threads N] [JOB ...]

Sizes and arithmetic are those of the jobs in stdlib/bench/jobs.rhai, in single precision; rates are units of work per
second after a warm-up that compiles. The kernel is evaluated by its closed form, whose cancellations at short times
ruin samples: enough for the clock, not for physics.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time

RATE, PERSISTENCE, ACTIVITY, HORIZON = 1.0, 0.5, 1.0, 2.0  # k, tau, T_a, T
WIDTHS = [5, 128, 128, 128, 128, 2]
STD = 0.04
BATCH, COUNT, PATHS = 512, 10_000, 100_000
DIFFUSION = 2 * ACTIVITY / PERSISTENCE**2
# Nine centres at distance 0.5 on a square grid turned by 45 degrees.
CENTRES = [((i + j) * 0.5 / math.sqrt(2), (j - i) * 0.5 / math.sqrt(2)) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def timed(work, ready=lambda result: result):
    start = time.perf_counter()
    ready(work())
    return time.perf_counter() - start


def print_line(job, peer, units, unit, seconds):
    line = {"job": job, "peer": peer, "per_second": units / seconds, "unit": unit, "seconds": seconds}
    print(json.dumps(line), flush=True)


def kernel(math_of, t):
    """e^(-kt) and the covariance (xx, x eta, eta eta) of one coordinate given its datum."""
    decay, mixed = math_of.exp(-RATE * t), math_of.exp(-(RATE + 1 / PERSISTENCE) * t)
    cross = ACTIVITY * (1 - mixed) / (1 + RATE * PERSISTENCE)
    slow = (1 - decay * decay) / (2 * RATE)
    fast = (mixed - decay * decay) / (RATE - 1 / PERSISTENCE)
    return decay, 2 * ACTIVITY / (1 + RATE * PERSISTENCE) * (slow - fast), cross, ACTIVITY / PERSISTENCE


def exact_score(math_of, softmax, centres, x, eta, t):
    """Score of the driven block: softmax over the components, all of the same covariance."""
    decay, xx, cross, ee = kernel(math_of, t)
    xx = xx + decay * decay * STD**2
    determinant = xx * ee - cross * cross
    p_xx, p_xe, p_ee = ee / determinant, -cross / determinant, xx / determinant
    d, e = x[:, None, :] - decay * centres[None], eta[:, None, :]
    weights = softmax(-0.5 * (p_xx * d * d + 2 * p_xe * d * e + p_ee * e * e).sum(-1))
    return -(weights[:, :, None] * (p_xe * d + p_ee * e)).sum(1)


def perturbed(math_of, clip, x0, t, noise):
    """State (x, eta, t) at time t by the Cholesky factor of the kernel."""
    decay, xx, cross, ee = kernel(math_of, t)
    first = math_of.sqrt(xx)
    lower = cross / first
    last = math_of.sqrt(clip(ee - lower * lower))
    x = decay * x0 + first * noise[:, :2]
    return x, lower * noise[:, :2] + last * noise[:, 2:]


def reverse_step(x, eta, score, dt, normals):
    kick = math.sqrt(DIFFUSION * dt) * normals
    return x + dt * (RATE * x - eta), eta + dt * (eta / PERSISTENCE + DIFFUSION * score) + kick


def forward_step(x, eta, dt, normals):
    kick = math.sqrt(DIFFUSION * dt) * normals
    return x + dt * (eta - RATE * x), eta - dt / PERSISTENCE * eta + kick


class Jax:
    """Every job is one compiled `lax.scan`."""

    def __init__(self, threads):
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_platforms", "cpu")
        self.jax, self.np, self.random = jax, jnp, jax.random
        self.centres = jnp.array(CENTRES)

    def measure(self, job, units, unit, program, *arguments):
        program = self.jax.jit(program)
        self.jax.block_until_ready(program(*arguments))
        seconds = timed(lambda: program(*arguments), self.jax.block_until_ready)
        print_line(job, "jax-scan", units, unit, seconds)

    def network(self):
        keys = self.random.split(self.random.PRNGKey(0), len(WIDTHS))
        pairs = zip(keys, WIDTHS, WIDTHS[1:])
        return [(self.random.normal(key, (i, o)) / math.sqrt(i), self.np.zeros(o)) for key, i, o in pairs]

    def forward(self, parameters, values):
        *hidden, (weight, bias) = parameters
        for w, b in hidden:
            values = self.jax.nn.silu(values @ w + b)
        return values @ weight + bias

    def train_mlp(self, steps=1000):
        import optax

        tree = self.jax.tree_util.tree_map
        optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))

        def loss(parameters, key):
            which, spread, when, noise = self.random.split(key, 4)
            x0 = self.centres[self.random.randint(which, (BATCH,), 0, len(CENTRES))]
            x0 = x0 + STD * self.random.normal(spread, (BATCH, 2))
            t = self.random.uniform(when, (BATCH, 1), minval=1e-3, maxval=HORIZON)
            noise = self.random.normal(noise, (BATCH, 4))
            x, eta = perturbed(self.np, lambda v: self.np.maximum(v, 1e-12), x0, t, noise)
            answer = self.forward(parameters, self.np.concatenate([x, eta, t], 1))
            return ((answer - noise[:, 2:]) ** 2).sum(1).mean()

        def step(carry, _):
            parameters, average, state, key = carry
            key, own = self.random.split(key)
            value, gradient = self.jax.value_and_grad(loss)(parameters, own)
            update, state = optimiser.update(gradient, state, parameters)
            parameters = optax.apply_updates(parameters, update)
            average = tree(lambda a, p: a + 0.001 * (p - a), average, parameters)
            return (parameters, average, state, key), value

        parameters = self.network()
        carry = (parameters, parameters, optimiser.init(parameters), self.random.PRNGKey(1))
        self.measure("train_mlp", steps, "steps", lambda c: self.jax.lax.scan(step, c, None, length=steps), carry)

    def sample(self, job, score, steps):
        dt = HORIZON / steps

        def step(carry, i):
            x, eta, key = carry
            key, own = self.random.split(key)
            slope = score(x, eta, HORIZON - i * dt)
            return (*reverse_step(x, eta, slope, dt, self.random.normal(own, x.shape)), key), None

        def program(key):
            first, second, rest = self.random.split(key, 3)
            x, eta = self.random.normal(first, (COUNT, 2)), self.random.normal(second, (COUNT, 2))
            return self.jax.lax.scan(step, (x, eta, rest), self.np.arange(steps, dtype=self.np.float32))[0][:2]

        self.measure(job, COUNT * steps, "sample steps", program, self.random.PRNGKey(2))

    def sample_exact(self, steps=1000):
        softmax = lambda logits: self.jax.nn.softmax(logits, 1)
        self.sample(
            "sample_exact", lambda x, eta, t: exact_score(self.np, softmax, self.centres, x, eta, t), steps
        )

    def sample_mlp(self, steps=200):
        parameters = self.network()

        def score(x, eta, t):
            clock = self.np.full((COUNT, 1), t)
            return self.forward(parameters, self.np.concatenate([x, eta, clock], 1))

        self.sample("sample_mlp", score, steps)

    def simulate(self, steps=1000):
        dt = HORIZON / steps

        def step(carry, _):
            x, eta, key = carry
            key, own = self.random.split(key)
            return (*forward_step(x, eta, dt, self.random.normal(own, x.shape)), key), None

        def program(key):
            first, rest = self.random.split(key)
            eta = math.sqrt(ACTIVITY / PERSISTENCE) * self.random.normal(first, (PATHS, 2))
            return self.jax.lax.scan(step, (self.np.zeros((PATHS, 2)), eta, rest), None, length=steps)[0][:2]

        self.measure("simulate", PATHS * steps, "sample steps", program, self.random.PRNGKey(3))


class Torch:
    """Eager mode, as scripts are usually written; fewer steps, since no step depends on how many there are."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.torch = torch
        self.centres = torch.tensor(CENTRES)

    def network(self):
        linear, activation = self.torch.nn.Linear, self.torch.nn.SiLU
        layers = [layer for i, o in zip(WIDTHS, WIDTHS[1:]) for layer in (linear(i, o), activation())]
        return self.torch.nn.Sequential(*layers[:-1])

    def measure(self, job, units, unit, step, steps):
        for i in range(max(5, steps // 10)):
            step(i)
        seconds = timed(lambda: [step(i) for i in range(steps)])
        print_line(job, "torch-eager", units, unit, seconds)

    def train_mlp(self, steps=300):
        torch, network = self.torch, self.network()
        parameters = list(network.parameters())
        average = [p.detach().clone() for p in parameters]
        optimiser = torch.optim.Adam(parameters, lr=1e-3)

        def step(_):
            x0 = self.centres[torch.randint(0, len(CENTRES), (BATCH,))] + STD * torch.randn(BATCH, 2)
            t = 1e-3 + (HORIZON - 1e-3) * torch.rand(BATCH, 1)
            noise = torch.randn(BATCH, 4)
            x, eta = perturbed(torch, lambda v: torch.clamp(v, min=1e-12), x0, t, noise)
            loss = ((network(torch.cat([x, eta, t], 1)) - noise[:, 2:]) ** 2).sum(1).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            with torch.no_grad():
                torch._foreach_lerp_(average, parameters, 0.001)

        self.measure("train_mlp", steps, "steps", step, steps)

    def sample(self, job, score, steps):
        torch, dt = self.torch, HORIZON / steps
        state = [torch.randn(COUNT, 2), torch.randn(COUNT, 2)]

        def step(i):
            slope = score(*state, HORIZON - (i % steps) * dt)
            state[:] = reverse_step(*state, slope, dt, torch.randn(COUNT, 2))

        with torch.no_grad():
            self.measure(job, COUNT * steps, "sample steps", step, steps)

    def sample_exact(self, steps=100):
        softmax = lambda logits: self.torch.softmax(logits, 1)
        self.sample("sample_exact", lambda x, eta, t: exact_score(math, softmax, self.centres, x, eta, t), steps)

    def sample_mlp(self, steps=50):
        torch, network = self.torch, self.network()
        self.sample("sample_mlp", lambda x, eta, t: network(torch.cat([x, eta, torch.full((COUNT, 1), t)], 1)), steps)

    def simulate(self, steps=100):
        torch, dt = self.torch, HORIZON / steps
        state = [torch.zeros(PATHS, 2), math.sqrt(ACTIVITY / PERSISTENCE) * torch.randn(PATHS, 2)]

        def step(_):
            state[:] = forward_step(*state, dt, torch.randn(PATHS, 2))

        self.measure("simulate", PATHS * steps, "sample steps", step, steps)


def ising(size=32, lattices=64, sweeps=200, temperature=2.0):
    """Metropolis updates of sites at random, the plain way: a byte for a spin, a thread for a lattice."""
    import numba
    import numpy

    @numba.njit(parallel=True, fastmath=True)
    def update(spins, sweeps, flip_of_three, flip_of_four):
        size = spins.shape[1]
        for r in numba.prange(spins.shape[0]):
            lattice = spins[r]
            for _ in range(sweeps * size * size):
                i, j = numpy.random.randint(size), numpy.random.randint(size)
                around = lattice[i - 1, j] + lattice[(i + 1) % size, j] + lattice[i, j - 1] + lattice[i, (j + 1) % size]
                aligned = lattice[i, j] * around
                if aligned <= 0 or numpy.random.random() < (flip_of_three if aligned == 2 else flip_of_four):
                    lattice[i, j] = -lattice[i, j]

    spins = numpy.where(numpy.random.default_rng(1).random((lattices, size, size)) < 0.5, -1, 1).astype(numpy.int8)
    run = lambda sweeps: update(spins, sweeps, math.exp(-4 / temperature), math.exp(-8 / temperature))
    run(1)
    seconds = timed(lambda: run(sweeps))
    print_line("ising", "numba", lattices * size * size * sweeps, "spin updates", seconds)


def unet(torch, channels=32, widths=(32, 64, 64), blocks=2, attention=16, embedding=128, groups=8):
    """The U-Net of `score::unet` at its defaults, for images [2, 32, 32]: a function and its parameters."""
    nn, functional = torch.nn, torch.nn.functional
    layers = nn.ModuleList()

    def made(layer):
        layers.append(layer)
        return layer

    def conv(inputs, outputs, taps=3, stride=1):
        return made(nn.Conv2d(inputs, outputs, taps, stride=stride, padding=taps // 2))

    def block(inputs, outputs):
        norms = made(nn.GroupNorm(groups, inputs)), made(nn.GroupNorm(groups, outputs))
        convs, time = (conv(inputs, outputs), conv(outputs, outputs)), made(nn.Linear(embedding, outputs))
        skip = conv(inputs, outputs, 1) if inputs != outputs else lambda h: h

        def run(h, e):
            inner = convs[0](functional.silu(norms[0](h))) + time(e)[:, :, None, None]
            return skip(h) + convs[1](functional.silu(norms[1](inner)))

        return run

    def attend(width):
        norm, maps, last = made(nn.GroupNorm(groups, width)), conv(width, 3 * width, 1), conv(width, width, 1)

        def run(h, _):
            query, key, value = maps(norm(h)).flatten(2).chunk(3, 1)
            share = torch.softmax(query.transpose(1, 2) @ key / math.sqrt(width), 2)
            return h + last((value @ share.transpose(1, 2)).view_as(h))

        return run

    def at_size(side, inputs, outputs):
        parts = [block(inputs, outputs)] + ([attend(outputs)] if side == attention else [])

        def run(h, e):
            for part in parts:
                h = part(h, e)
            return h

        return run

    waves = torch.randn(embedding // 4)
    maps = made(nn.Linear(embedding // 2, embedding)), made(nn.Linear(embedding, embedding))
    first = conv(2, channels)
    down, up, kept, width, side = [], [], [channels], channels, 32
    for level, outputs in enumerate(widths):
        for _ in range(blocks):
            down.append(at_size(side, width, outputs))
            width = outputs
            kept.append(width)
        if level + 1 < len(widths):
            down.append(lambda h, _, layer=conv(width, width, 3, 2): layer(h))
            side //= 2
            kept.append(width)
    middle = block(width, width), attend(width), block(width, width)
    for level, outputs in reversed(list(enumerate(widths))):
        for _ in range(blocks + 1):
            up.append((True, at_size(side, width + kept.pop(), outputs)))
            width = outputs
        if level > 0:
            layer = conv(width, width)
            up.append((False, lambda h, _, layer=layer: layer(functional.interpolate(h, scale_factor=2))))
            side *= 2
    norm, last = made(nn.GroupNorm(groups, width)), conv(width, 1)

    def forward(x, t):
        angle = 2 * math.pi * t[:, None] * waves
        e = maps[1](functional.silu(maps[0](torch.cat([angle.sin(), angle.cos()], 1))))
        e, h = functional.silu(e), first(x)
        seen = [h]
        for layer in down:
            h = layer(h, e)
            seen.append(h)
        for layer in middle:
            h = layer(h, e)
        for joins, layer in up:
            h = layer(torch.cat([h, seen.pop()], 1) if joins else h, e)
        return last(functional.silu(norm(h)))

    return forward, list(layers.parameters())


def images(torch, count=16):
    return torch.randn(count, 2, 32, 32), torch.randn(count, 1, 32, 32), torch.rand(count)


def train_unet(steps=20):
    import torch

    forward, parameters = unet(torch)
    optimiser, (x, y, t) = torch.optim.Adam(parameters, lr=2e-4), images(torch)

    def step():
        optimiser.zero_grad(set_to_none=True)
        ((forward(x, t) - y) ** 2).mean().backward()
        optimiser.step()

    step()
    seconds = timed(lambda: [step() for _ in range(steps)])
    print_line("train_unet", "torch-eager", len(x) * steps, "images", seconds)


def forward_unet(calls=50):
    import torch

    (forward, _), (x, _, t) = unet(torch), images(torch)
    with torch.no_grad():
        forward(x, t)
        seconds = timed(lambda: [forward(x, t) for _ in range(calls)])
    print_line("forward_unet", "torch-eager", len(x) * calls, "images", seconds)


def start():
    """A new interpreter that imports PyTorch and does nothing."""
    command = [sys.executable, "-c", "import torch"]
    subprocess.run(command, check=True)
    seconds = timed(lambda: subprocess.run(command, check=True))
    print_line("start", "torch-import", 1, "starts", seconds)


ALONE = {"ising": ising, "train_unet": train_unet, "forward_unet": forward_unet, "start": start}
JOBS = ["train_mlp", "sample_exact", "sample_mlp", "simulate", *ALONE]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if unknown := set(arguments.jobs) - set(JOBS):
        parser.error(f"unknown jobs: {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    # XLA sizes its pool by the processors that it may use, and has no other switch that holds.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = str(arguments.threads)
    for job in arguments.jobs or JOBS:
        if job in ALONE:
            ALONE[job]()
            continue
        for peer in (Jax, Torch):
            getattr(peer(arguments.threads), job)()


if __name__ == "__main__":
    main()
