"""A tab whose content is made when it is first looked at: making all at once would hold the window up."""

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

Content = TypeVar("Content", bound=QWidget)


class Later(Generic[Content]):
    """Keeps the place of a widget until somebody asks for it."""

    def __init__(
        self,
        parent: QWidget,
        make: Callable[[QWidget], Content],
        ready: Callable[[Content], object] = lambda _content: None,
    ) -> None:
        """``make`` gets the parent of the content, ``ready`` the content in its place; ``parent`` is that of the place."""
        self.place = QWidget(parent)
        """What is put into a layout or a tab bar."""
        self._layout = QVBoxLayout(self.place)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._make = make
        self._ready = ready
        self._content: Content | None = None

    @property
    def is_made(self) -> bool:
        return self._content is not None

    @property
    def content(self) -> Content:
        """The widget, made now where it was not."""
        if self._content is None:
            self._content = self._make(self.place)
            self._layout.addWidget(self._content)
            self.place.setFocusProxy(self._content)
            self._ready(self._content)
        return self._content
