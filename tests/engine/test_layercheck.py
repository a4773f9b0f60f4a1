"""Every layer is read once: digest, unpacked digest, files and findings in one pass."""

import gzip
import hashlib
import os
import threading

import pytest

from engine.decompress import Compression, Limits, zstd
from engine.errors import Cancelled
from engine.layercheck import LayerCheck, check_layers
from engine.layout import ImageLayout
from engine.progress import Progress
from engine.snapshot import Outcome, Snapshot
from engine.validate import validate
from engine.verify import VerifyBatch
from tests.archives import END, file
from tests.layouts import LAYER, Json, LayoutFiles, sha256

CONTENT = file(b"a", b"content") + file(b"b") + END
FORMS = [(bytes, ""), (gzip.compress, "+gzip"), (zstd.compress, "+zstd")]


def opened(files: LayoutFiles) -> tuple[ImageLayout, Snapshot]:
    store = ImageLayout.open(files.path)
    return store, store.scan(Progress())


def checked(files: LayoutFiles, known: dict[str, LayerCheck] | None = None) -> dict[str, LayerCheck]:
    store, snapshot = opened(files)
    with store:
        return check_layers(store, snapshot, Progress(), known)


def only(files: LayoutFiles) -> LayerCheck:
    (found,) = checked(files).values()
    return found


def layer_of(files: LayoutFiles, content: bytes, suffix: str = "", **more: Json) -> Json:
    layer = files.blob(content, LAYER + suffix)
    files.name(files.image(layer, **more), f"image-{len(files.entries)}")
    return layer


@pytest.mark.parametrize(("pack", "suffix"), FORMS)
def test_one_look_gives_digest_unpacked_digest_and_files(files, pack, suffix):
    layer = layer_of(files, pack(CONTENT), suffix)
    found = checked(files)
    assert list(found) == [layer["digest"]]
    check = found[layer["digest"]]
    assert (check.outcome, check.diff_id) == (Outcome.VERIFIED, sha256(CONTENT))
    assert (check.entries, check.unpacked_size, check.findings) == (2, len(CONTENT), ())


def test_a_shared_layer_is_read_once(files):
    layer = files.blob(CONTENT)
    for n in range(5):
        files.name(files.image(layer, config={"author": str(n)}), f"image:{n}")
    progress = Progress()
    store, snapshot = opened(files)
    with store:
        check_layers(store, snapshot, progress)
    assert (progress.done, progress.total, progress.unit) == (len(CONTENT), len(CONTENT), "bytes")
    assert [batch.rows.tolist() for batch in progress.drain()] == [[snapshot.find(layer["digest"])]]


@pytest.mark.parametrize("media_type", [f"{LAYER}+encrypted", "application/vnd.oci.image.layer.v1.erofs", "text/plain"])
def test_layers_of_unknown_types_are_not_checkable(files, media_type):
    files.name(files.image(files.blob(b"whatever", media_type)), "image")
    assert checked(files) == {}


def test_a_type_that_lies_is_told_with_the_real_one_and_the_layer_is_read_all_the_same(files):
    layer_of(files, zstd.compress(CONTENT), "+gzip")
    check = only(files)
    assert [(each.rule, each.expected, each.found) for each in check.findings] == [("V140", "gzip", "zstd")]
    assert (check.compression, check.diff_id, check.entries) == (Compression.ZSTD, sha256(CONTENT), 2)


def test_a_corrupt_layer_is_reported_as_verify_reports_it(files):
    layer = layer_of(files, gzip.compress(CONTENT), "+gzip")
    files.file(layer).write_bytes(gzip.compress(CONTENT)[:-1] + b"\1")
    store, snapshot = opened(files)
    progress = Progress()
    with store:
        (check,) = check_layers(store, snapshot, progress).values()
    (batch,) = progress.drain()
    assert isinstance(batch, VerifyBatch)
    assert batch.outcomes.tolist() == [Outcome.CORRUPT]
    assert batch.found == {layer["digest"]: sha256(files.file(layer).read_bytes())}
    assert (check.outcome, check.diff_id, check.findings) == (Outcome.CORRUPT, "", ())


def test_a_layer_that_is_missing_or_changed_since_is_left_out(files):
    gone, changed = layer_of(files, file(b"gone") + END), layer_of(files, file(b"changed") + END)
    store, snapshot = opened(files)
    files.file(gone).unlink()
    os.utime(files.file(changed), (1, 1))
    progress = Progress()
    with store:
        assert check_layers(store, snapshot, progress) == {}
    found = {int(batch.rows[0]): batch.outcomes.tolist() for batch in progress.drain()}
    assert found == {
        snapshot.find(gone["digest"]): [Outcome.MISSING],
        snapshot.find(changed["digest"]): [Outcome.CHANGED],
    }


def test_what_is_known_of_an_unchanged_file_is_not_read_again(files):
    first = layer_of(files, CONTENT)
    known = checked(files)
    second = layer_of(files, file(b"other") + END)
    store, snapshot = opened(files)
    progress = Progress()
    with store:
        found = check_layers(store, snapshot, progress, known)
    assert found[first["digest"]] is known[first["digest"]]
    assert [batch.rows.tolist() for batch in progress.drain()] == [[snapshot.find(second["digest"])]]
    os.utime(files.file(first), (1, 1))
    assert checked(files, known)[first["digest"]] is not known[first["digest"]]


def test_unpacked_digests_are_compared_with_the_configs(files):
    layer = files.blob(gzip.compress(CONTENT), LAYER + "+gzip")
    good = {"rootfs": {"type": "layers", "diff_ids": [sha256(CONTENT)]}}
    files.name(files.image(layer, config=good), "good")
    bad = files.name(files.image(layer), "bad")  # its config names the packed digest
    store, snapshot = opened(files)
    with store:
        layers = check_layers(store, snapshot, Progress())
        findings = validate(store, snapshot, Progress(), layers=layers).findings
    told = [each for each in findings.items if each.rule == "V127"]
    assert [(each.place, each.where) for each in told] == [(bad["digest"], "layers[0]")]


def test_unpacked_digests_are_of_the_algorithm_that_the_config_uses(files):
    wide = f"sha512:{hashlib.sha512(CONTENT).hexdigest()}"
    layer_of(files, CONTENT, config={"rootfs": {"type": "layers", "diff_ids": [wide]}})
    assert only(files).diff_id == wide


def test_a_layer_that_cannot_be_unpacked_whole_has_no_unpacked_digest(files):
    layer_of(files, gzip.compress(CONTENT)[:-9], "+gzip")
    check = only(files)
    assert (check.outcome, check.diff_id) == (Outcome.VERIFIED, "")
    assert [each.rule for each in check.findings] == ["V150"]


def test_a_bomb_is_hashed_to_its_end_but_not_unpacked(files):
    layer_of(files, zstd.compress(file(b"zeros", bytes(100 << 20)) + END), "+zstd")
    check = only(files)
    assert (check.outcome, check.diff_id) == (Outcome.VERIFIED, "")
    assert [each.rule for each in check.findings] == ["X31"]
    store, snapshot = opened(files)
    with store:
        (check,) = check_layers(store, snapshot, Progress(), limits=Limits(ratio=1 << 30)).values()
    assert check.findings == ()


def test_checking_stops_soon_after_it_was_asked_to(files):
    layer_of(files, gzip.compress(file(b"much", bytes(400 << 20)) + END, 1), "+gzip")
    store, snapshot = opened(files)
    progress = Progress()
    timer = threading.Timer(0.05, progress.cancel)
    with store:
        timer.start()
        with pytest.raises(Cancelled):
            check_layers(store, snapshot, progress)
    timer.join()
    assert progress.drain() == []


def test_a_store_without_layers_has_nothing_to_check(files):
    assert checked(files) == {}


def test_several_layers_are_read_by_several_workers(files, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    layers = [files.blob(file(b"%d" % n, b"x" * 5000) + END) for n in range(20)]
    files.name(files.image(*layers), "image")
    found = checked(files)
    assert {digest: check.diff_id for digest, check in found.items()} == {
        layer["digest"]: layer["digest"] for layer in layers
    }
