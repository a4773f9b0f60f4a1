"""What is wrong with a layer is told, file by file, in the numbers of the specification."""

import gzip
import lzma

import pytest

from engine.decompress import Compression, Limits, Unpacker, detect, zstd
from engine.findings import Finding, Severity
from engine.rules.book import RULES, check
from engine.rules.layer import Layer, compression_of, normal
from engine.tarwalk import Walker
from tests.archives import END, file, header, pax

TAR = "application/vnd.oci.image.layer.v1.tar"
SOUND = file(b"folder/", kind=b"5") + file(b"folder/file", b"content") + END

NOT_CHECKED = {
    "V143": "both forms of whiteouts are understood: a promise of this program",
    "V147": "hidden whiteouts are no files of the merged view: a promise of this program",
}


def look(
    content: bytes, media_type: str = TAR, limits: Limits | None = None, entries: int = 2_000_000
) -> list[Finding]:
    compression = detect(content)
    unpacker, walker = Unpacker(compression, limits), Walker(entries=entries)
    if compression in (Compression.NONE, Compression.GZIP, Compression.ZSTD):
        for block in unpacker.feed(content):
            walker.feed(block)
    for block in unpacker.finish():
        walker.feed(block)
    return list(check(Layer(media_type, compression, unpacker, walker.finish(), lambda: None), "sha256:x"))


def numbers(content: bytes, media_type: str = TAR) -> list[str]:
    return [found.rule for found in look(content, media_type)]


def only(content: bytes, media_type: str = TAR) -> Finding:
    (found,) = look(content, media_type)
    assert found.place == "sha256:x"
    return found


@pytest.mark.parametrize("number", [*(f"V{n}" for n in range(140, 151)), "X19"])
def test_every_number_of_layers_is_a_rule_or_has_a_reason_why_not(number):
    assert (number in RULES) != (number in NOT_CHECKED)


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        (TAR, SOUND),
        (f"{TAR}+gzip", gzip.compress(SOUND)),
        (f"{TAR}+gzip", gzip.compress(SOUND[:700]) + gzip.compress(SOUND[700:])),
        (f"{TAR}+zstd", zstd.compress(SOUND)),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", gzip.compress(SOUND)),
        ("application/vnd.docker.image.rootfs.diff.tar", SOUND),
        (TAR, END),
        (TAR, SOUND + bytes(20 * 512)),
    ],
)
def test_sound_layers_have_no_findings(media_type, content):
    assert look(content, media_type) == []


@pytest.mark.parametrize(
    ("media_type", "compression"),
    [
        (TAR, Compression.NONE),
        (f"{TAR}+gzip", Compression.GZIP),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Compression.ZSTD),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Compression.GZIP),
        (f"{TAR}+encrypted", None),
        (f"{TAR}+gzip+encrypted", None),
        ("application/vnd.erofs.layer.v1", None),
        ("", None),
    ],
)
def test_media_types_say_how_layers_are_compressed(media_type, compression):
    assert compression_of(media_type) is compression


@pytest.mark.parametrize(
    ("declared", "content", "expected", "found"),
    [
        ("+gzip", zstd.compress(SOUND), "gzip", "zstd"),
        ("+zstd", gzip.compress(SOUND), "zstd", "gzip"),
        ("+gzip", SOUND, "gzip", "not compressed"),
        ("", gzip.compress(SOUND), "not compressed", "gzip"),
        ("+gzip", lzma.compress(SOUND), "gzip", "xz"),
        ("", lzma.compress(SOUND), "not compressed", "xz"),
    ],
)
def test_a_media_type_that_lies_about_the_compression(declared, content, expected, found):
    told = only(content, TAR + declared)
    assert (told.rule, told.severity, told.expected, told.found) == ("V140", Severity.ERROR, expected, found)


@pytest.mark.parametrize("content", [b'{"a":1}', b"text " * 1000, gzip.compress(b"text " * 1000), zstd.compress(b"{}")])
def test_what_is_no_tar_file(content):
    compression = detect(content)
    suffix = "" if compression is Compression.NONE else f"+{compression.value}"
    told = only(content, TAR + suffix)
    assert (told.rule, told.expected) == ("V140", "a tar file")


def test_a_path_twice_in_a_layer():
    content = file(b"a/b") + file(b"c") + file(b"./a//b") + file(b"d/", kind=b"5") + file(b"/d", kind=b"5") + file(b"e")
    found = look(content + file(b"a/b") + END)
    assert [(each.rule, each.where, each.found) for each in found] == [
        ("V141", "a/b", "3 entries"),
        ("V141", "d", "2 entries"),
    ]


def test_very_many_paths_twice_are_cut():
    content = b"".join(file(b"%d" % (n % 3000)) for n in range(6000)) + END
    assert numbers(content) == ["V141"] * 100


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *((b"./a", b"a"), (b"a/", b"a"), (b"/a//b/./c", b"a/b/c"), (b".", b""), (b"./", b"")),
        *((b"a/../b", b"a/../b"), (b".a", b".a"), (b"a/.b", b"a/.b"), (b"..", b".."), (b"a", b"a"), (b"", b"")),
    ],
)
def test_spellings_of_one_path(name, path):
    assert normal(name) == path


def test_whiteouts():
    sound = file(b"a/.wh..wh..opq") + file(b"a/.wh.b") + file(b"a/c") + END
    assert look(sound) == []
    empty = only(file(b"a/.wh.") + END)
    assert (empty.rule, empty.where) == ("V142", "a/.wh.")
    full = only(file(b"a/.wh.b", b"content") + END)
    assert (full.rule, full.severity, full.found) == ("V144", Severity.INFO, "7 bytes")
    assert only(file(b"a/.wh.b", kind=b"2", link=b"x") + END).found == "no regular file"
    late = only(file(b"a/c") + file(b"b/.wh.x") + file(b"a/.wh.b") + file(b"a/.wh..wh..opq") + END)
    assert (late.rule, late.severity, late.where) == ("V145", Severity.WARNING, "a/.wh.b")
    assert "1 more" in late.sentence


def test_sparse_files():
    told = only(pax(GNU__sparse__size=b"900", GNU__sparse__map=b"0,1") + file(b"holes", b"x") + END)
    assert (told.rule, told.where) == ("V146", "holes")
    assert numbers(header(b"old", b"S", sparse=b"") + END) == ["V146"]


def test_layers_that_are_not_to_be_distributed():
    told = only(SOUND, "application/vnd.oci.image.layer.nondistributable.v1.tar")
    assert (told.rule, told.severity) == ("V148", Severity.INFO)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_cut_layer_says_how_far_it_goes(pack):
    content = b"".join(file(b"file %d" % n, b"%d" % (n * n) * 300) for n in range(200)) + END
    packed = pack(content)
    told = only(packed[: len(packed) - 3], f"{TAR}+{detect(packed).value}")
    assert (told.rule, told.severity) == ("V150", Severity.ERROR)
    assert "ends too early" in told.sentence
    assert "entries could be read" in told.sentence


@pytest.mark.parametrize(
    ("content", "severity", "words"),
    [
        (SOUND[:-1024], Severity.WARNING, "without empty blocks"),
        (SOUND[:-512], Severity.INFO, "one empty block"),
        (SOUND[: -1024 - 506], Severity.ERROR, "in the middle of an entry; 2 entries"),
        (SOUND[:-1024] + b"x" * 512 + END, Severity.ERROR, "at byte 1,536 at something that is no header; 2 entries"),
        (SOUND + SOUND, Severity.WARNING, "follows the end of the list of files at byte 1536"),
    ],
)
def test_a_tar_file_without_a_clean_end(content, severity, words):
    told = only(content)
    assert (told.rule, told.severity) == ("V150", severity)
    assert words in told.sentence


def test_damaged_compressed_data():
    packed = bytearray(gzip.compress(SOUND))
    packed[-6] ^= 1
    told = only(bytes(packed), f"{TAR}+gzip")
    assert (told.rule, told.found) == ("V150", "the compressed data is damaged")


@pytest.mark.parametrize(("rest", "found"), [(b"\0" * 7, "7 zeros"), (b"hello", "5 bytes that are not compressed")])
def test_something_behind_the_compressed_data(rest, found):
    told = only(gzip.compress(SOUND) + rest, f"{TAR}+gzip")
    assert (told.rule, told.severity, told.found) == ("X19", Severity.WARNING, found)


def test_entries_that_cannot_be_read_exactly():
    content = file(b"a") + pax(path=b"n" * 5000) + file(b"b") + file(b"c", uid=b"nobody\0") + END
    told = look(content)
    assert {(each.rule, each.where[:3]) for each in told} == {("X30", "nnn"), ("X30", "c")}


def test_paths_that_are_no_text_can_be_had_again():
    told = only(file(b"\xff\x1b/.wh.") + END)
    assert told.where.encode("utf-8", "surrogateescape") == b"\xff\x1b/.wh."


def test_a_bomb_ends_with_a_sentence():
    packed = zstd.compress(file(b"zeros", bytes(80 << 20)) + END)
    (told,) = look(packed, f"{TAR}+zstd")
    assert (told.rule, told.severity) == ("X31", Severity.WARNING)
    assert "grows too much" in told.sentence
    assert look(packed, f"{TAR}+zstd", Limits(ratio=100_000)) == []


def test_too_many_entries_end_with_a_sentence():
    (told,) = look(b"".join(file(b"%d" % n) for n in range(20)) + END, entries=10)
    assert (told.rule, told.expected) == ("X31", "at most 10 entries")


@pytest.mark.parametrize("kind", [b"V", b"7"])
def test_an_entry_of_a_type_that_layers_do_not_have(kind):
    told = only(file(b"odd", kind=kind) + END)
    assert (told.rule, told.where, told.severity) == ("X32", "odd", Severity.WARNING)


@pytest.mark.parametrize(
    ("name", "kind"), [(b"../x", b"0"), (b"a/../../x", b"0"), (b"..", b"5"), (b"./", b"2"), (b"", b"0"), (b"/", b"2")]
)
def test_an_entry_that_may_lead_out_of_the_layer(name, kind):
    told = only(file(name, kind=kind) + END)
    assert (told.rule, told.severity) == ("X33", Severity.WARNING)


@pytest.mark.parametrize(("name", "kind"), [(b"./", b"5"), (b"/", b"5"), (b"a..b/...", b"0"), (b"./a", b"0")])
def test_dots_and_the_root_are_sound_where_they_mean_no_harm(name, kind):
    assert numbers(file(name, kind=kind) + END) == []
