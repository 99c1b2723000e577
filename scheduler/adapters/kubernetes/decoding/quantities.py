"""Quantities as the API writes them (`250m`, `1.5Gi`, `12e3`), read exactly.

Format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from fractions import Fraction
from functools import lru_cache

LONGEST_TEXT = 64
MIB = 1 << 20

_FORM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

MOST_MILLI = 10**9
"""A million cores."""
MOST_BYTES = 1 << 60
MOST_COUNT = 10**9
IN_MIB = frozenset({"memory", "ephemeral-storage"})


class Unreadable(ValueError):
    """A quantity that is none, is negative, or is beyond what any machine has."""


@lru_cache(maxsize=8192)  # few texts stand in many objects
def taken(name: str, text: str) -> int:
    """Return what a container takes, rounded up: `cpu` in milli-cores, everything else in bytes or counts.

    Raises Unreadable.
    """
    exact = _exact(name, text)
    return -(-exact.numerator // exact.denominator)


@lru_cache(maxsize=8192)
def offered(name: str, text: str) -> int:
    """Return what a node offers, rounded down: `cpu` in milli-cores, memory and storage in MiB, else counts.

    Raises Unreadable.
    """
    exact = _exact(name, text)
    amount = exact.numerator // exact.denominator
    return amount // MIB if name in IN_MIB else amount


def taken_in_units(name: str, amount: int) -> int:
    """Return a sum of `taken` in the units of the views: memory and storage in MiB, rounded up."""
    return -(-amount // MIB) if name in IN_MIB else amount


def _exact(name: str, text: str) -> Fraction:
    found = _FORM.fullmatch(text) if len(text) <= LONGEST_TEXT else None
    if found is None:
        raise Unreadable(f"{name}={text[:LONGEST_TEXT]}")
    sign, digits, suffix, exponent = found.groups()
    value = Fraction(digits)
    if exponent:
        value *= Fraction(10) ** int(exponent)
    elif suffix in _BINARY:
        value *= 1 << _BINARY[suffix]
    elif suffix:
        value *= Fraction(10) ** _DECIMAL[suffix]
    if name == "cpu":
        value, most = value * 1000, MOST_MILLI
    elif name in IN_MIB or name.startswith("hugepages-"):
        most = MOST_BYTES
    else:
        most = MOST_COUNT
    if value > most or (sign == "-" and value):
        raise Unreadable(f"{name}={text}")
    return value
