"""The pictures of the page on several chip types: there, drawn by code, and readable as images."""

from xml.etree import ElementTree as ET

import pytest

from docs.drawings import DRAWINGS, PICTURES, mixing_picture, plan_picture


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_picture_is_there_as_an_image_with_a_title(name: str) -> None:
    root = ET.fromstring((PICTURES / name).read_text("utf-8"))
    assert root.tag.endswith("svg")
    assert next(iter(root)).tag.endswith("title")


def test_pictures_that_need_no_data_can_be_drawn() -> None:
    assert "Timeline" in plan_picture()
    assert "NVIDIA alone" in mixing_picture()
