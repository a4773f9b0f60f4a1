"""The validator beside the tools that people have today, on the same broken layouts; the table is told at the end."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine import ImageLayout, Progress
from engine.findings import Severity
from engine.layercheck import check_layers
from engine.validate import validate
from engine.verdicts import Verdicts
from tests.layouts import CONFIG, INDEX, MANIFEST, LayoutFiles, sha256
from tests.tools.conftest import Noticed

pytestmark = pytest.mark.needs("umoci", "skopeo")

PATIENCE_S = 5
"""A tool that is still busy with one of these small layouts after so long hangs."""


class Broken(NamedTuple):
    """A layout that was sound, what became of it, and the rule that says so."""

    what: str
    rule: str
    break_it: Callable[[LayoutFiles], object]


def layer_of(*names: str) -> bytes:
    """An uncompressed layer of empty files."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return plain.getvalue()


def sound(path: Path) -> LayoutFiles:
    """A layout with one image, in which nothing is wrong."""
    files = LayoutFiles(path)
    files.name(files.image(layer_of("one"), layer_of("two")), "one")
    return files


def entry(files: LayoutFiles) -> Path:
    return files.file(files.entries[0])


def manifest(files: LayoutFiles) -> Any:
    return json.loads(entry(files).read_bytes())


def rewrite(files: LayoutFiles, **fields: Any) -> None:
    """Another manifest in place of the image's, with an entry that fits it."""
    document = {key: value for key, value in (manifest(files) | fields).items() if value is not None}
    files.entries.clear()
    files.name(files.document(document, MANIFEST), "one")


def reconfigure(files: LayoutFiles, **fields: Any) -> None:
    """Another config for the image."""
    config = json.loads(files.file(manifest(files)["config"]).read_bytes()) | fields
    rewrite(files, config=files.document(config, CONFIG))


def edit_index(files: LayoutFiles, edit: Callable[[Any], object]) -> None:
    index = json.loads((files.path / "index.json").read_bytes())
    edit(index)
    (files.path / "index.json").write_text(json.dumps(index))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def first_layer(files: LayoutFiles) -> Path:
    return files.file(manifest(files)["layers"][0])


def pipe_for_a_layer(files: LayoutFiles) -> None:
    path = first_layer(files)
    path.unlink()
    os.mkfifo(path)


def link_for_a_layer(files: LayoutFiles) -> None:
    path = first_layer(files)
    path.rename(files.path / "elsewhere")
    path.symlink_to(files.path / "elsewhere")


def ambiguous(files: LayoutFiles) -> None:
    rewrite(files, manifests=[])


def unlisted_referrer(files: LayoutFiles) -> None:
    subject = {key: files.entries[0][key] for key in ("mediaType", "digest", "size")}
    files.image(b"signature", subject=subject, artifactType="application/x-signature")


def wrong_diff_id(files: LayoutFiles) -> None:
    reconfigure(files, rootfs={"type": "layers", "diff_ids": [sha256(b"another"), sha256(b"one")]})


def gzip_called_plain(files: LayoutFiles) -> None:
    layers = manifest(files)["layers"]
    layers[0]["mediaType"] += "+gzip"
    rewrite(files, layers=layers)


def double_path(files: LayoutFiles) -> None:
    layer = layer_of("same", "./same")
    rewrite(files, layers=[files.blob(layer)], config=config_for(files, layer))


def short_layer(files: LayoutFiles) -> None:
    layer = layer_of("one")[:700]
    rewrite(files, layers=[files.blob(layer)], config=config_for(files, layer))


def config_for(files: LayoutFiles, *layers: bytes) -> Any:
    rootfs = {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]}
    return files.document({"architecture": "amd64", "os": "linux", "rootfs": rootfs}, CONFIG)


def double_name(files: LayoutFiles) -> None:
    files.name(files.image(b"another"), "one")


def text_after_the_index(files: LayoutFiles) -> None:
    path = files.path / "index.json"
    path.write_text(path.read_text() + "{}")


def double_key(files: LayoutFiles) -> None:
    path = files.path / "index.json"
    path.write_text(path.read_text().replace('"schemaVersion": 2', '"schemaVersion": 2, "schemaVersion": 2'))


BROKEN = (
    Broken("oci-layout is missing", "V2", lambda files: (files.path / "oci-layout").unlink()),
    Broken(
        "oci-layout says version 9", "V5", lambda f: (f.path / "oci-layout").write_text('{"imageLayoutVersion":"9"}')
    ),
    Broken("a byte of a layer is flipped", "V10", lambda files: flip(first_layer(files))),
    Broken("a byte of the manifest is flipped", "V10", lambda files: flip(entry(files))),
    Broken("a layer lacks its last byte", "V10", lambda files: cut(first_layer(files))),
    Broken("a layer is empty (power cut)", "X13", lambda files: first_layer(files).write_bytes(b"")),
    Broken("a layer is missing", "V13", lambda files: first_layer(files).unlink()),
    Broken("a layer is a pipe", "X1", pipe_for_a_layer),
    Broken("a layer is a symbolic link", "X1", link_for_a_layer),
    Broken("the index says a wrong size", "V31", lambda f: edit_index(f, lambda i: i["manifests"][0].update(size=9))),
    Broken("manifests is null", "V74", lambda f: edit_index(f, lambda index: index.update(manifests=None))),
    Broken("text after the index", "X5", text_after_the_index),
    Broken("a key twice in the index", "V161", double_key),
    Broken("the key Manifests, too", "X4", lambda f: edit_index(f, lambda index: index.update(Manifests=[]))),
    Broken(
        "a null annotation",
        "V100",
        lambda f: edit_index(f, lambda i: i["manifests"][0].update(annotations={"a": None})),
    ),
    Broken("one name for two images", "X6", double_name),
    Broken("a manifest that is also an index", "X3", ambiguous),
    Broken("schema version 1", "V50", lambda files: rewrite(files, schemaVersion=1)),
    Broken("the manifest calls itself an index", "V52", lambda files: rewrite(files, mediaType=INDEX)),
    Broken("the config has no architecture", "V120", lambda files: reconfigure(files, architecture=None)),
    Broken("fewer diff IDs than layers", "V127", lambda f: reconfigure(f, rootfs={"type": "layers", "diff_ids": []})),
    Broken("a wrong diff ID", "V127", wrong_diff_id),
    Broken("a layer called gzip that is not", "V140", gzip_called_plain),
    Broken("a path twice in a layer", "V141", double_path),
    Broken("a layer that ends early", "V150", short_layer),
    Broken("a signature that no index lists", "X15", unlisted_referrer),
)


def ours(path: Path) -> dict[str, Severity]:
    """The rules that we say are broken, after everything was hashed and unpacked."""
    with ImageLayout.open(path) as layout:
        snapshot, progress = layout.scan(Progress()), Progress()
        layout.verify(snapshot, None, progress)
        verdicts = Verdicts.of(snapshot, 0)
        for batch in progress.drain():
            verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
        layers = check_layers(layout, snapshot, Progress())
        found = validate(layout, snapshot, Progress(), verdicts=verdicts, layers=layers).findings
    return {each.rule: each.severity for each in found.items}


def notices(*command: str | Path) -> str:
    """Whether a tool says by its exit status that something is wrong."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return "hangs"
    return "yes" if done.returncode else "-"


def test_a_layout_in_which_nothing_is_wrong_has_neither_errors_nor_warnings(tmp_path: Path) -> None:
    files = sound(tmp_path / "layout")
    assert [rule for rule, severity in ours(files.path).items() if severity > Severity.INFO] == []


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.what.replace(" ", "-"))
def test_what_is_broken_is_noticed_by_its_rule(broken: Broken, tmp_path: Path, noticed: Noticed) -> None:
    files = sound(tmp_path / "layout")
    broken.break_it(files)
    found = ours(files.path)
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    skopeo, image = ("skopeo", "--policy", policy), f"oci:{files.path}:one"
    copy = tmp_path / "copy"
    noticed[broken.what] = {
        "umoci stat": notices("umoci", "stat", "--image", f"{files.path}:one"),
        "skopeo inspect": notices(*skopeo, "inspect", image),
        "skopeo copy": notices(*skopeo, "copy", image, f"dir:{copy}"),
        "Blobscope": found[broken.rule].name.lower() if broken.rule in found else "-",
        "rule": broken.rule,
    }
    assert broken.rule in found, f"found only {sorted(found)}"
    assert found[broken.rule] >= Severity.WARNING
