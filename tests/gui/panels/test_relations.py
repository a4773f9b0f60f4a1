"""What the relations promise: who refers to it, what it refers to, what belongs to it and how that is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine.columns import as_names, empty_columns
from engine.document import OCI_MANIFEST, Descriptor, Manifest, Role
from engine.snapshot import Edges, Kind, Outcome, ReadDocument, Roots, Snapshot, State
from gui.panels import naming
from gui.panels.relations import Relations
from gui.panels.relations_model import SIZE, STATE, WHAT, RelationsModel
from gui.session import Selection, Session

Open = Callable[[Path], Session]


@pytest.fixture
def relations(qtbot: QtBot) -> Relations:
    relations = Relations()
    qtbot.addWidget(relations)
    relations.resize(600, 500)
    relations.show()
    return relations


def lines(model: RelationsModel) -> list[str]:
    return [model.index(row, WHAT).data() for row in range(model.rowCount())]


def show(relations: Relations, session: Session, digest: str, position: int | None = None) -> list[str]:
    relations.show_selection(Selection(session, digest, position))
    return lines(relations.model)


def short(descriptor: dict[str, Any]) -> str:
    return f"{descriptor['digest'][:11]}…{descriptor['digest'][-4:]}"


@pytest.fixture
def images(making, open_session: Open) -> tuple[Session, dict[str, dict[str, Any]]]:
    layer = making.blob(b"layer")
    image = making.image([layer])
    empty = making.blob(b"{}", "application/vnd.oci.empty.v1+json")
    sbom = making.blob(b"{ }", "application/spdx+json")
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    by_subject = making.image([sbom], empty, subject=subject, artifactType="application/spdx+json")
    by_tag = making.image([making.blob(b"{  }", "application/vnd.dev.cosign.simplesigning.v1+json")], empty)
    by_annotation = making.image([making.blob(b"{   }", "application/vnd.in-toto+json")])
    making.name(image, "app:1.0")
    making.name(image, "app:latest")
    making.name(by_subject, None)
    making.name(by_tag, f"sha256-{image['digest'][7:]}.sig")
    making.name(
        by_annotation,
        None,
        **{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]},
    )
    found = {"layer": layer, "image": image, "sbom": by_subject, "signature": by_tag, "attestation": by_annotation}
    return open_session(making.path), found


def test_an_image_has_its_names_its_parts_and_what_belongs_to_it(relations: Relations, images) -> None:
    session, made = images
    shown = show(relations, session, made["image"]["digest"])
    config = session.snapshot.children(session.snapshot.find(made["image"]["digest"]))[0].descriptor.digest
    assert shown == [
        "Referred to by  2",
        "app:1.0 · index entry 1",
        "app:latest · index entry 2",
        "Refers to  2",
        f"config  {config[:11]}…{config[-4:]}",
        f"layer 1 of 1  {short(made['layer'])}",
        "Referrers  3",
        f"SBOM {short(made['sbom'])} · by its subject field",
        f"signature {short(made['signature'])} · by its tag",
        f"attestation {short(made['attestation'])} · by an annotation",
    ]


def test_a_layer_says_in_which_images_it_is_and_that_nothing_belongs_to_it(relations: Relations, images) -> None:
    session, made = images
    assert show(relations, session, made["layer"]["digest"]) == [
        "Referred to by  1",
        "image app:1.0 and 1 more · as layer 1 of 1",
        "Refers to",
        "It refers to nothing.",
        "Referrers",
        "No signature, attestation or SBOM belongs to it.",
    ]


def test_each_row_has_size_and_state_in_words_and_a_sentence_for_a_screen_reader(relations: Relations, images) -> None:
    session, made = images
    shown = show(relations, session, made["image"]["digest"])
    row = next(n for n, line in enumerate(shown) if line.startswith("layer"))
    model = relations.model
    assert model.index(row, SIZE).data() == "5 bytes"
    assert model.index(row, STATE).data() == "Not checked"
    spoken = model.index(row, WHAT).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == f"layer 1 of 1  {short(made['layer'])}, 5 bytes, Not checked"


def test_the_model_keeps_qt_s_rules(relations: Relations, images) -> None:
    session, made = images
    QAbstractItemModelTester(relations.model, QAbstractItemModelTester.FailureReportingMode.Fatal, relations.model)
    for name in made:
        show(relations, session, made[name]["digest"])
    relations.refresh_states()
    relations.clear()
    assert relations.model.rowCount() == 0


def test_a_row_is_followed_by_key_and_by_double_click(relations: Relations, images, qtbot: QtBot) -> None:
    session, made = images
    shown = show(relations, session, made["image"]["digest"], 1)
    row = next(n for n, line in enumerate(shown) if line.startswith("layer"))
    expected = [Selection(session, made["layer"]["digest"], 1)]
    index = relations.model.index(row, WHAT)
    relations.view.setCurrentIndex(index)
    with qtbot.waitSignal(relations.followed) as caught:
        qtbot.keyClick(relations.view, Qt.Key.Key_Return)
    assert caught.args == expected
    middle = relations.view.visualRect(index).center()
    qtbot.mouseClick(relations.view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    with qtbot.waitSignal(relations.followed) as caught:
        qtbot.mouseDClick(relations.view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert caught.args == expected


def test_an_index_entry_leads_to_the_image_under_that_name(relations: Relations, images) -> None:
    session, made = images
    show(relations, session, made["image"]["digest"], 0)
    assert relations.model.target(2) == Selection(session, made["image"]["digest"], 1)


def test_a_title_leads_nowhere_and_cannot_be_selected(relations: Relations, images) -> None:
    session, made = images
    show(relations, session, made["layer"]["digest"])
    for row in (0, 2, 3, 4, 5):
        assert relations.model.target(row) is None
        assert not relations.model.flags(relations.model.index(row, WHAT)) & Qt.ItemFlag.ItemIsSelectable


def test_the_keyboard_begins_at_the_first_relation_and_copies_digests(
    relations: Relations, images, qtbot: QtBot
) -> None:
    session, made = images
    show(relations, session, made["layer"]["digest"])
    relations.view.setFocus()
    qtbot.waitUntil(relations.view.hasFocus)
    assert relations.view.currentIndex().row() == 1
    qtbot.keyClick(relations.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == made["image"]["digest"]


def test_tab_leaves_the_table(relations: Relations, images, qtbot: QtBot) -> None:
    session, made = images
    show(relations, session, made["layer"]["digest"])
    assert not relations.view.tabKeyNavigation()


def test_the_current_row_stays_when_the_store_is_read_again(relations: Relations, images) -> None:
    session, made = images
    show(relations, session, made["image"]["digest"])
    relations.view.setCurrentIndex(relations.model.index(5, WHAT))
    relations.refresh()
    assert relations.view.currentIndex().row() == 5


def test_foreign_names_are_shown_as_text(relations: Relations, making, open_session: Open) -> None:
    image = making.image([making.blob(b"layer")])
    making.name(image, "<b>app</b>\u202e")
    session = open_session(making.path)
    assert "<b>app</b>⟨U+202E⟩ · index entry 1" in show(relations, session, image["digest"])
    tip = relations.model.index(1, WHAT).data(Qt.ItemDataRole.ToolTipRole)
    assert "&lt;b&gt;" in tip


class WideSession:
    """A store in which every image has the same layer."""

    def __init__(self, count: int) -> None:
        layer = "sha256:" + "f" * 64
        descriptor = Descriptor("application/vnd.oci.image.layer.v1.tar", layer, 10)
        manifest = Manifest(OCI_MANIFEST, "", None, (descriptor,), None, {})
        names = [f"sha256:{n:064x}" for n in range(count)]
        columns = empty_columns(as_names([*names, layer]))
        columns.kinds[:] = Kind.IMAGE
        columns.kinds[count] = Kind.LAYER
        read = ReadDocument((0, 0, 0), manifest, OCI_MANIFEST, Outcome.VERIFIED)
        rows = np.arange(count)
        self.layer = layer
        self.snapshot = Snapshot(
            store_kind="layout",
            stage="complete",
            columns=columns,
            media_types=["", OCI_MANIFEST],
            roots=Roots([]),
            entries=[],
            edges=Edges(
                rows, np.full(count, count), np.full(count, int(Role.LAYER), np.uint8), np.zeros(count, np.uint32)
            ),
            documents=dict.fromkeys(names, read),
        )

        self.states = np.full(count + 1, int(State.VERIFIED), np.uint8)

    def state(self, _row: int) -> State:
        return State.VERIFIED

    worst_state = state


def test_a_hundred_thousand_images_are_listed_and_only_those_in_sight_are_looked_at(
    relations: Relations, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = WideSession(100_000)
    looked_at: list[int] = []
    real = naming.row_name
    monkeypatch.setattr(naming, "row_name", lambda snapshot, row: looked_at.append(row) or real(snapshot, row))
    relations.show_selection(Selection(session, session.layer))
    qtbot.wait(1)
    relations.grab()
    assert relations.model.rowCount() == 100_000 + 5
    assert relations.model.index(0, WHAT).data() == "Referred to by  100,000"
    relations.view.scrollToBottom()
    relations.grab()
    assert len(looked_at) < 200
