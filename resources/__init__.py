"""The icon, the desktop entry, the AppStream metainfo and the manual, read through importlib.resources."""
