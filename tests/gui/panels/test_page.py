"""What a page promises: text is shown as text, nothing is loaded, links lead somewhere, and copies are exact."""

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication, QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui import icons, theme
from gui.panels.page import Block, Field, Fields, Heading, Page, Paragraph, Span, Table, copy, glyph, link, quote, say
from gui.theme import Role

HOSTILE = "<img src='file:///etc/passwd'><b>bold</b> &amp; a\u202eb\x1b"
SHOWN = "<img src='file:///etc/passwd'><b>bold</b> &amp; a⟨U+202E⟩b␛"


@pytest.fixture
def page(qtbot: QtBot) -> Page:
    page = Page()
    qtbot.addWidget(page)
    page.resize(400, 300)
    page.show()
    return page


def test_foreign_text_is_shown_as_it_is_with_marks_for_what_cannot_be_seen(page: Page) -> None:
    page.show_blocks([Paragraph([[quote(HOSTILE)]]), Fields([Field("Label", [[quote(HOSTILE)]])])])
    assert page.toPlainText().count(SHOWN) == 2


def test_no_picture_but_a_glyph_of_ours_is_ever_loaded(page: Page) -> None:
    page.show_blocks([Paragraph([[glyph(icons.icon("copy"))]])])
    image = QTextDocument.ResourceType.ImageResource.value
    assert page.loadResource(image, QUrl("icon:0")) is not None
    for address in ("file:///etc/passwd", "/etc/passwd", "https://example.org/x.png", "icon:x", "qrc:/x", "data:,x"):
        assert page.loadResource(image, QUrl(address)) is None


def test_a_link_gives_its_target_away_by_mouse_and_keyboard(page: Page, qtbot: QtBot) -> None:
    target = object()
    page.show_blocks([Paragraph([[say("see "), link("there", target)]])])
    with qtbot.waitSignal(page.activated) as caught:
        page.anchorClicked.emit(QUrl("to:0"))
    assert caught.args == [target]
    page.setFocus()
    page.focusNextPrevChild(True)
    from_keyboard = []
    page.activated.connect(from_keyboard.append)
    qtbot.keyClick(page, "\r")
    assert from_keyboard == [target]


def test_a_copy_link_puts_the_exact_value_on_the_clipboard_and_says_so(page: Page, qtbot: QtBot) -> None:
    page.show_blocks([Fields([Field("Value", [[quote(HOSTILE)]], copy(HOSTILE, "the value"))])])
    with qtbot.waitSignal(page.copied) as caught:
        page.anchorClicked.emit(QUrl("to:0"))
    assert caught.args == ["Copied the value."]
    assert QGuiApplication.clipboard().text() == HOSTILE


def test_what_is_selected_and_copied_is_plain_text_without_the_glyphs(page: Page) -> None:
    page.show_blocks([Paragraph([[glyph(icons.icon("copy")), say("words")]])])
    page.selectAll()
    data = page.createMimeDataFromSelection()
    assert (data.text(), data.hasHtml()) == ("words", False)


def test_a_tooltip_never_becomes_rich_text(page: Page) -> None:
    page.show_blocks([Paragraph([[Span("words", tip="<b>bold</b>")]])])
    cursor = page.textCursor()
    cursor.setPosition(1)
    assert "&lt;b&gt;" in cursor.charFormat().toolTip()


def test_the_same_blocks_leave_selection_and_place_alone(page: Page) -> None:
    blocks: list[Block] = [Paragraph([[say(f"line {n}")]]) for n in range(100)]
    page.show_blocks(blocks)
    page.verticalScrollBar().setValue(200)
    page.selectAll()
    page.show_blocks(list(blocks), keep_place=True)
    assert page.textCursor().hasSelection()
    assert page.verticalScrollBar().value() == 200


def test_other_blocks_keep_the_place_when_asked_to_and_begin_at_the_top_when_not(page: Page) -> None:
    blocks: list[Block] = [Paragraph([[say(f"line {n}")]]) for n in range(100)]
    page.show_blocks(blocks)
    page.verticalScrollBar().setValue(200)
    page.show_blocks([*blocks, Heading("more")], keep_place=True)
    assert page.verticalScrollBar().value() == 200
    page.show_blocks(blocks)
    assert page.verticalScrollBar().value() == 0


def test_what_was_written_while_nobody_saw_it_begins_at_the_top(page: Page) -> None:
    page.hide()
    page.show_blocks([Paragraph([[say(f"line {number}")] for number in range(100)])])
    page.show()
    assert page.verticalScrollBar().maximum() > 0
    assert page.verticalScrollBar().value() == 0


def test_a_narrow_page_wraps_instead_of_scrolling_sideways(page: Page) -> None:
    page.resize(200, 300)
    long = "sha256:" + "0123456789abcdef" * 4
    page.show_blocks([Fields([Field("Digest", [[quote(long, fixed=True)]], copy(long, "the digest"))])])
    assert page.document().size().width() <= page.viewport().width()


def test_colours_follow_the_theme(page: Page, qapp: QApplication) -> None:
    page.show_blocks([Paragraph([[say("words", Role.MUTED)]])])

    def colour() -> str:
        cursor = page.textCursor()
        cursor.setPosition(1)
        return cursor.charFormat().foreground().color().name()

    assert colour() == theme.LIGHT[Role.MUTED].lower()
    theme.apply(qapp, "dark")
    assert colour() == theme.DARK[Role.MUTED].lower()
    theme.apply(qapp, "light")


def test_a_table_has_a_row_for_each_and_an_empty_one_is_left_out(page: Page) -> None:
    page.show_blocks(
        [Table(("", "00"), [[[[say("a")]], [[say("1")]]], [[[say("b")]], [[say("2")]]]], right=1), Table(("",), [])]
    )
    assert page.toPlainText().split() == ["a", "1", "b", "2"]
