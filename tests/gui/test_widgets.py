"""What the small widgets promise: text is shown as it is, errors stay beside the work, everything has a name."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

import gui
from engine.errors import StorageFailed
from gui import theme, widgets
from gui.widgets import CopyButton, ElidedLabel, MessageBar, Severity

MARKUP = "<b>bold</b> <img src=x>"


@pytest.fixture
def bar(qtbot: QtBot) -> MessageBar:
    bar = MessageBar()
    qtbot.addWidget(bar)
    return bar


def visible_buttons(bar: MessageBar) -> list[str]:
    return [button.text() for button in bar.findChildren(QPushButton) if button.isVisibleTo(bar)]


def press(bar: MessageBar, words: str) -> None:
    next(
        button for button in bar.findChildren(QPushButton) if button.text() == words and button.isVisibleTo(bar)
    ).click()


def test_only_one_module_gives_text_to_labels_tooltips_and_boxes() -> None:
    """Elsewhere, text from a store could be taken for HTML."""
    folder = Path(gui.__file__).parent
    forbidden = re.compile(
        r"\b(QLabel\(|setToolTip\((?!(?:column, )?text\.tooltip\()|QMessageBox\b|setWhatsThis\(|QErrorMessage\b|QInputDialog\b)"
    )
    found = [
        f"{path.relative_to(folder)}:{number}: {line.strip()}"
        for path in folder.rglob("*.py")
        if path.name != "widgets.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


def test_a_label_shows_markup_as_it_is(qtbot: QtBot) -> None:
    for label in (widgets.plain_label(MARKUP), widgets.heading(MARKUP), ElidedLabel(MARKUP)):
        qtbot.addWidget(label)
        assert (label.text(), label.textFormat()) == (MARKUP, Qt.TextFormat.PlainText)


def test_a_selectable_label_can_be_copied_with_the_keyboard(qtbot: QtBot) -> None:
    label = widgets.plain_label("sha256:aa", selectable=True)
    qtbot.addWidget(label)
    label.show()
    label.setFocus()
    qtbot.keyClick(label, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert label.selectedText() == "sha256:aa"


def test_tooltips_show_markup_as_it_is(qtbot: QtBot) -> None:
    widget, action = QWidget(), QAction("Open")
    qtbot.addWidget(widget)
    for target in (widget, action):
        widgets.set_tooltip(target, MARKUP)
        assert "&lt;b&gt;" in target.toolTip()


def test_an_icon_button_says_what_it_does(qtbot: QtBot) -> None:
    button = widgets.icon_button("close", "Close the store")
    qtbot.addWidget(button)
    assert (button.accessibleName(), button.toolTip()) == ("Close the store", "Close the store")
    assert not button.icon().isNull()
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize(("key", "accepted"), [("Delete 3 blobs", True), ("Keep them", False), (None, False)])
def test_a_question_is_answered_by_what_the_button_says(qtbot: QtBot, key: str | None, accepted: bool) -> None:
    window = QWidget()
    qtbot.addWidget(window)

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert box.textFormat() is Qt.TextFormat.PlainText
        if key is None:
            qtbot.keyClick(box, Qt.Key.Key_Escape)
        else:
            next(button for button in box.buttons() if button.text() == key).click()

    QTimer.singleShot(0, answer)
    answered = widgets.confirm(window, MARKUP, explanation=MARKUP, yes="Delete 3 blobs", no="Keep them")
    assert answered is accepted


def test_enter_alone_destroys_nothing(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    QTimer.singleShot(0, lambda: qtbot.keyClick(QApplication.activeModalWidget(), Qt.Key.Key_Return))
    assert not widgets.confirm(window, "Delete?", yes="Delete")


def test_a_long_line_keeps_its_ends_and_its_tooltip_the_whole(qtbot: QtBot) -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    label = ElidedLabel(digest)
    qtbot.addWidget(label)
    label.resize(120, 20)
    label.show()
    narrow = label.grab().toImage()
    label.resize(1000, 20)
    assert label.grab().toImage().copy(narrow.rect()) != narrow
    assert label.minimumSizeHint().width() < 120
    assert (label.text(), label.toolTip()) == (digest, digest)


def test_copying_puts_the_text_on_the_clipboard_and_says_so_for_a_moment(qtbot: QtBot) -> None:
    button = CopyButton("digest", lambda: "sha256:aa")
    qtbot.addWidget(button)
    assert button.accessibleName() == "Copy digest"
    button.click()
    assert QGuiApplication.clipboard().text() == "sha256:aa"
    assert button.accessibleName() == "Copied"
    qtbot.waitUntil(lambda: button.accessibleName() == "Copy digest")


def test_a_message_bar_is_only_there_when_it_has_something_to_say(bar: MessageBar) -> None:
    assert bar.isHidden()
    bar.show_message("Verified 412 blobs.", Severity.SUCCESS)
    assert not bar.isHidden()
    assert bar.accessibleName() == "Done: Verified 412 blobs."
    bar.close_message()
    assert bar.isHidden()


def test_an_error_says_what_helps_and_its_details_can_be_copied(bar: MessageBar) -> None:
    bar.show_error(StorageFailed("Writing a/b failed.", place="a/b", remedy="Free some space."))
    assert bar.messages[-1].sentence == "Writing a/b failed. Free some space."
    assert bar.accessibleName().startswith("Error: ")
    copying = next(button for button in bar.findChildren(CopyButton) if button.isVisibleTo(bar))
    copying.click()
    assert "Where: a/b" in QGuiApplication.clipboard().text()


def test_a_message_without_details_offers_none_to_copy(bar: MessageBar) -> None:
    bar.show_message("Nothing to clean up.")
    assert [button for button in bar.findChildren(CopyButton) if button.isVisibleTo(bar)] == []


def test_a_message_offers_what_can_be_done_and_doing_it_closes_it(bar: MessageBar) -> None:
    done: list[str] = []
    bar.show_message("Earlier.")
    bar.show_message("It failed.", actions=[("Retry", lambda: done.append("retry")), ("R&D", lambda: None)])
    assert visible_buttons(bar) == ["Retry", "R&&D"]
    press(bar, "Retry")
    assert done == ["retry"]
    assert [message.sentence for message in bar.messages] == ["Earlier."]
    assert visible_buttons(bar) == []


def test_an_action_may_bring_the_next_message(bar: MessageBar) -> None:
    bar.show_message("It failed.", actions=[("Retry", lambda: bar.show_message("It failed again."))])
    press(bar, "Retry")
    assert [message.sentence for message in bar.messages] == ["It failed again."]


def test_closing_a_message_brings_back_the_one_before(bar: MessageBar, qtbot: QtBot) -> None:
    bar.show_message("One.")
    bar.show_message("Two.")
    bar.show_message("One.")
    assert [message.sentence for message in bar.messages] == ["Two.", "One."]
    assert "1 more" in [button.text() for button in bar.findChildren(QToolButton) if not button.isHidden()]
    closing = next(b for b in bar.findChildren(QToolButton) if b.accessibleName() == "Close this message")
    closing.click()
    assert bar.accessibleName() == "Notice: Two."
    qtbot.keyClick(bar, Qt.Key.Key_Escape)
    assert bar.isHidden()


def test_the_other_messages_can_be_read_without_closing_any(bar: MessageBar, qtbot: QtBot) -> None:
    for sentence in ("first", "second", "third"):
        bar.show_message(sentence)
    more = next(button for button in bar.findChildren(QToolButton) if button.text() == "2 more")
    seen = []
    for _ in range(3):
        qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
        seen.append(bar.accessibleName())
    assert seen == ["Notice: second", "Notice: first", "Notice: third"]
    assert len(bar.messages) == 3


def test_a_flood_of_messages_stays_small(bar: MessageBar) -> None:
    for number in range(500):
        bar.show_message(f"Message {number}.")
    assert len(bar.messages) <= 20
    assert bar.messages[-1].sentence == "Message 499."
    bar.clear()
    assert bar.isHidden()


def test_a_message_does_not_take_the_focus(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    button, bar = QPushButton("Work", window), MessageBar(window)
    window.show()
    button.setFocus()
    bar.show_message("Something.", actions=[("Do", lambda: None)])
    assert window.focusWidget() is button


def test_a_message_follows_the_theme(bar: MessageBar, qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    bar.show_message("It failed.", Severity.ERROR)
    glyph = next(label for label in bar.findChildren(QLabel) if not label.pixmap().isNull())
    before = glyph.pixmap().toImage()
    theme.apply(qapp, "dark")
    after = glyph.pixmap().toImage()
    theme.apply(qapp, "light")
    assert before != after
