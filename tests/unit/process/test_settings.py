"""The environment as typed values."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import Fair, RoundByRound, ShortestFirst
from scheduler.core.queueing.rounds.allocating import Goal
from scheduler.settings import (
    Settings,
    SettingsError,
    load_settings,
    prepare_data_folder,
    rate,
    server_secret,
    write_private,
)


def test_the_database_lies_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert Settings(data_folder=tmp_path).database_url == f"sqlite:///{tmp_path}/medley.db"
    named = "postgresql://medley@127.0.0.1/medley"
    assert Settings(data_folder=tmp_path, database=named).database_url == named


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:0", "127.0.0.1", 0), ("localhost:8080", "localhost", 8080), ("[::1]:9", "::1", 9)],
)
def test_an_address_to_listen_on_has_host_and_port(listen: str, host: str, port: int) -> None:
    settings = Settings(listen=listen)
    assert (settings.host, settings.port) == (host, port)


@pytest.mark.parametrize("listen", ["", "8080", "127.0.0.1", "127.0.0.1:x", ":8080", "a b:1", "127.0.0.1:99999"])
def test_other_addresses_are_refused(listen: str) -> None:
    with pytest.raises(ValidationError):
        Settings(listen=listen)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDLEY_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("MEDLEY_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("MEDLEY_SCORING", "scoring.yaml")
    settings = Settings()
    assert settings.scoring == Path("scoring.yaml")
    assert settings.data_folder == tmp_path
    assert settings.log_level == "DEBUG"


def test_an_option_wins_over_the_environment_and_a_bad_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLEY_LISTEN", "127.0.0.1:1")
    assert load_settings({"listen": "127.0.0.1:2"}).port == 2
    with pytest.raises(SettingsError, match="listen"):
        load_settings({"listen": "nowhere"})
    with pytest.raises(SettingsError, match="colour"):
        load_settings({"colour": "red"})


def test_the_server_secret_is_made_once_and_its_owner_alone_reads_it(tmp_path: Path) -> None:
    secret = server_secret(tmp_path)
    assert len(secret) == 32
    assert server_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / "server.secret").stat().st_mode) == 0o600


def test_a_private_file_replaces_an_unfinished_draft(tmp_path: Path) -> None:
    (tmp_path / "x.new").write_text("half")
    write_private(tmp_path / "x", "whole")
    assert (tmp_path / "x").read_text() == "whole\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_damaged_secret_is_named_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "server.secret").write_text("zz")
    with pytest.raises(SettingsError, match=r"server\.secret is damaged"):
        server_secret(tmp_path)
    assert (tmp_path / "server.secret").read_text() == "zz"


def test_an_existing_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    prepare_data_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cluster": "kubernetes", "inventory": "nodes.yaml"}, "inventory is for the local cluster"),
        ({"kubeconfig": "config"}, "add --cluster kubernetes"),
        ({"clusters": "clusters.yaml"}, "add --cluster kubernetes"),
        ({"cluster": "kubernetes", "clusters": "c.yaml", "kubeconfig": "config"}, "not both"),
        ({"cluster": "mesos"}, "cluster: Input should be 'local' or 'kubernetes'"),
        ({"api_url": "10.0.0.1:8080"}, "api_url: name it as http"),
        ({"api_url": "http://host/path"}, "api_url: name it as http"),
    ],
)
def test_settings_that_do_not_go_together_are_named(options: dict[str, str], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        load_settings(options)


def test_kubernetes_is_reached_by_a_kubeconfig_or_as_its_pod() -> None:
    assert load_settings({"cluster": "kubernetes"}).kubeconfig is None
    given = load_settings({"cluster": "kubernetes", "kubeconfig": "config", "api_url": "http://medley.medley:8080"})
    assert (given.kubeconfig, given.api_url) == (Path("config"), "http://medley.medley:8080")


def test_each_role_listens_and_connects_as_suits_it(tmp_path: Path) -> None:
    shared = {"database": "postgresql://h/n", "api_url": "http://h:8080"}
    assert (Settings().address, Settings().reading_connections) == ("127.0.0.1:8080", 16)
    scheduler = load_settings({"role": "scheduler", **shared})
    assert (scheduler.port, scheduler.reading_connections) == (8081, 8)
    api = load_settings({"role": "api", "database_connections": "3", **shared})
    assert (api.port, api.reading_connections) == (8080, 3)
    assert Settings(data_folder=tmp_path).secret_path == tmp_path / "server.secret"
    assert Settings(secret_file=tmp_path / "secret").secret_path == tmp_path / "secret"


def test_a_limit_is_units_in_seconds_or_off() -> None:
    assert rate("2000/10") == (2000, 10)
    assert rate("off") is None
    assert rate(Settings().limit_per_token) is not None


@pytest.mark.parametrize("listen", ["off", "127.0.0.1:9464", "[::1]:0"])
def test_metrics_have_an_address_or_are_off(listen: str) -> None:
    assert Settings(metrics_listen=listen).metrics_listen == listen


@pytest.mark.parametrize("listen", ["on", "9464", "127.0.0.1:99999"])
def test_metrics_have_no_other_address(listen: str) -> None:
    with pytest.raises(SettingsError, match="metrics_listen"):
        load_settings({"metrics_listen": listen})


def test_who_is_next_is_chosen_by_name_with_what_a_point_of_priority_is_worth() -> None:
    fair = load_settings({"ageing_s": "60", "use_half_life_s": "0"}).ordering
    assert fair == Ordering(Fair(half_life_s=0.0), ageing_s=60.0)
    rounds = load_settings({"order": "rounds", "round_s": "60", "rounds_for": "finish", "preemption": "off"}).ordering
    assert rounds.policy == RoundByRound(60.0, Goal.FINISH, moves_running=False)
    assert load_settings({"order": "srsf"}).ordering.policy == ShortestFirst(times_devices=True)
    with pytest.raises(SettingsError, match="order"):
        load_settings({"order": "random"})
