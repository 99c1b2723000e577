from typing import get_args

from scheduler.core.model.change import ChangeBody


def test_every_kind_of_change_has_a_name_and_fields_of_its_own() -> None:
    kinds = get_args(ChangeBody)
    assert len({kind.__name__ for kind in kinds}) == len(kinds)
    assert len({tuple(kind.__dataclass_fields__) for kind in kinds}) == len(kinds)
