"""The tree of problems: rules with the places where they are broken, filtered, and still where they were."""

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from engine.findings import Finding, Findings, Rule, Severity
from engine.report import Group, grouped
from gui.jobs import JobRunner
from gui.models.problem_tree import Choice, Column, ProblemTree
from tests.gui.models._pictures import SPOKEN, TOOLTIP, everything, find, names

RULES = {
    "V2": Rule("V2", Severity.WARNING, "A name is odd", "Names SHOULD be plain.", "annotations.md, Rules"),
    "V10": Rule("V10", Severity.ERROR, "A size is wrong", "A size MUST fit.", "descriptor.md, Properties"),
    "X1": Rule("X1", Severity.INFO, "A blob is left over", "Nothing needs it.", "beyond"),
}


def error(n: int, place: str = "index.json") -> Finding:
    return Finding("V10", Severity.ERROR, f"The size is {n}.", place, f"manifests[{n}].size", "8", str(n))


ODD = Finding("V2", Severity.WARNING, "The name <b>a b</b> is odd.", "index.json", "manifests[0]")
LEFT = Finding("X1", Severity.INFO, "Nobody needs it.", "sha256:" + "a" * 64)
FOUND = Findings([LEFT, ODD, error(1), error(2)])


def groups(findings: Findings = FOUND) -> list[Group]:
    return grouped(findings, RULES)


@pytest.fixture
def tree(qtbot: QtBot, runner: JobRunner) -> ProblemTree:
    model = ProblemTree(runner, runner)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    QObject.setParent(tester, model)
    return model


def texts(model: QAbstractItemModel, index: QModelIndex) -> list[str]:
    return [index.siblingAtColumn(column).data() for column in Column]


def test_rules_stand_worst_first_with_their_places_below(tree: ProblemTree) -> None:
    tree.set_groups(groups(), str.upper)
    assert names(tree) == ["A size is wrong", "A name is odd", "A blob is left over"]
    wrong = find(tree, "A size is wrong")
    assert texts(tree, wrong) == ["A size is wrong", "Error", "2 places", "Rule V10"]
    assert names(tree, wrong) == ["The size is 1.", "The size is 2."]
    assert texts(tree, find(tree, "A size is wrong", "The size is 2.")) == [
        *("The size is 2.", "Error", "INDEX.JSON", "manifests[2].size")
    ]
    assert (tree.shown, tree.total) == (4, 4)


def test_a_screen_reader_is_told_whole_sentences(tree: ProblemTree) -> None:
    tree.set_groups(groups(), lambda _place: "the index")
    assert find(tree, "A size is wrong").data(SPOKEN) == "Error: A size is wrong, 2 places"
    cell = find(tree, "A size is wrong", "The size is 1.")
    assert cell.data(SPOKEN) == "Error: The size is 1., in the index, manifests[1].size"
    assert cell.siblingAtColumn(Column.SEVERITY).data(SPOKEN) == "Severity: Error"


def test_text_from_a_store_is_text(tree: ProblemTree) -> None:
    tree.set_groups(groups(Findings([ODD])), str)
    cell = find(tree, "A name is odd", ODD.sentence)
    assert "&lt;b&gt;" in cell.data(TOOLTIP)


def test_words_and_severities_choose(tree: ProblemTree) -> None:
    tree.set_groups(groups(), str)
    tree.set_choice(Choice(("size", "manifests[2]")))
    assert [names(tree, tree.index(row, 0)) for row in range(tree.rowCount())] == [["The size is 2."]]
    assert texts(tree, tree.index(0, 0))[Column.PLACE] == "1 of 2 places"
    tree.set_choice(Choice(severities=frozenset({Severity.WARNING, Severity.INFO})))
    assert names(tree) == ["A name is odd", "A blob is left over"]
    assert (tree.shown, tree.total) == (2, 4)
    tree.set_choice(Choice(("nowhere",)))
    assert tree.rowCount() == 0
    tree.set_choice(Choice())
    assert tree.shown == 4


def test_newer_findings_keep_what_was_there(tree: ProblemTree) -> None:
    tree.set_groups(groups(), str)
    kept = QPersistentModelIndex(find(tree, "A size is wrong", "The size is 2."))
    gone = QPersistentModelIndex(find(tree, "A size is wrong", "The size is 1."))
    rule = QPersistentModelIndex(find(tree, "A name is odd"))
    tree.set_groups(groups(Findings([error(0), error(2), ODD, LEFT])), str)
    assert (kept.row(), kept.data()) == (1, "The size is 2.")
    assert rule.data() == "A name is odd"
    assert not gone.isValid()
    tree.set_groups((), str)
    assert not kept.isValid()
    assert tree.rowCount() == 0


def test_next_and_previous_go_round_through_all_rules(tree: ProblemTree) -> None:
    tree.set_groups(groups(), str)
    index, seen = QModelIndex(), []
    for _ in range(5):
        index = tree.step(index, 1)
        seen.append(index.data())
    assert seen == ["The size is 1.", "The size is 2.", ODD.sentence, LEFT.sentence, "The size is 1."]
    assert tree.step(index, -1).data() == LEFT.sentence
    assert tree.step(QModelIndex(), -1).data() == LEFT.sentence
    rule = find(tree, "A name is odd")
    assert tree.step(rule, 1).data() == ODD.sentence
    assert tree.step(rule, -1).data() == "The size is 2."


def test_a_finding_is_found_again(tree: ProblemTree) -> None:
    tree.set_groups(groups(), str)
    assert tree.finding_at(tree.index_of(error(2))) == error(2)
    assert not tree.index_of(error(7)).isValid()
    assert tree.finding_at(find(tree, "A size is wrong")) is None


def test_what_was_left_out_is_told(tree: ProblemTree) -> None:
    tree.set_groups(groups(Findings([error(1)], {"V10": 44_999})), str)
    assert texts(tree, tree.index(0, 0))[Column.PLACE] == "1 of 45,000 places"


def test_a_hundred_thousand_are_chosen_beside_the_window(qtbot: QtBot, runner: JobRunner) -> None:
    tree = ProblemTree(runner, runner)  # Qt's tester would look at each of them
    many = Findings([error(n, f"sha256:{n:064x}") for n in range(100_000)])
    tree.set_groups(groups(many), str)
    assert tree.shown == 100_000
    tree.set_choice(Choice(("manifests[4711]",)))
    assert tree.busy, "so many are not looked through on the GUI thread"
    qtbot.waitUntil(lambda: not tree.busy)
    assert tree.finding_at(tree.index(0, 0, tree.index(0, 0))) == error(4711, f"sha256:{4711:064x}")


def test_no_cell_raises_in_any_role(tree: ProblemTree) -> None:
    tree.set_groups(groups(), str)
    assert sum(1 for _ in everything(tree)) == 7 * 4 * 16
    assert tree.headerData(0, Qt.Orientation.Horizontal) == "What is wrong"
    assert tree.headerData(9, Qt.Orientation.Horizontal) is None
