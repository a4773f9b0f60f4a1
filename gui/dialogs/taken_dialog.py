"""What came out of an image otherwise than it is in there."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from gui import taken, text
from gui.dialogs.lists import ListDialog
from gui.theme import Role

if TYPE_CHECKING:  # needed by the workers only
    from engine.extracting import Extraction

_TOLD = 2000
"""Rows that a person reads, and that are made at once."""


class TakenDialog(ListDialog):
    """Each path that got another name or was left out, with the reason."""

    def __init__(self, done: "Extraction", parent: QWidget) -> None:
        rows = taken.rows(done)
        count = len(done.renamed) + done.left_out_count
        sentence = f"{text.count(count, 'thing')} came out otherwise than in the store."
        if count > _TOLD:
            sentence = f"{sentence} The first {text.number(min(len(rows), _TOLD))} are listed."
        super().__init__("What is different", sentence, ("Path", "What became of it"), parent)
        for path, fate, is_left_out in rows[:_TOLD]:
            self.add(
                path,
                fate,
                icon="warning" if is_left_out else "rename",
                role=Role.WARNING if is_left_out else Role.MUTED,
            )
        self.finish()
