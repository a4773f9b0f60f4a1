"""A tab's content is made when it is first asked for, and then stays."""

from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from gui.panels.inspector import Inspector
from gui.panels.later import Later


def test_the_content_is_made_once_and_takes_the_keyboard_for_its_place(qtbot: QtBot) -> None:
    parents: list[QWidget] = []

    def make(parent: QWidget) -> QLineEdit:
        parents.append(parent)
        return QLineEdit(parent)

    window = QWidget()
    qtbot.addWidget(window)
    later = Later(window, make)
    assert not later.is_made
    assert later.content is later.content
    assert parents == [later.place]
    assert later.place.focusProxy() is later.content


def test_an_inspector_makes_its_tabs_only_when_somebody_looks(qtbot: QtBot) -> None:
    inspector = Inspector()
    qtbot.addWidget(inspector)
    places = [inspector.tabs.widget(tab) for tab in range(1, inspector.tabs.count())]
    assert [len(place.findChildren(QWidget)) for place in places] == [0] * len(places)
    assert inspector.tabs.document.parent() in places
