"""The annotations of an index entry: what ``index.json`` says of an image beside its name."""

from collections.abc import Hashable

from PySide6.QtWidgets import QWidget

from engine.document import REF_NAME
from engine.rules.annotations import advice
from engine.rules.registry import RULES
from gui import text
from gui.panels import naming
from gui.panels.pair_editor import PairEditor
from gui.panels.pair_form import Advice
from gui.panels.selected import entry_of
from gui.session import Selection
from gui.theme import Role

_NAME_RULE = "This one is the name of the entry: use Rename… (F2), which says what becomes of a name that is taken."


class AnnotationEditor(PairEditor):
    """Shows and edits the annotations of one index entry; each change of one can be undone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Annotations", parent)

    def refresh(self) -> None:
        """The index may say something else."""
        if self._selection is not None:
            self._ask()

    def _ask(self) -> None:
        entry = entry_of(self._selection)
        if entry is not None:
            found = entry.descriptor.annotations.items()
            self._adopt({key: value.encode("utf-8", "surrogatepass") for key, value in found if key != REF_NAME})

    def _explain(self) -> None:
        entry, selection = entry_of(self._selection), self._selection
        if entry is None or selection is None:
            self.explanation.say("")
        elif not selection.session.writable:
            self.explanation.say("This store is read-only here, so its index cannot be changed.", Role.WARNING)
        else:
            has = "These stand" if self._values else "No annotations yet. They would stand"
            beside = f", beside the name {naming.entry_name(entry)}" if entry.names else ""
            self.explanation.say(
                f"{has} in index.json{beside}. What the entry leads to has annotations of its own, which stay as they "
                "are: with others its digest would be another."
            )

    def _place(self, selection: Selection) -> Hashable:
        entry = entry_of(selection)
        return selection.digest, entry.names if entry is not None else ()

    def _judge(self, key: str, value: str) -> Advice:
        if not key:
            return Advice("An annotation has a key, such as com.example.team.")
        if key == REF_NAME:
            return Advice(_NAME_RULE)
        entry = entry_of(self._selection)
        others = entry.descriptor.annotations if entry is not None else {}
        found = advice({**others, key: value}, key)
        return Advice("", " ".join(f"{text.plain(each.sentence)} {RULES[each.rule].text}" for each in found[:1]))

    def _set(self, selection: Selection, key: str) -> None:
        self._change(selection, key, self.form.value_text)

    def _delete(self, selection: Selection, key: str) -> None:
        self._change(selection, key, None)

    def _change(self, selection: Selection, key: str, value: str | None) -> None:
        entry = entry_of(selection)
        if entry is not None:
            selection.session.changes.annotate_entry(entry.position, key, value)
