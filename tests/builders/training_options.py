"""The documented grammar of the options of Megatron-LM and FlagScale, as their own parsers read it."""

import ast
import re
from argparse import ArgumentParser
from typing import Any


def layers_by_stage(layout: str) -> list[str]:
    """Return the letters of each stage of a pipeline layout: E embedding, t layer, L loss.

    Brackets are unrolled first, then single letters; commas mean nothing.
    """
    layout = layout.replace(",", "")
    for pattern in (r"\(([^)]+)\)\*(\d+)", r"(.)\*(\d+)"):
        layout = re.sub(pattern, lambda found: found.group(1) * int(found.group(2)), layout)
    stages = layout.split("|")
    assert all(set(stage) <= set("EtL") for stage in stages), stages
    return stages


def parsed(arguments: tuple[str, ...]) -> dict[str, Any]:
    """Return options by name, as the programs' own parser takes them; fails where it would not take them."""
    parser = ArgumentParser(allow_abbrev=False, exit_on_error=False)
    for name in (
        *("num-layers", "hidden-size", "num-attention-heads", "ffn-hidden-size", "num-query-groups", "seq-length"),
        *("max-position-embeddings", "num-experts", "moe-router-topk", "micro-batch-size", "global-batch-size"),
        *("tensor-model-parallel-size", "pipeline-model-parallel-size", "recompute-num-layers"),
    ):
        parser.add_argument(f"--{name}", type=int)
    for name in (
        *("group-query-attention", "swiglu", "untie-embeddings-and-output-weights", "sequence-parallel", "bf16"),
        *("fp16", "use-distributed-optimizer", "use-flash-attn", "enable-hetero", "hetero-use-cpu-communication"),
    ):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--pipeline-model-parallel-layout")
    parser.add_argument("--position-embedding-type", choices=["learned_absolute", "rope"], default="learned_absolute")
    parser.add_argument("--recompute-granularity", choices=["full", "selective"])
    parser.add_argument("--recompute-method", choices=["uniform", "block"])
    parser.add_argument("--hetero-pipeline-layer-split", nargs="*", type=int)
    parser.add_argument("--hetero-process-meshes", nargs="*", type=int)
    parser.add_argument("--hetero-device-types", nargs="*")
    parser.add_argument("--hetero-current-device-type")
    for name in ("granularity", "method", "num-layers"):
        parser.add_argument(f"--recompute-{name}-per-stage-micro-batch", nargs="*")
    return vars(parser.parse_args(list(arguments)))


def check_meshes(options: dict[str, Any]) -> list[list[int]]:
    """Return the meshes of FlagScale's options, checked by the rules that it states for them."""
    flat = options["hetero_process_meshes"]
    assert len(flat) % 5 == 0
    meshes = [flat[first : first + 5] for first in range(0, len(flat), 5)]
    assert len({tuple(mesh[1:3]) for mesh in meshes}) == 1, "context and expert degrees must be the same"
    assert all(meshes[0][3] * options["micro_batch_size"] % mesh[3] == 0 for mesh in meshes)
    assert sum(mesh[4] for mesh in meshes) == options["pipeline_model_parallel_size"]
    assert len(options["hetero_pipeline_layer_split"]) == options["pipeline_model_parallel_size"]
    assert sum(options["hetero_pipeline_layer_split"]) == options["num_layers"]
    assert len(options["hetero_device_types"]) == len(meshes)
    return meshes


def refined(entries: list[str], stages: int, micro_batches: int) -> list[list[int]]:
    """Return FlagScale's `[stages, micro-batches, value, ...]` entries as a value per stage and micro-batch."""
    found = []
    for entry in map(ast.literal_eval, entries):
        pairs = list(zip(entry[1::2], entry[2::2], strict=True))
        row = [value for count, value in pairs for _ in range(count)]
        assert len(row) == micro_batches
        found += [row] * entry[0]
    assert len(found) == stages
    return found
