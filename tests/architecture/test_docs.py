"""What the documentation says is there: generated pages are fresh, links lead somewhere, records are complete."""

import json
import re
from pathlib import PurePosixPath

from bench.__main__ import BENCHMARKS, WITH_OPTIONS
from docs.generate import DOCS, pages
from scheduler.settings import Settings
from tests.architecture.tidy.pages import anchors, dead_links, links
from tests.architecture.tidy.source import Source, project, sample

RECORDS = PurePosixPath("docs/decisions")
FEWEST_WORDS = 3
"""In what a room is for."""
RECORD_PARTS = ["Context", "Choice", "Price"]


def markdown() -> list[Source]:
    """Return the pages of the project."""
    return [source for source in project() if source.path.suffix == ".md"]


def records() -> list[Source]:
    """Return the decision records, in order."""
    return [page for page in markdown() if page.path.parent == RECORDS]


def test_generated_pages_are_fresh() -> None:
    stale = [path.name for path, text in pages().items() if not path.exists() or path.read_text("utf-8") != text]
    assert not stale, f"{stale} differ from the code; run `make docs`"


def test_every_folder_of_code_is_named_with_what_it_is_for() -> None:
    page = (DOCS / "rooms.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", page, re.MULTILINE))
    large = {"scheduler", "api", "medley", "runtime"}
    folders = {str(source.path.parent) for source in project() if source.is_python and source.path.parts[0] in large}
    assert folders == rows.keys()
    silent = sorted(folder for folder, purpose in rows.items() if len(purpose.split()) < FEWEST_WORDS)
    assert not silent, f"say in the docstring of __init__.py what these are for: {silent}"


def test_every_link_leads_somewhere() -> None:
    files = {source.path: source for source in project()}
    dead = "\n".join(dead_links(markdown(), files))
    assert not dead, f"correct the link or write the page:\n{dead}"


def test_the_readme_and_the_pages_a_newcomer_needs_are_there() -> None:
    there = {str(page.path) for page in markdown()}
    assert there >= {"README.md", "docs/architecture.md", "docs/states.md", "docs/glossary.md", "docs/contributing.md"}


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = [int(record.path.name[:4]) for record in records()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_record_has_its_title_and_its_three_parts() -> None:
    for record in records():
        assert re.match(rf"# {record.path.name[:4]}: \S", record.text), f"{record.path}: begin with '# NNNN: title'"
        parts = re.findall(r"^## (.*)$", record.text, re.MULTILINE)
        assert parts == RECORD_PARTS, f"{record.path}: its parts are {parts}, not {RECORD_PARTS}"


def test_the_table_of_a_job_file_has_every_field() -> None:
    fields = json.loads((DOCS / "job.schema.json").read_text("utf-8"))["properties"]
    _, _, after = (DOCS / "commands.md").read_text("utf-8").partition("## A job file")
    rows = "".join(re.findall(r"^\| (.*?) \|", after.partition("## ")[0], re.MULTILINE))
    assert sorted(fields) == sorted({field for field in fields if f"`{field}`" in rows})


def test_every_setting_of_a_server_is_explained_to_operators() -> None:
    page = (DOCS / "operating.md").read_text("utf-8")
    settings = [f"MEDLEY_{name.upper()}" for name in Settings.model_fields]
    assert [name for name in settings if not re.search(rf"`{name}\b", page)] == []


def test_every_benchmark_is_explained() -> None:
    headings = re.findall(r"^#+ (\S+)", (DOCS / "benchmarks.md").read_text("utf-8"), re.MULTILINE)
    assert {*BENCHMARKS, *WITH_OPTIONS} - set(headings) == set()


def test_every_target_of_the_makefile_that_a_page_names_is_there() -> None:
    files = {str(source.path): source.text for source in project()}
    targets = set(re.findall(r"^([a-z0-9-]+):", files["Makefile"], re.MULTILINE))
    for page in markdown():
        named = re.findall(r"(?:`|```sh\n)(?:[A-Z]+=\S+ )?make ([a-z][a-z0-9-]*)", page.text)
        assert set(named) <= targets, page.path


def test_every_command_of_the_makefile_is_in_the_contributing_page() -> None:
    files = {str(source.path): source.text for source in project()}
    commands = re.findall(r"^([a-z]+):.*## ", files["Makefile"], re.MULTILINE)
    assert commands
    missing = [command for command in commands if f"`make {command}`" not in files["docs/contributing.md"]]
    assert not missing, f"docs/contributing.md does not say what {missing} do"


def test_a_dead_link_is_found() -> None:
    page = sample("docs/a.md", "# One\n[b](b.md) [up](../README.md) [self](#one) [out](https://example.org)")
    other = sample("docs/b.md", "# Two words, here")
    readme = sample("README.md", "")
    all_there = {source.path: source for source in (page, other, readme)}
    assert not list(dead_links([page], all_there))
    assert len(list(dead_links([page], {page.path: page}))) == 2
    lost = sample("docs/c.md", "[a](a.md#two) [b](b.md#two-words-here) [away](../../x.md)")
    assert list(dead_links([lost], all_there)) == [
        "docs/c.md: links to a.md#two, but docs/a.md has no such heading",
        "docs/c.md: links to ../../x.md, which is not there",
    ]


def test_links_and_headings_in_code_do_not_count() -> None:
    page = sample("docs/a.md", "`[x](y)`\n```\n# no\n[x](z)\n```\n[real](there.md)\n")
    assert links(page) == ["there.md"]
    assert anchors(page) == set()
