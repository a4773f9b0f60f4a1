"""What the overview promises: to say in plain language what something is, what is wrong with it, and what to do."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from engine import DockerImageStore
from engine.snapshot import State
from gui.panels.describe import Check, Reveal, ShowAll
from gui.panels.image_facts import HIDDEN
from gui.panels.overview import Overview
from gui.panels.page import Copy, Span
from gui.session import Selection, Session

DIGEST_OF_NOTHING = "sha256:" + "0" * 64

Open = Callable[[Path], Session]


@pytest.fixture
def overview(qtbot: QtBot) -> Overview:
    overview = Overview()
    qtbot.addWidget(overview)
    overview.resize(420, 600)
    overview.show()
    return overview


def show(overview: Overview, session: Session, digest: str, position: int | None = None) -> str:
    overview.show_selection(Selection(session, digest, position))
    return words(overview)


def words(overview: Overview) -> str:
    return " ".join(overview.toPlainText().replace("\ufffc", " ").split())


def link_to(overview: Overview, kind: type, words: str = "") -> Span:
    return next(span for span in overview.links if isinstance(span.target, kind) and words in span.text)


def click(overview: Overview, span: Span) -> None:
    overview.anchorClicked.emit(QUrl(f"to:{overview.links.index(span)}"))


RUN = {
    "Entrypoint": ["/bin/serve", "--title", "two words"],
    "Cmd": ["--port", "80"],
    "Env": ["PATH=/bin", "API_TOKEN=letmein", "EMPTY="],
    "WorkingDir": "/srv",
    "User": "app",
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"team": "web", "vendor": "<b>Us &amp; Co</b>\u202e"},
    "StopSignal": "SIGINT",
}


@pytest.fixture
def image(making, open_session: Open) -> tuple[Session, str]:
    layers = [making.blob(b"first layer"), making.blob(b"the second layer")]
    history = [
        {"created_by": "/bin/sh -c #(nop) ADD file:01 in /"},
        {"created_by": "ENV TOKEN=letmein A=1", "empty_layer": True},
        {"created_by": "RUN /bin/sh -c make # buildkit"},
    ]
    config = making.config(layers, RUN, created="2020-02-03T04:05:06Z", author="Somebody", history=history)
    descriptor = making.image(layers, config, annotations={"org.example.note": "kept"})
    making.name(descriptor, "app:1.0")
    return open_session(making.path), descriptor["digest"]


def test_an_image_says_what_it_is_and_what_it_runs(overview: Overview, image: tuple[Session, str]) -> None:
    shown = show(overview, *image)
    for fact in (
        "Name app:1.0",
        "Platform linux/amd64",
        "Author Somebody",
        "3 Feb 2020",
        "Command /bin/serve --title 'two words' --port 80",
        "Starts in /srv",
        "User app",
        "Stop signal SIGINT",
        "Ports 80/tcp",
        "Volumes /data",
        "PATH=/bin",
        "org.example.note kept",
        "2 layers: 27 bytes",
        image[1],
    ):
        assert fact in shown, fact


def test_what_comes_from_the_store_is_never_taken_for_markup(overview: Overview, image: tuple[Session, str]) -> None:
    assert "<b>Us &amp; Co</b>⟨U+202E⟩" in show(overview, *image)


def test_secrets_stay_hidden_until_somebody_asks(overview: Overview, image: tuple[Session, str]) -> None:
    shown = show(overview, *image)
    assert "letmein" not in shown
    assert f"API_TOKEN={HIDDEN}" in shown
    click(overview, link_to(overview, Reveal))
    assert words(overview).count("letmein") == 2, "in the environment and in the step"
    assert "letmein" not in show(overview, *image), "another look hides them again"


def test_a_hidden_value_can_be_copied_without_showing_it(overview: Overview, image: tuple[Session, str]) -> None:
    show(overview, *image)
    span = next(span for span in overview.links if span.target == Copy("letmein", "the value of API_TOKEN"))
    click(overview, span)
    assert QGuiApplication.clipboard().text() == "letmein"
    assert "letmein" not in words(overview)


def test_steps_read_as_a_dockerfile_beside_the_layers_they_made(overview: Overview, image: tuple[Session, str]) -> None:
    shown = show(overview, *image)
    assert f"1 ADD file:01 in / 11 bytes – ENV TOKEN={HIDDEN} A=1 2 RUN make 16 bytes" in shown


def test_layers_that_the_history_does_not_know_are_a_warning_not_an_error(
    overview: Overview, making, open_session: Open
) -> None:
    layers = [making.blob(b"one"), making.blob(b"two")]
    descriptor = making.image(layers, making.config(layers[:1], history=[{"created_by": "RUN make"}]))
    making.name(descriptor, "odd")
    shown = show(overview, open_session(making.path), descriptor["digest"])
    assert "The image has 2 layers, but the history tells of 1 and the config has diff IDs for 1." in shown
    assert "2 No step is recorded for it. 3 bytes" in shown


@pytest.mark.parametrize("history", [None, "nonsense", [1, None, {}], [{"created_by": 7}]])
def test_malformed_history_leaves_the_rest_readable(
    overview: Overview, making, open_session: Open, history: object
) -> None:
    layers = [making.blob(b"one")]
    descriptor = making.image(layers, making.config(layers, RUN, history=history))
    making.name(descriptor, "odd")
    assert "Command /bin/serve" in show(overview, open_session(making.path), descriptor["digest"])


def test_an_index_lists_its_platforms_as_links_with_sizes(
    overview: Overview, making, open_session: Open, qtbot: QtBot
) -> None:
    arm = making.image([making.blob(b"arm")])
    amd = making.image([making.blob(b"amd")])
    platforms = [
        {**arm, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {**amd, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    descriptor = making.index(platforms)
    making.name(descriptor, "multi")
    session = open_session(making.path)
    shown = show(overview, session, descriptor["digest"], 0)
    assert "Platforms 2" in shown
    assert "linux/arm64/v8 Not checked" in shown, "its layer was not hashed yet"
    with qtbot.waitSignal(overview.followed) as caught:
        click(overview, link_to(overview, Selection, "linux/arm64/v8"))
    assert caught.args == [Selection(session, arm["digest"], 0)]


def test_a_layer_says_who_uses_it_and_that_it_is_there_once(overview: Overview, making, open_session: Open) -> None:
    shared = making.blob(b"shared")
    for name in ("first", "second"):
        making.name(making.image([shared], making.config([shared], {"User": name})), name)
    shown = show(overview, open_session(making.path), shared["digest"])
    assert "Compression gzip" in shown
    assert "Used by 2 images on disk once" in shown
    assert {span.text for span in overview.links if isinstance(span.target, Selection)} == {"first", "second"}


def test_missing_content_says_what_was_expected(overview: Overview, making, open_session: Open) -> None:
    layer = making.blob(b"soon gone")
    descriptor = making.image([layer])
    making.name(descriptor, "broken")
    making.file(layer).unlink()
    session = open_session(making.path)
    shown = show(overview, session, layer["digest"])
    assert "Something refers to it, but there is no file." in shown
    assert "Expected size 9 bytes" in shown
    assert "What to do Import a file with this content" in shown
    assert "1 part of it is not sound: Layer 1 of 1 Missing" in show(overview, session, descriptor["digest"])


def test_another_size_says_both(overview: Overview, making, open_session: Open) -> None:
    layer = making.blob(b"whole layer")
    making.name(making.image([layer]), "short")
    making.file(layer).write_bytes(b"half")
    shown = show(overview, open_session(making.path), layer["digest"])
    assert "Expected size 11 bytes Found size 4 bytes" in shown


def test_corrupt_content_shows_both_digests(overview: Overview, making, open_session: Open, qtbot: QtBot) -> None:
    layer = making.blob(b"good")
    making.name(making.image([layer]), "bad")
    making.file(layer).write_bytes(b"evil")
    session = open_session(making.path)
    row = session.snapshot.find(layer["digest"])
    overview.show_selection(Selection(session, layer["digest"]))
    session.statesChanged.connect(lambda _rows: overview.refresh())
    click(overview, link_to(overview, Check))
    qtbot.waitUntil(lambda: session.state(row) == State.CORRUPT)
    shown = words(overview)
    assert "The content hashes to another digest" in shown
    assert f"Expected {layer['digest']}" in shown
    assert f"Found sha256:{hashlib.sha256(b'evil').hexdigest()}" in shown


def test_an_image_whose_parts_were_not_checked_offers_to_check_them(
    overview: Overview, image: tuple[Session, str], qtbot: QtBot
) -> None:
    session, digest = image
    assert "Just now, but not all its parts." in show(overview, session, digest)
    click(overview, link_to(overview, Check, "Check them now"))
    qtbot.waitUntil(lambda: State.NOT_CHECKED not in session.counts and State.CHECKING not in session.counts)
    overview.refresh()
    assert "not all its parts" not in words(overview)


def test_unused_and_stray_files_say_that_they_only_take_space(overview: Overview, making, open_session: Open) -> None:
    unused = making.blob(b"nobody wants me", "application/octet-stream")
    stray = making.path / "blobs" / "sha256" / "notes.txt"
    stray.write_text("hello")
    session = open_session(making.path)
    assert "Delete it to free 15 bytes" in show(overview, session, unused["digest"])
    assert "File sha256/notes.txt" in show(overview, session, "sha256/notes.txt")
    assert "its name is not that of a blob" in words(overview)


def test_a_lost_image_says_how_to_have_it_back(overview: Overview, making, open_session: Open) -> None:
    descriptor = making.image([making.blob(b"layer")], making.config([{}], RUN))
    shown = show(overview, open_session(making.path), descriptor["digest"])
    assert "Nothing leads to it, but all its parts are here" in shown
    assert "under a name" in shown
    assert "Command /bin/serve" in shown, "what it is can be seen before it is added again"


def test_a_damaged_document_says_what_is_wrong_with_it(overview: Overview, making, open_session: Open) -> None:
    descriptor = making.blob(b'{"schemaVersion": 2, "layers": ', "application/vnd.oci.image.manifest.v1+json")
    making.name(descriptor, "damaged")
    shown = show(overview, open_session(making.path), descriptor["digest"])
    assert "It is a document, but not one that can be understood." in shown
    assert "wrong at byte 31" in shown


def test_problems_of_a_document_are_listed_with_their_place(overview: Overview, making, open_session: Open) -> None:
    layer = making.blob(b"layer")
    descriptor = making.image([{**layer, "size": "5"}])
    making.name(descriptor, "odd")
    shown = show(overview, open_session(making.path), descriptor["digest"])
    assert "Problems 1 Error The size is" in shown
    assert "layers[0].size" in shown


def test_an_entry_without_a_digest_says_so(overview: Overview, making, open_session: Open) -> None:
    making.name({"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2}, "nameless")
    shown = show(overview, open_session(making.path), "", 0)
    assert "Entry 1 of the index does not say which content it names." in shown
    assert "Error The digest is missing or null." in shown


def test_a_signature_says_what_it_belongs_to_and_the_image_says_it_is_signed(
    overview: Overview, making, open_session: Open, qtbot: QtBot
) -> None:
    image = making.image([making.blob(b"layer")])
    empty = making.blob(b"{}", "application/vnd.oci.empty.v1+json")
    payload = making.blob(b"{...}", "application/vnd.dev.cosign.simplesigning.v1+json")
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    signature = making.image(
        [payload], empty, subject=subject, artifactType="application/vnd.dev.cosign.artifact.sig.v1+json"
    )
    making.name(image, "app")
    making.name(signature, None)
    session = open_session(making.path)
    assert "Proof of who vouches for an image." in show(overview, session, signature["digest"])
    assert "Belongs to app" in words(overview)
    assert "Attached 1 signature" in show(overview, session, image["digest"])


def test_an_index_of_referrers_says_which_image_it_belongs_to(overview: Overview, making, open_session: Open) -> None:
    image = making.image([making.blob(b"layer")])
    making.name(image, "app")
    index = making.index([])
    making.name(index, image["digest"].replace(":", "-"))
    assert "Belongs to app" in show(overview, open_session(making.path), index["digest"])


def test_a_file_that_is_too_short_is_called_that_and_what_hashing_said_is_told_beside_it(
    overview: Overview, sample: Path, open_session: Open, qtbot: QtBot
) -> None:
    session = open_session(sample)
    snapshot = session.snapshot
    (entry,) = (each for each in snapshot.entries if each.names == ("example.org/broken:truncated",))
    layer = next(link.target for link in snapshot.children(entry.row) if session.state(link.target).bad)
    session.verify(np.array([layer]))
    qtbot.waitUntil(lambda: not session.verifying)
    shown = show(overview, session, snapshot.name(layer))
    assert "The file has another size than the one that refers to it says." in shown
    assert "The content hashes to another digest" in shown
    assert f"Found {session.verdicts.found[snapshot.name(layer)]}" in shown
    assert "Expected size" in shown


def test_long_lists_are_cut_and_can_be_shown_whole(overview: Overview, making, open_session: Open) -> None:
    layers = [making.blob(b"layer")]
    names = [f"V{n}=value" for n in range(40)]
    descriptor = making.image(layers, making.config(layers, {"Env": names}))
    making.name(descriptor, "wordy")
    session = open_session(making.path)
    assert "V39=" not in show(overview, session, descriptor["digest"])
    click(overview, link_to(overview, ShowAll, "Show all 40"))
    assert "V39=" in words(overview)
    assert not any(isinstance(span.target, ShowAll) for span in overview.links)


def test_every_digest_has_a_link_that_copies_it(overview: Overview, image: tuple[Session, str]) -> None:
    show(overview, *image)
    assert Copy(image[1], "the digest") in [span.target for span in overview.links]


def test_what_is_gone_is_said_to_be_gone(overview: Overview, image: tuple[Session, str]) -> None:
    assert show(overview, image[0], DIGEST_OF_NOTHING) == "It is not in this store any more."


def test_several_things_are_summed_up(overview: Overview, image: tuple[Session, str]) -> None:
    session = image[0]
    layers = [row for row in range(len(session.snapshot)) if session.snapshot.media_type(row).endswith("gzip")]
    overview.show_several(session, np.array(layers))
    assert words(overview) == "On disk 27 bytes Layer 2 · 27 bytes"


@pytest.fixture
def docker(tmp_path: Path, open_session: Open) -> tuple[Session, str, str]:
    path = tmp_path / "imagedb"

    def config(user: str) -> bytes:
        value = {"os": "linux", "architecture": "amd64", "config": {"User": user}, "created": "2020-02-03T04:05:06Z"}
        return json.dumps({**value, "rootfs": {"type": "layers", "diff_ids": [DIGEST_OF_NOTHING]}}).encode()

    with DockerImageStore.create(path) as store:
        parent, child = store.set(config("parent")), store.set(config("child"))
        store.metadata.set(child, "parent", parent.encode())
        store.metadata.set(child, "lastUpdated", b"2021-02-03T04:05:06Z")
    return open_session(path), str(child), str(parent)


def test_an_image_of_docker_says_what_it_was_built_on_and_when_it_changed(
    overview: Overview, docker: tuple[Session, str, str], qtbot: QtBot
) -> None:
    session, child, parent = docker
    assert "User child" in show(overview, session, child)
    qtbot.waitUntil(lambda: "Last updated 3 Feb 2021" in words(overview))
    assert "Layers, unpacked" in words(overview)
    assert DIGEST_OF_NOTHING in words(overview)
    with qtbot.waitSignal(overview.followed) as caught:
        click(overview, link_to(overview, Selection))
    assert caught.args[0].digest == parent


def test_what_docker_says_of_another_image_is_dropped(
    overview: Overview, docker: tuple[Session, str, str], qtbot: QtBot
) -> None:
    session, child, parent = docker
    show(overview, session, child)
    show(overview, session, parent)
    qtbot.waitUntil(lambda: not session.jobs)
    qtbot.wait(50)
    assert "Last updated" not in words(overview)
