"""Takes turns with a named peer and prints the ratio, because a machine's speed drifts and a ratio does not."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(command: str, folder: Path) -> Callable[[], object]:
    """A shell command as work."""
    return lambda: subprocess.run(command, shell=True, check=True, cwd=folder, stdout=subprocess.DEVNULL)


def race(
    what: str, ours: Callable[[], object], peer_name: str, peer: Callable[[], object], budget: float, rounds: int = 5
) -> bool:
    """Run both in turn, print medians and the ratio; whether the ratio is within the budget."""
    seconds(ours), seconds(peer)
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    ratio = statistics.median(a / b for a, b in pairs)
    mine, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
    verdict = "within" if ratio <= budget else "OVER"
    print(
        f"{what:58} {mine:8.3f} s   {peer_name:34} {theirs:8.3f} s   ratio {ratio:5.2f}   {verdict} {budget:.2f}",
        flush=True,
    )
    return ratio <= budget


def needs(*programs: str) -> bool:
    """Whether the peers are there; says which is not."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        print(f"left out: {', '.join(missing)} is not installed", file=sys.stderr)
    return not missing
