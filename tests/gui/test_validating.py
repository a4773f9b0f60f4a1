"""What is known to be wrong with an open store follows what is on the disk, and what hashing finds."""

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from engine.findings import Severity
from engine.report import as_json, as_markdown
from gui.outcome import Notice
from gui.session import Session
from tests.layouts import LayoutFiles

Open = Callable[[Path], Session]


def rules(session: Session) -> list[str]:
    return [group.rule.id for group in session.problems.groups]


def told(session: Session) -> list[Notice]:
    found: list[Notice] = []
    session.noticed.connect(found.append)
    return found


def test_a_store_is_held_against_the_rules_when_it_opens(files: LayoutFiles, open_session: Open) -> None:
    (files.path / "oci-layout").unlink()
    problems = open_session(files.path).problems
    assert [finding.place for finding in problems.of_itself() if finding.severity is Severity.ERROR] == ["oci-layout"]
    assert problems.counts[Severity.ERROR] == 1
    assert [finding.rule for finding in problems.of("oci-layout")] == ["V2"]
    assert problems.checked is not None
    assert not problems.checked.deep


def test_nobody_asked_for_it_so_no_job_shows(files: LayoutFiles, open_session: Open, qtbot: QtBot) -> None:
    session = open_session(files.path)
    with qtbot.assertNotEmitted(session.jobsChanged):
        session.problems.note_verified()
        qtbot.waitSignal(session.problems.changed).wait()


def test_what_changes_on_the_disk_is_judged_again(files: LayoutFiles, open_session: Open, qtbot: QtBot) -> None:
    session = open_session(files.path)
    (files.path / "oci-layout").unlink()
    session.rescan()
    qtbot.waitUntil(lambda: "V2" in rules(session))
    (files.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    session.rescan()
    qtbot.waitUntil(lambda: "V2" not in rules(session))


def test_what_hashing_finds_is_a_problem(files: LayoutFiles, open_session: Open, qtbot: QtBot) -> None:
    layer = files.blob(b"layer")
    files.name(files.image(layer), "app")
    files.file(layer).write_bytes(b"LAYER")
    session = open_session(files.path)
    assert "V10" not in rules(session)
    session.verify()
    qtbot.waitUntil(lambda: "V10" in rules(session))
    assert [finding.rule for finding in session.problems.of(layer["digest"])] == ["V10"]
    qtbot.waitUntil(lambda: session.problems.checked is not None and session.problems.checked.hashed == 3)


def test_a_deep_check_reads_layers_hashes_the_rest_and_tells(
    files: LayoutFiles, open_session: Open, qtbot: QtBot
) -> None:
    layer = files.blob(b"no gzip", "application/vnd.oci.image.layer.v1.tar+gzip")
    files.name(files.image(layer), "app")
    files.blob(b"nobody needs this")
    session = open_session(files.path)
    before, notices = rules(session), told(session)
    session.problems.check_deeply()
    assert session.problems.checking_deeply
    session.problems.check_deeply()
    assert len(session.jobs) == 1, "once is enough"
    qtbot.waitUntil(lambda: session.problems.checked is not None and session.problems.checked.was_not == "")
    assert set(rules(session)) > set(before)
    qtbot.waitUntil(lambda: any("Every layer was read to its end" in notice.sentence for notice in notices))
    (notice,) = (notice for notice in notices if "Every layer" in notice.sentence)
    assert notice.action is not None
    with qtbot.waitSignal(session.problems.asked):
        notice.action()


def test_what_was_read_deeply_is_not_forgotten_by_a_rescan(
    files: LayoutFiles, open_session: Open, qtbot: QtBot
) -> None:
    layer = files.blob(b"no gzip", "application/vnd.oci.image.layer.v1.tar+gzip")
    files.name(files.image(layer), "app")
    session = open_session(files.path)
    session.problems.check_deeply()
    qtbot.waitUntil(lambda: bool(session.problems.of(layer["digest"])))
    before = rules(session)
    with qtbot.waitSignal(session.problems.changed):
        session.rescan()
    assert rules(session) == before
    files.file(layer).write_bytes(b"another")
    session.rescan()
    qtbot.waitUntil(lambda: rules(session) != before)


def test_a_deep_check_that_is_stopped_says_nothing_of_layers(
    files: LayoutFiles, open_session: Open, qtbot: QtBot
) -> None:
    layer = files.blob(b"layer")
    files.name(files.image(layer), "app")
    with files.file(layer).open("wb") as large:
        large.truncate(64 << 30)  # sparse, and without end for a hash
    session = open_session(files.path)
    session.problems.check_deeply()
    (job,) = session.jobs
    session.cancel(job)
    qtbot.waitUntil(lambda: not session.problems.checking_deeply)
    assert session.problems.checked is not None
    assert not session.problems.checked.deep


def test_reports_are_written_beside_the_window(
    files: LayoutFiles, open_session: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    session = open_session(files.path)
    written: list[str] = []
    session.problems.report(as_json, written.append, tmp_path / "report.json")
    qtbot.waitUntil(lambda: bool(written))
    assert (tmp_path / "report.json").read_text() == written[0]
    notices = told(session)
    session.problems.report(as_markdown, written.append, tmp_path / "no" / "folder.md")
    qtbot.waitUntil(lambda: bool(notices))
    assert notices[0].sentence.startswith(f"Writing {tmp_path}/no/folder.md failed: No such file or directory.")
    assert len(written) == 1


def test_what_waits_for_the_first_look_is_called_once(files: LayoutFiles, open_session: Open, qtbot: QtBot) -> None:
    session = open_session(files.path)
    called: list[int] = []
    session.problems.when_checked(lambda: called.append(1))
    with qtbot.waitSignal(session.problems.changed):
        session.problems.note_verified()
    assert called == [1]
