"""Makes a sample layout in which every state can be seen, for the first minute with the program.

Two tags that share layers, a multi-platform image with an attestation, a signature and an SBOM that refer to an image,
a lost image, an unused blob, a corrupt, a missing, a truncated and an external layer, a stray file, and leftovers of
crashed writers. The same folder always gets the same bytes.
"""

import gzip
import io
import json
import random
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.digest import Digest
from engine.document import DOCKER_CONFIG, OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, REF_NAME
from engine.layout import ImageLayout

_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
_CREATED = "2026-03-14T09:26:53Z"

Json = dict[str, Any]


def make_sample(folder: Path) -> Path:
    """Make the sample layout as a new folder inside ``folder`` and return its path."""
    path = folder / "sample-layout"
    layout = ImageLayout.create(path)
    try:
        _fill(_Writer(layout, path))
    finally:
        layout.close()
    return path


def _makes_a_layer(step: str) -> bool:
    """Whether a step of a history changed files, as docker build and BuildKit write them."""
    command = step.removeprefix("/bin/sh -c #(nop)").lstrip()
    return command == step or command.startswith(("ADD", "COPY"))


class _Writer:
    """Puts images together and remembers what the index is to name."""

    def __init__(self, layout: ImageLayout, path: Path) -> None:
        self.path = path
        self.entries: list[Json] = []
        self._layout = layout
        self._random = random.Random(20260314)  # noqa: S311 - the sample's bytes are to be the same each time

    def blob(self, content: bytes, media_type: str, **more: Any) -> Json:
        result = self._layout.blobs.put(content)
        return {"mediaType": media_type, "digest": str(result.digest), "size": result.size, **more}

    def document(self, value: Json, media_type: str, **more: Any) -> Json:
        return self.blob(json.dumps(value, indent=2).encode(), media_type, **more)

    def layer(self, files: Mapping[str, int]) -> tuple[Json, str]:
        """A gzip layer with files of these sizes, and its diff ID."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            for name, size in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = size, 0o755 if "/bin/" in name else 0o644, 1773480413
                tar.addfile(entry, io.BytesIO(self._random.randbytes(size)))
        content = plain.getvalue()
        diff_id = str(self._layout.blobs.put(content).digest)
        self._layout.blobs.delete(Digest(diff_id))
        return self.blob(gzip.compress(content, mtime=0), _LAYER), diff_id

    def image(self, layers: Sequence[tuple[Json, str]], steps: Sequence[str], run: Json, arch: str = "amd64") -> Json:
        config = {
            "created": _CREATED,
            "author": "The Blobscope sample",
            "architecture": arch,
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
            "history": [
                {
                    "created": _CREATED,
                    "created_by": step,
                    **({} if _makes_a_layer(step) else {"empty_layer": True}),
                }
                for step in steps
            ],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": self.document(config, OCI_CONFIG),
            "layers": [layer for layer, _ in layers],
        }
        return self.document(manifest, OCI_MANIFEST)

    def referrer(self, subject: Json, artifact_type: str, content: bytes, content_type: str) -> Json:
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": self.blob(b"{}", OCI_EMPTY),
            "layers": [self.blob(content, content_type)],
            "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
        }
        return self.document(manifest, OCI_MANIFEST, artifactType=artifact_type)

    def name(self, descriptor: Json, name: str | None) -> None:
        annotations = {REF_NAME: name} if name is not None else {}
        self.entries.append({**descriptor, **({"annotations": annotations} if annotations else {})})

    def write_index(self) -> None:
        entries = [json.dumps(entry) for entry in self.entries]

        def add_all(index: Any) -> None:
            for entry in entries:
                index.add(entry)

        self._layout.edit_index(add_all)

    def file_of(self, descriptor: Json) -> Path:
        return self.path / "blobs" / str(descriptor["digest"]).replace(":", "/")


def _fill(writer: _Writer) -> None:
    base = writer.layer({"etc/os-release": 386, "usr/bin/busybox": 410_000, "usr/lib/libc.so": 620_000})
    runtime = writer.layer({"usr/bin/python3": 520_000, "usr/lib/python3/os.py": 41_000})
    web = _web_images(writer, base, runtime)
    _multi_platform(writer, base)
    _broken_images(writer, base)
    sbom = json.dumps({"spdxVersion": "SPDX-2.3", "name": "web", "packages": [{"name": "python3"}]}).encode()
    writer.name(writer.referrer(web, "application/spdx+json", sbom, "application/spdx+json"), None)
    signature = writer.referrer(
        web,
        "application/vnd.dev.cosign.artifact.sig.v1+json",
        b'{"critical":{"type":"cosign container image signature"}}',
        "application/vnd.dev.cosign.simplesigning.v1+json",
    )
    writer.name(signature, None)
    writer.write_index()
    _lost_and_unused(writer, base)
    _leftovers(writer)


def _web_images(writer: _Writer, base: tuple[Json, str], runtime: tuple[Json, str]) -> Json:
    run = {
        "Entrypoint": ["/usr/bin/python3", "-m", "web"],
        "Cmd": ["--port", "8080"],
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED=1", "API_TOKEN=change-me"],
        "ExposedPorts": {"8080/tcp": {}},
        "Labels": {"org.opencontainers.image.source": "https://example.org/web", "team": "web"},
        "User": "web",
        "WorkingDir": "/srv/web",
    }
    steps = [
        "/bin/sh -c #(nop) FROM base",
        "/bin/sh -c #(nop) ADD file:base in / ",
        "/bin/sh -c apt-get install -y python3 && rm -rf /var/lib/apt/lists/*",
        "COPY web /srv/web # buildkit",
        '/bin/sh -c #(nop)  ENTRYPOINT ["/usr/bin/python3" "-m" "web"]',
    ]
    newest: Json = {}
    for version, size in (("1.0", 82_000), ("1.1", 91_000)):
        code = writer.layer({"srv/web/__main__.py": size, "srv/web/static/app.js": size * 3})
        newest = writer.image([base, runtime, code], steps, run)
        writer.name(newest, f"example.org/web:{version}")
    writer.name(newest, "example.org/web:latest")
    return newest


def _multi_platform(writer: _Writer, base: tuple[Json, str]) -> None:
    manifests: list[Json] = []
    for arch, variant in (("amd64", ""), ("arm64", "v8"), ("arm", "v7")):
        tool = writer.layer({f"usr/bin/tool-{arch}": 260_000})
        layers = [base, tool] if arch == "amd64" else [tool]
        image = writer.image(layers, ["COPY tool /usr/bin/ # buildkit"] * len(layers), {"Cmd": ["tool"]}, arch)
        platform = {"architecture": arch, "os": "linux", **({"variant": variant} if variant else {})}
        manifests.append({**image, "platform": platform})
    statement = json.dumps(
        {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2"}
    )
    attestation = writer.image(
        [(writer.blob(statement.encode(), "application/vnd.in-toto+json"), manifests[0]["digest"])], [], {}, "unknown"
    )
    manifests.append(
        {
            **attestation,
            "platform": {"architecture": "unknown", "os": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": manifests[0]["digest"],
            },
        }
    )
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
    writer.name(writer.document(index, OCI_INDEX), "example.org/tool:2.0")


def _broken_images(writer: _Writer, base: tuple[Json, str]) -> None:
    """Images of which something is wrong: a corrupt, a missing, a truncated and an external layer."""
    corrupt = writer.layer({"opt/corrupt.bin": 150_000})
    missing = writer.layer({"opt/missing.bin": 90_000})
    short = writer.layer({"opt/truncated.bin": 120_000})
    external = writer.layer({"opt/foreign.bin": 60_000})
    foreign = {**external[0], "mediaType": _FOREIGN, "urls": ["https://example.org/foreign.tar.gz"]}
    for name, layer in (
        ("example.org/broken:corrupt", corrupt),
        ("example.org/broken:missing", missing),
        ("example.org/broken:truncated", short),
        ("example.org/windows:foreign", (foreign, external[1])),
    ):
        writer.name(writer.image([base, layer], ["ADD base /", "COPY opt /opt"], {"Cmd": ["sh"]}), name)
    content = bytearray(writer.file_of(corrupt[0]).read_bytes())
    content[len(content) // 2] ^= 0xFF
    writer.file_of(corrupt[0]).write_bytes(content)
    short_file = writer.file_of(short[0])
    short_file.write_bytes(short_file.read_bytes()[:70_000])
    writer.file_of(missing[0]).unlink()
    writer.file_of(external[0]).unlink()


def _lost_and_unused(writer: _Writer, base: tuple[Json, str]) -> None:
    old = writer.layer({"srv/web/__main__.py": 77_000})
    writer.image([base, old], ["ADD base /", "COPY web /srv/web"], {"Cmd": ["sh"], "Labels": {"version": "0.9"}})
    writer.blob(b"notes that nothing refers to\n" * 400, "text/plain")
    writer.document(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}, DOCKER_CONFIG
    )


def _leftovers(writer: _Writer) -> None:
    """What writers leave that were killed: our folder, umoci's, skopeo's file, regclient's among the blobs."""
    for name, size in ((".blobscope-27182818284590ab", 45_000), (".umoci-1234567890", 30_000)):
        dead = writer.path / name
        dead.mkdir(mode=0o700)
        (dead / "blob").write_bytes(b"\0" * size)
    (writer.path / "oci-put-blob314159265").write_bytes(b"\0" * 12_000)
    (writer.path / "blobs" / "sha256" / "271828.tmp").write_bytes(b"half a blob")
