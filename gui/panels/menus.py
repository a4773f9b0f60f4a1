"""The menus of the window's commands, as the parts of a page ask for them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtWidgets import QMenu

MenuWith = Callable[[Sequence[str]], QMenu]
"""Makes a menu of the commands with these keys."""


class Menus(NamedTuple):
    """Each makes a menu anew, which goes when it is closed."""

    rows: Callable[[], QMenu]
    """For what is selected in a list."""
    trash: Callable[[], QMenu]
    having: MenuWith
