"""Every number of the specification's list is a rule, or has a reason why it is none."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from engine.findings import Remedy, Severity
from engine.rules import registry
from engine.rules.book import PARTS, RULES, check
from engine.rules.registry import Broken

NUMBERS = [
    *(f"V{n}" for n in range(1, 17)),
    *(f"V{n}" for n in range(20, 42)),
    *(f"V{n}" for n in range(50, 69)),
    *(f"V{n}" for n in range(70, 89)),
    *(f"V{n}" for n in range(100, 114)),
    *(f"V{n}" for n in range(120, 139)),
    *(f"V{n}" for n in range(140, 151)),
    *(f"V{n}" for n in range(160, 168)),
    *(f"X{n}" for n in range(1, 21)),
]
"""Everything that can be asked for."""

NO_FINDINGS = {
    "V6": "further members of oci-layout must not fail",
    "V14": "an unknown media type must not fail",
    "V16": "any reference name is allowed; V108 warns of unusual ones",
    "V27": "content of an algorithm that nobody here computes is not checkable, which is neither good nor bad",
    "V35": "V100 to V113 are applied to each descriptor's annotations",
    "V39": "V78 asks for the platform where tools choose by it",
    "V41": "a promise of this program: it never adds data to content that is there",
    "V55": "an unknown artifact type must not fail",
    "V57": "a config of an unknown type is not looked into",
    "V58": "a config of an unknown type must not fail",
    "V59": "an unknown config type is somebody's own, not a mistake",
    "V62": "V127 compares the layers with the config's list, which has the order",
    "V63": "an unknown layer type must not fail",
    "V65": "V100 to V113 are applied to each manifest's annotations",
    "V67": "V53, V61 and V68 ask for its parts",
    "V76": "an unknown media type in an index is somebody's own, not a mistake",
    "V77": "an unknown media type in an index must not fail",
    "V86": "V64 and the rules of descriptors are applied to an index's subject",
    "V87": "V100 to V113 are applied to each index's annotations",
    "V88": "V29 and V30 are checked here, not by the schema",
    "V101": "V161 asks for it of every object",
    "V105": "V100 accepts an absent member and an empty object, and nothing else",
    "V106": "an unknown annotation must not fail",
    "V131": "V100 to V113 are applied to the labels",
    "V135": "further members of a config must not fail",
    "V137": "ids are computed and shown; there is nothing to compare them with",
    "V143": "a promise of this program: it understands both kinds of whiteouts",
    "V147": "a promise of this program: it never shows whiteouts as files",
    "V163": "unknown members must not fail",
    "V164": "a promise of this program: copying changes no byte",
    "V165": "a promise of this program: what it writes has one spelling",
    "V166": "Docker's media types are read as the specification's, not complained about",
}


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_is_a_rule_or_has_a_reason_why_not(number: str):
    assert (number in RULES) != (number in NO_FINDINGS)


def test_rules_can_be_read_beside_the_specification():
    for rule in RULES.values():
        assert rule.title
        assert not rule.title.endswith(".")
        assert rule.text.endswith(".")
        assert rule.source


def test_every_part_is_a_module_with_a_sentence_of_its_own():
    assert len({part.__name__ for part in PARTS}) == len(PARTS)
    assert all(part.__doc__ for part in PARTS)


class Cup(NamedTuple):
    handles: int


@pytest.fixture
def cups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of cups, beside the real ones and forgotten afterwards."""
    monkeypatch.setattr(registry, "_RULES", {})
    monkeypatch.setattr(registry, "_CHECKS", {})

    @registry.rule("T1", Severity.WARNING, "A cup has no handle", "Cups have one.", "the potter", Remedy.REPLACE)
    def _handle(cup: Cup) -> Iterator[Broken]:
        if cup.handles == 0:
            yield Broken("handle", "There is none.")
        if cup.handles > 1:
            yield Broken("[2]", "There are more.", place="elsewhere", severity=Severity.INFO, fixable=False)


@pytest.mark.usefixtures("cups")
def test_a_rule_is_one_function_with_its_words():
    assert list(check(Cup(1), "shelf")) == []
    (found,) = check(Cup(0), "shelf", "cups[3]")
    assert (found.rule, found.place, found.where) == ("T1", "shelf", "cups[3].handle")
    assert (found.severity, found.remedy) == (Severity.WARNING, Remedy.REPLACE)


@pytest.mark.usefixtures("cups")
def test_a_finding_may_be_elsewhere_milder_or_without_remedy():
    (found,) = check(Cup(2), "shelf", "cups")
    assert (found.place, found.where, found.severity, found.remedy) == ("elsewhere", "cups[2]", Severity.INFO, None)


@pytest.mark.usefixtures("cups")
def test_a_number_stands_for_one_rule():
    with pytest.raises(ValueError, match="T1"):
        registry.define("T1", Severity.INFO, "", "", "")
