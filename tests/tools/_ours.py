"""Layouts that the engine itself has made, with images that other tools can run."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

from engine import ImageLayout
from engine.document import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Platform

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Json = dict[str, Any]


class Layer(NamedTuple):
    """A layer's descriptor, and the digest of what it is uncompressed."""

    descriptor: Json
    diff_id: str


class Ours:
    """A new layout, put together with the engine alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layout = ImageLayout.create(path)

    def put(self, content: bytes, media_type: str) -> Json:
        result = self.layout.blobs.put(content)
        return {"mediaType": media_type, "digest": result.digest, "size": result.size}

    def layer(self, name: str, content: bytes) -> Layer:
        """A layer of one file."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        compressed = gzip.compress(plain.getvalue(), mtime=0)
        return Layer(self.put(compressed, LAYER), f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}")

    def image(self, *layers: Layer, architecture: str = "amd64") -> Descriptor:
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/hello"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.put(json.dumps(config).encode(), OCI_CONFIG),
            "layers": [layer.descriptor for layer in layers],
        }
        put = self.layout.blobs.put(json.dumps(manifest).encode())
        return Descriptor(OCI_MANIFEST, put.digest, put.size, platform=Platform("linux", architecture))

    def platforms(self, *images: Descriptor) -> Descriptor:
        """An index over images of several platforms."""
        manifests = [
            {
                "mediaType": image.media_type,
                "digest": image.digest,
                "size": image.size,
                "platform": {"architecture": image.platform.architecture, "os": image.platform.os},
            }
            for image in images
            if image.platform
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        put = self.layout.blobs.put(json.dumps(index).encode())
        return Descriptor(OCI_INDEX, put.digest, put.size)

    def name(self, descriptor: Descriptor, name: str) -> None:
        self.layout.edit_index(lambda index: index.retag(name, descriptor))
