"""The sample layout shows every state in the first minute."""

from pathlib import Path

from engine.layout import ImageLayout
from engine.progress import Progress
from engine.sample import make_sample
from engine.snapshot import Kind, State
from engine.verdicts import Verdicts


def test_every_state_and_kind_can_be_seen(tmp_path: Path) -> None:
    with ImageLayout.open(make_sample(tmp_path)) as layout:
        snapshot, progress = layout.scan(Progress()), Progress()
        verdicts = Verdicts.of(snapshot, 0)
        before = {State(state) for state in snapshot.states(verdicts.outcomes).tolist()}
        layout.verify(snapshot, None, progress)
        for batch in progress.drain():
            verdicts.record(batch.rows, batch.outcomes, batch.checked_at, batch.found)
        after = {State(state) for state in snapshot.states(verdicts.outcomes).tolist()}
        leftovers = layout.leftovers()
    assert before >= {State.VERIFIED, State.NOT_CHECKED, State.MISSING, State.SIZE_DIFFERS, State.EXTERNAL}
    assert after >= {State.CORRUPT, State.UNUSED, State.LOST, State.JUNK}
    kinds = {Kind.INDEX, Kind.IMAGE, Kind.CONFIG, Kind.LAYER, Kind.ATTESTATION, Kind.SIGNATURE, Kind.SBOM}
    assert {snapshot.kind(row) for row in range(len(snapshot))} >= kinds
    assert {leftover.tool.split(",")[0] for leftover in leftovers} == {"Blobscope", "umoci", "skopeo", "regclient"}
    assert [leftover.tool for leftover in leftovers if leftover.removable] == ["Blobscope"]


def test_the_sample_is_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = make_sample(tmp_path / "one"), make_sample(tmp_path / "two")
    assert (one / "index.json").read_bytes() == (two / "index.json").read_bytes()
