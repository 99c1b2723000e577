"""The four benchmarks of predictions, on tables made for the test."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from bench.mixing import predict_amp, predict_llama3, predict_memory, predict_sailor
from bench.mixing.measured.amp import MIXED, read_trials
from bench.mixing.measured.sailor import read_runs
from bench.mixing.measured.stages import pipeline_of, slowest_replica_s, slowest_stage_step_s
from bench.report import Measurement

AMP_RUNS = """setting,global_batch,micro_batch,tp,dp,pp,layer_bounds,predicted_s,measured_s,status
het_cluster,32,1,1,4,4,0 7 14 20 30,1.0,2.0,ok
het_cluster,32,1,1,16,1,0 30,3.0,1.0,ok
het_cluster,32,1,1,2,8,0 5 9 12 15 18 21 24 30,9.0,,failed
homogeneous,32,1,1,4,4,0 9 15 21 30,1.3,1.2,ok
homogeneous,32,1,1,16,1,0 30,1.2,1.3,ok
"""
SAILOR_RUNS = (
    "run,cluster,model,nodes,global_batch,micro_batch,pp,dp_per_stage,layers_per_stage,"
    "gpu_and_tp_per_replica_per_stage,measured_iter_s,measured_grad_sync_s,measured_max_mem_bytes,note\n"
    "N2_D1,mixed_rtx,OPT-350,2,16,2,2,1 1,13 13,A:tp2 | B:tp2,{slow},0,1,\n"
    "N2_D2,mixed_rtx,OPT-350,2,16,2,1,2,26,A:tp2;B:tp2,9.0,0,1,\n"
    "N3_D1,mixed_rtx,OPT-350,3,16,2,2,1 1,13 13,A:tp2 | B:tp2,9.0,0,1,suspect: identical to another\n"
    "N1_D1,gh200,OPT-350,1,16,2,1,1,26,A:tp2,9.0,0,1,\n"
)
SAILOR_PROFILES = (
    "model,gpu,micro_batch,tp,embed_fwd_s,embed_bwd_s,block_fwd_s,block_bwd_s,head_fwd_s,head_bwd_s,"
    "update_s_first_layer,num_entries\n"
    "OPT-350,A,2,2,0.001,0,0.01,0.02,0.01,0.02,0.001,26\n"
    "OPT-350,B,2,2,0.001,0,0.02,0.04,0.01,0.02,0.001,26\n"
    "OPT-350,B,1,2,0.001,0,0.015,0.03,0.01,0.02,0.001,26\n"
)
SAILOR_LINKS = (
    "scope,src_gpu,src_gpus_per_node,dst_gpu,dst_gpus_per_node,c2,c1,c0,max_bytes_per_s\n"
    "intra,A,2,A,2,0,0,99,99000000000\n"
    "inter,A,2,B,2,0,0.001,0.01,12000000\n"
)
MEGATRON = (
    "model,layers,hidden,heads,vocab,seq,tp,pp,interleave_v,dp,gpus,global_batch,micro_batch,"
    "param_opt_gib,act_gib_no_recompute,act_gib_seqpar_selective\n"
    "22B,48,6144,64,51200,2048,8,1,1,1,8,4,4,45.5625,59.25,{selective}\n"
)
FLAGPERF = (
    "case,chip,chips,precision,tp,pp,dp,seq,note,tokens_per_s_per_chip,mem_used_gib,mfu_pct\n"
    "llama3_8B-megatron,A100-80,8,bf16,1,2,4,8192,,3698.7,76,\n"
    "llama3_8B-megatron,A100-80,8,bf16,1,1,8,8192,,,OOM,\n"
    "llama3_8B-megatron,A100-80,8,bf16,8,1,1,8192,,2451.2,30,\n"
    "llama3_8B-megatron,A100-80,8,bf16,2,2,2,8192,,3409.2,51,\n"
    "llama3_8B-megatron,H100-SXM,8,bf16,2,1,4,8192,,8103,71,\n"
)

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return what writes a table into the folder of public data."""
    monkeypatch.setenv("MEDLEY_DATA", str(tmp_path))
    folder = tmp_path / "mixed_chip"
    folder.mkdir()

    def to_file(name: str, text: str) -> None:
        (folder / name).write_text(text)

    return to_file


@pytest.fixture
def amp(write: Write) -> Write:
    """Write AMP's tables: 30 parts a model, of which 24 are layers that take longer on T4."""
    layers = [(chip, part, time_s) for chip, time_s in (("V100-16", 0.004), ("T4-16", 0.006)) for part in range(30)]
    rows = [f"gpt2,{chip},1,{part},{time_s if 2 <= part < 26 else 0.001}\n" for chip, part, time_s in layers]
    write("amp_profiles.csv", "model,gpu,tp,layer_index,forward_s\n" + "".join(rows))
    write("amp_runs.csv", AMP_RUNS)
    return write


@pytest.fixture
def sailor(write: Write) -> Write:
    """Write SAILOR's tables."""
    write("sailor_runs.csv", SAILOR_RUNS.format(slow=9.0))
    write("sailor_profiles.csv", SAILOR_PROFILES)
    write("sailor_bandwidth.csv", SAILOR_LINKS)
    return write


@pytest.mark.parametrize(
    "measure", [each.measure for each in (predict_amp, predict_llama3, predict_memory, predict_sailor)]
)
def test_without_data_a_benchmark_ends_and_says_what_names_the_folder(
    measure: Callable[[], Measurement], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDLEY_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit, match="MEDLEY_DATA names the folder"):
        measure()


def test_memory_is_compared_to_the_last_digit(write: Write) -> None:
    write("megatron_anchors.csv", MEGATRON.format(selective="9.5625"))
    assert predict_memory.measure().figures == {"off_max": 0.0, "values": 3.0, "equal": 3.0}
    write("megatron_anchors.csv", MEGATRON.format(selective="9.5626"))
    assert predict_memory.measure().figures["off_max"] == pytest.approx(0.0001)


def test_interleaving_holds_more_on_the_first_stage() -> None:
    assert predict_memory.interleaved_in_flight(8, 1) == 8
    assert predict_memory.interleaved_in_flight(8, 3) == Fraction(31, 3)


def test_layouts_of_one_node_are_predicted_by_the_others_and_what_does_not_fit_is_known(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict_llama3, "SETTINGS", ((0.5, 1e11), (0.65, 1e11)))
    write("flagperf_llm.csv", FLAGPERF)
    figures = predict_llama3.measure().figures
    assert (figures["rows"], figures["efficiency"]) == (3.0, 0.65)
    assert figures["mape_percent"] < 10
    assert (figures["out_of_memory_predicted"], figures["out_of_memory_false"]) == (1.0, 0.0)
    assert figures["out_of_memory_gib"] > 80


def test_trials_that_ended_are_read_and_stand_on_the_nodes_in_their_order(amp: Write) -> None:
    first, second = read_trials("test", MIXED)
    assert [pool.chip for pool in first.replicas[0].pools] == ["V100-16", "V100-16", "V100-16", "T4-16"]
    assert first.replicas[0].layers == (5, 7, 6, 6)
    assert [run.pools[0].chip for run in second.replicas].count("T4-16") == 4
    assert second.replicas[0].layers == (24,)


def test_replicas_within_a_node_sync_over_its_own_links_others_over_the_slowest_network(amp: Write) -> None:
    within, across = (pipeline_of(trial.replicas[0]) for trial in read_trials("test", MIXED))
    on_v100, *_, on_t4 = within.gradient_sync_s
    assert on_v100 < on_t4 < across.gradient_sync_s[0]


def test_the_choice_among_trials_is_judged_by_what_was_measured(amp: Write) -> None:
    figures = predict_amp.measure().figures
    assert figures["rows"] == 2
    assert figures["amp_regret_percent"] == pytest.approx(100)
    assert (figures["amp_spearman"], figures["spearman"]) == (-1.0, -1.0)


def test_a_mixed_run_is_as_slow_as_its_slowest_replica(sailor: Write) -> None:
    two_stages, two_replicas, *_ = read_runs("test")
    assert [pool.chip for pool in two_stages.replicas[0].pools] == ["A", "B"]
    assert two_stages.replicas[0].layers == (12, 12)
    slower = max(two_replicas.replicas, key=lambda run: slowest_replica_s([run]))
    assert slower.pools[0].chip == "B"
    assert slowest_replica_s(two_replicas.replicas) == slowest_replica_s([slower])


def test_bandwidth_grows_with_the_message_up_to_its_bound(sailor: Write) -> None:
    times = pipeline_of(read_runs("test")[0].replicas[0])
    sent_bytes = 4 * 2 * 2_048 * 1_024
    assert times.transfer_s[0] == pytest.approx(sent_bytes / 12e6)


def test_other_forms_ignore_the_slow_link_or_that_ranks_share_it(sailor: Write) -> None:
    two_stages, two_replicas, *_ = (run.replicas for run in read_runs("test"))
    assert slowest_replica_s(two_stages, form=slowest_stage_step_s) < slowest_replica_s(two_stages)
    assert slowest_replica_s(two_replicas, shares_network=False) < slowest_replica_s(two_replicas)


def test_suspect_runs_are_scored_with_and_without(sailor: Write) -> None:
    figures = predict_sailor.measure().figures
    assert (figures["rows"], figures["suspect_rows"], figures["unseen_opt_350_rows"]) == (3.0, 1.0, 1.0)
    assert figures["mape_percent"] != figures["without_suspect_mape_percent"]


def test_beta_is_fitted_to_the_runs(sailor: Write) -> None:
    run = read_runs("test")[0]
    said_s = slowest_replica_s(run.replicas, blocking_share=0.25)
    header_and_two = SAILOR_RUNS.format(slow=said_s).splitlines()[:3]
    sailor("sailor_runs.csv", "\n".join(header_and_two))
    assert predict_sailor.measure().figures["beta"] == 0.25


def test_the_simulation_of_the_schedule_agrees_with_the_formula_on_two_even_stages(sailor: Write) -> None:
    run = read_runs("test")[0]
    simulated_s = slowest_replica_s(run.replicas, form=predict_sailor.simulated_step_s)
    assert simulated_s == pytest.approx(slowest_replica_s(run.replicas), rel=0.1)


def test_layers_are_reckoned_from_one_sequence_in_proportion(sailor: Write) -> None:
    figures = predict_sailor.measure().figures
    assert figures["layers_of_2_mape_percent"] == pytest.approx(50)
    assert "layers_of_4_mape_percent" not in figures, "nobody measured such a layer"
