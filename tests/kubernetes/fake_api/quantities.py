"""Kubernetes' numbers with units, read and written as the real server does."""

import re
from collections.abc import Mapping
from decimal import Decimal

FORM = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
BINARY = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)}
DECIMAL = {letter: Decimal(1000) ** power for power, letter in enumerate(("n", "u", "m", "", "k", "M", "G", "T"), -3)}
DECIMAL |= {"P": Decimal(1000) ** 5, "E": Decimal(1000) ** 6}


def parse(text: object) -> Decimal | None:
    """Return the number; None where it is none."""
    match = FORM.match(str(text))
    if match is None:
        return None
    digits, suffix = match.groups()
    try:
        if re.fullmatch(r"[eE][-+]?[0-9]+", suffix):
            return Decimal(digits + suffix)
        factor = BINARY.get(suffix) or DECIMAL.get(suffix)
        return None if factor is None else Decimal(digits) * factor
    except ArithmeticError:
        return None


def is_binary(text: object) -> bool:
    """Say whether it is written in powers of 1024."""
    return str(text).endswith("i")


def written(number: Decimal, *, is_binary: bool) -> str:
    """Return the shortest exact form, such as `1500m`, `3` or `200Mi`."""
    if number == 0:
        return "0"
    if is_binary:
        for suffix, factor in reversed(BINARY.items()):
            if number % factor == 0:
                return f"{number // factor}{suffix}"
    for suffix, scale in sorted(DECIMAL.items(), key=lambda item: -item[1]):
        if number % scale == 0:
            return f"{int(number / scale)}{suffix}"
    return f"{number:f}"


def total(resources: Mapping[str, object], name: str) -> Decimal:
    """Return one entry of a resource list; nothing where it is missing or no number."""
    return parse(resources.get(name, "0")) or Decimal(0)
