"""Listing layers beside GNU tar and bsdtar: names and attributes, and in the same pass both digests."""

import gc
import gzip
import hashlib
import io
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from itertools import count
from pathlib import Path

from engine.contents import Contents
from engine.decompress import HEAD, Limits, Unpacker, detect, zstd
from engine.filesystem import FileSystem, View
from engine.finding import PathPattern, Searched, find, images_of
from engine.layercheck import check_layers, read_layer
from engine.layers import LayerTable, read_table, read_tables
from engine.layout import ImageLayout
from engine.listing import Listing
from engine.merging import merge
from engine.progress import Progress
from engine.tarwalk import Walker
from tests import archives
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


def bench_tree(folder: Path, count: int = 490_000) -> bool:
    """The merged file system of 500,000 entries: its memory, its time beside listing the layer, and from the cache."""
    files = LayoutFiles(folder / "tree")
    content = many_files(count)
    digest = files.blob(gzip.compress(content, 1), f"{LAYER}+gzip")["digest"]
    above = files.blob(many_files(1000), LAYER)["digest"]
    del content
    cache = folder / "cache"
    path = files.file(digest)
    with ImageLayout.open(files.path) as store:

        def opened(**more: Path) -> tuple[FileSystem, View]:
            tables = read_tables(store.blobs, [digest, above], Progress(), **more).values()
            listings = [table.listing for table in tables if isinstance(table, LayerTable)]
            merged = merge(listings, Progress())
            return merged, merged.view(1)

        opened(cache=cache)
        what = f"merged files of {count + count // 50:,} entries, from the cache"
        peer = run(f"tar tzf {path}", folder)
        good = race(what, lambda: opened(cache=cache), "tar tzf of its one layer", peer, 0.6, 3)
        good &= race("the same, first time", opened, "tar tzf of its one layer", peer, 1.4, 3)
        tracemalloc.start()
        kept = opened(cache=cache)
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        verdict = "within" if used <= 60 << 20 else "OVER"
        print(f"memory of {len(kept[0]):,} nodes and one view {used / (1 << 20):25.1f} MiB {verdict} 60 MiB")
    return good and used <= 60 << 20


def bench_first_byte(folder: Path, size: int = 1 << 30) -> bool:
    """A small file at the end of a layer of 1 GiB, looked at once more, beside taking it out with tar."""
    generator = random.Random(1)
    words = [generator.randbytes(generator.randrange(2, 12)).hex().encode() for _ in range(5000)]
    part = b" ".join(generator.choices(words, k=600_000))
    tar = folder / "big.tar"
    with tar.open("wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
        for n in range(size // len(part)):
            entry = tarfile.TarInfo(f"big-{n}")
            entry.size = len(part)
            archive.addfile(entry, io.BytesIO(part))
        entry = tarfile.TarInfo("last")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"small"))
    good = True
    for pack, ending, option in (("gzip -1", ".gz", "z"), ("cat", "", "")):
        layout = LayoutFiles(folder / f"first-byte{ending}")
        path = folder / f"packed{ending}"
        subprocess.run(f"{pack} < {tar} > {path}", shell=True, check=True)
        digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        path.rename(layout.file(digest))
        with ImageLayout.open(layout.path) as store:
            tables = [read_table(store.blobs, digest, Progress())]
            files = merge([table.listing for table in tables], Progress())
            contents = Contents(store.blobs, tables, files)
            entry_of = {name: int(files.at(0)[files.tree.find(name)]) for name in (b"last", b"big-5", b"big-60")}
            began = time.perf_counter()
            contents.read(entry_of[b"last"], Progress())
            print(f"first look at the last file of a layer of 1 GiB{ending:12} {time.perf_counter() - began:8.3f} s")

            def look_again(contents: Contents = contents, entry_of: dict[bytes, int] = entry_of) -> None:
                for place, name in enumerate((b"big-60", b"last", b"big-5")):
                    contents.read(entry_of[name], Progress(), length=65536 + next(_numbers) + place)

            peer = run(f"tar x{option}Of {layout.file(digest)} last", folder)
            what = f"three looks into a layer of 1 GiB{ending}, again"
            good &= race(what, look_again, f"tar x{option}Of last", peer, 0.1 if option else 0.5, 3)
        layout.file(digest).unlink()
    return good


def bench_find(folder: Path, images: int = 50) -> bool:
    """A path in all images of a store whose base they share: the first time, again, and where everything matches."""
    files = LayoutFiles(folder / "find")
    base = files.blob(gzip.compress(many_files(200_000), 6), f"{LAYER}+gzip")
    small = many_files(2000)
    for n in range(images):
        own = files.blob(gzip.compress(archives.file(b"own/%d" % n) + small, 6), f"{LAYER}+gzip")
        files.name(files.image(base, own), f"app:{n}")
    cache = folder / "find-cache"
    peer_name = "tar tzf | grep, each layer"
    peer = run('for layer in *; do tar tzf "$layer" 2>/dev/null | grep -c file-0001234; done', files.file(base).parent)
    with ImageLayout.open(files.path) as store:
        stored = images_of(store.scan(Progress()), Progress(), most_layers=100).images

        def look_for(wanted: str, **more: Path) -> Searched:
            return find(store.blobs, stored, PathPattern(wanted), Progress(), **more)

        what = f"find a path in {images} images of {200_000 + 2000:,} files"
        good = race(what, lambda: look_for("file-0001234"), peer_name, peer, 0.6, 3)
        look_for("file-0001234", cache=cache)
        good &= race("the same, again", lambda: look_for("file-0001234", cache=cache), peer_name, peer, 0.15, 3)
        good &= race("a glob", lambda: look_for("**/lib*/**/*-000123?.*", cache=cache), peer_name, peer, 0.15, 3)
        good &= race("all of it", lambda: look_for("/", cache=cache), peer_name, peer, 0.2, 3)
        tracemalloc.start()
        look_for("/", cache=cache)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    verdict = "within" if most <= 200 << 20 else "OVER"
    print(f"memory of all of it, at the most {most / (1 << 20):25.1f} MiB {verdict} 200 MiB")
    return good and most <= 200 << 20


_numbers = count()
"""So that no answer is one that was given before."""
_PARTS: dict[str, Callable[[Path], bool]] = {
    "check": bench_check,
    "tree": bench_tree,
    "first": bench_first_byte,
    "find": bench_find,
}


def main(names: list[str]) -> int:
    """All benchmarks, or those of these names: gzip, zstd, plain, check, tree, first, find."""
    good = True
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if not names or set(names) - set(_PARTS):
            good &= bench_listing(Path(folder), names)
        for name, part in _PARTS.items():
            if not names or name in names:
                good &= part(Path(folder))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
