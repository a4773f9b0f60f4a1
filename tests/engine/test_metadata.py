"""Facts about a blob: kept beside it, gone with it."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.digest import Digest
from engine.docker import DockerImageStore
from engine.errors import BlobMissing, InvalidDigest, InvalidKey, MetadataMissing, Refused, StorageFailed
from engine.layout import ImageLayout
from engine.metadata import VALUE_LIMIT

ABSENT = Digest("sha256:" + "0" * 64)


@pytest.fixture
def digest(layout: ImageLayout) -> Digest:
    return layout.blobs.put(b"a blob").digest


class TestKeys:
    """T119"""

    def test_a_value_is_kept_replaced_and_forgotten(self, layout: ImageLayout, digest: Digest) -> None:
        metadata = layout.metadata
        assert metadata.keys(digest) == []
        metadata.set(digest, "origin", b"\0\xff")
        metadata.set(digest, "note", b"first")
        metadata.set(digest, "note", b"")
        assert metadata.keys(digest) == ["note", "origin"]
        assert (metadata.get(digest, "origin"), metadata.get(digest, "note")) == (b"\0\xff", b"")
        assert metadata.delete(digest, "note") is True
        assert metadata.delete(digest, "note") is False
        assert metadata.keys(digest) == ["origin"]

    def test_the_folder_comes_with_the_first_key_and_goes_with_the_last(
        self, layout: ImageLayout, digest: Digest
    ) -> None:
        other = layout.blobs.put(b"another", algorithm="sha512").digest
        assert not (layout.path / "metadata").exists()
        layout.metadata.set(digest, "a", b"1")
        layout.metadata.set(digest, "b", b"2")
        layout.metadata.set(other, "a", b"3")
        assert (layout.path / "metadata" / "sha256" / digest.encoded / "b").read_bytes() == b"2"
        assert layout.metadata.delete_all(digest) is True
        assert layout.metadata.delete_all(digest) is False
        assert [path.name for path in (layout.path / "metadata").iterdir()] == ["sha512"]
        layout.metadata.delete(other, "a")
        assert not (layout.path / "metadata").exists()

    def test_dockers_folders_stay(self, docker: DockerImageStore) -> None:
        digest = docker.set(b"{}")
        docker.metadata.set(digest, "parent", b"x")
        docker.metadata.delete(digest, "parent")
        assert list((docker.path / "metadata").iterdir()) == [docker.path / "metadata" / "sha256"]
        assert list((docker.path / "metadata" / "sha256").iterdir()) == []

    def test_what_somebody_else_put_there_stays(self, layout: ImageLayout, digest: Digest) -> None:
        layout.metadata.set(digest, "a", b"1")
        stranger = layout.path / "metadata" / "sha256" / digest.encoded / ".hidden"
        stranger.touch()
        assert layout.metadata.keys(digest) == ["a"]
        layout.metadata.delete_all(digest)
        assert stranger.exists()


class TestRefusals:
    @pytest.mark.parametrize(
        "key", ["", ".", "..", "../x", "a/b", "a\0b", "a\n", ".hidden", "-x", "ä", "a b", "x" * 129]
    )
    def test_what_is_unsafe_as_a_name_is_no_key(
        self, layout: ImageLayout, digest: Digest, key: str, tree: Callable[[Path], object]
    ) -> None:
        """T119: Docker's own store lets ``..`` wipe the metadata of every image."""
        layout.metadata.set(digest, "kept", b"x")
        before = tree(layout.path)
        metadata = layout.metadata
        for use in (metadata.get, metadata.delete, lambda digest, key: metadata.set(digest, key, b"x")):
            with pytest.raises(InvalidKey, match="cannot be a key"):
                use(digest, key)
        assert tree(layout.path) == before

    @pytest.mark.parametrize("key", ["lastUpdated", "parent", "x" * 128, "org.example.note", "0"])
    def test_usual_names_are_keys(self, layout: ImageLayout, digest: Digest, key: str) -> None:
        layout.metadata.set(digest, key, b"x")
        assert layout.metadata.get(digest, key) == b"x"

    def test_a_blob_that_is_not_there_has_none(self, layout: ImageLayout) -> None:
        """T119"""
        with pytest.raises(BlobMissing):
            layout.metadata.set(ABSENT, "a", b"x")
        with pytest.raises(BlobMissing):
            layout.metadata.get(ABSENT, "a")
        assert layout.metadata.keys(ABSENT) == []
        assert layout.metadata.delete(ABSENT, "a") is False
        assert not (layout.path / "metadata").exists()

    def test_a_key_that_is_not_there_says_so(self, layout: ImageLayout, digest: Digest) -> None:
        with pytest.raises(MetadataMissing, match="has no metadata named a"):
            layout.metadata.get(digest, "a")

    def test_what_is_no_digest_reaches_no_file(self, layout: ImageLayout) -> None:
        for text in ("sha256:", "sha256:..", "..", ""):
            with pytest.raises(InvalidDigest):
                layout.metadata.delete_all(text)
            with pytest.raises(InvalidDigest):
                layout.metadata.set(text, "a", b"x")

    def test_a_value_over_the_limit_is_refused(self, layout: ImageLayout, digest: Digest) -> None:
        layout.metadata.set(digest, "large", bytes(VALUE_LIMIT))
        with pytest.raises(Refused, match="too large"):
            layout.metadata.set(digest, "large", bytes(VALUE_LIMIT + 1))
        assert len(layout.metadata.get(digest, "large")) == VALUE_LIMIT

    def test_a_corrupt_blob_keeps_its_metadata_readable(self, layout: ImageLayout, digest: Digest) -> None:
        layout.metadata.set(digest, "a", b"x")
        (layout.path / "blobs" / digest.replace(":", "/")).write_bytes(b"other")
        assert layout.metadata.get(digest, "a") == b"x"

    @pytest.mark.parametrize("level", ["metadata", "metadata/sha256", "the blob's"])
    def test_nothing_is_read_or_written_through_a_link(
        self, layout: ImageLayout, digest: Digest, tmp_path: Path, level: str, tree: Callable[[Path], object]
    ) -> None:
        """Promise 13."""
        layout.metadata.set(digest, "a", b"x")
        place = layout.path / level if level != "the blob's" else layout.path / "metadata/sha256" / digest.encoded
        place.rename(tmp_path / "outside")
        place.symlink_to(tmp_path / "outside")
        before = tree(tmp_path / "outside")
        with pytest.raises(StorageFailed):
            layout.metadata.get(digest, "a")
        for change in (lambda: layout.metadata.set(digest, "a", b"y"), lambda: layout.metadata.delete(digest, "a")):
            with pytest.raises(Refused, match="is a symbolic link"):
                change()
        assert tree(tmp_path / "outside") == before

    def test_a_link_in_place_of_a_value_is_not_followed(
        self, layout: ImageLayout, digest: Digest, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").write_bytes(b"precious")
        layout.metadata.set(digest, "a", b"x")
        value = layout.path / "metadata/sha256" / digest.encoded / "a"
        value.unlink()
        value.symlink_to(tmp_path / "outside")
        with pytest.raises(StorageFailed):
            layout.metadata.get(digest, "a")
        layout.metadata.set(digest, "a", b"ours")
        assert (tmp_path / "outside").read_bytes() == b"precious"
        assert layout.metadata.get(digest, "a") == b"ours"


def test_values_are_as_readable_as_the_umask_has_it(layout: ImageLayout, digest: Digest) -> None:
    before = os.umask(0o022)
    try:
        layout.metadata.set(digest, "a", b"x")
    finally:
        os.umask(before)
    assert (layout.path / "metadata/sha256" / digest.encoded / "a").stat().st_mode & 0o777 == 0o644


def test_setting_beside_deleting_never_fails(layout: ImageLayout, digest: Digest) -> None:
    """The folder that a value belongs in may be removed as empty at any moment."""
    failures: list[Exception] = []

    def work(key: str) -> None:
        try:
            for _ in range(30):
                layout.metadata.set(digest, key, b"x")
                layout.metadata.delete(digest, key)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(key,)) for key in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not (layout.path / "metadata").exists()
