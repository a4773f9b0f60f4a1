"""``index.json`` as text: an edit changes what it is about, and not one byte more."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.digest import digest_of
from engine.document import OCI_MANIFEST, REF_NAME, Descriptor, Platform
from engine.errors import DocumentError, StoreChanged
from engine.index import NEW_INDEX, IndexText

A, B, C = (digest_of(letter) for letter in (b"a", b"b", b"c"))

STRANGE = (
    "{\n"
    '    "schemaVersion": 2.0,\n'
    '    "x-future": {"list": [1e2, 1.50, -0, 9007199254740993],   "text": "\\u00e9\\/é"},\n'
    '    "manifests": [\n'
    f'        {{"size": 1e2, "digest": "{A}", "mediaType": "{OCI_MANIFEST}", "x": null}},\n'
    "        {\n"
    f'            "mediaType": "{OCI_MANIFEST}",\n'
    f'            "digest": "{B}",\n'
    '            "size": 7,\n'
    '            "platform": {"os": "linux", "architecture": "amd64", "os.features": ["x"]},\n'
    f'            "annotations": {{"k": "v", "{REF_NAME}": "b"}}\n'
    "        }\n"
    "    ],\n"
    '    "subject": null\n'
    "}\n"
)


def descriptor(digest: str = C, size: int = 3, **more: Any) -> Descriptor:
    return Descriptor(OCI_MANIFEST, digest, size, **more)


def entry(digest: str, name: str | None = None) -> str:
    annotations = {} if name is None else {"annotations": {REF_NAME: name}}
    return json.dumps({"mediaType": OCI_MANIFEST, "digest": digest, "size": 1, **annotations})


def index(*entries: str) -> IndexText:
    return IndexText.parse(('{"schemaVersion":2,"manifests":[' + ",".join(entries) + "]}").encode())


def pairs(text: IndexText) -> list[tuple[str, str | None]]:
    return [(found.digest, found.name) for found in text.entries]


def raw(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


class TestStrictness:
    """T16, T19, T20: what is not strictly an index is not edited."""

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"null",
            b"[]",
            b'{"manifests":[]} trailing',
            b'{"manifests":[],"manifests":[]}',
            b'{"manifests":[NaN]}',
            b'{"manifests":{}}',
            b'\xef\xbb\xbf{"manifests":[]}',
            '{"manifests":[]}'.encode("utf-16"),
            b'{"manifests":["\xff"]}',
            b'{"manifests":[{"digest":',
        ],
    )
    def test_it_raises_a_sentence(self, text: bytes) -> None:
        with pytest.raises(DocumentError) as raised:
            IndexText.parse(text)
        assert str(raised.value).endswith(".")

    def test_trailing_garbage_is_named_by_its_offset(self) -> None:
        """T16"""
        with pytest.raises(DocumentError, match="at byte 17"):
            IndexText.parse(b'{"manifests":[]} trailing')

    @pytest.mark.parametrize("size", ["1e2", '"100"', "-1", "1" + "0" * 30, "null", "true"])
    def test_a_damaged_entry_is_an_entry_all_the_same(self, size: str) -> None:
        """T20, T23: it can be seen, named and removed."""
        text = index(f'{{"mediaType":"{OCI_MANIFEST}","digest":"{A}","size":{size},"annotations":{{"a":null}}}}')
        text.rename(0, "broken")
        assert text.entries[0].name == "broken"
        assert f'"size":{size}'.encode() in text.raw
        text.remove(0)
        assert text.raw == b'{"schemaVersion":2,"manifests":[]}'

    def test_entries_that_are_no_objects_can_be_removed_and_not_named(self) -> None:
        text = index("7", entry(A, "a"), '"text"')
        assert pairs(text) == [("", None), (A, "a"), ("", None)]
        with pytest.raises(DocumentError, match=r"manifests\[0\] of index.json is not an object"):
            text.rename(0, "x")
        text.remove(2)
        text.remove(0)
        assert text.raw == index(entry(A, "a")).raw

    @pytest.mark.parametrize("annotations", ['"text"', "[]", "7"])
    def test_annotations_that_are_no_object_are_left_alone(self, annotations: str) -> None:
        text = index(f'{{"digest":"{A}","annotations":{annotations}}}')
        before = text.raw
        with pytest.raises(DocumentError, match=r"manifests\[0\] of index.json.annotations is not an object"):
            text.rename(0, "x")
        assert text.raw == before


class TestKeepingTheRest:
    """T22, T79, promise 16: fields, order, spelling of numbers and white space stay."""

    def test_reading_changes_nothing(self) -> None:
        assert IndexText.parse(STRANGE.encode()).raw == STRANGE.encode()

    def test_a_name_changes_one_string(self) -> None:
        text = IndexText.parse(STRANGE.encode())
        text.rename(1, "new")
        assert text.raw.decode() == STRANGE.replace(f'"{REF_NAME}": "b"', f'"{REF_NAME}": "new"')

    def test_untagging_takes_out_one_member(self) -> None:
        text = IndexText.parse(STRANGE.encode())
        text.rename(1, None)
        assert text.raw.decode() == STRANGE.replace(f', "{REF_NAME}": "b"', "")

    def test_the_last_annotation_takes_the_object_with_it(self) -> None:
        text = index(entry(A, "a"))
        text.rename(0, None)
        assert text.raw == index(entry(A)).raw

    def test_a_first_annotation_brings_the_object(self) -> None:
        text = IndexText.parse(STRANGE.encode())
        text.rename(0, "a")
        assert text.raw.decode() == STRANGE.replace('"x": null}', f'"x": null, "annotations": {{"{REF_NAME}": "a"}}}}')

    def test_null_annotations_become_an_object(self) -> None:
        text = index(f'{{"annotations":null,"digest":"{A}"}}')
        text.rename(0, None)
        assert text.raw == index(f'{{"annotations":null,"digest":"{A}"}}').raw
        text.rename(0, "a")
        assert text.raw == index(f'{{"annotations":{{"{REF_NAME}":"a"}},"digest":"{A}"}}').raw

    def test_setting_what_is_there_already_changes_nothing(self) -> None:
        respelt = f'{{"digest":"{A}","annotations":{{"{REF_NAME}":"\\u0061"}}}}'
        text = index(respelt)
        text.rename(0, "a")
        assert text.raw == index(respelt).raw

    def test_removing_each_entry_leaves_the_others(self) -> None:
        entries = [entry(A), entry(B, "b"), entry(C)]
        for position in range(3):
            text = index(*entries)
            text.remove(position)
            assert text.raw == index(*(e for n, e in enumerate(entries) if n != position)).raw

    @pytest.mark.parametrize("gone", [(0, 1), (0, 2), (1, 3), (2, 3), (3, 1), (0, 1, 2), (1, 2, 3), (0, 1, 2, 3), ()])
    def test_removing_several_at_once_is_removing_one_after_the_other(self, gone: tuple[int, ...]) -> None:
        entries = ", ".join([entry(A), entry(B, "b"), entry(C), entry(A, "a")])
        several, single = index(entries), index(entries)
        several.remove(*gone)
        for position in sorted(gone, reverse=True):
            single.remove(position)
        assert several.raw == single.raw
        fresh = IndexText.parse(several.raw)
        assert (list(several.entries), several.spans) == (list(fresh.entries), fresh.spans)

    def test_half_of_a_large_index_is_removed_in_one_go(self) -> None:
        text = index(*(entry(A, str(n)) for n in range(40_000)))
        text.remove(*range(0, 40_000, 2))
        assert [found.name for found in text.entries] == [str(n) for n in range(1, 40_000, 2)]

    def test_adding_and_removing_again_leaves_the_text_as_it_was(self) -> None:
        for before in (STRANGE.encode(), NEW_INDEX, index(entry(A)).raw):
            text = IndexText.parse(before)
            position = text.add(descriptor(), "c")
            assert text.raw != before
            text.remove(position)
            assert text.raw == before

    def test_a_new_entry_is_laid_out_like_the_one_before_it(self) -> None:
        text = IndexText.parse(STRANGE.encode())
        text.add(descriptor(platform=Platform("linux", "arm64", "v8")), "c")
        assert text.raw.decode().endswith(
            "        },\n"
            "        {\n"
            f'            "mediaType": "{OCI_MANIFEST}",\n'
            f'            "digest": "{C}",\n'
            '            "size": 3,\n'
            '            "platform": {\n'
            '                "architecture": "arm64",\n'
            '                "os": "linux",\n'
            '                "variant": "v8"\n'
            "            },\n"
            '            "annotations": {\n'
            f'                "{REF_NAME}": "c"\n'
            "            }\n"
            "        }\n"
            "    ],\n"
            '    "subject": null\n'
            "}\n"
        )

    def test_the_first_entry_follows_the_layout_of_the_document(self) -> None:
        text = IndexText.parse(b'{\r\n\t"schemaVersion": 2,\r\n\t"manifests": []\r\n}')
        text.add(Descriptor("a/b", A, 1))
        assert text.raw.decode() == (
            '{\r\n\t"schemaVersion": 2,\r\n\t"manifests": [\r\n\t\t{\r\n\t\t\t"mediaType": "a/b",\r\n'
            f'\t\t\t"digest": "{A}",\r\n\t\t\t"size": 1\r\n\t\t}}\r\n\t]\r\n}}'
        )


class TestMissingLists:
    def test_null_becomes_a_list(self) -> None:
        """T12: what Go programs write for an empty list."""
        text = IndexText.parse(b'{"schemaVersion":2,"manifests":null,"x":1}')
        assert pairs(text) == []
        text.add(entry(A))
        text.remove(0)
        assert text.raw == b'{"schemaVersion":2,"manifests":[],"x":1}'

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b"{}", b'{"manifests":[%s]}'),
            (b'{"schemaVersion":2}', b'{"schemaVersion":2,"manifests":[%s]}'),
            (b'{"schemaVersion": 2, "x": 1}', b'{"schemaVersion": 2, "x": 1, "manifests": [%s]}'),
        ],
    )
    def test_a_missing_list_comes_with_the_first_entry(self, before: bytes, after: bytes) -> None:
        text = IndexText.parse(before)
        text.add(entry(A))
        assert text.raw == after % entry(A).encode()


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "latest",
            "docker.io/library/alpine:latest",
            "bad name!",
            "",
            "x" * 300,
            "größe/日本語:版",
            'quote"back\\slash',
            "line\nbreak\0nul\x7f",
            "\ud800lone",
            "[{]}",
        ],
    )
    def test_any_text_can_be_a_name_and_be_removed(self, name: str) -> None:
        """T76: umoci can neither find nor remove most of them."""
        text = index(entry(A, "other"))
        text.add(descriptor(), name)
        assert text.named(name) == [1]
        assert json.loads(text.raw)["manifests"][1]["annotations"] == {REF_NAME: name}
        text.remove(text.named(name)[0])
        assert text.raw == index(entry(A, "other")).raw

    def test_a_digest_with_two_names_has_two_entries(self) -> None:
        """T74"""
        text = index(entry(A, "one"), entry(A, "two"))
        text.remove(text.named("one")[0])
        assert pairs(text) == [(A, "two")]

    def test_a_name_that_stands_twice_is_found_twice(self) -> None:
        """T75"""
        assert index(entry(A, "same"), entry(B, "other"), entry(C, "same")).named("same") == [0, 2]

    def test_a_digest_as_a_name_is_only_a_name(self) -> None:
        """T81: oras deleted the entry when its digest was untagged."""
        text = index(entry(A), entry(B, A))
        assert text.named(A) == [1]
        text.rename(1, None)
        assert pairs(text) == [(A, None), (B, None)]

    def test_an_entry_without_a_name_is_chosen_by_its_position(self) -> None:
        """T80"""
        text = index(entry(A), entry(A), entry(B))
        text.rename(1, "middle")
        assert pairs(text) == [(A, None), (A, "middle"), (B, None)]

    @pytest.mark.parametrize("position", [-1, 1, 99])
    def test_a_position_that_is_gone_says_so(self, position: int) -> None:
        text = index(entry(A))
        for use in (text.remove, text.entry_text, lambda position: text.rename(position, "x")):
            with pytest.raises(StoreChanged, match="does not have that entry any more"):
                use(position)

    def test_an_entry_is_found_again_by_what_it_says(self) -> None:
        text = index(entry(A), entry(B), entry(A), entry(C))
        wanted = text.entries[0]
        assert [text.find_entry(wanted, near) for near in range(4)] == [0, 0, 2, 2]
        with pytest.raises(StoreChanged):
            text.find_entry(descriptor())


class TestRetagging:
    """T73, T75: only what has the name changes."""

    def test_what_had_the_name_alone_stays_without_one(self) -> None:
        text = index(entry(B, "b"), entry(A, "latest"))
        text.retag("latest", entry(C))
        assert pairs(text) == [(B, "b"), (A, None), (C, "latest")]

    def test_unless_nobody_wants_it(self) -> None:
        text = index(entry(B, "b"), entry(A, "latest"))
        text.retag("latest", descriptor(), keep_previous=False)
        assert pairs(text) == [(B, "b"), (C, "latest")]

    def test_what_has_other_entries_goes(self) -> None:
        text = index(entry(A, "1.0"), entry(A, "latest"))
        text.retag("latest", descriptor())
        assert pairs(text) == [(A, "1.0"), (C, "latest")]

    def test_every_entry_of_that_name_makes_way(self) -> None:
        text = index(entry(A, "x"), entry(B, "x"), entry(A, "x"), entry(B, "y"))
        text.retag("x", descriptor())
        assert pairs(text) == [(A, None), (B, "y"), (C, "x")]

    def test_the_same_again_changes_nothing(self) -> None:
        text = index(entry(A, "x"), entry(C, "y"))
        before = text.raw
        text.retag("y", descriptor(size=1))
        assert text.raw == before

    def test_an_entry_without_a_name_gets_it(self) -> None:
        text = index(entry(A), entry(C))
        text.retag("c", descriptor())
        assert pairs(text) == [(A, None), (C, "c")]


class TestAdding:
    def test_every_field_of_a_descriptor_is_written(self) -> None:
        text = index()
        whole = Descriptor(
            OCI_MANIFEST,
            A,
            5,
            {"k": "v"},
            Platform("windows", "amd64", "", "10.0.1"),
            "a/type",
            ("https://example.org/x",),
            "aGVsbG8=",
        )
        text.add(whole)
        assert text.entries == [whole]
        assert json.loads(text.raw)["manifests"][0]["platform"] == {
            "architecture": "amd64",
            "os": "windows",
            "os.version": "10.0.1",
        }

    def test_the_text_of_an_entry_is_taken_as_it_is(self) -> None:
        strange = '{"size": 1e2,  "x":[ ], "digest":"' + A + '"}'
        text = index(entry(B))
        text.add(f"\n  {strange}\n")
        assert text.entry_text(1) == strange
        text.add(strange, "named")
        assert text.named("named") == [2]

    @pytest.mark.parametrize("piece", ["7", "[]", "{", '{"a":1,"a":2}', "{}, {}"])
    def test_what_is_no_entry_is_refused(self, piece: str) -> None:
        text = index(entry(A))
        with pytest.raises(DocumentError):
            text.add(piece)
        assert text.raw == index(entry(A)).raw

    @pytest.mark.parametrize("missing", [Descriptor("", A, 1), Descriptor("a/b", "", 1), Descriptor("a/b", A)])
    def test_a_descriptor_must_be_whole(self, missing: Descriptor) -> None:
        with pytest.raises(DocumentError, match="needs a media type, a digest and a size"):
            index().add(missing)


@st.composite
def edits(draw: st.DrawFn) -> list[tuple[str, int, str | None]]:
    step = st.tuples(
        st.sampled_from(["add", "add", "remove", "rename", "annotate", "retag"]),
        st.integers(0, 5),
        st.none() | st.sampled_from(["", "a", "b", 'é"\\', "\ud800"]),
    )
    return draw(st.lists(step, max_size=12))


@given(st.sampled_from([NEW_INDEX, b"{}", b'{ "manifests": null }', STRANGE.encode()]), edits())
def test_whatever_is_edited_the_text_says_what_was_meant(
    before: bytes, steps: list[tuple[str, int, str | None]]
) -> None:
    """Against a plain list; and what is known of an edited text is what a fresh reading finds."""
    text = IndexText.parse(before)
    model = [(found.digest, found.name) for found in text.entries]
    for action, position, name in steps:
        if action == "add":
            text.add(descriptor([A, B, C][position % 3]), name)
            model.append(([A, B, C][position % 3], name))
        elif action == "retag":
            text.retag(name or "", descriptor())
            assert [text.entries[n].digest for n in text.named(name or "")] == [C]
            model = pairs(text)
        elif position < len(model):
            if action == "remove":
                text.remove(position)
                del model[position]
            elif action == "rename":
                text.rename(position, name)
                model[position] = (model[position][0], name)
            else:
                text.annotate(position, "key", name)
                assert text.entries[position].annotations.get("key") == name
        fresh = IndexText.parse(text.raw)
        assert (list(fresh.entries), fresh.spans) == (list(text.entries), text.spans)
        assert pairs(text) == model
    for key, value in json.loads(before).items():
        if key != "manifests":
            assert json.loads(text.raw)[key] == value


def test_entries_are_arranged_with_the_white_space_before_them() -> None:
    raw = b'{ "manifests": [ {"digest": "a"},\n  {"digest": "b"} , {"digest": "c"} ] }\n'
    index = IndexText.parse(raw)
    index.arrange([2, ' {"digest": "d"} ', 1])
    assert index.raw == b'{ "manifests": [ {"digest": "c"} , {"digest": "d"},\n  {"digest": "b"} ] }\n'
    index.arrange([])
    assert index.raw == b'{ "manifests": [] }\n'
    index.arrange(['{"digest": "e"}'])
    assert [json.loads(index.entry_text(0))] == [{"digest": "e"}]
    with pytest.raises(DocumentError):
        index.arrange(["no JSON"])


def test_a_copy_stays_as_it_was() -> None:
    index = IndexText.parse(b'{"manifests":[{"digest":"a"}]}')
    copy = index.copy()
    index.remove(0)
    assert copy.raw == b'{"manifests":[{"digest":"a"}]}'
    assert len(copy.entries) == 1


def test_only_the_size_of_an_entry_changes() -> None:
    index = IndexText.parse(b'{"manifests":[{"size": 1e2, "x": 1.0},{"y":2}]}')
    index.resize(0, 7)
    index.resize(1, 8)
    assert index.raw == b'{"manifests":[{"size": 7, "x": 1.0},{"y":2,"size":8}]}'


def test_a_list_is_written_only_for_null() -> None:
    for before, after in ((b'{"manifests": null}', b'{"manifests": []}'), (b'{"x":1}', b'{"x":1}')):
        index = IndexText.parse(before)
        index.make_list()
        assert index.raw == after
