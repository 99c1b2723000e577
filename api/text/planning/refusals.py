"""Why there is no plan, or why chips took no part in one, in sentences."""

from collections.abc import Sequence
from typing import assert_never

from api.text.planning.plans import plan_text
from api.text.words import count, listed
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.chips import Unusable
from scheduler.core.mixing.search.found import (
    MOST_GROWTH,
    Bad,
    BadProblem,
    DoesNotFit,
    LimitsForbid,
    NoPrecision,
    Refusal,
    TooSlow,
)
from scheduler.services.planning.asked import LeftOut, TooMany

_GIB = 1 << 30
_MIB = 1 << 20


def memory(amount: float) -> str:
    """Return bytes as `12.5 GiB`, or in MiB below one."""
    return f"{amount / _GIB:,.1f} GiB" if amount >= _GIB else f"{amount / _MIB:,.0f} MiB"


def refusal_text(refusal: Refusal, training: Training, left_out: Sequence[LeftOut]) -> str:
    """Return why there is no plan, and what would do."""
    match refusal:
        case DoesNotFit():
            return _does_not_fit(refusal, training)
        case NoPrecision(precision, chips):
            return f"No chip that is free and may be used has {precision}: {listed(chips, 'and')} {_have(chips)} not."
        case LimitsForbid(without):
            return f"All plans take more than the limits allow. Without them: {plan_text(without)}"
        case TooSlow(wanted, best):
            return f"No plan reaches {wanted:,.0f} tokens/s. The best would be {plan_text(best)}"
        case BadProblem():
            return _bad(refusal, left_out)
    assert_never(refusal)


def _have(chips: Sequence[str]) -> str:
    return "does" if len(chips) == 1 else "do"


def _does_not_fit(refusal: DoesNotFit, training: Training) -> str:
    name, missing = training.shape.name, memory(refusal.missing_bytes)
    text = (
        f"{name} does not fit into the memory of {count(refusal.devices, 'device')} that could be used: "
        f"in the plan that comes nearest, {missing} are missing on each {refusal.chip}."
    )
    helps = []
    if refusal.would_fit_recomputing:
        helps.append("it fits where activations may be computed anew (may_recompute)")
    if refusal.enough_devices is not None:
        helps.append(f"{refusal.enough_devices:,} devices would do, if each pool grew alike")
    elif not refusal.would_fit_recomputing:
        helps.append(f"not even {MOST_GROWTH:,} times as many devices of each pool would do")
    return f"{text} {'; '.join(helps).capitalize()}."


def _bad(refusal: BadProblem, left_out: Sequence[LeftOut]) -> str:
    if refusal.fault is Bad.NO_POOL:
        said = " ".join(left_out_text(one) for one in left_out[:3])
        return f"No chip that is free can take part. {said}" if said else "No such chip is free now."
    return _FAULTS[refusal.fault].format(where=refusal.where, value=refusal.value)


_FAULTS = {
    Bad.NOT_POSITIVE: "{where} is {value}, and must be a number above 0.",
    Bad.NEGATIVE: "{where} is {value}, and must be a number not below 0.",
    Bad.NO_SHARE: "{where} is {value}, and must be from 0 to 1.",
    Bad.HEADS_DO_NOT_DIVIDE: "{where} is {value}, which does not divide the hidden size.",
    Bad.NO_KEY_VALUE_HEADS: "{where} is {value}: it must be a head's size times a number that divides that of heads.",
    Bad.MORE_ACTIVE_THAN_EXPERTS: "{where} is {value}, which is more than there are experts.",
    Bad.SAME_NAME: "Two pools are named {where}.",
    Bad.UNKNOWN_POOL: "A link names the pool {where}, which there is not.",
}


def left_out_text(left: LeftOut) -> str:
    """Return why free chips took no part."""
    match left.why:
        case Unusable.PRECISION:
            return f"{left.chip} does not have the precision of the training."
        case Unusable.RATE:
            return f"Nobody knows what {left.chip} does: state it by `tflops`, or let an operator define it."
        case TooMany.POOLS:
            return f"{left.pool} has less compute than the pools that were planned with."
    assert_never(left.why)
