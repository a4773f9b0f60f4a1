"""How soon the window is there and shows something, and whether it stays smooth while a large store is open in it.

    bench_window.py [--blobs COUNT] [--stacks]

``--blobs`` is how many blobs the second store has; ``--stacks`` prints what the threads did in gaps over 40 ms.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks._stores import deep, many, wide

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("_window.py")
ENTRIES = 100_000
FILES = 250_000
ROUNDS = 5

WINDOW_MS = 500
ROWS_MS = 300
MOST_GAP_MS = 50
CANCEL_MS = 200

Facts = dict[str, Any]


def run(home: Path, *arguments: object) -> Iterator[Facts]:
    """The program with a home folder of its own; what it tells of itself."""
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    for name in ("CONFIG", "CACHE", "DATA", "STATE"):
        environment[f"XDG_{name}_HOME"] = str(home / name.lower())
    command = [sys.executable, str(INSIDE), *map(str, arguments)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            yield json.loads(line)
    if program.returncode:
        sys.exit(f"The window ended with {program.returncode}.")


def verdict(what: str, took_ms: float, budget_ms: float) -> bool:
    good = took_ms <= budget_ms
    print(f"{what:58} {took_ms:7.0f} ms   {'within' if good else 'OVER'} {budget_ms:.0f}", flush=True)
    return good


def bench_start(home: Path, store: Path) -> bool:
    """Fresh processes; the first one only warms the caches."""
    told: dict[str, list[float]] = {"window": [], "rows": []}
    for _ in range(ROUNDS + 1):
        for facts in run(home, "start", time.monotonic(), store):
            told[facts["what"]].append(facts["took"] * 1000)
    window, rows = (statistics.median(values[1:]) for values in told.values())
    good = verdict("from the start of the process to the window", window, WINDOW_MS)
    return verdict(f"from there to the first rows of {ENTRIES:,} entries", rows, ROWS_MS) and good


def bench_use(home: Path, store: Path, name: str, *, stacks: bool, scenario: str = "use") -> bool:
    """One process in which everything is done."""
    good = True
    print(f"\n{name}:")
    for facts in run(home, scenario, stacks, store):
        if facts["what"] == "memory":
            empty, full = facts["empty"] / 1e6, facts["full"] / 1e6
            print(f"{'memory with the store open':58} {full:7.0f} MB   without {empty:.0f} MB")
            continue
        took, gap = facts["took"] * 1000, facts["gap"] * 1000
        is_late = facts["what"].startswith("cancel") and took > CANCEL_MS
        within = gap <= MOST_GAP_MS and not is_late
        budget = f"{MOST_GAP_MS}{f' and {CANCEL_MS}' if facts['what'].startswith('cancel') else ''}"
        line = f"{facts['what']:58} {took:7.0f} ms   longest gap {gap:5.1f} ms"
        print(f"{line}   {'within' if within else 'OVER'} {budget}", flush=True)
        good &= within
    return good


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--blobs", type=int, default=200_000)
    parser.add_argument("--stacks", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        entries = wide(folder / "wide", ENTRIES)
        good = bench_start(home, entries)
        good &= bench_use(home, entries, f"{ENTRIES:,} index entries", stacks=options.stacks)
        blobs = many(folder / "many", options.blobs, options.blobs)
        good &= bench_use(home, blobs, f"{options.blobs:,} blobs", stacks=options.stacks)
        files = deep(folder / "deep", FILES)
        good &= bench_use(home, files, f"an image of {2 * FILES:,} files", stacks=options.stacks, scenario="look")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
