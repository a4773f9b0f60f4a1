"""What an image stores and never shows, told honestly and as dive tells it."""

from engine.waste import efficiency, waste
from tests.archives import file, header
from tests.engine.test_filesystem import three_layers
from tests.engine.test_merging import stacked


def test_what_is_overwritten_or_removed_is_wasted_where_it_was_stored():
    files = three_layers()
    told = waste(files)
    assert told.layers == [110, 200, 0]
    assert told.total == 310
    assert int(told.sizes[files.tree.find(b"etc/a")]) == 300
    assert int(told.sizes[files.tree.find(b"etc")]) == 310
    assert int(told.sizes[files.tree.find(b"usr")]) == 0


def test_a_file_that_only_another_name_is_left_of_is_not_wasted():
    files = stacked(file(b"a", bytes(50)) + header(b"b", b"1", link=b"a"), file(b".wh.a"))
    assert waste(files).total == 0
    assert waste(stacked(file(b"a", bytes(50)), file(b".wh.a"))).total == 50


def test_a_path_that_is_twice_in_a_layer_is_stored_twice():
    assert waste(stacked(file(b"a", bytes(50)) + file(b"a", bytes(60)))).layers == [50]


def test_dive_counts_every_copy_of_what_is_in_more_than_one_layer():
    files = stacked(file(b"a", bytes(100)) + file(b"b", bytes(10)), file(b"a", bytes(40)), file(b".wh.b"))
    told = efficiency(files)
    paths = [files.tree.path(node) for node in told.nodes.tolist()]
    assert list(zip(paths, told.times.tolist(), told.sizes.tolist(), strict=True)) == [(b"a", 2, 140), (b"b", 2, 10)]
    assert told.total == 150
    assert told.score == 40 / 150  # the smallest copy of b is its whiteout


def test_dive_counts_a_removed_folder_with_all_that_was_in_it():
    files = stacked(file(b"d/a", bytes(100)) + file(b"d/b", bytes(20)), file(b".wh.d"), file(b"d", bytes(5)))
    told = efficiency(files)
    assert [files.tree.path(node) for node in told.nodes.tolist()] == [b"d"]
    assert (told.total, told.score) == (125, (100 + 20 + 5) / (100 + 20 + 120 + 5))


def test_an_image_of_nothing_wastes_nothing():
    assert waste(stacked()).total == 0
    assert (efficiency(stacked()).score, efficiency(stacked(file(b"a"))).score) == (1.0, 1.0)
