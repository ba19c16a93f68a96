"""Turns the lines that compare.sh gathered into a table in Markdown.

    python table.py FOLDER

FOLDER holds one file `THREADS-ROUND.jsonl` for each number of threads and each round, with the lines of all peers.
"""

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path

PEERS = {"jax-scan": "JAX scan", "torch-eager": "PyTorch eager", "numba": "Numba", "torch-import": "`import torch`"}
HEADER = ["job", "threads", "tumble", "peak", "peer", "its rate", "ratio"]


def read(folder):
    """rates[threads, job][peer][round], the unit of each job, and tumble's peak memory in MiB."""
    rates, units, peaks = defaultdict(lambda: defaultdict(dict)), {}, defaultdict(list)
    for path in sorted(folder.glob("*.jsonl")):
        threads, round_number = map(int, path.stem.split("-"))
        for line in map(json.loads, path.read_text().splitlines()):
            key = threads, line["job"]
            rates[key][line["peer"]][round_number] = line["per_second"]
            units[line["job"]] = line["unit"]
            if "peak_mib" in line:
                peaks[key].append(line["peak_mib"])
    return rates, units, peaks


def spread(values, form):
    middle, low, high = statistics.median(values), min(values), max(values)
    return form(middle) if len(values) == 1 else f"{form(middle)} ({form(low)}–{form(high)})"


def rate(value):
    return f"{value:.3g}" if value < 1e4 else f"{value:.2e}".replace("e+0", "e")


def ratio(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def rows(rates, units, peaks):
    for (threads, job), peers in sorted(rates.items(), key=lambda item: (-item[0][0], list(units).index(item[0][1]))):
        own = peers.pop("tumble")
        start = [f"{job}, {units[job]}/s", str(threads), spread(own.values(), rate)]
        start.append(f"{max(peaks[threads, job]):.0f} MiB" if peaks[threads, job] else "")
        for peer, other in peers.items():
            common = [own[r] / other[r] for r in own if r in other]
            middle = statistics.median(own.values()) / statistics.median(other.values())
            text = f"**{ratio(middle)}** ({ratio(min(common))}–{ratio(max(common))})"
            yield start + [PEERS.get(peer, peer), spread(other.values(), rate), text]
            start = [""] * 4


def main():
    rates, units, peaks = read(Path(sys.argv[1]))
    rounds = max(len(own) for peers in rates.values() for own in peers.values())
    print(f"Rates per second: median of {rounds} round{'s' * (rounds != 1)} (lowest–highest). Ratio: tumble's median rate by the peer's")
    print("(lowest–highest ratio within a round). Peak: most memory of the process, everything included.\n")
    print("| " + " | ".join(HEADER) + " |")
    print("|" + "---|" * len(HEADER))
    for row in rows(rates, units, peaks):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
