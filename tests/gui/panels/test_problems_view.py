"""The problems of a store on the screen: what is wrong, what it means, where it is, and what helps."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from engine.findings import Remedy, Severity
from gui.jobs import JobRunner
from gui.models.problem_tree import Column
from gui.panels.problem_details import Offer
from gui.panels.problems_view import ProblemsView, tab_icon
from gui.session import Session
from gui.settings import Settings
from gui.theme import Role
from tests.gui.models._pictures import names
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]


def menu_with(keys: Sequence[str]) -> QMenu:
    menu = QMenu()
    for key in keys:
        menu.addAction(key)
    return menu


@pytest.fixture
def problems(qtbot: QtBot, runner: JobRunner, tmp_path: Path) -> ProblemsView:
    view = ProblemsView(runner, Settings(tmp_path / "settings.ini"), menu_with)
    qtbot.addWidget(view)
    view.resize(800, 600)
    view.show()
    return view


@pytest.fixture
def broken(files: LayoutFiles) -> LayoutFiles:
    """A layout without its marker, with two corrupt layers."""
    for name in ("a", "b"):
        layer = files.blob(f"layer {name}".encode())
        files.name(files.image(layer), name)
        files.file(layer).write_bytes(f"LAYER {name}".encode())
    (files.path / "oci-layout").unlink()
    return files


def verified(qtbot: QtBot, session: Session) -> Session:
    session.verify()
    qtbot.waitUntil(
        lambda: (
            not session.verifying
            and session.problems.checked is not None
            and session.problems.checked.was_not == NO_LAYERS
        )
    )
    return session


NO_LAYERS = "Layers were not unpacked."


def titles(view: ProblemsView) -> list[str]:
    return names(view.model)


def select(view: ProblemsView, *way: int) -> None:
    index = view.model.index(way[0], 0)
    if len(way) > 1:
        index = view.model.index(way[1], 0, index)
    view._select(index)
    QApplication.processEvents()


def buttons(view: ProblemsView) -> dict[str, QPushButton]:
    return {button.text(): button for button in view.details.findChildren(QPushButton) if not button.isHidden()}


def test_problems_stand_by_their_cause_and_the_worst_is_selected(
    qtbot: QtBot, problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    problems.set_session(verified(qtbot, open_session(broken.path)))
    QApplication.processEvents()
    assert titles(problems)[:2] == ["The file oci-layout is missing", "A blob's content is not what its name says"]
    assert problems.finding is not None
    assert problems.finding.place == "oci-layout"
    assert problems.filter.severities[Severity.ERROR].text() == "3"
    assert problems.filter.severities[Severity.ERROR].accessibleName() == "Errors: 3"
    assert [each.digest for each in problems.selection()] == ["oci-layout"]


def test_a_problem_names_its_image(
    qtbot: QtBot, problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    problems.set_session(verified(qtbot, open_session(broken.path)))
    corrupt = problems.model.index(1, 0)
    places = {problems.model.index(n, Column.PLACE, corrupt).data() for n in range(2)}
    assert places == {"Layer 1 of 1 · a", "Layer 1 of 1 · b"}


def test_details_tell_the_rule_and_its_source(problems: ProblemsView, broken: LayoutFiles, open_session: Open) -> None:
    problems.set_session(open_session(broken.path))
    QApplication.processEvents()
    told = problems.details.page.toPlainText()
    assert "oci-layout is missing." in told
    assert "Rule V2" in told
    assert "image-layout.md" in told
    select(problems, 0)
    assert "In 1 place." in problems.details.page.toPlainText()


def test_a_remedy_is_offered_where_one_is_safe(
    qtbot: QtBot, problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    problems.set_session(verified(qtbot, open_session(broken.path)))
    QApplication.processEvents()
    with qtbot.waitSignal(problems.remedy_asked) as asked:
        buttons(problems)["Add the file oci-layout"].click()
    (offer,) = asked.args
    assert isinstance(offer, Offer)
    assert offer.remedy is Remedy.ADD_MARKER
    select(problems, 1, 0)
    assert list(buttons(problems)) == ["Choose a good copy…"]
    assert "Drop a good copy of the file on the window" in problems.details._note.text()
    select(problems, 1)
    assert buttons(problems) == {}, "one file is no good copy of several blobs"


def test_a_store_that_cannot_be_changed_says_so_instead(
    problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    session = open_session(broken.path)
    session.writable = False
    problems.set_session(session)
    QApplication.processEvents()
    assert not buttons(problems)["Add the file oci-layout"].isEnabled()
    assert "can only be read" in problems.details._note.text()


def test_all_places_of_a_rule_are_repaired_at_once(
    qtbot: QtBot, problems: ProblemsView, files: LayoutFiles, open_session: Open
) -> None:
    for name in ("a", "b"):
        entry = files.name(files.image(name.encode()), name)
        files.entries[-1]["size"] = entry["size"] + 1
    files.write_index()
    problems.set_session(verified(qtbot, open_session(files.path)))
    QApplication.processEvents()
    assert list(buttons(problems)) == ["Write the right size", "Write the right size in all 2 places"]
    with qtbot.waitSignal(problems.remedy_asked) as asked:
        buttons(problems)["Write the right size in all 2 places"].click()
    assert [finding.where for finding in asked.args[0].findings] == ["manifests[0].size", "manifests[1].size"]


def test_words_and_severities_filter(
    qtbot: QtBot, problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    problems.set_session(verified(qtbot, open_session(broken.path)))
    problems.filter.line.setText("OCI-Layout missing")
    qtbot.waitUntil(lambda: titles(problems) == ["The file oci-layout is missing"])
    problems.filter.line.setText("nowhere to be found")
    qtbot.waitUntil(lambda: problems.empty.isVisible())
    assert problems.empty.words == "No problem matches the filter"
    qtbot.mouseClick(problems.empty.findChild(QPushButton), Qt.MouseButton.LeftButton)
    assert problems.filter.line.text() == ""
    problems.filter.severities[Severity.ERROR].click()
    assert "The file oci-layout is missing" not in titles(problems)


def test_where_nothing_is_wrong_it_says_what_was_looked_at(
    qtbot: QtBot, problems: ProblemsView, files: LayoutFiles, open_session: Open
) -> None:
    files.write_index()
    problems.set_session(open_session(files.path))
    QApplication.processEvents()
    assert problems.empty.words.startswith("Nothing wrong was found Every document was held against the rules")
    assert NO_LAYERS in problems.empty.words
    with qtbot.waitSignal(problems.deep_asked):
        qtbot.mouseClick(problems.empty.findChild(QPushButton), Qt.MouseButton.LeftButton)


def test_next_and_previous_go_through_the_problems(
    qtbot: QtBot, problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    problems.set_session(verified(qtbot, open_session(broken.path)))
    QApplication.processEvents()
    first = problems.finding
    problems.step(1)
    second = problems.finding
    assert second is not None
    assert second.rule == "V10"
    problems.step(-1)
    assert problems.finding == first


def test_when_a_problem_is_solved_the_next_one_is_selected(
    qtbot: QtBot, problems: ProblemsView, broken: LayoutFiles, open_session: Open
) -> None:
    session = verified(qtbot, open_session(broken.path))
    problems.set_session(session)
    QApplication.processEvents()
    (broken.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    session.rescan()
    qtbot.waitUntil(lambda: problems.finding is not None and problems.finding.rule == "V10")


def test_a_place_that_cannot_be_shown_is_no_link(
    problems: ProblemsView, files: LayoutFiles, open_session: Open
) -> None:
    files.name(files.image(b"layer"), "app")
    files.blob(b"unused")
    problems.set_session(open_session(files.path))
    problems.filter.line.setText("V12")
    problems.filter.choose()
    problems.select_something("")
    QApplication.processEvents()
    assert problems.finding is not None
    assert problems.finding.place == "blobs"
    assert not [span for span in problems.details.page.links if type(span.target).__name__ == "ToPlace"]


def test_a_path_leads_into_the_document(
    qtbot: QtBot, problems: ProblemsView, files: LayoutFiles, open_session: Open
) -> None:
    files.name(files.image(b"layer"), "app")
    files.entries[0]["size"] = -1
    files.write_index()
    problems.set_session(open_session(files.path))
    QApplication.processEvents()
    assert problems.finding is not None
    assert problems.finding.where == "manifests[0].size"
    to_place, to_path = (span.target for span in problems.details.page.links if type(span.target).__name__ == "ToPlace")
    with qtbot.waitSignal(problems.followed) as followed:
        problems.details.page.activated.emit(to_path)
    assert (followed.args[0].digest, followed.args[1]) == ("index.json", "manifests[0].size")
    with qtbot.waitSignal(problems.followed) as followed:
        problems.details.page.activated.emit(to_place)
    assert followed.args[1] == ""


def test_text_from_a_store_is_shown_as_text(problems: ProblemsView, files: LayoutFiles, open_session: Open) -> None:
    (files.path / "index.json").write_text(json.dumps({"schemaVersion": "<b>2</b>\u202e", "manifests": []}))
    problems.set_session(open_session(files.path))
    QApplication.processEvents()
    told = problems.details.page.toPlainText()
    assert "<b>2</b>" in told
    assert "\u202e" not in told


def test_a_problem_is_copied_as_a_line(problems: ProblemsView, broken: LayoutFiles, open_session: Open) -> None:
    problems.set_session(open_session(broken.path))
    QApplication.processEvents()
    problems.copy()
    assert QGuiApplication.clipboard().text() == "oci-layout is missing. oci-layout"


def test_the_lens_has_the_sign_of_the_worst() -> None:
    assert tab_icon({Severity.ERROR: 1, Severity.WARNING: 2}) == ("error", Role.BAD)
    assert tab_icon({Severity.ERROR: 0, Severity.WARNING: 2}) == ("warning", Role.WARNING)
    assert tab_icon({Severity.INFO: 3}) == ("sound", Role.SOUND)
