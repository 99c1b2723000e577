"""The kinds of YAML files that the command reads, with the fields they have."""

from medley.yaml_file import FileKind

JOB_FIELDS = (
    "name", "kind", "workers", "chips", "devices_per_worker", "cpu_milli", "memory_mib", "command", "training",
    "environment", "image", "shared_memory_mib", "volumes", "secrets", "retries", "time_limit_s", "grace_s", "priority",
    "labels",
)  # fmt: skip
TRAINING_FIELDS = ("steps", "batch", "sequence", "width", "layers", "heads", "learning_rate", "seed")
CHIP_FIELDS = (
    "vendor", "model", "memory_mib", "dense_bf16_tflops", "measured_tflops", "memory_bandwidth_gb_s",
    "link_bandwidth_gb_s", "link", "torch_device", "collective_library", "estimated_fields",
)  # fmt: skip

JOB_FILE = FileKind(
    noun="job",
    fields={"": JOB_FIELDS, "/training": TRAINING_FIELDS},
    example="name: first",
    next_step="see examples/jobs, or docs/commands.md for the fields of a job",
)
CHIP_FILE = FileKind(
    noun="chip type",
    fields={"": CHIP_FIELDS},
    example="vendor: NVIDIA",
    next_step="see docs/commands.md for the fields of a chip type, or `medley chips -o json` for those that are known",
)
