"""Messages between two processes: whole, in order, named when they come again, and with open folders in them."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import channel
from engine.channel import Channel
from engine.directory import Directory
from engine.errors import Cancelled


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def ends(sockets: tuple[socket.socket, socket.socket]) -> tuple[Channel, Channel]:
    return Channel(sockets[0]), Channel(sockets[1])


def test_what_was_sent_before_is_the_very_same_when_it_comes_again(ends: tuple[Channel, Channel]) -> None:
    here, there = ends
    facts = np.arange(10)
    sent = "names", facts
    for number in range(2):
        here.send((number, sent))
    (first, known), (second, again) = there.receive(), there.receive()
    assert (first, second) == (0, 1)
    assert again is known
    assert known[1].tolist() == facts.tolist()


@pytest.mark.parametrize("cause", ["much", "failure"])
def test_where_one_end_forgets_the_other_does_too(
    ends: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    here, there = ends
    names, facts = ("a", "b"), np.arange(10)
    if cause == "much":
        monkeypatch.setattr(channel, "_MOST_KEPT", 10)
    here.send((names, facts))
    if cause == "failure":
        with pytest.raises(TypeError, match="pickle"):
            here.send((names, threading.Lock()))
    here.send((names, facts))
    first, second = there.receive(), there.receive()
    assert first[0] == second[0] == names
    assert first[0] is not second[0]
    assert second[1].tolist() == facts.tolist()


def test_a_folder_that_was_replaced_is_still_the_one_that_was_opened(
    ends: tuple[Channel, Channel], tmp_path: Path
) -> None:
    here, there = ends
    (tmp_path / "folder").mkdir()
    folder = Directory.open(tmp_path / "folder")
    (tmp_path / "folder").rename(tmp_path / "gone")
    (tmp_path / "folder").mkdir()
    here.send({"it": folder, "again": folder})
    found = there.receive()
    assert found["it"] is found["again"]
    assert found["it"].fd != folder.fd
    assert found["it"].path == folder.path
    assert os.path.samestat(found["it"].status(), (tmp_path / "gone").stat())
    for each in (folder, found["it"]):  # both ends remember what went across, and live a little longer than this test
        os.close(each.fd)
        each.fd = -1


def test_who_waits_does_something_meanwhile_which_may_end_the_waiting(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    waits: list[int] = []

    def meanwhile() -> None:
        waits.append(1)
        if len(waits) == 3:
            raise Cancelled

    sockets[0].settimeout(0.01)
    with pytest.raises(Cancelled):
        Channel(sockets[0], meanwhile).receive()
    waits.clear()
    with pytest.raises(Cancelled):
        Channel(sockets[0], meanwhile).send(np.zeros(1 << 22, np.uint8))
    assert len(waits) == 3


def test_the_end_of_the_other_side_is_told(sockets: tuple[socket.socket, socket.socket]) -> None:
    sockets[1].close()
    with pytest.raises(EOFError):
        Channel(sockets[0]).receive()
