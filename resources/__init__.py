"""The icon, the desktop entry and the AppStream metainfo, read through importlib.resources."""
