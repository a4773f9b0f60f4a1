"""What the rectangles of a store's map say, and how they are dressed."""

from pathlib import Path

import numpy as np
import pytest

from engine.progress import Progress
from engine.snapshot import Kind, Outcome, State
from engine.space import uses_of
from gui.models.treemap import Cells, Place, lay_out
from gui.models.treemap_store import STORE, ByImage, ByKind
from gui.panels.space_paper import Paper
from gui.panels.space_words import StoreSpace, StoreWords
from tests.gui.models._pictures import picture
from tests.layouts import LayoutFiles


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """Two images that share a layer, and a blob that nothing leads to."""
    files = LayoutFiles(tmp_path / "layout")
    common = files.blob(b"base" * 5000)
    files.name(files.image(common, b"one" * 3000), "one")
    files.name(files.image(common, b"two" * 2000, config={"author": "other"}), "two")
    files.blob(b"nobody's" * 500)
    return files


def words_of(files: LayoutFiles, kind: type[StoreSpace] = ByKind, corrupt: str = "") -> StoreWords:
    snapshot, *_ = picture(files.path)
    outcomes = np.full(len(snapshot), Outcome.NONE, np.uint8)
    if corrupt:
        outcomes[snapshot.find(corrupt)] = Outcome.CORRUPT
    return StoreWords(kind(snapshot, uses_of(snapshot), Progress()), snapshot.states(outcomes))


def lay(words: StoreWords, width: int = 700, height: int = 300) -> Cells:
    return lay_out(words.space, Place(STORE), width, height, 17, Progress())


def layers(words: StoreWords) -> Place:
    assert isinstance(words.space, ByKind)
    return Place(words.space.first_group + Kind.LAYER)


def row(words: StoreWords, content: bytes) -> Place:
    sizes = words.space.snapshot.columns.sizes
    (found,) = np.flatnonzero(sizes == len(content))
    return Place(int(found))


def test_a_layer_says_whose_it_is(files: LayoutFiles) -> None:
    words = words_of(files)
    assert words.titles(row(words, b"one" * 3000))[0] == "one: layer 2 of 2"
    assert words.sentence(row(words, b"one" * 3000)).startswith(
        "one: layer 2 of 2 · 9.0 kB · Not checked · only one image has it · sha256:"
    )


def test_a_shared_layer_says_how_many_images_have_it(files: LayoutFiles) -> None:
    words = words_of(files)
    assert words.titles(row(words, b"base" * 5000)) == ("Layer 1 of 2, in 2 images", "Layer 1 of 2", "1 of 2")


def test_below_its_image_a_layer_need_not_say_whose_it_is(files: LayoutFiles) -> None:
    words = words_of(files, ByImage)
    assert words.titles(row(words, b"one" * 3000))[0] == "Layer 2 of 2"


def test_an_image_s_group_says_what_no_other_image_has(files: LayoutFiles) -> None:
    words = words_of(files, ByImage)
    group = Place(words.space.group_of(row(words, b"one" * 3000).node))
    size = int(words.space.totals[group.node - words.space.first_group])
    assert words.sentence(group) == f"one · 3 files · {size / 1000:.1f} kB that no other image has"


def test_what_is_unused_says_so(files: LayoutFiles) -> None:
    words = words_of(files)
    assert "Unused · nothing that is named leads to it" in words.sentence(row(words, b"nobody's" * 500))


def test_a_group_says_how_much_of_it_is_bad(files: LayoutFiles) -> None:
    words = words_of(files)
    corrupt = words.space.snapshot.name(row(words, b"two" * 2000).node)
    words = words_of(files, corrupt=corrupt)
    assert words.sentence(layers(words)).endswith(" · 1 corrupt")
    assert words.sentence(Place(STORE)).endswith(" · 1 corrupt")
    assert words.sentence(layers(words)._replace(skip=1)) == "2 smaller · 15.0 kB · 1 corrupt"
    assert words.sentence(layers(words)._replace(skip=3)).count("corrupt") == 0


def test_papers_are_the_uses_and_glyphs_the_states(files: LayoutFiles) -> None:
    words = words_of(files)
    corrupt = words.space.snapshot.name(row(words, b"two" * 2000).node)
    words = words_of(files, corrupt=corrupt)
    dressed = words.dress(lay(words), 14, Progress())
    seen = {
        content: Paper(int(dressed.papers[dressed.cells.find(row(words, content))]))
        for content in (b"base" * 5000, b"one" * 3000, b"two" * 2000, b"nobody's" * 500)
    }
    assert list(seen.values()) == [Paper.SHARED, Paper.USED, Paper.BROKEN, Paper.UNUSED]
    marks = {dressed.marks.get(dressed.cells.find(row(words, content))) for content in seen}
    assert marks == {State.NOT_CHECKED, State.CORRUPT, State.UNUSED}


def test_something_bad_among_what_is_too_small_is_still_seen(files: LayoutFiles) -> None:
    tiny = files.blob(b"tiny")
    files.name(files.image(tiny, b"least", config={"author": "third"}), "three")
    words = words_of(files, corrupt=tiny["digest"])
    cells = lay_out(words.space, layers(words), 60, 40, 17, Progress())
    dressed = words.dress(cells, 14, Progress())
    where = words.place_of(cells, row(words, b"tiny").node)
    assert where is not None
    assert where.skip
    assert dressed.papers[cells.find(where)] == Paper.BROKEN


def test_where_something_is_selected_that_is_too_small_its_group_is_marked(files: LayoutFiles) -> None:
    words = words_of(files)
    cells = lay(words, 60, 20)
    manifest = words.space.snapshot.find(files.entries[0]["digest"])
    where = words.place_of(cells, manifest)
    assert where == Place(words.space.group_of(manifest))


def test_all_parts_of_an_image_are_found(files: LayoutFiles) -> None:
    words = words_of(files)
    cells = lay(words, 1200, 800)
    found = words.parts_of(cells, words.space.snapshot.find(files.entries[0]["digest"]))
    sizes = sorted(cells.sizes[found].tolist(), reverse=True)
    assert sizes[:2] == [20_000, 9000]
    assert len(words.parts_of(cells, row(words, b"one" * 3000).node)) == 0
