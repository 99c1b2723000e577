import pytest

from scheduler.adapters.kubernetes.configuration import grammar
from scheduler.adapters.kubernetes.configuration.grammar import Form

LONG = "a" * 63
LONGEST = ".".join([LONG] * 4)[:253]


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (grammar.LABEL, ["a", "a-b", LONG], ["", "-a", "a-", "A", "a.b", "a\n", LONG + "a", "é"]),
        (grammar.SUBDOMAIN, ["a", "a.b", LONGEST], ["", ".", "a..b", "a.", LONGEST + "a", "a/b", "a\n"]),
        (
            grammar.QUALIFIED,
            ["a", "A_b.c", "example.com/a", f"{LONGEST}/{LONG}"],
            ["", "/a", "a/", "a/b/c", "-a", "a\n", "example.com/a\n", f"{LONGEST}a/a", "Example.com/a", LONG + "a"],
        ),
        (
            grammar.EXTENDED_RESOURCE,
            ["nvidia.com/gpu", "huawei.com/Ascend910", "rdma/hca", "notkubernetes.io/a"],
            ["gpu", "cpu", "kubernetes.io/batch", "requests.kubernetes.io/a", "a/b/c", "nvidia.com/gpu\n"],
        ),
        (grammar.LABEL_VALUE, ["", "a", LONG, "A.b_c-d"], ["-a", "a-", LONG + "a", "a b", "a\n"]),
        (grammar.VARIABLE, ["A", "_a1"], ["", "1a", "a-b", "a=b", "a\n", "é"]),
        (grammar.SECRET_KEY, ["a", ".a", "A_b-c.d"], ["", "a/b", "a\n", "a" * 254]),
        (grammar.MOUNT, ["/data", "/a/b.c"], ["/", "", "data", "/a/", "//a", "/a/../b", "/.a", "/a:b", "/a\n", "/a b"]),
        (grammar.CAPABILITY, ["IPC_LOCK"], ["ipc_lock", "", "A" * 50, "CAP-X"]),
        (grammar.API_VERSION, ["v1", "example.com/v1beta1"], ["1", "v", "example.com/", "../v1", "v1/v1/v1"]),
        (grammar.KIND, ["ConfigMap"], ["configMap", "", "A-b"]),
        (grammar.HOST, ["files.example", "10.0.0.1", "fd00::1"], ["", "-a", "a b", "a/b", "a\n"]),
        (grammar.FILE_PATH, ["/", "/a b"], ["", "a", "/a\n", "/a\0"]),
    ],
    ids=lambda value: value.rule[:20] if isinstance(value, Form) else "",
)
def test_a_form_takes_what_kubernetes_takes(form: Form, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if not form.matches(text)] == []
    assert [text for text in bad if form.matches(text)] == []


def test_text_has_neither_nul_nor_lone_surrogates() -> None:
    assert grammar.is_text("größe\n$(x)")
    assert not grammar.is_text("a\0")
    assert not grammar.is_text("a\ud800")
