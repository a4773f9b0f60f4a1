"""The list of what came out otherwise than it is in the store."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from engine.extracting import Extraction
from gui.dialogs import taken_dialog
from gui.dialogs.taken_dialog import TakenDialog


def told(dialog: TakenDialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel)]


def test_each_path_is_listed_with_what_became_of_it(parent: QWidget) -> None:
    made = Extraction(placed=[Path("/x")], renamed=[("etc/a", "a (2)")])
    made.left_out, made.left_out_count = [("b\n", "It is a device.")], 1
    dialog = TakenDialog(made, parent)
    items = [dialog.table.topLevelItem(row) for row in range(dialog.table.topLevelItemCount())]
    cells = [(item.text(0), item.text(1)) for item in items if item is not None]
    assert cells == [("b␊", "Left out: It is a device."), ("etc/a", "Is called a (2)")]
    assert "2 things came out otherwise than in the store." in told(dialog)


def test_where_there_are_very_many_it_says_how_many_are_listed(
    parent: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken_dialog, "_TOLD", 2)
    made = Extraction(left_out=[(name, "It is a device.") for name in "abc"], left_out_count=5000)
    dialog = TakenDialog(made, parent)
    assert dialog.table.topLevelItemCount() == 2
    assert "5,000 things came out otherwise than in the store. The first 2 are listed." in told(dialog)
