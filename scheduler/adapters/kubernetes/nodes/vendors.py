"""What the vendors' own software says of a node's devices: a table, asked after the operator's rules.

Labels and values as found in public sources:

- NVIDIA: docs/gpu-feature-discovery/README.md of NVIDIA/k8s-device-plugin: `nvidia.com/gpu.product` is the driver's
  product name with dashes, `nvidia.com/gpu.memory` is in MiB, `nvidia.com/gpu.count` counts real cards.
  Sharing appends `-SHARED` (unless renamed) and sets `gpu.replicas` above 1; MIG appends `-MIG-1g.10gb`.
- AMD: cmd/k8s-node-labeller of ROCm/k8s-device-plugin: `amd.com/gpu.product-name=AMD_Instinct_MI300X_OAM`,
  `amd.com/gpu.device-id=74a1`, `amd.com/gpu.vram=192G`, each also below `beta.amd.com`; a partitioned device shows in
  `amd.com/compute-memory-partition`. A MI250X counts as two devices of half its memory each.
- Huawei: ascend-device-plugin of MindCluster: `node.kubernetes.io/npu.chip.name=910B3` beside `huawei.com/Ascend910` or
  `huawei.com/Ascend310P`; Huawei's cloud counts `huawei.com/ascend-1980` and `huawei.com/ascend-310`.
- Cambricon: device-plugin/pkg/nodeLabel of Cambricon/cambricon-k8s-device-plugin: `Model=MLU370-X8` without any prefix,
  believed only beside `cambricon.com/mlu`. Older versions label nothing.
- MetaX: gpu-label of its operator: `metax-tech.com/gpu.product=MXC500`, `metax-tech.com/gpu.memory=64GB`. It does not
  tell the module of the C500 from its PCIe card; the module is what it is taken for.
- HAMi (docs of Project-HAMi/HAMi) counts each card several times under the vendor's name, and annotates nodes with
  `hami.io/node-*-register`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from re import Pattern

from scheduler.core.model.identifiers import ChipName


@dataclass(frozen=True, slots=True)
class Product:
    """Values of a label that stand for a chip type."""

    pattern: Pattern[str]
    """Of the whole value."""
    chip: ChipName


@dataclass(frozen=True, slots=True)
class Discovery:
    """The labels that tell what a resource's devices are."""

    resources: tuple[str, ...]
    vendor: str
    """As the chip catalogue spells it."""
    product_labels: tuple[str, ...] = ()
    """The first one that the node carries counts."""
    products: tuple[Product, ...] = ()
    memory_labels: tuple[str, ...] = ()
    """Of one device: MiB, or a number of GiB with `G` or `GB`."""


def _products(**patterns: str) -> tuple[Product, ...]:
    return tuple(
        Product(re.compile(pattern, re.IGNORECASE), chip.replace("_", "-")) for chip, pattern in patterns.items()
    )


_NVIDIA_PREFIX = r"(?:NVIDIA-)?(?:Tesla-)?"

DISCOVERIES = (
    Discovery(
        ("nvidia.com/gpu",),
        "NVIDIA",
        ("nvidia.com/gpu.product",),
        _products(
            a100_sxm_80=_NVIDIA_PREFIX + r"A100-SXM4?-80GB",
            a800_sxm_80=_NVIDIA_PREFIX + r"A800-SXM4?-80GB",
            h100_sxm=_NVIDIA_PREFIX + r"H100-80GB-HBM3|" + _NVIDIA_PREFIX + r"H100-SXM5(?:-80GB)?",
            h800_sxm=_NVIDIA_PREFIX + r"H800(?:-SXM5?(?:-80GB)?)?",
            h20=_NVIDIA_PREFIX + r"H20",
            h200_sxm=_NVIDIA_PREFIX + r"H200(?:-SXM.*)?",
            gh200_96=_NVIDIA_PREFIX + r"GH200-(?:480GB|96GB.*)",
            l40s=_NVIDIA_PREFIX + r"L40S",
            rtx_4090=_NVIDIA_PREFIX + r"(?:GeForce-)?RTX-4090",
            v100_sxm_32=_NVIDIA_PREFIX + r"V100-SXM[23]-32GB(?:-LS)?",
            t4=_NVIDIA_PREFIX + r"T4",
        ),
        ("nvidia.com/gpu.memory",),
    ),
    Discovery(
        ("amd.com/gpu",),
        "AMD",
        (
            "amd.com/gpu.product-name",
            "beta.amd.com/gpu.product-name",
            "amd.com/gpu.device-id",
            "beta.amd.com/gpu.device-id",
        ),
        _products(mi300x=r"AMD_Instinct_MI300X(?:_.*)?|74a1", mi250x=r"AMD_Instinct_MI250X(?:_.*)?"),
        ("amd.com/gpu.vram", "beta.amd.com/gpu.vram"),
    ),
    Discovery(
        ("huawei.com/Ascend910", "huawei.com/ascend-1980", "huawei.com/Ascend310P", "huawei.com/ascend-310"),
        "Huawei",
        ("node.kubernetes.io/npu.chip.name",),
        _products(
            ascend_910b2=r"(?:Ascend-?)?910B2",
            ascend_910b3=r"(?:Ascend-?)?910B3",
            ascend_910b4=r"(?:Ascend-?)?910B4",
            ascend_310p3=r"(?:Ascend-?)?310P3",
        ),
    ),
    Discovery(
        ("cambricon.com/mlu",),
        "Cambricon",
        ("Model",),
        _products(mlu370_x8=r"MLU370-X8", mlu590=r"MLU590(?:-.*)?"),
    ),
    Discovery(
        ("metax-tech.com/gpu",),
        "MetaX",
        ("metax-tech.com/gpu.product",),
        _products(metax_c500=r"MXC500", metax_c550=r"MXC550(?:-.*)?"),
        ("metax-tech.com/gpu.memory",),
    ),
    Discovery(("hygon.com/dcu",), "Hygon"),
    Discovery(("mthreads.com/gpu",), "Moore Threads"),
    Discovery(("iluvatar.com/gpu", "iluvatar.ai/gpu"), "Iluvatar"),
    Discovery(("enflame.com/gcu",), "Enflame"),
    Discovery(("birentech.com/gpu",), "Biren"),
    Discovery(("kunlunxin.com/xpu",), "Kunlunxin"),
    Discovery(("habana.ai/gaudi",), "Intel"),
    Discovery(("google.com/tpu",), "Google"),
)
BY_RESOURCE = {resource: discovery for discovery in DISCOVERIES for resource in discovery.resources}

_PARTS = re.compile(
    r"nvidia\.com/(?:mig-.+|gpu\.shared|gpumem.*|gpucores)"
    r"|amd\.com/[cdqt]px_.+"
    r"|huawei\.com/(?:Ascend.+-[0-9]+c.*|.+-memory|.+-core)"
    r"|cambricon\.com/(?:.*\.share|.*smlu.*|vmlu|.*mim.*)"
    r"|metax-tech\.com/(?:sgpu|vgpu.*|vcore|vmemory)"
)
# The short ones as words only: an `unicorn.com/npu` is no network card.
_NO_ACCELERATORS = re.compile(
    r"(?:.*\.)?kubernetes\.io/.*|hugepages-.*|medley/.*|.*(?:rdma|sriov|infiniband|kubevirt).*"
    r"|(?:.*[^a-z])?(?:roce|hca|efa|fuse|(?:mlnx)?nic)s?(?:[^a-z].*)?",
    re.IGNORECASE,
)
_HAMI = re.compile(r"hami\.io/node-.*register.*")
_WHOLE_PARTITION = re.compile(r"spx(?:_nps1)?", re.IGNORECASE)


def may_be_accelerator(resource: str) -> bool:
    """Say whether a resource may count accelerators: it is extended, and not one of the known other things."""
    return "/" in resource and _NO_ACCELERATORS.fullmatch(resource) is None


def sharing(resource: str, count: int, labels: Mapping[str, str], annotations: Mapping[str, str]) -> str | None:
    """Return why what a node counts are parts of devices; None where nothing says so."""
    if _PARTS.fullmatch(resource):
        return "it counts parts of devices"
    if any(_HAMI.fullmatch(name) for name in annotations):
        return "HAMi shares them"
    if resource == "amd.com/gpu":
        return _amd_sharing(labels)
    return _nvidia_sharing(count, labels) if resource == "nvidia.com/gpu" else None


def _amd_sharing(labels: Mapping[str, str]) -> str | None:
    partition = labels.get("amd.com/compute-memory-partition", "spx")
    return None if _WHOLE_PARTITION.fullmatch(partition) else f"they are partitioned ({partition})"


def _nvidia_sharing(count: int, labels: Mapping[str, str]) -> str | None:
    product = labels.get("nvidia.com/gpu.product", "")
    if "-MIG-" in product:
        return "they are MIG partitions"
    cards = _number(labels.get("nvidia.com/gpu.count"))
    replicas = _number(labels.get("nvidia.com/gpu.replicas")) or 1
    if product.endswith("-SHARED") or replicas > 1 or (cards and count > cards):
        return f"they are shared ({labels.get('nvidia.com/gpu.sharing-strategy', 'time-slicing')})"
    return None


def memory_mib_of(text: str) -> int | None:
    """Return the memory that a vendor's label says, None where it says none."""
    match = re.fullmatch(r"([0-9]{1,8})(G(?:i?B)?|M(?:i?B)?)?", text)
    if match is None:
        return None
    return int(match[1]) * (1024 if (match[2] or "M").startswith("G") else 1)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,8}", text) else None
