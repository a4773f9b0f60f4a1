"""Listing layers beside GNU tar and bsdtar: names and attributes, and in the same pass both digests."""

import gzip
import hashlib
import io
import random
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.decompress import HEAD, Limits, Unpacker, detect, zstd
from engine.layercheck import check_layers, read_layer
from engine.layout import ImageLayout
from engine.listing import Listing
from engine.progress import Progress
from engine.tarwalk import Walker
from tests.benchmarks._measure import needs, race, run
from tests.layouts import LAYER, LayoutFiles

_WORDS = ("lib", "share", "include", "python3", "node_modules", "locale", "doc", "src", "test", "data")
_FORMS: tuple[tuple[str, Callable[[bytes], bytes], str, float, float], ...] = (
    ("gzip", lambda content: gzip.compress(content, 6), "tar tzf", 0.6, 1.0),
    ("zstd", zstd.compress, "bsdtar tf", 2.0, 2.5),
    ("plain", bytes, "bsdtar tf", 2.0, 2.5),
)
"""Name, packer, peer, budgets for the listing and for the listing with both digests."""


def many_files(count: int) -> bytes:
    """A tar file as of a large image: folders, files of up to 2 KiB that pack to a third, links."""
    generator = random.Random(1)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for n in range(count):
            folder = (
                f"usr/{_WORDS[n // 20000 % 10]}/{_WORDS[n // 2000 % 10]}-{n // 2000}/{_WORDS[n // 50 % 10]}-{n // 50}"
            )
            if n % 50 == 0:
                entry = tarfile.TarInfo(f"{folder}/")
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            entry = tarfile.TarInfo(f"{folder}/file-{n:07d}.txt")
            content = generator.randbytes(generator.randrange(1024)).hex().encode()
            if n % 40 == 39:
                entry.type, entry.linkname, content = tarfile.SYMTYPE, f"file-{n - 1:07d}.txt", b""
            entry.size, entry.mtime = len(content), 1_700_000_000
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def listing_of(path: Path) -> Listing:
    """Names and attributes, without a digest."""
    walker = Walker()
    with path.open("rb", buffering=0) as file:
        unpacker = Unpacker(detect(file.read(HEAD)))
        file.seek(0)
        while block := file.read(1 << 20):
            for part in unpacker.feed(block):
                walker.feed(part)
    for part in unpacker.finish():
        walker.feed(part)
    return walker.finish()


def digests_and_listing(path: Path) -> None:
    """The same with the digests of the blob and of what it unpacks to."""
    with path.open("rb", buffering=0) as file:
        read_layer(file.fileno(), Progress(), limits=Limits())


def bench_listing(folder: Path, names: list[str], count: int = 200_000) -> bool:
    """One layer of very many files, in each form."""
    content = many_files(count)
    good = True
    for form, pack, peer_name, budget, budget_with_digests in _FORMS:
        if (names and form not in names) or not needs(peer_name.split()[0]):
            continue
        path = folder / f"layer.{form}"
        path.write_bytes(pack(content))
        peer = run(f"{peer_name} {path}", folder)
        files = f"{form} layer of {count:,} files"
        good &= race(f"list a {files}", lambda path=path: listing_of(path), peer_name, peer, budget, 3)
        with_digests = f"the same, with both digests ({form})"
        good &= race(with_digests, lambda path=path: digests_and_listing(path), peer_name, peer, budget_with_digests, 3)
        path.unlink()
    return good


def bench_check(folder: Path) -> bool:
    """Eight gzip layers, every one with every rule, on all cores; gunzip and sha256sum do less."""
    files = LayoutFiles(folder / "layout")
    content = many_files(20_000)
    layers, diff_ids = [], []
    for n in range(8):
        layer = content.replace(b"usr/", b"u%02d/" % n, 1)
        layers.append(files.blob(gzip.compress(layer, 6), f"{LAYER}+gzip"))
        diff_ids.append(f"sha256:{hashlib.sha256(layer).hexdigest()}")
    files.name(files.image(*layers, config={"rootfs": {"type": "layers", "diff_ids": diff_ids}}), "image")
    store = ImageLayout.open(files.path)
    snapshot = store.scan(Progress())
    command = 'find . -type f -size +100k -print0 | xargs -0 -n 1 -P $(nproc) sh -c "gunzip -c \\"\\$0\\" | sha256sum"'
    good = race(
        "check 8 gzip layers of 20,000 files",
        lambda: check_layers(store, snapshot, Progress()),
        "gunzip | sha256sum on all cores",
        run(command, files.path / "blobs" / "sha256"),
        1.0,
        3,
    )
    store.close()
    return good


def main(names: list[str]) -> int:
    """All benchmarks, or those of these names: gzip, zstd, plain, check."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        good = bench_listing(Path(folder), names) if set(names) != {"check"} else True
        if not names or "check" in names:
            good &= bench_check(Path(folder))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
