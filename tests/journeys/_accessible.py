"""Prints what a screen reader is told of a program: a JSON object for each item that is showing.

Runs in the system's own Python, because that has Debian's pyatspi; a process of its own for each look, because pyatspi
remembers what it has seen before.
"""

import json
import sys

import pyatspi

_TOLD = {
    pyatspi.STATE_FOCUSABLE: "focusable",
    pyatspi.STATE_FOCUSED: "focused",
    pyatspi.STATE_SELECTED: "selected",
}
_LONGEST = 10_000


def main(program: str) -> None:
    for application in pyatspi.Registry.getDesktop(0):
        if application is not None and application.name == program:
            for window in application:
                show(window)


def show(item) -> None:
    """Print an item and everything in it."""
    try:
        state = item.getState()
        if not state.contains(pyatspi.STATE_SHOWING):
            return
        told = {
            "role": item.getRoleName(),
            "name": item.name or "",
            "states": [word for number, word in _TOLD.items() if state.contains(number)],
            "actions": _actions(item),
            "text": _text(item),
            "box": _box(item),
        }
        children = list(item)
    except Exception as error:  # of many kinds, for what goes away while it is looked at
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return
    sys.stdout.write(f"{json.dumps(told)}\n")
    for child in children:
        if child is not None:
            show(child)


def _actions(item) -> list[str]:
    try:
        actions = item.queryAction()
    except NotImplementedError:
        return []
    return [actions.getName(number) for number in range(actions.nActions)]


def _text(item) -> str:
    try:
        text = item.queryText()
    except NotImplementedError:
        return ""
    return text.getText(0, min(text.characterCount, _LONGEST))


def _box(item) -> tuple[int, int, int, int]:
    try:
        box = item.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
    except NotImplementedError:
        return 0, 0, 0, 0
    return box.x, box.y, box.width, box.height


main(sys.argv[1])
