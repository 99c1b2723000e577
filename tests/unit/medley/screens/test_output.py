"""Documents that are printed piece by piece."""

import json

import pytest
import yaml

from medley.answers import Json
from medley.screens.output import draw_as, print_json, print_json_items
from tests.builders.command import a_job, an_attempt


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("items", [[], [a_job()], [a_job(name="ä: -"), a_job(attempts=[an_attempt()]), {"n": "1\n2"}]])
def test_a_list_printed_item_by_item_is_what_it_would_be_at_once(
    capsys: pytest.CaptureFixture[str], form: str, items: list[Json]
) -> None:
    try:
        draw_as(form)
        print_json({"items": items, "next": None})
        want = capsys.readouterr().out
        print_json_items(iter(items))
        assert capsys.readouterr().out == want
    finally:
        draw_as("table")
    read = json.loads if form == "json" else yaml.safe_load
    assert read(want) == {"items": items, "next": None}
