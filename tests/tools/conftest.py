"""The tools that others work with; and how often which operation came to harm, told at the end of a run."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools._tools import Tools

_FAULTS = pytest.StashKey[dict[str, Counter[str]]]()


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    """umoci, skopeo and buildah, with everything that they keep in the test's own folder."""
    tools = Tools(tmp_path)
    yield tools
    tools.close()


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, for tests with thousands of fsyncs that are about something else."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> dict[str, Counter[str]]:
    """What was done to each operation, and how often its store survived that."""
    return pytestconfig.stash.setdefault(_FAULTS, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    faults = config.stash.get(_FAULTS, {})
    if not faults:
        return
    terminalreporter.section("faults injected into the engine's system calls")
    columns = ("kills", "ENOSPC", "EIO", "EACCES", "EINVAL", "survived")
    terminalreporter.line(f"{'':32}" + "".join(f"{column:>10}" for column in columns))
    for operation, counts in {**faults, "all": sum(faults.values(), Counter())}.items():
        terminalreporter.line(f"{operation:32}" + "".join(f"{counts[column]:10}" for column in columns))
