"""The dialog of the clean-up: where it begins, and what it says of bins that hold nothing."""

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine import Progress, open_store
from engine.cleanup import plan_cleanup
from gui.dialogs.cleanup_dialog import CleanupDialog
from gui.models.cleanup import Bin, propose
from gui.models.look import RIGHT
from tests.layouts import LayoutFiles


@pytest.fixture
def dialog(parent: QWidget, tmp_path: Path) -> CleanupDialog:
    """Over a layout with an unused blob that has just come."""
    files = LayoutFiles(tmp_path / "layout")
    files.name(files.image(b"named"), "app")
    files.blob(b"unused")
    with open_store(files.path) as store:
        cleanup = plan_cleanup(store.scan(Progress()), time.time())
    return CleanupDialog("layout", propose(cleanup, ()), parent)


def test_it_begins_where_there_is_something_to_decide(dialog: CleanupDialog) -> None:
    place = dialog.bins.currentIndex().row()
    assert dialog.choice.contents[place].bin is Bin.RECENT
    assert dialog.view.model().rowCount() == 1


def test_a_bin_is_empty_only_apart_from_what_is_recent(dialog: CleanupDialog) -> None:
    """The window counts that blob as unused, so the bin must not just say that there are none."""
    assert dialog.bin_list.index(Bin.UNUSED, 1).data() == "None, apart from recent files"


def test_titles_of_numbers_stand_above_the_numbers(dialog: CleanupDialog) -> None:
    for view, column in ((dialog.bins, 2), (dialog.bins, 3), (dialog.view, 2)):
        header = view.model().headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
        assert (
            header
            == RIGHT
            == view.model().index(view.currentIndex().row(), column).data(Qt.ItemDataRole.TextAlignmentRole)
        )
