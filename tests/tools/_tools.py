"""umoci, skopeo and buildah at work, with everything that they keep in one folder; and programs held in mid-work."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

PATIENCE_S = 30


def run(*command: str | Path, folder: Path | None = None) -> str:
    """Run a program to its end and return what it printed; a failure fails the test with the program's own words."""
    environment = dict(os.environ)
    if os.geteuid() == 0:
        environment["_CONTAINERS_USERNS_CONFIGURED"] = "done"  # root needs no user namespace to make files
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


class Tools:
    """The three tools that Debian has, each as a method that takes the tool's own arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._policy = folder / "policy.json"
        self._policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')

    def umoci(self, *arguments: str | Path) -> str:
        return run("umoci", *arguments, folder=self.folder)

    def skopeo(self, *arguments: str | Path) -> str:
        return run("skopeo", "--policy", self._policy, *arguments, folder=self.folder)

    def buildah(self, *arguments: str | Path) -> str:
        own = ["--root", self.folder / "storage", "--runroot", self.folder / "run", "--storage-driver", "vfs"]
        return run("buildah", *own, *arguments, folder=self.folder).strip()

    def close(self) -> None:
        """Let buildah remove its storage: files in it may belong to users that only its user namespace knows."""
        if (self.folder / "storage").exists():
            self.buildah("rm", "--all")
            self.buildah("rmi", "--all", "--force")

    def tree(self, name: str, **files: str) -> Path:
        """A folder with these files in it."""
        folder = self.folder / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_text(content)
        return folder

    def build(self, image: str, architecture: str = "amd64") -> str:
        """Build an image of one layer with buildah, into its own storage; return its name."""
        container = self.buildah("from", "scratch")
        self.buildah("copy", container, self.tree(f"tree-{image}", hello=f"hello from {image}"), "/srv")
        self.buildah("config", "--os", "linux", "--arch", architecture, "--cmd", "/srv/hello", container)
        self.buildah("commit", "--signature-policy", self._policy, container, image)
        return image

    def push(self, image: str, target: str, *options: str) -> None:
        self.buildah("push", "--signature-policy", self._policy, *options, image, target)

    def pull(self, source: str) -> str:
        return self.buildah("pull", "--signature-policy", self._policy, source)

    def make_with_umoci(self, path: Path, name: str = "one") -> None:
        """Make a layout with an image of two layers, and nothing unused in it."""
        self.umoci("init", "--layout", path)
        self.umoci("new", "--image", f"{path}:{name}")
        for part in ("first", "second"):
            tree = self.tree(f"{path.name}-{name}-{part}", file=f"{part} of {name}")
            self.umoci("insert", "--image", f"{path}:{name}", tree, f"/srv/{part}")
        self.umoci("config", "--image", f"{path}:{name}", "--config.cmd", "/srv/first/file")
        self.umoci("gc", "--layout", path)

    def names(self, path: Path) -> list[str]:
        """The names that umoci lists."""
        return self.umoci("ls", "--layout", path).split()


def names_in(path: Path) -> list[str | None]:
    """The names in a layout's index.json, in order."""
    entries = json.loads((path / "index.json").read_bytes())["manifests"]
    return [entry.get("annotations", {}).get("org.opencontainers.image.ref.name") for entry in entries]


def missing_in(path: Path) -> set[str]:
    """What the index leads to, all the way down, that is not there."""
    waiting = [entry["digest"] for entry in json.loads((path / "index.json").read_bytes())["manifests"]]
    wanted: set[str] = set()
    while waiting:
        digest = waiting.pop()
        wanted.add(digest)
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError):  # gone, or no manifest
            document = json.loads((path / "blobs" / digest.replace(":", "/")).read_bytes())
            waiting += [part["digest"] for part in [document["config"], *document["layers"]]]
    return {digest for digest in wanted if not (path / "blobs" / digest.replace(":", "/")).exists()}


class Held:
    """A program that stops right after each of certain system calls, until it is let go on."""

    def __init__(self, command: Sequence[str | Path], log: Path, calls: str, path: Path | None = None) -> None:
        """``path`` narrows the calls down to those that name this file."""
        strace = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={calls}", "-e", f"inject={calls}:signal=STOP"]
        narrowed = ["-P", path] if path is not None else []
        log.touch()
        self._log = log.open()
        self._process = subprocess.Popen([*strace, *narrowed, *command], stderr=subprocess.PIPE, text=True)
        self._pid = 0
        self._told = False

    def hold_when(self, reached: Callable[[], bool]) -> None:
        """Let it go on until it stops where that holds."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            while not self._stopped():
                assert self._process.poll() is None, "it came to its end before"
                assert time.monotonic() < deadline, "it never stopped"
                time.sleep(0.005)
            if reached():
                return
            self._go_on()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        os.kill(self._pid or self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=PATIENCE_S)

    def finish(self) -> None:
        """Let it come to its end, which must be a good one."""
        deadline = time.monotonic() + PATIENCE_S
        self._go_on()
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._stopped():
                self._go_on()
            time.sleep(0.005)
        assert self._process.returncode == 0, self._process.communicate()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
        self._process.communicate()
        self._log.close()

    def _go_on(self) -> None:
        self._told = False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGCONT)

    def _stopped(self) -> bool:
        """Whether all of its threads have come to a stop since it was let go on."""
        for line in self._log:
            if line.endswith("--- stopped by SIGSTOP ---\n"):
                self._told = True
                self._pid = self._pid or int(line.split()[0])
        if self._told and self._all_threads_stand():
            time.sleep(0.01)  # strace halts threads at each call; only those that were stopped stay so
            return self._all_threads_stand()
        return False

    def _all_threads_stand(self) -> bool:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            tasks = Path(f"/proc/{self._pid}/task").glob("*/stat")
            states = {task.read_text().rpartition(")")[2].split()[0] for task in tasks}
            return bool(states) and states <= {"t", "T"}
        return False
