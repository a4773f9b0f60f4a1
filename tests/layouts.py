"""Writes image layouts byte by byte, as other tools would, without the engine that is under test."""

import hashlib
import json
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"

Json = dict[str, Any]


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class LayoutFiles:
    """An image layout on disk, put together by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Any] = []
        (path / "blobs" / "sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.write_index()

    def write_index(self, **more: Any) -> None:
        """Write ``index.json`` with the entries that were named."""
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries, **more}
        (self.path / "index.json").write_text(json.dumps(document))

    def blob(self, content: bytes, media_type: str = LAYER, **more: Any) -> Json:
        """Write a blob and return its descriptor."""
        digest = sha256(content)
        self.file(digest).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

    def document(self, value: Json, media_type: str, **more: Any) -> Json:
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def image(self, *layers: bytes | Json, config: Json | None = None, **more: Any) -> Json:
        """Write an image of these layers and return its manifest's descriptor; ``more`` goes into the manifest."""
        descriptors = [self.blob(layer) if isinstance(layer, bytes) else layer for layer in layers]
        facts = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in descriptors]},
            **(config or {}),
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.document(facts, CONFIG),
            "layers": descriptors,
            **more,
        }
        return self.document(manifest, MANIFEST)

    def index(self, *manifests: Json, **more: Any) -> Json:
        """Write a nested index and return its descriptor."""
        return self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests), **more}, INDEX)

    def name(self, descriptor: Json, name: str | None = None) -> Json:
        """Add an entry to ``index.json`` and write that."""
        self.entries.append({**descriptor, **({"annotations": {NAME: name}} if name is not None else {})})
        self.write_index()
        return descriptor

    def file(self, digest: str | Json) -> Path:
        """The file of a blob."""
        text = digest if isinstance(digest, str) else digest["digest"]
        return self.path / "blobs" / text.replace(":", "/", 1)


def tree(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder: kind and mode, modification time in nanoseconds, content; to compare before and
    after."""
    found = {}
    for item in sorted(path.rglob("*")):
        status = item.lstat()
        content = item.read_bytes() if item.is_file() and not item.is_symlink() else b""
        found[str(item.relative_to(path))] = (status.st_mode, status.st_mtime_ns, content)
    return found
