"""The engine beside the tools that people use today: verify, import, listing, the whole graph."""

import shutil
import sys
import tempfile
from pathlib import Path

from engine.importing import ImportRequest
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.scan import list_blobs
from tests.benchmarks._measure import needs, race, run
from tests.benchmarks._stores import big, many, wide


def bench_verify_large(folder: Path) -> bool:
    """8 blobs of 512 MiB, both programs on all cores."""
    store = big(folder / "big", 8, 512 << 20)
    layout = ImageLayout.open(store)
    snapshot = layout.scan(Progress())

    def ours() -> None:
        layout.verify(snapshot, None, Progress())

    blobs = store / "blobs" / "sha256"
    files = "find . -type f -print0 | xargs -0 -n 1 -P $(nproc)"
    good = race("verify 4 GiB in 8 blobs", ours, "sha256sum on all cores", run(f"{files} sha256sum", blobs), 0.95)
    if needs("openssl"):
        peer = run(f"{files} openssl dgst -sha256", blobs)
        good &= race("verify 4 GiB in 8 blobs", ours, "openssl dgst on all cores", peer, 0.95)
    layout.close()
    shutil.rmtree(store)
    return good


def bench_many(folder: Path, count: int = 100_000) -> bool:
    """Many tiny blobs: verify against sha256sum -c, listing against find."""
    store = many(folder / "many", count, count)
    layout = ImageLayout.open(store)
    snapshot = layout.scan(Progress())
    sums = folder / "sums"
    sums.write_text("".join(f"{name[7:]}  {name[7:]}\n" for name in map(bytes.decode, snapshot.columns.names)))
    blobs = store / "blobs" / "sha256"

    def verify() -> None:
        layout.verify(snapshot, None, Progress())

    def listing() -> None:
        list_blobs(layout.blobs, Progress(), lambda columns: None)

    good = race(f"verify {count:,} tiny blobs", verify, "sha256sum -c", run(f"sha256sum --quiet -c {sums}", blobs), 1.5)
    peer = run("find . -type f -printf '%f %s %T@ %i\\n'", blobs)
    good &= race(f"list {count:,} blobs with sizes", listing, "find -printf", peer, 1.5)
    layout.close()
    shutil.rmtree(store)
    return good


def bench_import(folder: Path) -> bool:
    """A file of 2 GiB into a layout."""
    source = folder / "source"
    with source.open("wb") as file:
        for n in range(2048):
            file.write(b"%08d" % n + bytes(1 << 20)[8:])
    target = folder / "layout"

    def ours() -> None:
        shutil.rmtree(target, ignore_errors=True)
        layout = ImageLayout.create(target)
        layout.import_files([ImportRequest(source)], Progress())
        layout.close()

    copy = run("rm -f copy && cp source copy && sync copy", folder)
    good = race("import a file of 2 GiB", ours, "cp + sync", copy, 1.5)
    both = run("rm -f copy && cp source copy && sync copy && sha256sum copy", folder)
    return race("import a file of 2 GiB", ours, "cp + sync + sha256sum", both, 1.0) and good


def bench_graph(folder: Path) -> bool:
    """The whole graph of 100 000 index entries."""
    if not needs("umoci"):
        return True
    store = wide(folder / "wide", 100_000)
    layout = ImageLayout.open(store)

    def ours() -> None:
        layout.scan(Progress())

    return race("whole graph of 100 000 entries", ours, "umoci gc", run(f"umoci gc --layout {store}", folder), 0.1, 2)


def main(names: list[str]) -> int:
    """All benchmarks, or those of these names."""
    benches = {"many": bench_many, "verify": bench_verify_large, "import": bench_import, "graph": bench_graph}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        results = [bench(Path(folder)) for name, bench in benches.items() if name in names or not names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
