import base64
import json
import stat
from pathlib import Path

import pytest

from scheduler.adapters.kubernetes.transport import ApiFault, Credentials, Transport, Unreachable
from scheduler.adapters.kubernetes.transport import credentials as loading
from scheduler.adapters.kubernetes.transport.credentials import Loader
from tests.unit.adapters.kubernetes.certificates import AUTHORITY, EXPIRED_CLIENT, OTHER_AUTHORITY
from tests.unit.adapters.kubernetes.stand_in import Answering, Asked, kubeconfig, serving

SECRET = "s3cr3t-t0k3n"


def ask(path: Path, context: str | None = None) -> dict[str, object]:
    return Transport(Credentials(path, context)).request("GET", "/version")


def answer(answering: Answering, asked: Asked) -> None:
    answering.json({"authorization": asked.headers.get("Authorization")})


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line 1"),
        ("", "is empty"),
        ("just text", "its structure is not that of a kubeconfig"),
        ("{}", "Expected key current-context"),
        (json.dumps({"current-context": "x", "contexts": []}), "Expected object with name x"),
        (json.dumps({"current-context": "x", "contexts": 7}), "structure"),
    ],
)
def test_a_broken_kubeconfig_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Unreachable, match=said) as caught:
        ask(path)
    assert str(path) in str(caught.value)


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="Expected object with name there in"):
        ask(kubeconfig(tmp_path, "http://127.0.0.1:1"), "there")


def test_no_error_quotes_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "config"
    user = {"name": "u", "user": {"token": SECRET, "exec": {"command": "x"}}}
    for broken in ({"users": [user, user]}, {"users": [{**user, "user": {"exec": SECRET}}]}, {"clusters": [user]}):
        kubeconfig(tmp_path, "https://127.0.0.1:1")
        path.write_text(json.dumps({**json.loads(path.read_text()), **broken}))
        with pytest.raises(Unreachable) as caught:
            ask(path)
        assert SECRET not in str(caught.value)


def test_a_server_without_its_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="http:// or https://"):
        ask(kubeconfig(tmp_path, "127.0.0.1:6443"))


def test_the_clusters_authority_and_no_other_is_trusted(tmp_path: Path) -> None:
    with serving(answer, folder=tmp_path) as stand_in:
        ours = {"certificate-authority-data": encoded(AUTHORITY)}
        assert ask(kubeconfig(tmp_path, stand_in.url, cluster=ours)) == {"authorization": "Bearer first"}
        for cluster in ({"certificate-authority-data": encoded(OTHER_AUTHORITY)}, {}):
            with pytest.raises(
                Unreachable, match=r"is not trusted \(.*certificate.*\); take the certificate authority"
            ):
                ask(kubeconfig(tmp_path, stand_in.url, cluster=cluster))


def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path) -> None:
    with serving(answer, folder=tmp_path) as stand_in:
        cluster = {"certificate-authority-data": encoded(AUTHORITY), "tls-server-name": "elsewhere"}
        with pytest.raises(Unreachable, match=r"is not trusted \(.*mismatch.*tls-server-name"):
            ask(kubeconfig(tmp_path, stand_in.url, cluster=cluster))


def test_a_server_may_be_trusted_unseen_where_the_kubeconfig_says_so(tmp_path: Path) -> None:
    with serving(answer, folder=tmp_path) as stand_in:
        assert ask(kubeconfig(tmp_path, stand_in.url, cluster={"insecure-skip-tls-verify": True}))


@pytest.mark.parametrize("content", ["no certificate", ""])
def test_an_authority_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.crt").write_text(content)
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", cluster={"certificate-authority": "ca.crt"})
    with pytest.raises(Unreachable, match=r"the certificates or the key of .* cannot be used"):
        ask(path)


def test_a_file_that_a_kubeconfig_names_but_is_not_there_is_named(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", cluster={"certificate-authority": "ca.crt"})
    with pytest.raises(Unreachable, match=f"File does not exist: {tmp_path}/ca.crt"):
        ask(path)


def test_an_expired_client_certificate_says_so(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(AUTHORITY)
    user = {"client-certificate-data": encoded(EXPIRED_CLIENT), "client-key-data": encoded(EXPIRED_CLIENT)}
    with serving(answer, folder=tmp_path, clients_of=tmp_path / "ca.crt") as stand_in:
        path = kubeconfig(tmp_path, stand_in.url, cluster={"certificate-authority": "ca.crt"}, user=user)
        with pytest.raises(Unreachable, match=r"refuses our client certificate .* expired: renew"):
            ask(path)


def test_plain_http_where_tls_is_spoken_says_so(tmp_path: Path) -> None:
    with serving(answer) as stand_in:
        path = kubeconfig(tmp_path, stand_in.url.replace("http:", "https:"))
        with pytest.raises(Unreachable, match="no TLS with"):
            ask(path)


def plugin(folder: Path, script: str) -> dict[str, object]:
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path)}}


def test_a_credential_plugin_is_run(tmp_path: Path) -> None:
    given = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "plugged"}}
    user = plugin(tmp_path, f"echo run >> {tmp_path}/runs; echo '{json.dumps(given)}'")
    with serving(answer) as stand_in:
        transport = Transport(Credentials(kubeconfig(tmp_path, stand_in.url, user=user)))
        for _ in range(3):
            assert transport.request("GET", "/version") == {"authorization": "Bearer plugged"}
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_credential_plugin_that_fails_is_blamed(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "https://127.0.0.1:1", user=plugin(tmp_path, "echo no login >&2; exit 3"))
    with pytest.raises(Unreachable, match="gives no token and no client certificate; if it names a credential plugin"):
        ask(path)


def test_a_credential_plugin_that_asks_a_person_is_given_up(tmp_path: Path) -> None:
    path = kubeconfig(
        tmp_path, "https://127.0.0.1:1", user=plugin(tmp_path, f"echo run >> {tmp_path}/runs; exec sleep 5")
    )
    loader = Loader(Credentials(path), limit_s=0.2)
    for _ in range(3):
        with pytest.raises(Unreachable, match=r"takes longer than 0.2 s; see whether its credential plugin"):
            loader.load()
    assert (tmp_path / "runs").read_text() == "run\n"


def test_outside_of_a_pod_there_is_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Unreachable, match=r"the pod's service account cannot be used: .*outside of a pod name a kube"):
        Loader(Credentials(None)).load()


def test_in_a_pod_its_token_is_read_again_when_it_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kubernetes.config import incluster_config  # noqa: PLC0415 - dear to import, and needed here only

    def renew(token: str) -> None:
        new = tmp_path / "new"
        new.write_text(token + "\n")
        new.replace(tmp_path / "token")

    renew("one")
    (tmp_path / "ca.crt").write_text(AUTHORITY)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setattr(loading, "SERVICE_ACCOUNT", tmp_path)
    with serving(answer, folder=tmp_path) as stand_in:
        host, _, port = stand_in.url.removeprefix("https://").partition(":")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
        transport = Transport(Credentials(None))
        assert transport.request("GET", "/version") == {"authorization": "bearer one"}
        renew("two")
        transport._sessions._looked_s = float("-inf")
        assert transport.request("GET", "/version") == {"authorization": "bearer two"}


def test_a_refused_token_says_what_to_do(tmp_path: Path) -> None:
    with (
        serving(lambda answering, _: answering.json({"reason": "Unauthorized"}, status=401)) as stand_in,
        pytest.raises(ApiFault, match="401 Unauthorized; the credentials are not accepted: they may have expired"),
    ):
        ask(kubeconfig(tmp_path, stand_in.url))
    assert len(stand_in.asked) == 1
