"""What tests of the models share: a layout to fill, and models that Qt's own tester watches."""

from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QAbstractItemModel, QObject
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from gui.jobs import JobRunner
from gui.models.blob_table import BlobTable
from gui.models.image_tree import ImageTree
from tests.layouts import LayoutFiles

Model = TypeVar("Model", bound=QAbstractItemModel)


@pytest.fixture
def files(tmp_path: Path) -> LayoutFiles:
    """An empty layout."""
    return LayoutFiles(tmp_path / "layout")


@pytest.fixture
def tree(qtbot: QtBot, runner: JobRunner) -> ImageTree:
    return _watched(ImageTree(runner, runner))


@pytest.fixture
def table(qtbot: QtBot, runner: JobRunner) -> BlobTable:
    return _watched(BlobTable(runner, runner))


def _watched(model: Model) -> Model:
    """The model under Qt's tester, whose warnings fail the test."""
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    QObject.setParent(tester, model)
    return model
