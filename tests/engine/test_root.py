"""The folder of an open store."""

from pathlib import Path

import pytest

from engine.directory import Directory
from engine.errors import Refused, StoreClosed
from engine.root import StoreRoot


class TestStoreRoot:
    def test_after_closing_every_use_is_refused_and_closing_again_is_fine(self, folder: Directory) -> None:
        """T110"""
        root = StoreRoot(folder)
        root.close()
        root.close()
        assert root.closed
        assert not root.writable
        for use in (lambda: root.directory, root.to_change, lambda: root.reach("x")):
            with pytest.raises(StoreClosed, match="was closed"):
                use()

    def test_what_must_not_change_says_why(self, folder: Directory) -> None:
        root = StoreRoot(folder)
        root.refusal = "It must stay."
        assert not root.writable
        with pytest.raises(Refused, match="It must stay"):
            root.to_change()

    def test_a_folder_that_was_replaced_is_opened_anew(self, tmp_path: Path, folder: Directory) -> None:
        (tmp_path / "a").mkdir()
        root = StoreRoot(folder)
        first = root.reach("a")
        assert root.reach("a") is first
        (tmp_path / "a").rename(tmp_path / "moved")
        (tmp_path / "a").mkdir()
        assert root.reach("a") is not first
        assert root.reach("a").is_at("a", folder)
