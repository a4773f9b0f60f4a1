"""What is known of one problem, or of all that break one rule, and the buttons that do something about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.findings import Finding, Remedy, Severity
from engine.report import Group
from gui import icons, text, theme
from gui.note import Note
from gui.panels.page import Block, Field, Fields, Heading, Line, Page, Paragraph, Span, copy, link, quote, say
from gui.theme import Role, Space


@dataclass(frozen=True)
class Offer:
    """A remedy for these findings."""

    remedy: Remedy
    findings: Sequence[Finding]

    @property
    def words(self) -> str:
        """What the button says."""
        if self.remedy is Remedy.REPLACE:
            return "Choose a good copy…"
        count = len(self.findings)
        return self.remedy.value if count == 1 else f"{self.remedy.value} in all {text.number(count)} places"


@dataclass(frozen=True)
class ToPlace:
    """A link to where a finding is; with a path, to that in its document."""

    finding: Finding
    with_path: bool


class ProblemDetails(QWidget):
    """Shows one finding, or one rule."""

    followed = Signal(object)
    """A ``ToPlace`` that somebody went to."""
    remedy_asked = Signal(object)
    """An ``Offer`` that somebody took."""
    copied = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page = Page(self)
        self.page.setAccessibleName("About the problem")
        self.page.activated.connect(self._follow)
        self.page.copied.connect(self.copied)
        self._note = Note(self)
        self._bar = QWidget(self)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(Space.SMALL)
        bar = QVBoxLayout(self._bar)
        bar.setContentsMargins(Space.LARGE, Space.SMALL, Space.LARGE, Space.MEDIUM)
        bar.setSpacing(Space.SMALL)
        bar.addWidget(self._note)
        bar.addLayout(self._buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.page, 1)
        layout.addWidget(self._bar)
        self._offers: list[Offer] = []
        self._is_writable = False
        self.show_nothing()

    @property
    def offers(self) -> Sequence[Offer]:
        """What can be done, in the order of the buttons."""
        return tuple(self._offers)

    def show_nothing(self) -> None:
        """Nothing is selected."""
        self.page.show_blocks([Paragraph([[say("Select a problem to see what it means.", Role.MUTED)]])])
        self._offer([], writable=False)

    def show_finding(
        self, finding: Finding, group: Group, place: str, *, leads: bool, has_path: bool, writable: bool
    ) -> None:
        """Tell one finding; ``place`` is what people call where it is.

        ``leads`` says that the place can be gone to, ``has_path`` that the path in it can.
        """
        rows: list[Field] = []
        if finding.place:
            words = _to(finding, place, with_path=False) if leads else quote(place)
            rows.append(
                Field("In", [[words]], copy(finding.place, "the digest" if ":" in finding.place else "the path"))
            )
        if finding.where:
            words = _to(finding, text.plain(finding.where), with_path=True) if has_path else quote(finding.where)
            rows.append(Field("At", [[words._replace(fixed=True)]], copy(finding.where, "the path")))
        for label, fact in (("Expected", finding.expected), ("Found", finding.found)):
            if fact:
                rows.append(Field(label, [[quote(fact, fixed=True)]]))
        lead = Paragraph([_mark(finding.severity, finding.sentence)])
        self.page.show_blocks([lead, *([Fields(rows)] if rows else []), *_rule(group)], keep_place=True)
        alike = [each for each in group.findings if each.remedy is finding.remedy]
        offers = [] if finding.remedy is None else [Offer(finding.remedy, [finding])]
        if finding.remedy not in (None, Remedy.REPLACE) and len(alike) > 1:
            offers.append(Offer(offers[0].remedy, alike))
        self._offer(offers, writable=writable)

    def show_group(self, group: Group, *, writable: bool) -> None:
        """Tell what a rule asks for, and how often it is broken."""
        count = f"{text.count(group.count, 'place')}."
        lead = Paragraph([_mark(group.severity, group.rule.title), [say(f"In {count}", Role.MUTED)]])
        self.page.show_blocks([lead, *_rule(group)])
        by_remedy: dict[Remedy, list[Finding]] = {}
        for finding in group.findings:
            if finding.remedy not in (None, Remedy.REPLACE):
                by_remedy.setdefault(finding.remedy, []).append(finding)
        self._offer([Offer(remedy, findings) for remedy, findings in by_remedy.items()], writable=writable)

    def _offer(self, offers: list[Offer], *, writable: bool) -> None:
        """A button for each thing that can be done."""
        if (offers, writable) == (self._offers, self._is_writable) and offers:
            return
        self._offers, self._is_writable = offers, writable
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        before: QWidget = self.page
        for offer in offers:
            button = QPushButton(text.escape_mnemonics(offer.words), self._bar)
            button.setIcon(icons.icon("remedy"))
            button.setAutoDefault(True)
            button.setEnabled(writable)
            button.clicked.connect(lambda _checked=False, offer=offer: self.remedy_asked.emit(offer))
            self._buttons.addWidget(button)
            QWidget.setTabOrder(before, button)
            before = button
            button.show()
        self._buttons.addStretch(1)
        if not writable:
            self._note.say("This store can only be read here, so nothing can be repaired." if offers else "")
        else:
            replace = any(offer.remedy is Remedy.REPLACE for offer in offers)
            self._note.say("Drop a good copy of the file on the window, or choose it." if replace else "")
        self._bar.setVisible(bool(offers))

    @Slot(object)
    def _follow(self, target: object) -> None:
        if isinstance(target, ToPlace):
            self.followed.emit(target)


def _to(finding: Finding, words: str, *, with_path: bool) -> Span:
    return link(words, ToPlace(finding, with_path), tip=finding.place)


def _mark(severity: Severity, sentence: str) -> Line:
    """Glyph, word and sentence of a severity."""
    role, words = theme.severity_role(severity), text.SEVERITIES[severity]
    glyph = Span(words.word, role, strong=True, tip=words.sentence, icon=icons.severity_icon(severity))
    return [glyph, say("  "), Span(text.plain(sentence, 2 * text.LONGEST), strong=True)]


def _rule(group: Group) -> list[Block]:
    rule = group.rule
    if not rule.text:
        return []
    rows = [Field("Source", [[say(rule.source)]])] if rule.source else []
    heading = Heading(f"Rule {rule.id}", rule.title if rule.title != group.findings[0].sentence else "")
    return [heading, Paragraph([[say(rule.text)]]), *([Fields(rows)] if rows else [])]
