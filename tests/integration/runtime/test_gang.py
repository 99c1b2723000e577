import json
import subprocess
import sys

from tests.builders.runtime import WorkerApi, gang_documents, serving

PROGRAM = """
import json, sys
from medley_runtime.api_client import ApiClient
from medley_runtime.devices import Device
from medley_runtime.launch import parse_launch
from medley_runtime.torch_loading import load_torch
load_torch()
import torch
from medley_runtime.reference_training.gang import joined_gang

launch = parse_launch(json.loads(sys.argv[1]))
device = Device("cpu", "gloo", sys.argv[2], "")
with joined_gang(launch, device, ApiClient(launch.api_url, launch.token, print)) as gang:
    gradient, weights = torch.tensor([1.0 + launch.rank]), torch.tensor([10.0 + launch.rank])
    gang.average(gradient)
    gang.align(weights)
    digests = gang.gather_digests(bytes([launch.rank] * 32))
    print(json.dumps([float(gradient), float(weights), [digest[0] for digest in digests]]))
"""


def outputs(families: list[str]) -> list[str]:
    """Return what each rank of a gang with these device families prints."""
    with serving(WorkerApi()) as api:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, json.dumps(document), family], stdout=subprocess.PIPE, text=True
            )
            for document, family in zip(gang_documents(2, api_url=api.url), families, strict=True)
        ]
        return [process.communicate(timeout=60)[0] for process in processes]


def test_a_gang_of_one_family_averages_gradients_and_leaves_weights_alone() -> None:
    assert outputs(["a", "a"]) == ["[1.5, 10.0, [0, 1]]\n", "[1.5, 11.0, [0, 1]]\n"]


def test_a_mixed_gang_takes_the_weights_of_rank_0() -> None:
    assert outputs(["a", "b"]) == ["[1.5, 10.0, [0, 1]]\n"] * 2
