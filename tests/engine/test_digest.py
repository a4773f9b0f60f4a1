"""Digests: what is one, and what never becomes a path."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.digest import LONGEST, Digest, clip, digest_of, shorten
from engine.errors import InvalidDigest, NotCheckable

SHA256 = "sha256:" + "9f" * 32


class TestGrammar:
    """T34, and image-spec descriptor.md."""

    @pytest.mark.parametrize(
        "text",
        [
            SHA256,
            "sha512:" + "0a" * 64,
            "blake3:" + "00" * 32,
            "sha666:abc",
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3T",
        ],
    )
    def test_registered_and_unknown_algorithms_are_digests(self, text: str) -> None:
        digest = Digest.parse(text)
        assert digest == text
        assert (digest.algorithm, digest.encoded) == tuple(text.split(":"))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "abc",
            ":",
            "sha256:",
            ":" + "9f" * 32,
            "sha256:../../x",
            "sha256:..",
            "../sha256:" + "9f" * 32,
            SHA256.upper(),
            "sha256:" + "9F" * 32,
            "sha256:" + "9f" * 31 + "9",
            "sha256:" + "9f" * 32 + "9",
            SHA256 + "\n",
            " " + SHA256,
            "sha256:" + "9f" * 32 + "/x",
            "sha256:" + "٣" * 64,
            "sha-_256:" + "9f" * 32,
            "a" * LONGEST + ":b",
            "x:" + "\0",
        ],
    )
    def test_everything_else_is_refused_in_a_sentence(self, text: str) -> None:
        with pytest.raises(InvalidDigest) as raised:
            Digest.parse(text)
        assert str(raised.value).endswith("digest.")
        assert raised.value.expected

    @given(st.text(max_size=80))
    def test_what_is_accepted_is_safe_as_two_names_in_a_path(self, text: str) -> None:
        try:
            digest = Digest.parse(text)
        except InvalidDigest:
            return
        for name in (digest.algorithm, digest.encoded):
            assert name not in ("", ".", "..")
            assert not {"/", "\0", "\n"} & set(name)


class TestHashing:
    def test_content_has_the_digest_that_hashlib_says(self) -> None:
        assert digest_of(b"x") == "sha256:" + hashlib.sha256(b"x").hexdigest()
        assert digest_of(b"x", "sha512") == "sha512:" + hashlib.sha512(b"x").hexdigest()

    def test_an_algorithm_that_cannot_be_computed_is_not_checkable_rather_than_bad(self) -> None:
        digest = Digest.parse("blake3:" + "00" * 32)
        assert not digest.checkable
        with pytest.raises(NotCheckable, match="does not compute blake3"):
            digest.hasher()
        assert Digest(SHA256).checkable


class TestShowing:
    def test_the_middle_is_left_out_and_never_the_tail(self) -> None:
        assert Digest("sha256:9f2c" + "0" * 56 + "41ab").short == "sha256:9f2c…41ab"
        assert shorten("sha666:abc") == "sha666:abc"

    def test_long_text_is_cut(self) -> None:
        assert clip("abc", 3) == "abc"
        assert clip("abcd", 3) == "abc…"
