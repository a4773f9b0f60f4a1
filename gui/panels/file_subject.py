"""What the preview of a path of an image is about: a file, or what there is to say where it is none."""

from typing import TYPE_CHECKING, NamedTuple

from engine.filesystem import ABSENT, View
from engine.pathtree import ROOT
from engine.tarheader import BLOCK_DEVICE, CHARACTER_DEVICE, DIRECTORY, HEADER_ONLY, PIPE, SYMBOLIC_LINK
from gui.panels.image_stack import Stack
from gui.panels.subject import Subject
from gui.session import Session

if TYPE_CHECKING:  # what unpacks layers is imported by the workers, after the first window
    from engine.stack import ReadImage

_SELECT = "Select a file to see what is in it."
_NO_CONTENT = "Only files have content."
_WORDS = {
    DIRECTORY: ("A folder", _SELECT),
    PIPE: ("A pipe", _NO_CONTENT),
    BLOCK_DEVICE: ("A device", _NO_CONTENT),
    CHARACTER_DEVICE: ("A device", _NO_CONTENT),
}


class Words(NamedTuple):
    """What to say instead of a file; ``leads_to`` is the path that a link leads to, where the image has it."""

    headline: str
    sentence: str
    leads_to: bytes = b""


NOTHING = Words("Nothing is selected", _SELECT)


def subject_of(session: Session, image: "ReadImage", stack: Stack, view: View, node: int) -> Subject | Words:
    """What to show of the path at ``node``, as it is in a view."""
    entry = int(view.entries[node])
    tree, facts = image.files.tree, image.files.facts(entry)
    if entry == ABSENT:
        return Words("A whiteout", "It removes what the layers below have there.")
    if facts.kind == SYMBOLIC_LINK:
        target = image.files.follow(view, node)
        if target <= ROOT:
            return Words("A symbolic link", "It leads to nothing that is there.")
        return Words("A symbolic link", "What is in a file is shown where the file is.", tree.path(target))
    if facts.kind in HEADER_ONLY and not facts.hard:
        return Words(*_WORDS.get(facts.kind, ("This is no file", _NO_CONTENT)))
    place = image.files.content_of(entry)
    layer = place.layer if place is not None else -1
    doubt = ""
    if 0 <= layer < len(stack.layers) and stack.layers[layer].state.bad:
        what = "The layer" if stack.is_alone else f"Layer {layer + 1}"
        doubt = f"{what} is not what its digest says, so this may not be what was meant to be here."
    name = tree.name(node).decode("utf-8", "surrogateescape")
    return Subject(image.contents, entry, name, session.layers.runner, str(session.store.path), doubt)
