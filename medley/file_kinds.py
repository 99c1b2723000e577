"""The kinds of YAML files that the command reads, with the fields they have."""

from medley.yaml_file import FileKind

JOB_FIELDS = (
    "name", "kind", "replicas", "port", "readiness_path", "serve", "workers", "chips", "devices_per_worker",
    "share", "cpu_milli", "memory_mib", "choose",
    "alternatives", "roles", "topology", "spread", "apart", "exclusive", "node_labels", "command", "training",
    "preemptible", "movable", "min_workers", "workers_step", "queue", "family",
    "environment", "image", "shared_memory_mib", "volumes", "secrets", "retries", "time_limit_s", "grace_s", "priority",
    "labels", "checkpoint_interval_s", "checkpoints_kept", "silence_limit_s", "stall_limit_s",
    "after", "array",
)  # fmt: skip
SHARE_FIELDS = ("milli", "memory_mib")
ALTERNATIVE_FIELDS = ("workers", "chips", "devices_per_worker", "share", "cpu_milli", "memory_mib")
ROLE_FIELDS = ("name", *ALTERNATIVE_FIELDS, "command")
TOPOLOGY_FIELDS = ("require", "prefer")
SPREAD_FIELDS = ("level", "most")
APART_FIELDS = ("level", "labels")
AFTER_FIELDS = ("job", "array", "condition")
ARRAY_FIELDS = ("count", "most_at_once")
TRAINING_FIELDS = ("steps", "batch", "sequence", "width", "layers", "heads", "learning_rate", "seed")
SERVE_FIELDS = ("training", "seed")
CHIP_FIELDS = (
    "vendor", "model", "memory_mib", "dense_bf16_tflops", "measured_tflops", "memory_bandwidth_gb_s",
    "link_bandwidth_gb_s", "link", "torch_device", "collective_library", "estimated_fields",
)  # fmt: skip

PLAN_FIELDS = (
    "name", "model", "global_batch", "sequence", "steps", "precision", "shards_optimiser", "sequence_parallel",
    "stores_scores", "may_recompute", "is_causal", "family", "chips", "cluster", "limits", "network", "tflops",
    "blocking_share", "plans", "earlier", "tried",
)  # fmt: skip
MODEL_FIELDS = (
    "layers", "hidden", "heads", "key_value_width", "feed_forward_width", "vocabulary", "is_gated", "ties_embeddings",
    "learnt_positions", "experts",
)  # fmt: skip
EXPERTS_FIELDS = ("count", "active")
LIMITS_FIELDS = ("chip_types", "devices", "compute", "tokens_per_s", "micro_batch")
NETWORK_FIELDS = ("node_gbit_s", "between_vendors_gbit_s")

JOB_FILE = FileKind(
    noun="job",
    fields={
        "": JOB_FIELDS,
        "/share": SHARE_FIELDS,
        "/alternatives/*": ALTERNATIVE_FIELDS,
        "/alternatives/*/share": SHARE_FIELDS,
        "/roles/*": ROLE_FIELDS,
        "/roles/*/share": SHARE_FIELDS,
        "/topology": TOPOLOGY_FIELDS,
        "/spread": SPREAD_FIELDS,
        "/apart": APART_FIELDS,
        "/training": TRAINING_FIELDS,
        "/serve": SERVE_FIELDS,
        "/after/*": AFTER_FIELDS,
        "/array": ARRAY_FIELDS,
    },
    example="name: first",
    next_step="see examples/jobs, or docs/commands.md and docs/placement.md for the fields of a job",
)
CHIP_FILE = FileKind(
    noun="chip type",
    fields={"": CHIP_FIELDS},
    example="vendor: NVIDIA",
    next_step="see docs/commands.md for the fields of a chip type, or `medley chips -o json` for those that are known",
)
PLAN_REQUEST_FILE = FileKind(
    noun="training to plan",
    fields={
        "": PLAN_FIELDS,
        "/model": MODEL_FIELDS,
        "/model/experts": EXPERTS_FIELDS,
        "/limits": LIMITS_FIELDS,
        "/network": NETWORK_FIELDS,
    },
    example="model: llama3-70b",
    next_step="see examples/plans, or docs/mixed-chip.md for the fields of a training to plan",
)
