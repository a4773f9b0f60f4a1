"""Whatever a store holds, each operation on it ends soon, in a result or in an error of ours, and touches nothing else."""

import contextlib
import json
import os
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import EngineError, Progress, Store, open_store, plan_removal
from engine.cleanup import plan_cleanup
from engine.finding import PathPattern, find, images_of
from engine.layercheck import check_layers
from engine.report import Checked, as_json, as_markdown, as_text, grouped
from engine.rules.book import RULES
from engine.snapshot import Snapshot
from engine.validate import validate
from engine.verdicts import Verdicts
from tests.layouts import CONFIG, INDEX, MANIFEST, LayoutFiles, sha256

TIME_S = 5.0
MEMORY = 500 << 20
SECRET = "the content of a file outside of the store"

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
TYPES = (
    INDEX,
    MANIFEST,
    CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    "application/vnd.oci.empty.v1+json",
    "text/plain",
    "",
    "a/",
)

# What makes readers stumble: control characters, terminal escapes, bidirectional tricks, paths, lone surrogates, markup.
NASTY_TEXTS = (
    *(
        "",
        "..",
        "../../etc/passwd",
        "a/b",
        "\0",
        "\x1b[31mred\x1b]0;title\x07",
        "\u202eevil\u2069",
        "\ud800",
        "<img src=x>",
    ),
    *(
        "sha256:../../x",
        "sha256:" + "A" * 64,
        "sha256:" + "0" * 64,
        "sha512:" + "0" * 128,
        "md5:x",
        "=1+1",
        "x" * 100_000,
    ),
)
NASTY_VALUES: tuple[Any, ...] = (
    *(None, True, [], {}, [[]], -1, 0, 2**63, 10**400, 1e308, 1.5, "1", [None], {"": None}),
    *NASTY_TEXTS,
)
NASTY_BYTES = (
    b"",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"manifests":[],"manifests":[]}',
    b'{"size":NaN}',
    b'{"size":1e999}',
    b'{"size":' + b"9" * 10_000 + b"}",
    b"\xef\xbb\xbf{}",
    '{"a":1}'.encode("utf-16"),
    b'{"a":"\xff\xfe"}',
    b'{"a":"\\ud800"}',
    b'{"manifests":[' + b"{}," * 20_000 + b"{}]}",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    b"\x28\xb5\x2f\xfd\x00",
    bytes(1024),
    os.urandom(4096),
)

Break = Callable[[Path], None]


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths_in(inner, (*path, key))


def put_at(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with something else at a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put_at(copy[path[0]], path[1:], new)
    return copy


@st.composite
def layouts(draw: st.DrawFn, path: Path) -> None:
    """An image layout with a bit of everything: images, a nested index, a referrer, an artifact, unused blobs."""
    files = LayoutFiles(path)
    shared = files.blob(b"shared layer")
    images = [files.image(b"layer %d" % n, shared) for n in range(draw(st.integers(1, 3)))]
    for n, image in enumerate(images):
        files.name(image, draw(st.sampled_from((f"name{n}", "same", None))))
    if draw(st.booleans()):
        files.name(files.index(*images, files.index(images[0])), "multi")
    if draw(st.booleans()):
        files.image(b"signature", subject=images[0], artifactType="application/x-signature")
    if draw(st.booleans()):
        files.image(b"lost layer")
    files.blob(b"nobody needs this")


@st.composite
def breaks(draw: st.DrawFn) -> Break:
    """Something that happens to one file of a store."""
    place = draw(st.integers(0, 1 << 16))
    kind = draw(
        st.sampled_from(("content", "json", "cut", "remove", "link", "pipe", "folder", "stray", "document", "mode"))
    )
    content = draw(st.sampled_from(NASTY_BYTES))
    value = draw(st.sampled_from(NASTY_VALUES))
    where = draw(st.integers(0, 1 << 16))
    fits = draw(st.booleans())
    media_type = draw(st.sampled_from(TYPES))
    text = draw(st.sampled_from(NASTY_TEXTS))

    def apply(path: Path) -> None:
        found = sorted(file for file in path.rglob("*") if stat.S_ISREG(file.lstat().st_mode))
        if not found:
            return
        file = found[place % len(found)]
        if kind == "content":
            file.write_bytes(content)
        elif kind == "json":
            rewrite_json(path, file, value, where, fits=fits)
        elif kind == "cut":
            file.write_bytes(file.read_bytes()[: where % (file.stat().st_size + 1)])
        elif kind == "document":
            add_entry(path, content, media_type)
        elif kind == "stray":
            with contextlib.suppress(OSError, ValueError):
                (file.parent / os.fsdecode(text[:200].replace("/", "_").encode("utf-8", "replace"))).write_bytes(
                    content
                )
        elif kind == "mode":
            file.chmod(0)
        else:
            file.unlink()
            if kind == "link":
                file.symlink_to((path.parent / "secret", path, file, Path("/dev/zero"))[where % 4])
            elif kind == "pipe":
                os.mkfifo(file)
            elif kind == "folder":
                (file / "inside").mkdir(parents=True)

    return apply


def rewrite_json(path: Path, file: Path, value: Any, where: int, *, fits: bool) -> None:
    """Put a value somewhere into a document; when it ``fits``, index.json names what the document became."""
    try:
        document = json.loads(file.read_bytes())
    except ValueError:
        return
    places = list(paths_in(document))
    changed = json.dumps(put_at(document, places[where % len(places)], value)).encode()
    if fits and file.parent.name == "sha256":
        add_entry(path, changed, MANIFEST if b"layers" in changed else INDEX if b"manifests" in changed else CONFIG)
    else:
        file.write_bytes(changed)


def add_entry(path: Path, content: bytes, media_type: str) -> None:
    """A blob that has the digest of its content, named in the index."""
    index, blob = path / "index.json", path / "blobs" / sha256(content).replace(":", "/")
    try:
        if not stat.S_ISREG(index.lstat().st_mode):
            return
        blob.unlink(missing_ok=True)  # it may be a pipe by now
        blob.write_bytes(content)
        document = json.loads(index.read_bytes())
        document["manifests"].append({"mediaType": media_type, "digest": sha256(content), "size": len(content)})
        index.write_text(json.dumps(document))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # the store is too broken already to be made worse in this way


def look_at_everything(store: Store) -> tuple[Snapshot, str]:
    """Every operation that only looks; returns what a person would be shown."""
    snapshot = store.scan(Progress())
    watched = Progress()
    store.verify(snapshot, None, watched)
    verdicts = Verdicts.of(snapshot, 0)
    for batch in watched.drain():
        verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
    snapshot.worst(snapshot.states(verdicts.outcomes))
    layers = check_layers(store, snapshot, Progress())
    findings = validate(store, snapshot, Progress(), verdicts=verdicts, layers=layers).findings
    checked = Checked(str(store.path), store.title, "2026-01-01T00:00:00Z", True, len(snapshot), 0)
    groups = grouped(findings, RULES)
    text = as_text(checked, groups)
    told = as_json(checked, groups) + as_markdown(checked, groups) + text
    plan_cleanup(snapshot, time.time())
    find(store.blobs, images_of(snapshot, Progress(), most_layers=100).images, PathPattern("e"), Progress())
    for entry in snapshot.entries[:3]:
        plan_removal(snapshot, [entry.position], with_content=True)
        snapshot.total_size(entry.row) if entry.row >= 0 else None
    store.leftovers()
    store.trash()
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert "\u202e" not in text
    assert "\x1b" not in told
    told.encode()  # no lone surrogates
    return snapshot, told


def change_everything(store: Store, snapshot: Snapshot) -> None:
    """Every operation that changes something; the errors of each are ours."""
    with contextlib.suppress(EngineError):
        store.clean(min_age_s=0)
    for entry in snapshot.entries[:2]:
        with contextlib.suppress(EngineError):
            change = store.apply(plan_removal(snapshot, [entry.position], with_content=True), Progress())
            store.undo(change.record, Progress())
        with contextlib.suppress(EngineError):
            store.keep_aside(entry.descriptor.digest, Progress())
    with contextlib.suppress(EngineError):
        cleanup = plan_cleanup(store.scan(Progress()), time.time() + 7200)
        store.apply(cleanup.plan([blob.digest for blob in cleanup.unused]), Progress())
    with contextlib.suppress(EngineError):
        store.empty_trash(None, Progress())
    with contextlib.suppress(EngineError):
        store.blobs.put(b"something new")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_store_broken_anywhere_harms_nobody(data: st.DataObject) -> None:
    """Within 5 s and 500 MiB; what lies outside of the store is neither read nor changed."""
    folder = Path(tempfile.mkdtemp())
    try:
        secret = folder / "secret"
        secret.write_text(SECRET)
        data.draw(layouts(folder / "layout"))
        for break_it in data.draw(st.lists(breaks(), min_size=1, max_size=6)):
            break_it(folder / "layout")
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        with contextlib.suppress(EngineError), open_store(folder / "layout") as store:
            snapshot, told = look_at_everything(store)
            assert SECRET not in told
            change_everything(store, snapshot)
        assert time.monotonic() - began < TIME_S * 4  # so much is done here, each of it with that bound
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MEMORY
        assert secret.read_text() == SECRET
    finally:
        shutil.rmtree(folder)
