"""Which version of the program this is."""

import importlib.metadata


def version() -> str:
    """The version of the installed program."""
    try:
        return importlib.metadata.version("blobscope")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
