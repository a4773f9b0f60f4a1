"""What a person may type into the filter, what it means, and what is said where it means nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.progress import Progress
from engine.snapshot import Kind, State
from gui.models.conditions import EVERYTHING, Query, tag_of
from gui.models.facts import Facts
from gui.models.filtering import KEYS, KINDS, STATES, Mistake, complete, kind_term, parse, state_term, term, with_term
from gui.models.matching import Matcher
from tests.gui.models._pictures import Picture, picture
from tests.layouts import MANIFEST, Json, LayoutFiles

DAY_S = 86400


class Asked:
    """A layout and what filters leave of it."""

    def __init__(self, shown: Picture, now: float | None = None) -> None:
        self.snapshot, states, worst = shown
        self.facts = Facts(self.snapshot)
        self._matcher = Matcher(self.facts, states, worst, Progress(), now)

    def blobs(self, text: str) -> set[str]:
        """The names of the rows that are left in the table."""
        query = parse(text)
        assert isinstance(query, Query)
        return {self.snapshot.name(int(row)) for row in np.flatnonzero(self._matcher.rows(query))}

    def images(self, text: str) -> list[str]:
        """The names of the entries that are left in the tree; lost images are called "lost"."""
        query = parse(text)
        assert isinstance(query, Query)
        left = np.flatnonzero(self._matcher.tops(query)).tolist()
        entries = self.snapshot.entries
        return [", ".join(entries[n].names) if n < len(entries) else "lost" for n in left]


def digests(*descriptors: Json) -> set[str]:
    return {descriptor["digest"] for descriptor in descriptors}


@pytest.fixture
def shelf(files: LayoutFiles) -> Asked:
    """Two images, of which one is for two platforms, an artifact, a lost image and a stray file."""
    base = files.blob(b"base layer")
    small, large = files.blob(b"small"), files.blob(b"x" * 5000)
    files.name(files.image(base, small, config={"config": {"Labels": {"Team": "Web"}}}), "registry.local:5000/app:2.1")
    arm = files.image(base, large, config={"architecture": "arm64", "variant": "v8"})
    both = files.index(
        {**files.image(base), "platform": {"os": "linux", "architecture": "amd64"}},
        {**arm, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
    )
    files.name(both, "multi:2.10")
    notes = files.blob(b"notes", "text/plain", annotations={"org.opencontainers.image.title": "Read Me.txt"})
    empty = files.blob(b"{}", "application/vnd.oci.empty.v1+json")
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [notes]}
    files.name(files.document(value, MANIFEST, artifactType="text/notes"), "docs")
    files.image(files.blob(b"nobody names me"))
    (files.path / "blobs" / "sha256" / "Left-Over").write_bytes(b"?")
    files.file(small).unlink()
    return Asked(picture(files.path))


# ---------------------------------------------------------------------------------------------------- what is typed


def test_nothing_typed_leaves_everything() -> None:
    assert parse("") == EVERYTHING
    assert parse("   ") == EVERYTHING


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size>", "size>50M"),
        ("size>large", "size>50M"),
        ("size>50Q", "size>50M"),
        ("age>30", "age>30d"),
        ("age>6m", "mo"),
        ("used>x", "used:0"),
        ("type:", "type:layer"),
        ("type:nonsense", "attestation"),
        ("status:fine", "corrupt"),
        ("platform:", "linux/arm64"),
        ("tag:", "tag:latest"),
        ("label:", "label:team"),
        ("typ:layer", "Did you mean type:"),
        ("stats:corrupt", "Did you mean status:"),
        ("weight>3", "Only size, used and age"),
        ("platform>3", "platform:"),
        ('"two words', "quotation mark"),
        ("-", "directly after -"),
    ],
)
def test_what_is_no_filter_is_explained(text: str, said: str) -> None:
    mistake = parse(f"alpine {text}")
    assert isinstance(mistake, Mistake)
    assert said in mistake.sentence
    assert mistake.sentence.endswith(".") or mistake.sentence.endswith("?")
    assert mistake.end == len(f"alpine {text}")
    assert mistake.start >= len("alpine ")


@given(some.text(alphabet=some.sampled_from('type:size>50M-!"|,=<…. \0éABtag') | some.characters(), max_size=40))
def test_typing_never_fails(text: str) -> None:
    assert isinstance(parse(text), (Query, Mistake))
    start, end, words = complete(text, len(text))
    assert 0 <= start <= end <= len(text)
    assert all(isinstance(word, str) for word in words)


def test_a_word_can_be_typed_letter_by_letter() -> None:
    for length in range(len("corrupt")):
        assert isinstance(parse(f"status:{'corrupt'[: length + 1]}"), Query)
        assert isinstance(parse(f"type:{'attestation'[: length + 1]}"), Query)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("app:2.1", "2.1"),
        ("reg:5000/app:2.1", "2.1"),
        ("reg:5000/app", "app"),
        ("2.1", "2.1"),
        ("a/b:c", "c"),
        ("", ""),
    ],
)
def test_the_tag_is_what_follows_the_last_colon(name: str, tag: str) -> None:
    assert tag_of(name) == tag


def test_menus_make_filters_that_can_be_typed() -> None:
    assert term("label", "team=web and more") == 'label:"team=web and more"'
    assert term("type", "layer", exclude=True) == "-type:layer"
    for kind in Kind:
        assert isinstance(parse(kind_term(kind)), Query)
    for state in State:
        assert parse(state_term(state)) != parse(state_term(State((state + 1) % len(State))))


def test_a_counter_sets_its_filter_and_takes_it_away_again() -> None:
    text = with_term("alpine", "status:corrupt")
    assert text == "alpine status:corrupt"
    assert with_term(text, "status:missing") == "alpine status:missing"
    assert with_term(text, "status:corrupt") == "alpine"
    assert with_term('"open', "used:0") == '"open used:0'


def test_words_are_offered_while_typing() -> None:
    assert complete("alpine ty", 9) == (7, 9, ["type:"])
    assert complete("type:at", 7) == (0, 7, ["type:attestation"])
    assert complete("type:layer,im", 13) == (0, 13, ["type:layer,image"])
    assert complete("-st", 3) == (1, 3, ["status:"])
    assert complete("platform:linux/a", 16, lambda key: ["linux/amd64", "linux/arm64"])[2] == [
        "platform:linux/amd64",
        "platform:linux/arm64",
    ]
    assert complete("type:layer ", 11) == (11, 11, [])
    for key in KEYS:
        assert any(word.startswith(key) for word in complete(key[:2], 2)[2])


def test_every_kind_and_state_has_a_word() -> None:
    assert {kind for wanted in KINDS.values() for kind in wanted.kinds} == set(Kind)
    assert {state for states in STATES.values() for state in states} == set(State)


# --------------------------------------------------------------------------------------------------- what is left


def test_words_are_looked_for_in_names_titles_media_types_and_digests(shelf: Asked) -> None:
    assert shelf.images("app") == ["registry.local:5000/app:2.1"]
    assert shelf.images("APP") == ["registry.local:5000/app:2.1"]
    assert shelf.images('"read me"') == ["docs"]
    assert len(shelf.blobs('"read me"')) == 1
    assert shelf.blobs("left-over") == {"sha256/Left-Over"}
    digest = shelf.snapshot.entries[0].descriptor.digest
    assert shelf.blobs(digest[7:15]) == shelf.blobs(digest) == {digest}
    assert shelf.blobs(f"{digest[7:11]}…{digest[-4:]}") == {digest}
    assert shelf.images(digest[7:15]) == ["registry.local:5000/app:2.1"]
    assert shelf.images("text") == ["docs"], "the type of its content"
    assert shelf.images("image") == [], "what every image has finds none of them"
    assert shelf.blobs('"image manifest"') == shelf.blobs("type:manifest")
    assert shelf.blobs("no such thing") == set()


def test_all_words_must_hold(shelf: Asked) -> None:
    assert shelf.images("multi type:layer") == ["multi:2.10"]
    assert shelf.images("multi docs") == []


def test_a_part_must_be_all_that_its_image_is_not(shelf: Asked) -> None:
    """An image with a large config and a missing layer is not one with a large layer that is missing."""
    assert shelf.images("type:layer status:missing") == ["registry.local:5000/app:2.1"]
    assert shelf.images("type:config status:missing") == []
    assert shelf.images("app type:layer status:missing") == ["registry.local:5000/app:2.1"]


def test_kinds(shelf: Asked) -> None:
    kinds = shelf.snapshot.columns.kinds
    assert len(shelf.blobs("type:layer")) == int(np.count_nonzero(kinds == Kind.LAYER))
    assert len(shelf.blobs("type:layer,config")) == int(
        np.count_nonzero((kinds == Kind.LAYER) | (kinds == Kind.CONFIG))
    )
    assert shelf.blobs("type:layer|config") == shelf.blobs("type:layer,config")
    assert shelf.blobs("-type:layer") | shelf.blobs("type:layer") == shelf.blobs("")
    assert shelf.blobs("type:!layer") == shelf.blobs("-type:layer")
    assert shelf.images("type:index") == ["multi:2.10"]
    assert shelf.images("-type:index type:image") == ["registry.local:5000/app:2.1", "lost"]
    assert len(shelf.blobs("type:text/plain")) == 1
    assert len(shelf.blobs("type:manifest")) == len(shelf.blobs("type:image,artifact"))


def test_states(shelf: Asked) -> None:
    missing = shelf.blobs("status:missing")
    assert len(missing) == 1
    assert missing <= shelf.blobs("status:bad")
    assert shelf.blobs("status:stray-file") == {"sha256/Left-Over"}
    assert shelf.images("status:missing") == ["registry.local:5000/app:2.1"]
    assert shelf.images("-status:bad") == ["multi:2.10", "docs", "lost"]
    assert shelf.images("status:lost-image") == ["lost"]


def test_an_image_is_verified_only_when_all_of_it_is(files: LayoutFiles) -> None:
    """Its documents are, as soon as the store is open."""
    files.name(files.image(b"layer"), "whole")
    files.name(files.image(), "only documents")
    asked = Asked(picture(files.path))
    assert digests(files.entries[0]) <= asked.blobs("status:verified")
    assert asked.images("status:verified") == ["only documents"]
    assert asked.images("-status:verified") == ["whole"]
    assert asked.images("status:not-checked") == ["whole"]


def test_sizes(shelf: Asked) -> None:
    assert shelf.blobs("size>4k") == shelf.blobs("size>=5000") == shelf.blobs("size=5000 type:layer")
    assert shelf.blobs("size>4KiB") == shelf.blobs("size>4k")
    assert shelf.images("size>5k") == ["multi:2.10"], "an image is as large as all its parts"
    assert not any(name in shelf.blobs("size<1k") for name in shelf.blobs("status:missing"))


def test_how_often_something_is_used(shelf: Asked) -> None:
    assert len(shelf.blobs("used:0")) == 1, "the lost image; a stray file is not used and not unused"
    assert len(shelf.blobs("used>=3")) == 1
    assert shelf.blobs("used:0") & shelf.blobs("type:stray-file") == set()


def test_age(files: LayoutFiles) -> None:
    old, new = files.blob(b"old"), files.blob(b"new")
    os.utime(files.file(old), (1000, 1000))
    os.utime(files.file(new), (1000 + 40 * DAY_S, 1000 + 40 * DAY_S))
    asked = Asked(picture(files.path), now=1000 + 41 * DAY_S)
    assert asked.blobs("age>30d") == asked.blobs("age>4w") == asked.blobs("age>30days") == digests(old)
    assert asked.blobs("age<36h") == asked.blobs("age<=1d") == digests(new)


def test_a_platform_is_that_of_an_image_and_all_it_needs(shelf: Asked) -> None:
    assert shelf.images("platform:linux/arm64") == shelf.images("platform:arm64") == ["multi:2.10"]
    assert "multi:2.10" in shelf.images("platform:linux/amd64")
    assert shelf.images("platform:windows") == []
    arm = shelf.blobs("platform:arm64")
    assert len(arm) == 4, "a manifest, its config, two layers"
    assert len(arm & shelf.blobs("type:layer")) == 2


def test_a_tag_is_that_of_an_image_and_all_it_needs(shelf: Asked) -> None:
    assert shelf.images("tag:2.*") == ["registry.local:5000/app:2.1", "multi:2.10"]
    assert shelf.images("tag:2.1") == ["registry.local:5000/app:2.1"]
    assert shelf.images("tag:registry.local:5000/app:2.1") == ["registry.local:5000/app:2.1"]
    assert shelf.images("-tag:2.*") == ["docs", "lost"]
    assert len(shelf.blobs("tag:2.1")) == 4
    assert len(shelf.blobs("tag:2.1 type:layer")) == 2


def test_a_shared_layer_does_not_make_an_image_one_of_that_tag(shelf: Asked) -> None:
    assert shelf.blobs("tag:2.1") & shelf.blobs("tag:2.10") != set()
    assert shelf.images("tag:2.1 type:layer") == ["registry.local:5000/app:2.1"]


def test_labels(shelf: Asked) -> None:
    for text in ("label:team", "label:team=web", "label:TEAM=w*"):
        assert shelf.images(text) == ["registry.local:5000/app:2.1"]
    assert shelf.images("label:team=web2") == []
    assert len(shelf.blobs("label:team=web")) == 4


def test_two_entries_of_one_image_are_told_apart(files: LayoutFiles) -> None:
    image = files.image(b"layer")
    files.name(image, "first")
    files.name(image, "second")
    asked = Asked(picture(files.path))
    assert asked.images("first") == ["first"]
    assert asked.images("type:layer") == ["first", "second"]


def test_an_image_is_found_by_the_signature_below_it(files: LayoutFiles) -> None:
    image = files.name(files.image(b"layer"), "app")
    files.name(files.image(b"other"), "other")
    empty = files.blob(b"{}", "application/vnd.oci.empty.v1+json")
    proof = files.blob(b"proof", "application/vnd.dev.cosign.simplesigning.v1+json")
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [proof], "subject": image}
    files.name(files.document(value, MANIFEST))
    assert "app" in Asked(picture(files.path)).images("type:signature")
    assert "other" not in Asked(picture(files.path)).images("type:signature")


def test_sizes_of_images_count_each_blob_once_however_deep_it_lies(files: LayoutFiles, tmp_path: Path) -> None:
    image = files.image(b"x" * 1000)
    nested = image
    for _ in range(8):
        nested = files.index(nested, image)
    files.name(nested, "deep")
    asked = Asked(picture(files.path))
    row = asked.snapshot.entries[0].row
    assert asked.facts.totals(np.array([row, -1]), Progress()).tolist() == [asked.snapshot.total_size(row), 0]
    for row in range(len(asked.snapshot)):
        assert asked.facts.total(row) == asked.snapshot.total_size(row)
