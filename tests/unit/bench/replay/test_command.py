"""From the command line to figures, on a small cluster of two nodes."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from bench.replay.command import add_options, measure

NODES = "sn,cpu_milli,memory_mib,gpu,model\nn1,8000,1000,4,T4\nn2,8000,1000,4,T4\n"
HEADER = "name,cpu_milli,num_gpu,gpu_milli\n"
PODS = HEADER + "".join(f"p{number},100,1,{milli}\n" for number, milli in enumerate((500, 300, 1000, 200)))
SUMMARY = "variant,sc_policy,100_mean,130_mean\nsmall,01-Random,90,90\nsmall,05-BestFit,90,90\nsmall,06-FGD,100,100\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of public data with one pod list."""
    monkeypatch.setenv("MEDLEY_DATA", str(tmp_path))
    folder = tmp_path / "traces" / "openb"
    folder.mkdir(parents=True)
    (folder / "openb_node_list_gpu_node.csv").write_text(NODES)
    (folder / "openb_pod_list_small.csv").write_text(PODS)
    (folder / "published_alloc_summary.csv").write_text(SUMMARY)
    return folder


def run(*words: str) -> dict[str, float]:
    parser = ArgumentParser()
    add_options(parser)
    found = measure(parser.parse_args(["openb", "--processes", "1", *words]))
    return found.figures | {f"limit on {limit.figure}": limit.limit for limit in found.required}


def test_a_list_is_replayed_with_each_seed_by_each_row(folder: Path) -> None:
    found = run("--seeds", "2", "--pods", str(folder / "openb_pod_list_small.csv"))
    for row in ("random", "best_fit", "fgd", "ours", "learnt"):
        for seed in (42, 43):
            assert 50 < found[f"small_{row}_100_seed_{seed}"] <= found[f"small_{row}_130_seed_{seed}"] <= 100
    assert found["limit on fgd_off_published_max_points"] == 0.7


def test_other_nodes_are_not_held_to_what_was_published(folder: Path, tmp_path: Path) -> None:
    nodes = tmp_path / "nodes.csv"
    nodes.write_text(NODES)
    found = run("--seeds", "1", "--nodes", str(nodes), "--pods", str(folder / "openb_pod_list_small.csv"))
    assert not [name for name in found if name.startswith("limit on")]


@pytest.mark.parametrize("text", [None, HEADER, "name\np1\n"])
def test_a_file_that_cannot_be_read_ends_it_before_any_work(folder: Path, text: str | None) -> None:
    pods = folder / "bad.csv"
    if text is not None:
        pods.write_text(text)
    with pytest.raises(SystemExit, match="replay: "):
        run("--pods", str(pods))
