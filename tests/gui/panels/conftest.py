"""What tests of the panels share: layouts made by hand, byte for byte, and the panels' words."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from gui import theme

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NAME = "org.opencontainers.image.ref.name"

Json = dict[str, Any]


class LayoutMaker:
    """Writes an image layout file by file, so that it can also be wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Json] = []
        (path / "blobs" / "sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.write_index()

    def write_index(self) -> None:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries}
        (self.path / "index.json").write_text(json.dumps(index))

    def file(self, descriptor: Json) -> Path:
        return self.path / "blobs" / descriptor["digest"].replace(":", "/")

    def blob(self, content: bytes, media_type: str = LAYER, **more: Any) -> Json:
        encoded = hashlib.sha256(content).hexdigest()
        (self.path / "blobs" / "sha256" / encoded).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{encoded}", "size": len(content), **more}

    def document(self, value: Json, media_type: str, *, indent: int | None = 2, **more: Any) -> Json:
        return self.blob(json.dumps(value, indent=indent).encode(), media_type, **more)

    def config(self, layers: Sequence[Json], run: Json | None = None, **more: Any) -> Json:
        diff_ids = [f"sha256:{n:064x}" for n in range(len(layers))]
        value = {
            "architecture": "amd64",
            "os": "linux",
            "config": run or {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            **more,
        }
        return self.document(value, CONFIG)

    def image(self, layers: Sequence[Json], config: Json | None = None, **more: Any) -> Json:
        value = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config or self.config(layers),
            "layers": list(layers),
            **more,
        }
        return self.document(value, MANIFEST)

    def index(self, manifests: Sequence[Json], **more: Any) -> Json:
        return self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests), **more}, INDEX)

    def name(self, descriptor: Json, name: str | None, **annotations: str) -> None:
        if name is not None:
            annotations[NAME] = name
        self.entries.append({**descriptor, "annotations": annotations} if annotations else descriptor)
        self.write_index()


@pytest.fixture
def making(tmp_path: Path) -> LayoutMaker:
    """An empty layout, to be filled by hand."""
    return LayoutMaker(tmp_path / "by-hand")


@pytest.fixture(autouse=True)
def _light(qapp: QApplication) -> None:
    theme.apply(qapp, "light")
