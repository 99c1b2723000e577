"""The benchmark of trials, on tables made for the test."""

from pathlib import Path

import pytest

from bench.mixing import plan_trials

RUN = "het_cluster,32,{batch},1,{replicas},{stages},{bounds},{theirs},{measured},ok\n"
LAYOUTS = ((4, 4, "0 7 14 20 30"), (2, 8, "0 5 9 12 15 18 21 24 30"), (16, 1, "0 30"), (8, 2, "0 14 30"))


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write tables of eight trials; those with many stages are the fastest, with small micro-batches above all."""
    monkeypatch.setenv("MEDLEY_DATA", str(tmp_path))
    folder = tmp_path / "mixed_chip"
    folder.mkdir()
    layers = "".join(
        f"gpt2,{chip},1,{part},{time_s}\n"
        for chip, time_s in (("V100-16", 0.004), ("T4-16", 0.006))
        for part in range(30)
    )
    (folder / "amp_profiles.csv").write_text("model,gpu,tp,layer_index,forward_s\n" + layers)
    runs = "".join(
        RUN.format(
            batch=batch, replicas=replicas, stages=stages, bounds=bounds, theirs=stages, measured=batch * (1 + replicas)
        )
        for batch in (1, 8)
        for replicas, stages, bounds in LAYOUTS
        if batch * replicas <= 32
    )
    header = "setting,global_batch,micro_batch,tp,dp,pp,layer_bounds,predicted_s,measured_s,status\n"
    (folder / "amp_runs.csv").write_text(header + runs)


def test_trials_are_counted_until_one_is_near_the_best() -> None:
    figures = plan_trials.measure().figures
    assert (figures["seeds"], figures["rows"]) == (100.0, 6.0)
    assert 1.0 <= figures["trials"] <= figures["worst_trials"] <= 3.0
    assert figures["trials"] < figures["random_order_trials"]
    assert figures["amp_order_trials"] > figures["trials"]
    assert figures["ended_after_trials"] >= 1.0


def test_the_same_seeds_count_the_same() -> None:
    assert plan_trials.measure().figures == plan_trials.measure().figures


def test_without_data_it_ends_and_says_what_names_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLEY_DATA", "/nowhere")
    with pytest.raises(SystemExit, match="MEDLEY_DATA names the folder"):
        plan_trials.measure()
