"""The tools that others work with; and how often which operation came to harm, told at the end of a run."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.tools._tools import Tools

Noticed = dict[str, dict[str, str]]
"""What was broken, and which tool noticed it."""

_FAULTS = pytest.StashKey[dict[str, Counter[str]]]()
_NOTICED = pytest.StashKey[Noticed]()


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
    # No made-up name: it may end in "_", and buildah takes no path of which a part does.
    folder = (shared if os.access(shared, os.W_OK) else tmp_path) / f"blobscope-{uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> dict[str, Counter[str]]:
    """What was done to each operation, and how often its store survived that."""
    return pytestconfig.stash.setdefault(_FAULTS, {})


@pytest.fixture(scope="session")
def noticed(pytestconfig: pytest.Config) -> Noticed:
    """Which tool noticed what."""
    return pytestconfig.stash.setdefault(_NOTICED, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if noticed := config.stash.get(_NOTICED, {}):
        _tell_noticed(terminalreporter, noticed)
    if faults := config.stash.get(_FAULTS, {}):
        _tell_faults(terminalreporter, faults)


def _tell_noticed(terminalreporter: pytest.TerminalReporter, noticed: Noticed) -> None:
    terminalreporter.section("broken layouts, and who notices")
    columns = list(next(iter(noticed.values())))
    terminalreporter.line(f"{'':38}" + "".join(f"{column:>16}" for column in columns))
    for what, answers in noticed.items():
        terminalreporter.line(f"{what:38}" + "".join(f"{answers[column]:>16}" for column in columns))
    counts = (sum(answers[column] not in ("-", "hangs") for answers in noticed.values()) for column in columns[:-1])
    terminalreporter.line(f"{f'noticed, of {len(noticed)}':38}" + "".join(f"{count:16}" for count in counts))


def _tell_faults(terminalreporter: pytest.TerminalReporter, faults: dict[str, Counter[str]]) -> None:
    terminalreporter.section("faults injected into the engine's system calls")
    columns = ("KILL", "ENOSPC", "EIO", "EACCES", "EMFILE", "EINVAL", "survived")
    terminalreporter.line(f"{'':36}" + "".join(f"{column:>9}" for column in columns))
    for operation, counts in {**faults, "all": sum(faults.values(), Counter())}.items():
        terminalreporter.line(f"{operation:36}" + "".join(f"{counts[column]:9}" for column in columns))
