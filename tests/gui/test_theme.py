"""What the theme promises: it reads well in both schemes, and everything follows when it changes."""

import itertools
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QFontInfo, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QMenu, QRadioButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from engine.snapshot import State
from gui import theme
from gui.theme import DARK, INKS, LIGHT, PAPERS, Role, Theme
from gui.widgets import TickTable

READABLE = 4.5
"""WCAG 2.2, success criterion 1.4.3."""


@pytest.fixture(autouse=True)
def back_to_light(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply(qapp, "light")


def luminance(colour: QColor) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: QColor, other: QColor) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_the_guideline_says() -> None:
    assert contrast(QColor("white"), QColor("black")) == pytest.approx(21)
    assert contrast(QColor("#767676"), QColor("white")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("ink", "paper"), list(itertools.product(INKS, PAPERS)))
@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_reads_on_every_background_selected_rows_included(
    scheme: Mapping[Role, str], ink: Role, paper: Role
) -> None:
    assert contrast(QColor(scheme[ink]), QColor(scheme[paper])) >= READABLE


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_default_button_reads_on_its_accent(scheme: Mapping[Role, str]) -> None:
    assert contrast(QColor(scheme[Role.BASE]), QColor(scheme[Role.ACCENT])) >= READABLE


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_selected_row_stands_out(scheme: Mapping[Role, str]) -> None:
    papers = [scheme[role] for role in (Role.BASE, Role.STRIPE, Role.SELECTION, Role.SELECTION_IDLE)]
    assert len(set(papers)) == len(papers)
    assert contrast(QColor(scheme[Role.SELECTION]), QColor(scheme[Role.BASE])) >= 1.2


@pytest.mark.parametrize(("mode", "scheme"), [("light", LIGHT), ("dark", DARK)])
def test_the_palette_is_the_schemes_even_where_the_platform_has_none(
    qapp: QApplication, mode: theme.ThemeMode, scheme: Mapping[Role, str]
) -> None:
    theme.apply(qapp, mode)
    palette = qapp.palette()
    shown = {
        role: palette.color(role).name().upper()
        for role in (QPalette.ColorRole.Base, QPalette.ColorRole.Window, QPalette.ColorRole.Text)
    }
    assert list(shown.values()) == [scheme[Role.BASE], scheme[Role.PANEL], scheme[Role.TEXT]]
    assert theme.colour(Role.BAD).name().upper() == scheme[Role.BAD]
    assert theme.current().dark is (mode == "dark")
    assert theme.current().mode == mode


def test_no_colour_of_the_system_shows_through(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    ours = {QColor(value).name() for value in DARK.values()}
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive, QPalette.ColorGroup.Disabled):
        for role in QPalette.ColorRole:
            if role not in (QPalette.ColorRole.NoRole, QPalette.ColorRole.NColorRoles):
                assert qapp.palette().color(group, role).name() in ours, (group, role)


def test_a_change_is_told_once_everything_is_in_place(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, "light")
    seen: list[str] = []

    def note() -> None:
        seen.append(f"{qapp.palette().base().color().name()} {theme.colour(Role.BASE).name()}")

    theme.current().changed.connect(note)
    theme.current().apply("dark")
    theme.current().changed.disconnect(note)
    assert seen == ["#1e1f22 #1e1f22"]


def test_widgets_that_are_already_shown_follow(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, "light")
    label = QLabel()
    qtbot.addWidget(label)
    label.show()
    theme.apply(qapp, "dark")
    assert label.palette().windowText().color().name().upper() == DARK[Role.TEXT]


def test_without_a_word_from_the_system_it_is_light(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")
    theme.apply(qapp, "system")
    assert not theme.current().dark


def test_the_system_is_followed_only_when_asked(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = theme.apply(qapp, "light")
    monkeypatch.setattr(Theme, "_system_is_dark", lambda self: True)
    qapp.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert not looks.dark
    looks.apply("system")
    assert looks.dark
    monkeypatch.setattr(Theme, "_system_is_dark", lambda self: False)
    qapp.styleHints().colorSchemeChanged.emit(qapp.styleHints().colorScheme())
    assert not looks.dark


def test_high_contrast_mutes_nothing(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Theme, "_wants_contrast", lambda self: True)
    theme.apply(qapp, "dark")
    assert theme.colour(Role.MUTED) == theme.colour(Role.TEXT) == theme.colour(Role.HAIRLINE)


def test_there_is_one_theme(qapp: QApplication) -> None:
    assert theme.apply(qapp, "light") is theme.current() is theme.apply(qapp, "dark")


def test_the_style_sheet_names_colours_by_role_only() -> None:
    sheet = Path(theme.__file__).with_name("theme.qss").read_text("utf-8")
    assert set(string.Template(sheet).get_identifiers()) <= {role.name.lower() for role in Role}
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", sheet) == []


def test_every_state_has_a_colour(qapp: QApplication) -> None:
    assert {state: theme.state_colour(state) for state in State} == {
        state: theme.colour(theme.state_role(state)) for state in State
    }
    assert {state for state in State if theme.state_role(state) is Role.SOUND} == {State.VERIFIED}


def test_fonts_are_the_systems(qapp: QApplication) -> None:
    assert theme.number_font().family() == qapp.font().family()
    assert theme.heading_font().pointSizeF() > qapp.font().pointSizeF()
    assert QFontInfo(theme.fixed_font()).fixedPitch()
    assert theme.row_height(qapp.font()) == QFontMetrics(qapp.font()).height() + 6


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("control", [QCheckBox, QRadioButton, QComboBox, QSpinBox, TickTable, QMenu])
def test_controls_have_an_outline_that_shows(
    qapp: QApplication, qtbot: QtBot, mode: theme.ThemeMode, control: type[QWidget]
) -> None:
    """Fusion draws it in Window, darker by 40 %; WCAG 2.2, success criterion 1.4.11, asks for 3:1."""
    theme.apply(qapp, mode)
    shown = control()
    qtbot.addWidget(shown)
    shown.ensurePolished()
    outline = shown.palette().window().color().darker(140)
    assert contrast(outline, theme.colour(Role.PANEL)) >= 3
    assert contrast(outline, theme.colour(Role.BASE)) >= 3
