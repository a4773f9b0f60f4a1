"""Stores of any size for the benchmarks, the same bytes each time."""

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

from tests.layouts import CONFIG, INDEX, LAYER, MANIFEST, NAME

Json = dict[str, Any]


def wide(path: Path, entries: int, images: int = 1000, layers: int = 100) -> Path:
    """Many names over fewer images over a pool of layers."""
    _begin(path)
    pool = [_blob(path, b"layer %d" % n, LAYER) for n in range(layers)]
    manifests = []
    for n in range(images):
        facts = {
            "architecture": "amd64",
            "os": "linux",
            "author": f"{n}",
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        chosen = [pool[(n * 7 + k) % layers] for k in range(5)]
        value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": _json(path, facts, CONFIG), "layers": chosen}
        manifests.append(_json(path, value, MANIFEST))
    named = [
        {**manifests[n % images], "annotations": {NAME: f"registry.example.org/team/app-{n % 977}:{n}.0.{n % 13}"}}
        for n in range(entries)
    ]
    _end(path, named)
    return path


def many(path: Path, blobs: int, referenced: int) -> Path:
    """Many tiny blobs, some of them layers of one artifact a thousand."""
    _begin(path)
    folder = path / "blobs" / "sha256"
    entries = []
    for start in range(0, blobs, 1000):
        layers = []
        for n in range(start, min(start + 1000, blobs)):
            content = b"%016d" % n
            name = hashlib.sha256(content).hexdigest()
            (folder / name).write_bytes(content)
            layers.append({"mediaType": "application/x-test", "digest": f"sha256:{name}", "size": 16})
        if start < referenced:
            value = {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _blob(path, b"{}", "application/x-test"),
                "layers": layers,
            }
            entries.append({**_json(path, value, MANIFEST), "annotations": {NAME: f"part:{start}"}})
    _end(path, entries)
    return path


def big(path: Path, count: int, size: int) -> Path:
    """A few large layers of random bytes."""
    _begin(path)
    generator = random.Random(1)
    block = generator.randbytes(1 << 20)
    layers = []
    for n in range(count):
        hasher, temporary = hashlib.sha256(), path / "blobs" / "sha256" / f"part{n}"
        with temporary.open("wb") as file:
            for k in range(size >> 20):
                piece = b"%08d%08d" % (n, k) + block[16:]
                hasher.update(piece)
                file.write(piece)
        temporary.rename(temporary.with_name(hasher.hexdigest()))
        layers.append({"mediaType": LAYER, "digest": f"sha256:{hasher.hexdigest()}", "size": size})
    config = _json(path, {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}, CONFIG)
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    _end(path, [{**_json(path, value, MANIFEST), "annotations": {NAME: "big:1"}}])
    return path


def deep(path: Path, files: int) -> Path:
    """One image of two gzip layers with so many files each, the second beside and over the first."""
    _begin(path)
    layers = []
    for number in range(2):
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1) as archive:
            for n in range(files):
                info = tarfile.TarInfo(f"usr/share/{(n + number) % 500}/part-{n % 7}/file-{n}.txt")
                info.size = 16
                archive.addfile(info, io.BytesIO(b"%016d" % (n + number)))
        layers.append(_blob(path, content.getvalue(), f"{LAYER}+gzip"))
    config = _json(path, {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}, CONFIG)
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    _end(path, [{**_json(path, value, MANIFEST), "annotations": {NAME: "deep:1"}}])
    return path


def _begin(path: Path) -> None:
    (path / "blobs" / "sha256").mkdir(parents=True)
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def _end(path: Path, entries: list[Json]) -> None:
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))


def _blob(path: Path, content: bytes, media_type: str) -> Json:
    name = hashlib.sha256(content).hexdigest()
    (path / "blobs" / "sha256" / name).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(content)}


def _json(path: Path, value: Json, media_type: str) -> Json:
    return _blob(path, json.dumps(value).encode(), media_type)
