"""What is said of a place among bytes: where it is, and what is there."""

from engine.headers import Field, Part
from gui import text
from gui.panels.hex_view import HexView


def place_words(view: HexView) -> list[str]:
    """Where the current byte is, or how much is selected; nothing where there are no bytes."""
    if not view.byte_count:
        return []
    start, end = view.selection
    parts = [f"{start:#x}", text.number(start)]
    if view.has_selection:
        parts = [f"{start:#x} to {end - 1:#x}", f"{text.count(end - start, 'byte')} selected"]
    elif known := view.known(start, end):
        parts.append(f"byte {known[0]:02x} = {known[0]}")
    return [*parts, f"of {text.count(view.byte_count, 'byte')}"]


def meaning_words(found: tuple[Part, Field] | None) -> str:
    """The field that a byte belongs to, what it says, and what that means; empty for none."""
    if found is None:
        return ""
    part, field = found
    value = f"{field.name}: {field.value}" if field.value else field.name
    return f"{part.title}{text.SEPARATOR}{value}. {field.meaning}".strip()
