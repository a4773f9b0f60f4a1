"""The manual: every page can be read, links lead to pages, and an address is opened only after asking."""

from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QTextDocument
from PySide6.QtWidgets import QWidget

from gui.dialogs import manual
from gui.dialogs.manual import PAGES, ManualDialog


def test_every_page_is_shown_with_its_title(parent: QWidget) -> None:
    dialog = ManualDialog(parent)
    for row, (_, title) in enumerate(PAGES):
        dialog.pages.setCurrentRow(row)
        assert dialog.page.toPlainText().startswith(title)


def test_a_link_leads_to_another_page(parent: QWidget) -> None:
    dialog = ManualDialog(parent)
    dialog.page.anchorClicked.emit(QUrl("removing.md"))
    assert dialog.pages.currentItem().text() == "Removing and getting back"


@pytest.mark.parametrize("agreed", [True, False])
def test_an_address_is_opened_only_after_asking(parent: QWidget, monkeypatch: pytest.MonkeyPatch, agreed: bool) -> None:
    asked: list[str] = []
    opened: list[str] = []

    def confirm(_parent: QWidget, _question: str, *, explanation: str, yes: str) -> bool:
        asked.append(explanation)
        return agreed

    monkeypatch.setattr(manual, "confirm", confirm)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    dialog = ManualDialog(parent)
    dialog.page.anchorClicked.emit(QUrl("https://example.org/spec"))
    assert asked == ["https://example.org/spec"]
    assert opened == (asked if agreed else [])
    dialog.page.anchorClicked.emit(QUrl("file:///etc/passwd"))
    assert len(asked) == 1


def test_nothing_is_loaded_into_a_page(parent: QWidget, tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    picture.write_text("<svg/>")
    page = ManualDialog(parent).page
    page.setMarkdown(f"![picture]({picture.as_uri()})")
    loaded = page.document().resource(QTextDocument.ResourceType.ImageResource, QUrl(picture.as_uri()))
    assert bytes(loaded.data()) == b" "
