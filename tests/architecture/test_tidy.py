"""The house rules, asked of every file. Each rule is tried on a bad sample in test_tidy_rules_bite.py."""

import pytest

from tests.architecture.tidy import naming, purity, size, testing, wording
from tests.architecture.tidy.source import complaints, project


def nothing_to_say(complaint: str) -> None:
    """Fail with the whole complaint, which names each place and what to do there."""
    if complaint:
        pytest.fail(complaint, pytrace=False)


def test_no_file_is_too_long() -> None:
    nothing_to_say(complaints(size.file_is_short, project()))


def test_no_function_is_too_long() -> None:
    nothing_to_say(complaints(size.function_is_short, project()))


def test_no_function_takes_too_many_arguments() -> None:
    nothing_to_say(complaints(size.function_takes_few_arguments, project()))


def test_no_folder_is_too_full() -> None:
    nothing_to_say("\n".join(size.folders_are_small(project())))


def test_every_name_says_something() -> None:
    nothing_to_say(complaints(naming.name_says_something, project()))


def test_no_init_file_holds_logic() -> None:
    nothing_to_say(complaints(naming.init_holds_no_logic, project()))


def test_every_import_is_absolute() -> None:
    nothing_to_say(complaints(naming.imports_are_absolute, project()))


def test_only_folders_of_the_architecture_lie_at_the_root() -> None:
    nothing_to_say("\n".join(naming.folders_are_known(project())))


def test_the_core_imports_nothing_of_the_world() -> None:
    nothing_to_say(complaints(purity.core_imports_nothing_of_the_world, project()))


def test_the_core_calls_nothing_of_the_world() -> None:
    nothing_to_say(complaints(purity.core_calls_nothing_of_the_world, project()))


def test_the_core_never_walks_a_set() -> None:
    nothing_to_say(complaints(purity.core_never_walks_a_set, project()))


def test_every_time_has_a_zone() -> None:
    nothing_to_say(complaints(purity.times_have_a_zone, project()))


def test_no_test_sleeps() -> None:
    nothing_to_say(complaints(testing.tests_never_sleep, project()))


def test_no_test_is_skipped() -> None:
    nothing_to_say(complaints(testing.tests_are_never_skipped, project()))


def test_every_core_file_has_a_unit_test() -> None:
    nothing_to_say("\n".join(testing.core_files_have_tests(project())))


def test_nothing_is_left_open() -> None:
    nothing_to_say(complaints(wording.nothing_is_left_open, project()))


def test_no_machine_is_named() -> None:
    nothing_to_say(complaints(wording.no_machine_is_named, project()))


def test_the_runtime_is_written_in_old_python() -> None:
    nothing_to_say(complaints(wording.runtime_is_old_python, project()))
