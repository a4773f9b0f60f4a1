"""Docker's image store: what its daemon wrote, and what it will read again."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.digest import Digest, digest_of
from engine.docker import DockerImageStore
from engine.document import CONFIG_LIMIT
from engine.errors import (
    AlreadyExists,
    BlobMissing,
    BlobUnreadable,
    DigestMismatch,
    InvalidDigest,
    NotAStore,
    Refused,
    StoreClosed,
)
from engine.progress import Progress

CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
ID = digest_of(CONFIG)
ABSENT = Digest("sha256:" + "0" * 64)


def make_store(path: Path, *configs: bytes) -> Path:
    """What a daemon leaves."""
    for name in ("content", "metadata"):
        (path / name / "sha256").mkdir(parents=True)
    for config in configs:
        (path / "content" / "sha256" / digest_of(config).encoded).write_bytes(config)
    return path


def opened(path: Path) -> str:
    with DockerImageStore.open(path) as store:
        return str(store.path)


class TestCreate:
    def test_it_is_as_private_as_dockers(self, docker: DockerImageStore) -> None:
        digest = docker.set(CONFIG)
        docker.metadata.set(digest, "lastUpdated", b"now")
        modes = {str(path.relative_to(docker.path)): path.stat().st_mode & 0o777 for path in docker.path.rglob("*")}
        assert docker.path.stat().st_mode & 0o777 == 0o700
        assert modes == {
            "content": 0o700,
            "content/sha256": 0o700,
            f"content/sha256/{digest.encoded}": 0o600,
            "metadata": 0o700,
            "metadata/sha256": 0o700,
            f"metadata/sha256/{digest.encoded}": 0o700,
            f"metadata/sha256/{digest.encoded}/lastUpdated": 0o600,
        }

    def test_what_has_the_name_stays(self, tmp_path: Path) -> None:
        (tmp_path / "imagedb").mkdir()
        with pytest.raises(AlreadyExists):
            DockerImageStore.create(tmp_path / "imagedb")

    def test_another_name_than_imagedb_will_do(self, tmp_path: Path) -> None:
        with DockerImageStore.create(tmp_path / "images") as store:
            assert store.path == tmp_path / "images"


class TestOpen:
    @pytest.mark.parametrize("place", [".", "image", "image/overlay2", "image/overlay2/imagedb"])
    def test_a_data_root_and_every_folder_down_to_the_store_will_do(self, tmp_path: Path, place: str) -> None:
        store = make_store(tmp_path / "image" / "overlay2" / "imagedb", CONFIG)
        assert opened(tmp_path / place) == str(store)

    def test_of_several_drivers_the_one_with_the_most_images_is_opened(self, tmp_path: Path) -> None:
        image = tmp_path / "image"
        old = make_store(image / "aufs" / "imagedb", CONFIG)
        now = make_store(image / "overlay2" / "imagedb", CONFIG, b"{}")
        other = make_store(image / "vfs" / "imagedb", CONFIG)
        assert DockerImageStore.candidates(tmp_path) == [old, now, other]
        with DockerImageStore.open(tmp_path) as store:
            assert store.path == now
            assert store.alternatives == [old, other]

    def test_the_daemon_may_not_have_made_the_folders_for_metadata(self, tmp_path: Path) -> None:
        (tmp_path / "imagedb" / "content" / "sha256").mkdir(parents=True)
        assert opened(tmp_path / "imagedb") == str(tmp_path / "imagedb")

    def test_what_is_no_store_says_what_was_looked_for(self, tmp_path: Path) -> None:
        """TestFSInvalidRoot"""
        (tmp_path / "README").touch()
        (tmp_path / "imagedb").mkdir()
        (tmp_path / "imagedb" / "content").touch()
        (tmp_path / "metadata").mkdir()
        with pytest.raises(NotAStore) as raised:
            DockerImageStore.open(tmp_path)
        assert "content/sha256" in raised.value.expected
        assert raised.value.found == "README, imagedb, metadata"
        for path in (tmp_path / "missing", tmp_path / "README"):
            with pytest.raises(NotAStore):
                DockerImageStore.open(path)

    def test_opening_writes_nothing(self, tmp_path: Path, tree: Callable[[Path], object]) -> None:
        make_store(tmp_path / "imagedb", CONFIG)
        before = tree(tmp_path)
        with DockerImageStore.open(tmp_path) as store:
            store.scan(Progress())
            store.names()
        assert tree(tmp_path) == before


class TestContent:
    def test_what_is_set_is_what_one_gets(self, docker: DockerImageStore) -> None:
        """TestFSGetSet"""
        for data in (CONFIG, os.urandom(8192), b"\0"):
            digest = docker.set(data)
            assert digest == digest_of(data)
            assert docker.get(digest) == data
            assert docker.get(digest.encoded) == data

    def test_setting_again_changes_nothing_unless_the_copy_is_bad(self, docker: DockerImageStore) -> None:
        docker.set(CONFIG)
        file = docker.path / "content" / "sha256" / ID.encoded
        before = file.stat()
        docker.set(CONFIG)
        assert file.stat().st_ino == before.st_ino
        file.write_bytes(b"bad")
        docker.set(CONFIG)
        assert docker.get(ID) == CONFIG

    def test_nothing_at_all_is_refused(self, docker: DockerImageStore) -> None:
        """T26: TestFSGetEmptyData"""
        with pytest.raises(Refused, match="takes no empty content"):
            docker.set(b"")
        with pytest.raises(Refused, match="too large"):
            docker.set(bytes(CONFIG_LIMIT + 1))
        assert list(docker.walk()) == []

    def test_a_folder_under_the_id_ends_in_a_sentence(self, docker: DockerImageStore) -> None:
        """TestFSInvalidSet"""
        (docker.path / "content" / "sha256" / ID.encoded).mkdir()
        with pytest.raises(BlobUnreadable):
            docker.set(CONFIG)

    def test_what_was_tampered_with_is_not_returned(self, docker: DockerImageStore) -> None:
        """TestFSGetInvalidData"""
        (docker.path / "content" / "sha256" / ID.encoded).write_bytes(CONFIG.replace(b"amd64", b"arm64"))
        with pytest.raises(DigestMismatch):
            docker.get(ID)

    @pytest.mark.parametrize(
        "text", ["", "abc", "foobar:abc", "sha256:", "sha256:..", "sha256:../..", ID[:-1], ID + "0", ID.upper()]
    )
    def test_what_is_no_id_reaches_no_file(
        self, docker: DockerImageStore, text: str, tree: Callable[[Path], object]
    ) -> None:
        """T34: TestFSGetUnsetKey; ``sha256:`` once removed all metadata."""
        docker.set(CONFIG)
        docker.metadata.set(ID, "parent", b"x")
        before = tree(docker.path)
        for use in (docker.get, docker.delete):
            with pytest.raises(InvalidDigest):
                use(text)
        assert tree(docker.path) == before

    def test_only_sha256_is_an_id(self, docker: DockerImageStore) -> None:
        long = "sha512:" + "0" * 128
        for use in (
            docker.get,
            docker.delete,
            docker.blobs.stat,
            lambda digest: docker.blobs.put(b"x", expected=digest),
        ):
            with pytest.raises(InvalidDigest):
                use(Digest(long))
        with pytest.raises(InvalidDigest):
            docker.blobs.put(b"x", algorithm="sha512")

    def test_a_missing_image_says_so(self, docker: DockerImageStore) -> None:
        with pytest.raises(BlobMissing):
            docker.get(ABSENT)


class TestDelete:
    def test_an_image_goes_with_its_metadata_and_nothing_else(self, docker: DockerImageStore) -> None:
        """T119: TestFSDelete"""
        other = docker.set(b"{}")
        docker.set(CONFIG)
        docker.metadata.set(ID, "parent", other.encode())
        docker.metadata.set(other, "note", b"kept")
        assert docker.delete(ID) is True
        assert docker.delete(ID) is False
        assert list(docker.walk()) == [other]
        assert docker.metadata.keys(ID) == []
        assert docker.metadata.get(other, "note") == b"kept"

    def test_metadata_that_a_crash_left_without_its_image_can_be_removed(self, docker: DockerImageStore) -> None:
        docker.set(CONFIG)
        docker.metadata.set(ID, "parent", b"x")
        (docker.path / "content" / "sha256" / ID.encoded).unlink()
        assert docker.delete(ID) is True
        assert docker.metadata.keys(ID) == []
        assert docker.delete(ID) is False

    def test_the_names_are_the_daemons_own(self, docker: DockerImageStore) -> None:
        with pytest.raises(Refused, match="has no index"):
            docker.edit_index(lambda index: None)


class TestWalk:
    """T120"""

    def test_it_tells_ids_in_order_and_leaves_out_the_rest(self, docker: DockerImageStore) -> None:
        """TestFSWalker, TestFSInvalidWalker"""
        ids = sorted(docker.set(bytes([number])) for number in range(5))
        content = docker.path / "content" / "sha256"
        (content / "junk").touch()
        (content / f".tmp-{'a' * 64}1").touch()
        (content / ("b" * 64)).mkdir()
        (docker.path / "content" / "sha512").mkdir()
        (docker.path / "content" / "sha512" / ("c" * 128)).touch()
        assert list(docker.walk()) == ids

    def test_what_the_caller_raises_ends_it(self, docker: DockerImageStore) -> None:
        """TestFSWalkerStopOnError"""
        docker.set(CONFIG)
        seen = []
        with pytest.raises(ZeroDivisionError):
            for digest in docker.walk():
                seen.append(digest)
                raise ZeroDivisionError
        assert seen == [ID]

    def test_deleting_meanwhile_is_safe(self, docker: DockerImageStore) -> None:
        ids = {docker.set(bytes([number])) for number in range(50)}
        assert {digest for digest in docker.walk() if docker.delete(digest)} == ids
        assert list(docker.walk()) == []

    def test_after_closing_it_is_refused(self, docker: DockerImageStore) -> None:
        """T110"""
        docker.close()
        docker.close()
        for use in (docker.walk, lambda: docker.get(ID), lambda: docker.set(CONFIG), lambda: docker.delete(ID)):
            with pytest.raises(StoreClosed):
                use()


class TestNames:
    def write(self, docker: DockerImageStore, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        (docker.path.parent / "repositories.json").write_text(text)

    def test_they_stand_beside_the_store(self, docker: DockerImageStore) -> None:
        names = {"app": {"app:2": ID, "app:1": ID, f"app@{ABSENT}": str(ABSENT)}, "other": {"other:x": ID.encoded}}
        self.write(docker, {"Repositories": names})
        assert docker.names() == {ID: ["app:1", "app:2", "other:x"], ABSENT: [f"app@{ABSENT}"]}

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "no JSON",
            [],
            {},
            {"Repositories": None},
            {"Repositories": [1]},
            {"Repositories": {"a": {"b": "c", "d": 1}}},
        ],
    )
    def test_junk_names_nothing_and_never_fails(self, docker: DockerImageStore, value: Any) -> None:
        self.write(docker, value)
        assert docker.names() == {}

    def test_a_missing_file_names_nothing_and_a_link_is_not_followed(
        self, docker: DockerImageStore, tmp_path: Path
    ) -> None:
        assert docker.names() == {}
        (tmp_path / "outside").write_text(json.dumps({"Repositories": {"a": {"a:1": ID}}}))
        (docker.path.parent / "repositories.json").symlink_to(tmp_path / "outside")
        assert docker.names() == {}

    def test_a_file_over_the_limit_names_nothing(
        self, docker: DockerImageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.write(docker, {"Repositories": {"a": {"a:1": ID}}})
        monkeypatch.setattr("engine.docker.NAMES_LIMIT", 10)
        assert docker.names() == {}
