"""The merged file system is what a real unpacker makes of the same image: path, type, mode, size, link, content."""

import gzip
import hashlib
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.contents import Contents
from engine.decompress import zstd
from engine.document import ImageConfig, Manifest
from engine.extracting import extract
from engine.filesystem import ABSENT, FileSystem
from engine.layers import LayerTable, read_tables
from engine.layout import ImageLayout
from engine.merging import merge
from engine.pathtree import ROOT
from engine.progress import Progress
from tests.archives import END, file, header, pax
from tests.layouts import CONFIG, LAYER, MANIFEST, LayoutFiles, sha256
from tests.tools._tools import Tools, run

pytestmark = pytest.mark.needs("umoci", "skopeo", "buildah")

Seen = dict[bytes, tuple[str, int, int, bytes, str]]
"""Type, mode, size, link target and content of each path."""
_KINDS = {stat.S_IFREG: "0", stat.S_IFLNK: "2", stat.S_IFDIR: "5", stat.S_IFIFO: "6"}


def unpacked(tools: Tools, layout: Path, name: str) -> Seen:
    """What umoci makes of an image, without being root."""
    bundle = tools.folder / f"bundle-{name}"
    tools.umoci("unpack", "--rootless", "--image", f"{layout}:{name}", bundle)
    return on_disk(bundle / "rootfs")


def on_disk(top: Path) -> Seen:
    found: Seen = {}
    prefix = os.fsencode(top)
    for folder, folders, names in os.walk(prefix):
        for entry in [*folders, *names]:
            path = folder + b"/" + entry
            status = os.lstat(path)
            kind = _KINDS[stat.S_IFMT(status.st_mode)]
            link = os.fsencode(os.readlink(path)) if kind == "2" else b""  # noqa: PTH115 – a Path leaves out "./"
            size, digest = 0, ""
            if kind == "0":
                with open(path, "rb") as opened:
                    digest = hashlib.file_digest(opened, "sha256").hexdigest()
                size = status.st_size
            mode = 0 if kind == "2" else stat.S_IMODE(status.st_mode)
            found[path.removeprefix(prefix + b"/")] = kind, mode, size, link, digest
    return found


def opened(store: ImageLayout, name: str) -> tuple[FileSystem, Contents]:
    snapshot = store.scan(Progress())
    (entry,) = (entry for entry in snapshot.entries if name in entry.names)
    manifest = snapshot.document(entry.row)
    assert isinstance(manifest, Manifest)
    digests = [layer.digest for layer in manifest.layers]
    read = read_tables(store.blobs, digests, Progress())
    tables = [table for table in (read[digest] for digest in digests) if isinstance(table, LayerTable)]
    config = snapshot.config(entry.row)
    assert isinstance(config, ImageConfig)
    assert [table.diff_id for table in tables] == list(config.diff_ids)
    files = merge([table.listing for table in tables], Progress())
    return files, Contents(store.blobs, tables, files)


def merged(layout: Path, name: str) -> Seen:
    """What we say of the same image, from its layers as they lie there."""
    found: Seen = {}
    with ImageLayout.open(layout) as store:
        files, contents = opened(store, name)
        seen = files.at(files.layers - 1)
        for node in range(1, len(files)):
            entry = int(seen[node])
            if entry == ABSENT:
                continue
            facts = files.facts(entry)
            kind, size, digest = chr(facts.kind), 0, ""
            if kind == "0":
                size = facts.size
                content = b"".join(contents.stream(entry, Progress()))
                digest = hashlib.sha256(content).hexdigest()
            found[files.tree.path(node)] = kind, 0 if kind == "2" else facts.mode, size, facts.link, digest
    return found


def put_together(tools: Tools, *layers: bytes, pack: Callable[[bytes], bytes] = bytes, suffix: str = "") -> Path:
    """A layout with an image "one" of these layers."""
    files = LayoutFiles(tools.folder / "layout")
    contents = [layer + END for layer in layers]
    descriptors = [files.blob(pack(content), LAYER + suffix) for content in contents]
    diff_ids = [sha256(content) for content in contents]
    files.name(files.image(*descriptors, config={"rootfs": {"type": "layers", "diff_ids": diff_ids}}), "one")
    return files.path


def folder(name: bytes, mode: bytes = b"0000755\0") -> bytes:
    return header(name, b"5", mode=mode)


CASES = {
    "whiteouts": [
        folder(b"etc/") + file(b"etc/a", b"1") + folder(b"etc/d/") + file(b"etc/d/x", b"2") + file(b"etc/keep", b"3"),
        folder(b"etc/") + file(b"etc/.wh.a") + file(b"etc/.wh.d"),
        folder(b"etc/d/", b"0000700\0") + file(b"etc/d/y", b"4"),
    ],
    "whiteouts behind what is new": [
        folder(b"d/") + file(b"d/old", b"1") + file(b"f", b"1"),
        folder(b"d/") + file(b"d/new", b"2") + file(b".wh.d") + file(b"f", b"22") + file(b".wh.f"),
    ],
    "opaque before": [
        folder(b"d/") + file(b"d/old", b"1") + file(b"d/both", b"1") + folder(b"d/e/") + file(b"d/e/f", b"1"),
        folder(b"d/") + file(b"d/.wh..wh..opq") + file(b"d/new", b"2") + file(b"d/both", b"22"),
    ],
    "opaque behind": [
        folder(b"d/") + file(b"d/old", b"1") + folder(b"d/e/") + file(b"d/e/f", b"1") + file(b"d/e/g", b"1"),
        folder(b"d/") + file(b"d/new", b"2") + folder(b"d/e/") + file(b"d/e/f", b"22") + file(b"d/.wh..wh..opq"),
    ],
    "hard links": [
        folder(b"d/") + file(b"d/a", b"content") + header(b"d/b", b"1", link=b"d/a"),
        header(b"c", b"1", link=b"d/a") + header(b"e", b"1", link=b"/d/b"),
        file(b"d/.wh.a") + header(b"f", b"1", link=b"c"),
    ],
    "a hard link to a link": [header(b"l", b"2", link=b"x") + header(b"h", b"1", link=b"l")],
    "files for folders and back": [
        folder(b"a/") + file(b"a/b", b"1") + file(b"f", b"1") + header(b"l", b"2", link=b"a"),
        file(b"a", b"now a file") + folder(b"f/") + file(b"f/x", b"2"),
        folder(b"a/") + file(b"a/c", b"3") + header(b"f", b"2", link=b"a"),
    ],
    "folders without entries": [file(b"usr/share/doc/x", b"1"), file(b"usr/share/y", b"2")],
    "spellings": [
        folder(b"./") + folder(b"./usr/") + file(b"./usr/a", b"1"),
        file(b"/usr/b", b"2") + file(b"usr//c", b"3") + file(b"usr/./a", b"new") + file(b"usr/x/../d", b"4"),
    ],
    "modes": [
        folder(b"d/", b"0001777\0") + file(b"d/s", b"1", mode=b"0004755\0") + file(b"d/g", b"1", mode=b"0002711\0"),
        folder(b"d/", b"0000700\0"),
    ],
    "names": [
        file(b"\xff\xfe", b"1")
        + file(b"\xc3\xa4", b"2")
        + pax(path=b"long/" + b"n" * 200)
        + file(b"x", b"3")
        + file(b"new\nline", b"4")
        + file(b".hidden", b"5")
        + file(b"L" * 90 + b"/" + b"p", b"6", prefix=b"q" * 100),
        file(b".wh.\xff\xfe"),
    ],
    "the same twice": [folder(b"d/") + file(b"d/a", b"1") + file(b"d/a", b"22")],
    "behind a link": [
        folder(b"usr/lib/") + file(b"usr/lib/gone", b"1"),
        header(b"lib", b"2", link=b"usr/lib") + file(b"lib/b", b"2") + header(b"h", b"1", link=b"lib/b"),
        header(b"up", b"2", link=b"/usr/./lib/..") + file(b"up/lib/c", b"3"),
    ],
    "pipes": [header(b"p", b"6", mode=b"0000644\0")],
    "nothing": [b""],
}


@pytest.mark.parametrize("case", CASES)
def test_images_of_every_kind_are_what_umoci_unpacks(tools: Tools, case: str):
    layout = put_together(tools, *CASES[case])
    assert merged(layout, "one") == unpacked(tools, layout, "one")


@pytest.mark.parametrize(
    ("pack", "suffix"),
    [
        (gzip.compress, "+gzip"),
        (zstd.compress, "+zstd"),
        (lambda c: gzip.compress(c[:512]) + gzip.compress(c[512:]), "+gzip"),
    ],
)
def test_compressed_images_are_what_umoci_unpacks(tools: Tools, pack: Callable[[bytes], bytes], suffix: str):
    plain = put_together(tools, *CASES["files for folders and back"])
    expected = unpacked(tools, plain, "one")
    tools.folder = tools.folder / "packed"
    tools.folder.mkdir()
    layout = put_together(tools, *CASES["files for folders and back"], pack=pack, suffix=suffix)
    assert merged(layout, "one") == expected
    if suffix == "+gzip":  # umoci knows no zstd
        assert unpacked(tools, layout, "one") == expected


def random_layer(chance: random.Random) -> bytes:
    """A layer that a tool could have written: each path once, every folder that is needed before what is in it."""
    parts: dict[bytes, bytes] = {}
    names = [b"a", b"b", b"c", b"d"]
    for _ in range(chance.randrange(1, 14)):
        path = b"/".join(chance.choice(names) for _ in range(chance.randrange(1, 4)))
        folders = [b"/".join(path.split(b"/")[:n]) for n in range(1, path.count(b"/") + 1)]
        if any(parts.get(above, b"5")[:1] != b"5" for above in folders):
            continue
        for above in folders:
            parts.setdefault(above, b"5" + folder(above + b"/", chance.choice([b"0000755\0", b"0000700\0"])))
        what = chance.choice("0005w2o")
        hidden = b"/".join([*path.split(b"/")[:-1], b".wh." + path.split(b"/")[-1]])
        inside = any(other.startswith(path + b"/") for other in parts)
        if what == "w":
            parts[hidden] = b"w" + file(hidden)
        elif what == "o":
            parts.setdefault(path, b"5" + folder(path + b"/"))
            if parts[path][:1] == b"5":
                parts[path + b"/.wh..wh..opq"] = b"w" + file(path + b"/.wh..wh..opq")
        elif what == "5":
            parts.setdefault(path, b"5" + folder(path + b"/"))
        elif not inside and what == "0":
            parts[path] = b"0" + file(path, chance.randbytes(chance.randrange(30)))
        elif not inside:
            parts[path] = b"2" + header(path, b"2", link=b"/nowhere")
    marks = [part[1:] for part in parts.values() if part[:1] == b"w"]
    rest = [part[1:] for part in parts.values() if part[:1] != b"w"]
    return b"".join([*marks, *rest] if chance.random() < 0.5 else [*rest, *marks])


@pytest.mark.parametrize("seed", range(12))
def test_random_images_are_what_umoci_unpacks(tools: Tools, seed: int):
    chance = random.Random(seed)
    layout = put_together(tools, *(random_layer(chance) for _ in range(5)))
    assert merged(layout, "one") == unpacked(tools, layout, "one")


def test_images_of_real_tools_are_what_umoci_unpacks(tools: Tools):
    layout = tools.folder / "umoci"
    tools.make_with_umoci(layout)
    tools.umoci("unpack", "--rootless", "--image", f"{layout}:one", "bundle")
    top = tools.folder / "bundle/rootfs"
    (top / "srv/first/file").unlink()
    (top / "srv/link").symlink_to("second/file")
    (top / "srv/hard").hardlink_to(top / "srv/second/file")
    tools.umoci("repack", "--image", f"{layout}:two", "bundle")
    for name in ("one", "two"):
        assert merged(layout, name) == unpacked(tools, layout, name)
    tools.push(tools.build("image"), f"oci:{tools.folder}/buildah:three")
    assert merged(tools.folder / "buildah", "three") == unpacked(tools, tools.folder / "buildah", "three")


def test_this_very_system_as_an_image_is_what_umoci_unpacks(tools: Tools):
    """Real folders with links, hard links and special bits, as far as they can be had here."""
    layout = tools.folder / "system"
    tar = ["tar", "--create", "--format=pax", "--ignore-failed-read", "--directory=/", "--file"]
    run(*tar, tools.folder / "one.tar", "etc/alternatives", "etc/ssl", "usr/share/perl5", "usr/lib/python3")
    run(*tar, tools.folder / "two.tar", "usr/share/zoneinfo", "etc/alternatives")
    layers = [(tools.folder / name).read_bytes() for name in ("one.tar", "two.tar")]
    files = LayoutFiles(layout)
    config = files.document(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [*map(sha256, layers)]}},
        CONFIG,
    )
    descriptors = [files.blob(gzip.compress(layer, 1), f"{LAYER}+gzip") for layer in layers]
    files.name(
        files.document({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": descriptors}, MANIFEST),
        "one",
    )
    assert merged(layout, "one") == unpacked(tools, layout, "one")


def test_what_is_extracted_is_what_umoci_unpacks(tools: Tools):
    layout = put_together(tools, *CASES["hard links"], *CASES["whiteouts"])
    target = tools.folder / "target"
    target.mkdir()
    with ImageLayout.open(layout) as store:
        files, contents = opened(store, "one")
        extract(contents, files, files.view(files.layers - 1), [ROOT], target, Progress())
    assert on_disk(target / "files") == unpacked(tools, layout, "one")
