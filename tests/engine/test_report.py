"""Reports: the same findings for a program, for a person and for a terminal, with nothing in them that does harm."""

import json

import pytest

from engine.findings import Finding, Findings, Remedy, Rule, Severity
from engine.report import Checked, Group, as_json, as_markdown, as_text, counted, grouped, summed_up

BIG = "sha256:" + "a" * 64
RULES = {
    "V9": Rule("V9", Severity.WARNING, "A name is odd", "Names SHOULD be plain.", "image-spec annotations.md, Rules"),
    "V24": Rule("V24", Severity.ERROR, "A size is wrong", "A size MUST be that of the content.", "descriptor.md", None),
    "V100": Rule("V100", Severity.ERROR, "A list is null", "It MUST be an array.", "image-index.md", Remedy.EMPTY_LIST),
    "X3": Rule("X3", Severity.INFO, "A blob is left over", "Nothing needs it.", "beyond the specification"),
}
FINDINGS = Findings(
    [
        Finding("X3", Severity.INFO, "Nobody needs it.", BIG),
        Finding(
            "V100", Severity.ERROR, "manifests is null.", "index.json", "manifests", "[]", "null", Remedy.EMPTY_LIST
        ),
        Finding("V9", Severity.WARNING, "The name has a space.", "index.json", "manifests[0]"),
        Finding("V24", Severity.ERROR, "The size is 7.", BIG, "layers[1].size", "8", "7"),
        Finding("V24", Severity.ERROR, "The size is 9.", BIG, "layers[2].size", "8", "9"),
    ],
    {"V24": 3},
)
CHECKED = Checked("/images/app", "an OCI image layout", "2026-11-22T02:50:00Z", False, 12, 9)
GROUPS = grouped(FINDINGS, RULES)


def hostile(text: str) -> list[Group]:
    rule = Rule("V1", Severity.ERROR, "Odd", "", "")
    return [Group(rule, Severity.ERROR, [Finding("V1", Severity.ERROR, text, text, text, text, text)])]


def test_the_worst_rule_comes_first_and_rules_are_in_their_order() -> None:
    assert [group.rule.id for group in GROUPS] == ["V24", "V100", "V9", "X3"]


def test_what_was_left_out_is_counted() -> None:
    assert counted(GROUPS) == {Severity.ERROR: 6, Severity.WARNING: 1, Severity.INFO: 1}
    assert GROUPS[0].count == 5
    assert summed_up(counted(GROUPS)) == "6 errors, 1 warning, 1 note"
    assert summed_up(counted([])) == "nothing wrong"


def test_a_finding_of_a_rule_that_nobody_knows_is_not_lost() -> None:
    (group,) = grouped(Findings([Finding("Z1", Severity.ERROR, "It is odd.", "index.json")]), RULES)
    assert (group.rule.id, group.rule.title, group.severity) == ("Z1", "It is odd.", Severity.ERROR)


def test_json_has_every_fact_under_names_that_stay() -> None:
    report = json.loads(as_json(CHECKED, GROUPS))
    assert {name: value for name, value in report.items() if name != "rules"} == {
        "form": 1,
        "store": "/images/app",
        "kind": "an OCI image layout",
        "checkedAt": "2026-11-22T02:50:00Z",
        "deep": False,
        "blobs": 12,
        "blobsHashed": 9,
        "layersUnread": 0,
        "counts": {"error": 6, "warning": 1, "info": 1},
    }
    null = report["rules"][1]
    assert null == {
        "id": "V100",
        "severity": "error",
        "title": "A list is null",
        "text": "It MUST be an array.",
        "source": "image-index.md",
        "count": 1,
        "omitted": 0,
        "findings": [
            {
                "severity": "error",
                "sentence": "manifests is null.",
                "place": "index.json",
                "where": "manifests",
                "expected": "[]",
                "found": "null",
                "remedy": "empty-list",
            }
        ],
    }
    assert (report["rules"][0]["count"], report["rules"][0]["omitted"]) == (5, 3)
    assert report["rules"][0]["findings"][0]["remedy"] is None


def test_a_person_reads_what_was_looked_at_and_what_was_not() -> None:
    page = as_markdown(CHECKED, GROUPS)
    assert page.startswith("# /images/app: 6 errors, 1 warning, 1 note\n")
    assert (
        "of the specification and 9 of 12 blobs were compared with their digests. The other 3 were not hashed" in page
    )
    assert "and layers were not unpacked." in page
    assert "## Error: A size is wrong (5 times)" in page
    assert "- … and 3 more" in page
    deep = as_text(Checked("s", "k", "now", True, 2, 2), [])
    assert "every blob was compared with its digest and every layer was read to its end." in deep
    assert " not " not in deep
    some = Checked("s", "k", "now", True, 2, 1, 1)
    assert some.was.endswith("and layers were read to their end.")
    assert some.was_not == "The other one was not hashed and one layer was not read to its end."
    nothing = Checked("s", "k", "now", False, 2, 0)
    assert nothing.was_not == "No blob was hashed and layers were not unpacked."


def test_a_terminal_gets_places_expected_and_found() -> None:
    told = as_text(CHECKED, GROUPS)
    assert "✖ Error: A list is null\n" in told
    assert "      in: index.json manifests\n      expected: []\n      found: null\n" in told
    assert "\x1b" not in told
    assert "\x1b[31m✖ Error: A list is null\x1b[0m" in as_text(CHECKED, GROUPS, colour=True)


@pytest.mark.parametrize(
    "bad", ["\x1b[2J", "\x9b2J", "\u202e", "a\nb", "\x7f", "\udcff", chr(0xD800), "\u2066", "\u2028"]
)
@pytest.mark.parametrize("form", [as_json, as_markdown, as_text])
def test_nothing_from_a_store_acts_on_a_terminal_or_a_reader(bad: str, form: type) -> None:
    checked = Checked(f"/x{bad}y", "k", "now", False, 1, 1)
    report = form(checked, hostile(f"x{bad}y"))
    assert f"x{bad}y" not in report
    report.encode()  # there is no lone surrogate in it
    if form is as_json:
        assert report.isascii()
        json.dumps(json.loads(report), ensure_ascii=False).encode()


def test_markdown_from_a_store_is_text() -> None:
    page = as_markdown(CHECKED, hostile("[a](javascript:b) <img> *c* `d` |"))
    assert "\\[a\\](javascript:b) \\<img\\> \\*c\\* \\`d\\` \\|" in page
