"""The metadata of a blob: facts that are kept beside it under keys, to see, add, change and remove."""

import functools
from collections.abc import Hashable

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.digest import shorten
from engine.errors import InvalidKey
from engine.metadata import check_key
from gui import text
from gui.note import Note
from gui.panels.pair_editor import PairEditor
from gui.panels.pair_form import Advice
from gui.session import Selection
from gui.theme import Role

MOST_KEYS = 500
"""Keys of one blob that are shown."""

_KEY_RULE = "A key has 1 to 128 letters, digits, dots, hyphens and underscores, and begins with a letter or a digit."


class MetadataEditor(PairEditor):
    """Shows and edits the metadata of one blob."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Metadata", parent)
        self._asked = 0
        self._removed: tuple[str, str, bytes] | None = None
        self.undo_line = Note(self)
        self.undo_button = self._button("Undo", "undo", self._undo)
        self._between.addWidget(self.undo_line, 1)
        self._between.addWidget(self.undo_button)
        QWidget.setTabOrder(self.table, self.undo_button)

    def show_selection(self, selection: Selection) -> None:
        """Ask for the metadata of a blob; what comes for another one is dropped."""
        self._removed = None
        super().show_selection(selection)

    def refresh(self, digest: str = "") -> None:
        """The metadata of ``digest`` may be different; of an unknown one when it is empty."""
        if self._selection is not None and digest in ("", self._selection.digest):
            self._ask()

    def _ask(self) -> None:
        selection = self._selection
        if selection is None:
            return
        self._asked += 1
        asked = self._asked
        found: dict[str, bytes | None] = {}

        def wanted() -> bool:
            return selection is self._selection and asked == self._asked

        def keys_came(keys: list[str]) -> None:
            if not wanted():
                return
            found.update(dict.fromkeys(keys[:MOST_KEYS]))
            if not found:
                self._adopt({})
            for key in list(found):
                came, failed = functools.partial(value_came, key), functools.partial(gone, key)
                selection.session.metadata_get(selection.digest, key, came, failed)

        def value_came(key: str, value: bytes) -> None:
            found[key] = value
            settle()

        def gone(key: str, _error: BaseException) -> None:
            found.pop(key, None)
            settle()

        def settle() -> None:
            values = {key: value for key, value in found.items() if value is not None}
            if wanted() and len(values) == len(found):
                self._adopt(values)

        def no_keys(error: BaseException) -> None:
            if wanted():
                self.explanation.say(text.error_sentence(error), Role.BAD)

        selection.session.metadata_keys(selection.digest, keys_came, no_keys)

    def _fill(self) -> None:
        super()._fill()
        removed = self._removed
        self.undo_line.say(f"{text.plain(removed[1])} was removed." if removed else "")
        self.undo_button.setVisible(removed is not None)

    def _explain(self) -> None:
        selection = self._selection
        if selection is None:
            self.explanation.say("")
        elif not selection.session.writable:
            self.explanation.say("This store is read-only here, so its metadata cannot be changed.", Role.WARNING)
        elif self._values or not selection.session.is_layout:
            self.explanation.say("Facts that are kept beside the blob, not in it: its digest stays the same.")
        else:
            place = f"metadata/{shorten(selection.digest).replace(':', '/')}"
            self.explanation.say(
                f"No metadata yet. The first key makes the folder {place} beside blobs; other tools ignore it."
            )

    def _place(self, selection: Selection) -> Hashable:
        return selection.digest

    def _judge(self, key: str, _value: str) -> Advice:
        try:
            check_key(key)
        except InvalidKey:
            return Advice(_KEY_RULE)
        return Advice()

    def _set(self, selection: Selection, key: str) -> None:
        self._removed = None
        selection.session.changes.set_metadata(selection.digest, key, self.form.value)

    def _delete(self, selection: Selection, key: str) -> None:
        self._removed = selection.digest, key, self._values[key]
        selection.session.changes.delete_metadata(selection.digest, key)

    @Slot()
    def _undo(self) -> None:
        if self._removed is not None and self._selection is not None:
            digest, key, value = self._removed
            self._removed = None
            self._selection.session.changes.set_metadata(digest, key, value)
