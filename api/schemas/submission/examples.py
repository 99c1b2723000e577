"""Jobs to begin from, as the API's own documentation shows them."""

from typing import Any

JOB_EXAMPLES: tuple[dict[str, Any], ...] = (
    {"name": "first", "workers": 4, "chips": "h100-sxm", "training": {"steps": 60}},
    {
        "name": "either-vendor",
        "workers": 2,
        "chips": ["h100-sxm", "a800-sxm"],
        "devices_per_worker": 8,
        "command": ["python", "train.py"],
        "retries": 2,
    },
    {"name": "mixed", "chips": {"h100-sxm": 2, "mi300x": 2}, "labels": {"team": "vision"}},
    {
        "name": "own-image",
        "workers": 1,
        "chips": "h100-sxm",
        "image": "vision/training:2.1",
        "command": ["python", "train.py"],
        "shared_memory_mib": 16384,
        "volumes": [{"volume_class": "datasets", "path": "/data", "read_only": True}],
        "secrets": {"HUB_TOKEN": {"secret": "hub", "key": "token"}},
    },
    {
        "name": "half-a-device",
        "workers": 1,
        "chips": "h100-sxm",
        "devices_per_worker": 0,
        "share": {"milli": 500, "memory_mib": 40960},
        "command": ["python", "notebook.py"],
    },
    {
        "name": "one-rack",
        "workers": 8,
        "chips": "h100-sxm",
        "devices_per_worker": 8,
        "alternatives": [{"workers": 16, "chips": "a800-sxm-80"}],
        "roles": [{"name": "launcher", "command": ["python", "launch.py"]}],
        "topology": {"require": "rack"},
        "spread": {"level": "node", "most": 1},
    },
    {
        "name": "chat",
        "kind": "inference",
        "replicas": 2,
        "workers": 1,
        "chips": "h100-sxm",
        "command": ["python", "serve.py"],
        "port": 8000,
        "readiness_path": "/ready",
    },
)
