"""``python -m gui`` is the command ``blobscope``."""

from gui.app import run

if __name__ == "__main__":
    run()
