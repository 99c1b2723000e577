"""What a layer takes, from what stages of several layers took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from scheduler.core.mixing.calibrating.nonsense import nonsense
from scheduler.core.mixing.calibrating.robust import Fit, Floats, robust_fit
from scheduler.core.model.measuring.layers import LayerProfile, ProfileKey
from scheduler.core.model.measuring.stages import EndsInLayers, RefusalCause, RefusedStage, StageTime

MOST_RATIO = 4.0
"""A stage that takes so many times what is known of its layers, or so small a part of it, says nothing of them."""
_FORWARD_PART = 1.0 / 3.0
"""Of what an end takes: its backward pass has two matrix multiplications for each one of the forward pass."""
_NOTHING_KNOWN: Mapping[ProfileKey, LayerProfile] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Refitted:
    """What a layer takes, and how many stages say so."""

    times: LayerProfile
    stages: int


@dataclass(frozen=True, slots=True)
class Refit:
    """What became of measured stages."""

    layers: Mapping[ProfileKey, Refitted]
    refused: tuple[RefusedStage, ...]


@dataclass(frozen=True, slots=True)
class _Equation:
    """One stage, with the ends that its layers are to be told apart from."""

    stage: StageTime
    forward_s: float
    backward_s: float
    layers: float
    """With what the ends count as, where that is known."""
    has_embedding: bool = False
    has_head: bool = False


def refit(
    stages: Iterable[StageTime],
    known: Mapping[ProfileKey, LayerProfile] = _NOTHING_KNOWN,
    ends: EndsInLayers | None = None,
) -> Refit:
    """Return what a layer takes by measured stages, per chip type, tensor-parallel degree and micro-batch.

    A stage of n layers takes n times a layer, and what the embedding and the head take where it has them: one equation
    per stage and pass, solved by `robust_fit` in seconds per layer, so that a long stage counts no more than a short
    one. With recomputation a backward pass has the layers' forward pass in it. Where the stages do not say what the
    ends take (one stage on a chip type, or the same layers everywhere), `known` does, else `ends`, else those with ends
    are refused. Nonsense and outliers are refused with their cause, whatever the rest says.
    """
    refused: list[RefusedStage] = []
    by_key: dict[ProfileKey, list[StageTime]] = defaultdict(list)
    for stage in stages:
        refusal = _refusal(stage, known.get(stage.key))
        if refusal is None:
            by_key[stage.key].append(stage)
        else:
            refused.append(refusal)
    layers: dict[ProfileKey, Refitted] = {}
    for key, alike in by_key.items():
        equations, without = _equations(alike, known.get(key), ends)
        found, outliers = _solved(equations)
        refused += [*without, *outliers]
        if found is not None:
            layers[key] = found
    return Refit(layers, tuple(refused))


def _refusal(stage: StageTime, known: LayerProfile | None) -> RefusedStage | None:
    """Refuse a stage whose times are nonsense, or nothing like what is known of its layers."""
    if (cause := nonsense(stage)) is not None:
        return RefusedStage(stage, cause)
    if known is None:
        return None
    expected_s = stage.layers * (known.layer_forward_s * (1 + stage.recomputes) + known.layer_backward_s)
    expected_s += _known_ends_s(stage, known)
    ratio = (stage.forward_s + stage.backward_s) / expected_s
    is_outlier = ratio * MOST_RATIO < 1.0 or (ratio > MOST_RATIO and not _has_unknown_end(stage, known))
    return RefusedStage(stage, RefusalCause.OUTLIER, ratio) if is_outlier else None


def _equations(
    stages: Sequence[StageTime], known: LayerProfile | None, ends: EndsInLayers | None
) -> tuple[list[_Equation], list[RefusedStage]]:
    """Return the equations of stages of one key, and the stages that cannot be told apart from their ends."""
    whole = [
        _Equation(stage, stage.forward_s, stage.backward_s, stage.layers, stage.has_embedding, stage.has_head)
        for stage in stages
    ]
    rows = _rows(whole)
    if np.linalg.matrix_rank(rows) == rows.shape[1]:
        return whole, []
    found: list[_Equation] = []
    refused: list[RefusedStage] = []
    for stage in stages:
        equation = _without_ends(stage, known, ends)
        if equation is None:
            refused.append(RefusedStage(stage, RefusalCause.ONLY_ENDS))
        else:
            found.append(equation)
    return found, refused


def _without_ends(stage: StageTime, known: LayerProfile | None, ends: EndsInLayers | None) -> _Equation | None:
    """Return what a stage says of its layers by what its ends are known to take; None where they are not."""
    if not (stage.has_embedding or stage.has_head):
        return _Equation(stage, stage.forward_s, stage.backward_s, stage.layers)
    if known is not None and not _has_unknown_end(stage, known):
        ends_s = _known_ends_s(stage, known)
        forward_s = stage.forward_s - _FORWARD_PART * ends_s
        backward_s = stage.backward_s - (1.0 - _FORWARD_PART) * ends_s
        if min(forward_s, backward_s) > 0.0:
            return _Equation(stage, forward_s, backward_s, stage.layers)
    if ends is None:
        return None
    layers = stage.layers + stage.has_embedding * ends.embedding + stage.has_head * ends.head
    return _Equation(stage, stage.forward_s, stage.backward_s, layers)


def _has_unknown_end(stage: StageTime, known: LayerProfile) -> bool:
    return (stage.has_embedding and known.embedding_s is None) or (stage.has_head and known.head_s is None)


def _known_ends_s(stage: StageTime, known: LayerProfile) -> float:
    return (known.embedding_s or 0.0) * stage.has_embedding + (known.head_s or 0.0) * stage.has_head


def _solved(equations: Sequence[_Equation]) -> tuple[Refitted | None, list[RefusedStage]]:
    """Return what equations of one key say, and those stages that the rest says are wrong."""
    if not equations:
        return None, []
    rows = _rows(equations)
    layers = np.array([each.layers for each in equations], dtype=np.float64)
    recomputed = np.array([each.stage.recomputes * each.stage.layers for each in equations]) / layers
    forward = _fit_without_negative(rows, np.array([each.forward_s for each in equations]) / layers)
    backward_s = np.array([each.backward_s for each in equations]) / layers
    backward = _fit_without_negative(rows, backward_s - recomputed * forward.coefficients[0])
    trusted = forward.trusted & backward.trusted
    expected_s = layers * (rows @ (forward.coefficients + backward.coefficients) + recomputed * forward.coefficients[0])
    refused = [
        RefusedStage(each.stage, RefusalCause.OUTLIER, (each.forward_s + each.backward_s) / max(should_s, 1e-12))
        for each, should_s, is_trusted in zip(equations, expected_s.tolist(), trusted.tolist(), strict=True)
        if not is_trusted
    ]
    usable = [each.stage for each, is_trusted in zip(equations, trusted.tolist(), strict=True) if is_trusted]
    if min(forward.coefficients[0], backward.coefficients[0]) <= 0.0:
        return None, refused + [RefusedStage(stage, RefusalCause.CONTRADICTORY) for stage in usable]
    if not usable:
        return None, refused
    return Refitted(_profile(equations, usable, forward, backward), len(usable)), refused


def _profile(equations: Sequence[_Equation], usable: Sequence[StageTime], forward: Fit, backward: Fit) -> LayerProfile:
    layer_s, *ends_s = (forward.coefficients + backward.coefficients).tolist()
    has_embedding = any(each.has_embedding for each in equations)
    has_head = any(each.has_head for each in equations)
    updates_s = [stage.update_s / stage.layers for stage in usable if stage.update_s is not None]
    layer_forward_s = float(forward.coefficients[0])
    return LayerProfile(
        layer_forward_s,
        layer_s - layer_forward_s,
        ends_s[0] if has_embedding else None,
        ends_s[-1] if has_head else None,
        float(np.median(updates_s)) if updates_s else None,
    )


def _rows(equations: Sequence[_Equation]) -> Floats:
    """Return what a layer, the embedding and the head weigh in each stage, per layer of it; ends that none has not."""
    columns = [
        [1.0 for _ in equations],
        [each.has_embedding / each.layers for each in equations],
        [each.has_head / each.layers for each in equations],
    ]
    return np.array([columns[0], *(column for column in columns[1:] if any(column))], dtype=np.float64).T


def _fit_without_negative(rows: Floats, values: Floats) -> Fit:
    """Fit; an end that comes out negative takes nothing: it is less than the noise."""
    kept = np.ones(rows.shape[1], dtype=np.bool_)
    while True:
        fit = robust_fit(rows[:, kept], values)
        coefficients = np.zeros(rows.shape[1])
        coefficients[kept] = fit.coefficients
        negative = coefficients[1:] < 0.0
        if not negative.any():
            return Fit(coefficients, fit.trusted)
        kept[1:] &= ~negative
