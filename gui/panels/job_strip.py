"""What is running: one line in the status bar, and a list of all jobs that opens above it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui import icons, text
from gui.jobs import Job, JobRunner
from gui.theme import Space
from gui.widgets import heading, icon_button, plain_label, set_tooltip

SHOWN_AFTER_S = 0.4
"""Quicker jobs do not flash in the strip."""
_FULL = 1000
"""Steps of the bar; bytes do not fit into its 32 bits."""


class JobLine(QWidget):
    """One job: what it does, how far it is, and a button that stops it."""

    def __init__(self, runner: JobRunner, job: Job, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job = job
        self._runner = runner
        self.title = plain_label(text.plain(job.title))
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self._bar.setAccessibleName(text.plain(job.title))
        self._figures = plain_label("")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setFlat(True)
        self._cancel.setAutoDefault(False)
        self._cancel.setAccessibleName(f"Cancel: {text.plain(job.title)}")
        set_tooltip(self._cancel, "Stop this; what is finished stays")
        self._cancel.clicked.connect(self._stop)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.SMALL)
        for widget in (self.title, self._bar, self._figures, self._cancel):
            layout.addWidget(widget)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show how far the job is now."""
        job = self.job
        fraction = job.fraction
        self._bar.setRange(0, 0 if fraction is None else _FULL)
        if fraction is not None:
            self._bar.setValue(round(fraction * _FULL))
        self._figures.setText(_figures(job))
        self._cancel.setEnabled(not job.cancelling)
        self.setAccessibleName(f"{text.plain(job.title)} {_figures(job)}")

    @Slot()
    def _stop(self) -> None:
        self._runner.cancel(self.job)
        self.refresh()


def _figures(job: Job) -> str:
    if job.cancelling:
        return "stopping…"
    rate, left = job.estimate
    figures = text.progress(job.fraction, rate, left, job.progress.unit)
    return figures or (text.amount(job.progress.done, job.progress.unit) if job.progress.done else "waiting…")


class JobStrip(QWidget):
    """The oldest running job as one line; with several, a button that opens the list."""

    expanded = Signal(bool)
    """Somebody wants to see all jobs, or no longer."""
    changed = Signal()
    """Which jobs are shown is different."""

    def __init__(self, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Running jobs")
        self._runner = runner
        self._narrow = False
        self._line: JobLine | None = None
        self._more = QToolButton(self)
        self._more.setIcon(icons.icon("jobs"))
        self._more.setIconSize(icons.LIST_SIZE)
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.setCheckable(True)
        self._more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._more.toggled.connect(self.expanded)
        self._more.hide()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, Space.SMALL, 0)
        self._layout.setSpacing(Space.SMALL)
        self._layout.addWidget(self._more)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(round(SHOWN_AFTER_S * 1000) + 20)
        self._delay.timeout.connect(self.refresh)
        runner.started.connect(self._delay.start)
        runner.finished.connect(self.refresh)
        runner.progressed.connect(self._progressed)

    @property
    def shown(self) -> tuple[Job, ...]:
        """The jobs that somebody asked for and that have taken a moment already."""
        return tuple(job for job in self._runner.active() if not job.quiet and job.age >= SHOWN_AFTER_S)

    def set_narrow(self, narrow: bool) -> None:
        """Whether there is no room for what the job is called; its list and its accessible name still say it."""
        self._narrow = narrow
        if self._line is not None:
            self._line.title.setHidden(narrow)

    @Slot()
    def refresh(self) -> None:
        """Show what runs now."""
        jobs = self.shown
        first = jobs[0] if jobs else None
        if self._line is not None and self._line.job is not first:
            self._line.hide()
            self._line.deleteLater()
            self._line = None
        if first is not None and self._line is None:
            self._line = JobLine(self._runner, first, self)
            self._line.title.setHidden(self._narrow)
            self._layout.insertWidget(0, self._line)
        self._more.setText(text.count(len(jobs), "job"))
        self._more.setAccessibleName(f"Show all {text.count(len(jobs), 'running job')}")
        self._more.setVisible(len(jobs) > 1)
        if len(jobs) < 2:
            self._more.setChecked(False)
        self.changed.emit()

    @Slot(object)
    def _progressed(self, _jobs: object) -> None:
        if self._line is not None:
            self._line.refresh()
        self.changed.emit()


class JobList(QFrame):
    """Every running job, one below the other, above the status bar."""

    def __init__(self, runner: JobRunner, strip: JobStrip, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("All running jobs")
        self._runner = runner
        self._strip = strip
        self._lines: dict[Job, JobLine] = {}
        title: QLabel = heading("Running jobs")
        close = icon_button("close", "Close the list of jobs", self)
        close.clicked.connect(lambda: strip.expanded.emit(False))
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(close)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(Space.LARGE, Space.SMALL, Space.SMALL, Space.SMALL)
        self._layout.setSpacing(Space.TINY)
        self._layout.addLayout(top)
        strip.changed.connect(self._refresh)
        strip.expanded.connect(self.setVisible)
        self.hide()

    @Slot()
    def _refresh(self) -> None:
        if not self.isVisible():
            return
        self._show(self._strip.shown)

    def _show(self, jobs: Sequence[Job]) -> None:
        for job in set(self._lines) - set(jobs):
            line = self._lines.pop(job)
            line.hide()
            line.deleteLater()
        for job in jobs:
            if job not in self._lines:
                self._lines[job] = JobLine(self._runner, job, self)
                self._layout.addWidget(self._lines[job], 0, Qt.AlignmentFlag.AlignLeft)
            self._lines[job].refresh()
