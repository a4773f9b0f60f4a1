"""What is asked before files are copied in: what each is, and under which name a manifest goes into the index."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine import Progress, open_store
from engine.document import OCI_MANIFEST
from engine.importing import ImportRequest, Source
from engine.snapshot import Snapshot
from gui.dialogs.import_dialog import ImportDialog

BLOB = Source(Path("/x/layer.tar.gz"), 41_000_000, "application/gzip")
MANIFEST = Source(Path("/x/app.json"), 700, OCI_MANIFEST, needs=("sha256:" + "0" * 64,))
REFUSED = Source(Path("/x/gone"), refusal="gone is no longer there.")


@pytest.fixture
def snapshot(layout: Path) -> Snapshot:
    with open_store(layout) as store:
        return store.scan(Progress())


def words(dialog: ImportDialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisibleTo(dialog))


def button(dialog: ImportDialog, text: str) -> QPushButton:
    return next(each for each in dialog.findChildren(QPushButton) if text in each.text())


def test_each_file_is_told_with_what_it_is_and_its_size(parent: QWidget, snapshot: Snapshot) -> None:
    dialog = ImportDialog("app", [BLOB, REFUSED], snapshot, parent)
    told = words(dialog)
    assert "layer.tar.gz" in told
    assert "41.0 MB" in told
    assert "gone is no longer there." in told
    assert button(dialog, "Import 1 file (41.0 MB)").isEnabled()


def test_a_manifest_gets_the_name_that_is_typed(qtbot: QtBot, parent: QWidget, snapshot: Snapshot) -> None:
    dialog = ImportDialog("app", [MANIFEST], snapshot, parent)
    (name,) = dialog.findChildren(QLineEdit)
    assert name.text() == "app"
    name.setText(" example.org/app:1.0 ")
    with qtbot.waitSignal(dialog.confirmed) as confirmed:
        qtbot.mouseClick(button(dialog, "Import 1 file"), Qt.MouseButton.LeftButton)
    assert confirmed.args == [[ImportRequest(MANIFEST.path, "example.org/app:1.0")]]


def test_what_becomes_of_a_name_that_is_taken_is_said_before(parent: QWidget, sample: Path) -> None:
    with open_store(sample) as store:
        dialog = ImportDialog("sample", [MANIFEST], store.scan(Progress()), parent)
    (name,), (ticked,) = dialog.findChildren(QLineEdit), dialog.findChildren(QCheckBox)
    told = "example.org/tool:2.0 stands for sha256:"
    assert told not in words(dialog)
    name.setText("example.org/tool:2.0")
    assert told in words(dialog)
    ticked.setChecked(False)
    assert told not in words(dialog)


def test_a_manifest_can_stay_without_a_name(parent: QWidget, snapshot: Snapshot) -> None:
    dialog = ImportDialog("app", [MANIFEST], snapshot, parent)
    (ticked,) = dialog.findChildren(QCheckBox)
    ticked.setChecked(False)
    assert dialog.requests() == [ImportRequest(MANIFEST.path, None)]


def test_a_ticked_manifest_needs_a_name(parent: QWidget, snapshot: Snapshot) -> None:
    dialog = ImportDialog("app", [MANIFEST], snapshot, parent)
    (name,) = dialog.findChildren(QLineEdit)
    name.clear()
    assert not button(dialog, "Import").isEnabled()
    assert "Give every ticked file a name, or untick it." in words(dialog)


def test_what_a_manifest_needs_and_the_store_lacks_is_told(parent: QWidget, snapshot: Snapshot) -> None:
    assert "It needs sha256:0000…0000, which this store does not have." in words(
        ImportDialog("app", [MANIFEST], snapshot, parent)
    )


def test_a_name_that_is_a_digest_is_told_to_be_a_promise(parent: QWidget, snapshot: Snapshot) -> None:
    source = Source(Path("/x/" + "0" * 64), 5, expected="sha256:" + "0" * 64)
    assert "Its name promises sha256:0000…0000" in words(ImportDialog("app", [source], snapshot, parent))


def test_where_there_is_no_index_nothing_is_named(parent: QWidget, snapshot: Snapshot) -> None:
    dialog = ImportDialog("docker", [MANIFEST], snapshot, parent, names=False)
    assert dialog.requests() == [ImportRequest(MANIFEST.path, None)]


def test_when_nothing_can_be_imported_there_is_nothing_to_press(parent: QWidget, snapshot: Snapshot) -> None:
    dialog = ImportDialog("app", [REFUSED], snapshot, parent)
    assert "Nothing of this can be imported" in words(dialog)
    assert button(dialog, "Import").isHidden()
    assert button(dialog, "Close")


@pytest.mark.parametrize("name", ["index.json", "manifest.json", "0" * 64])
def test_a_file_name_that_says_nothing_is_not_suggested(parent: QWidget, snapshot: Snapshot, name: str) -> None:
    dialog = ImportDialog("app", [Source(Path("/x") / name, 5, OCI_MANIFEST)], snapshot, parent)
    (line,) = dialog.findChildren(QLineEdit)
    assert line.text() == ""
