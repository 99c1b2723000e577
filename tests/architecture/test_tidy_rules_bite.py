"""Every house rule refuses a bad sample and accepts a good one: a rule that cannot fail protects nothing."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.architecture.tidy import naming, purity, size, testing, wording
from tests.architecture.tidy.source import Rule, Source, complaints, sample

CORE = "scheduler/core/model/chip.py"
TEST = "tests/unit/test_chip.py"
LATER = "TO" + "DO"
PLACES = ("/" + "work/main", "/" + "root/x", "/" + "home/ann", "https://pypi" + ".org/simple")

BAD: dict[str, tuple[Rule, Source]] = {
    "a file of 401 lines": (size.file_is_short, sample(CORE, "a = 1\n" * 401)),
    "a test file of 501 lines": (size.file_is_short, sample(TEST, "a = 1\n" * 501)),
    "a function of 61 lines": (size.function_is_short, sample(CORE, "def f():\n" + "    a = 1\n" * 60)),
    "a method of 61 lines": (
        size.function_is_short,
        sample(CORE, "class A:\n    async def f(self):\n" + "        a = 1\n" * 60),
    ),
    "six arguments": (size.function_takes_few_arguments, sample(CORE, "def f(a, b, c, d, e, f): ...")),
    "six arguments besides self": (
        size.function_takes_few_arguments,
        sample(CORE, "class A:\n    def f(self, a, b, c, d, e, f): ..."),
    ),
    "nine arguments by name": (
        size.function_takes_few_arguments,
        sample(CORE, "def f(*, a, b, c, d, e, f, g, h, i): ..."),
    ),
    "a file called utils": (naming.name_says_something, sample("scheduler/core/model/utils.py", "")),
    "a folder called common": (naming.name_says_something, sample("scheduler/common/chip.py", "")),
    "a function in an init file": (naming.init_holds_no_logic, sample("api/__init__.py", '"""Doc."""\ndef f(): ...')),
    "a value in an init file": (naming.init_holds_no_logic, sample("api/__init__.py", "version = 1")),
    "an import of the parent": (naming.imports_are_absolute, sample(CORE, "from ..ledger import index")),
    "a core that imports the clock": (purity.core_imports_nothing_of_the_world, sample(CORE, "import time")),
    "a core that asks the interpreter": (
        purity.core_imports_nothing_of_the_world,
        sample(CORE, "from sys import argv"),
    ),
    "a core that logs": (purity.core_imports_nothing_of_the_world, sample(CORE, "from logging import getLogger")),
    "a core that reads the environment": (purity.core_imports_nothing_of_the_world, sample(CORE, "import os.path")),
    "a core that opens a file": (purity.core_calls_nothing_of_the_world, sample(CORE, "open('x')")),
    "a core that asks for the time": (purity.core_calls_nothing_of_the_world, sample(CORE, "datetime.now(UTC)")),
    "a core that hashes": (purity.core_calls_nothing_of_the_world, sample(CORE, "hash('x')")),
    "a core that loops over a set": (purity.core_never_walks_a_set, sample(CORE, "for a in set(b): ...")),
    "a core that lists a set": (purity.core_never_walks_a_set, sample(CORE, "[a for a in {1, 2}]")),
    "a time without a zone": (purity.times_have_a_zone, sample("api/x.py", "datetime.now()")),
    "a UTC time without a zone": (purity.times_have_a_zone, sample("api/x.py", "datetime.datetime.utcnow()")),
    "a stamp without a zone": (purity.times_have_a_zone, sample("api/x.py", "datetime.fromtimestamp(1)")),
    "a test that sleeps": (testing.tests_never_sleep, sample(TEST, "import time\ntime.sleep(1)")),
    "a test that imports sleep": (testing.tests_never_sleep, sample(TEST, "from time import sleep")),
    "a test that sleeps in a coroutine": (
        testing.tests_never_sleep,
        sample(TEST, "async def f(): await asyncio.sleep(1)"),
    ),
    "a test that skips itself": (testing.tests_are_never_skipped, sample(TEST, "pytest.skip('no')")),
    "a test marked as skipped": (testing.tests_are_never_skipped, sample(TEST, "@pytest.mark.skipif(a)\ndef f(): ...")),
    "a test expected to fail": (testing.tests_are_never_skipped, sample(TEST, "@pytest.mark.xfail\ndef f(): ...")),
    "a mark for later": (wording.nothing_is_left_open, sample("docs/x.md", f"# {LATER}: more")),
    "a runtime in new Python": (
        wording.runtime_is_old_python,
        sample("runtime/medley_runtime/x.py", "match a:\n    case 1: ..."),
    ),
    **{f"the place {place}": (wording.no_machine_is_named, sample("docs/x.md", f"see {place}")) for place in PLACES},
}

GOOD: dict[str, tuple[Rule, Source]] = {
    "a builder with many defaults": (
        size.function_takes_few_arguments,
        sample("tests/builders/x.py", "def f(a, *, b=1, c=1, d=1, e=1, f=1, g=1, h=1, i=1): ..."),
    ),
    "a file of 400 lines": (size.file_is_short, sample(CORE, "a = 1\n" * 400)),
    "a function of 60 lines": (size.function_is_short, sample(CORE, "def f():\n" + "    a = 1\n" * 59)),
    "five arguments and self": (
        size.function_takes_few_arguments,
        sample(CORE, "class A:\n    def f(self, a, b, c, d, e, *, f, g, h): ..."),
    ),
    "a name that contains a banned one": (naming.name_says_something, sample("api/baseline.py", "")),
    "an init file that exports": (
        naming.init_holds_no_logic,
        sample("api/__init__.py", '"""Doc."""\nfrom api.x import y\n__all__ = ["y"]'),
    ),
    "a sibling's import": (naming.imports_are_absolute, sample(CORE, "from .node import Node")),
    "a core that knows dates": (
        purity.core_imports_nothing_of_the_world,
        sample(CORE, "from datetime import datetime"),
    ),
    "a core that shares equal strings": (
        purity.core_imports_nothing_of_the_world,
        sample(CORE, "from sys import intern"),
    ),
    "a clock outside the core": (
        purity.core_imports_nothing_of_the_world,
        sample("scheduler/loops/x.py", "import time"),
    ),
    "a core that sorts a set": (purity.core_never_walks_a_set, sample(CORE, "[a for a in sorted({1, 2})]")),
    "a time with its zone": (purity.times_have_a_zone, sample("api/x.py", "datetime.now(UTC)")),
    "a clock of the project": (purity.times_have_a_zone, sample("api/x.py", "clock.now()")),
    "the place where tests wait": (testing.tests_never_sleep, sample("tests/builders/eventually.py", "time.sleep(1)")),
    "a loop that pauses": (testing.tests_never_sleep, sample("scheduler/loops/x.py", "time.sleep(1)")),
    "a marked test": (
        testing.tests_are_never_skipped,
        sample(TEST, "@pytest.mark.parametrize('a', [1])\ndef f(a): ..."),
    ),
    "a runtime in old Python": (
        wording.runtime_is_old_python,
        sample("runtime/medley_runtime/x.py", "if (a := 1): ..."),
    ),
    "a scheduler in new Python": (wording.runtime_is_old_python, sample("scheduler/x.py", "match a:\n    case 1: ...")),
    "a made-up home in a test": (wording.no_machine_is_named, sample(TEST, PLACES[2])),
    "a relative path": (wording.no_machine_is_named, sample("docs/x.md", "see ../work/main and <root>/x")),
}

FolderRule = Callable[[Iterable[Source]], Iterator[str]]


@pytest.mark.parametrize("what", BAD)
def test_a_bad_sample_is_refused_with_its_place_and_advice(what: str) -> None:
    rule, source = BAD[what]
    complaint = complaints(rule, [source])
    assert complaint.startswith(str(source.path))
    assert any(mark in complaint for mark in (";", ":"))


@pytest.mark.parametrize("what", GOOD)
def test_a_good_sample_is_accepted(what: str) -> None:
    rule, source = GOOD[what]
    assert complaints(rule, [source]) == ""


def test_a_folder_with_thirteen_files_is_refused() -> None:
    files = [sample(f"api/part_{number}.py", "") for number in range(13)]
    assert list(size.folders_are_small(files))
    assert not list(size.folders_are_small([*files[:12], sample("api/__init__.py", "")]))


def test_an_unknown_folder_at_the_root_is_refused() -> None:
    assert list(naming.folders_are_known([sample("tools/x.py", "")]))
    assert not list(naming.folders_are_known([sample("api/x.py", ""), sample("README.md", "")]))


def test_a_core_file_without_a_unit_test_is_refused() -> None:
    active = sample("scheduler/core/ledger/index.py", "def f(): ...")
    passive = sample("scheduler/core/ledger/names.py", "A = 1")
    want_test = sample("tests/unit/core/ledger/test_index.py", "")
    assert "tests/unit/core/ledger/test_index.py" in "".join(testing.core_files_have_tests([active]))
    assert not list(testing.core_files_have_tests([active, passive, want_test]))
