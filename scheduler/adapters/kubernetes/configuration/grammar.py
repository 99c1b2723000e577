"""What names look like that Kubernetes takes. Used on an operator's file, and again on all that goes into a pod."""

import re
from dataclasses import dataclass

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_SUBDOMAIN = rf"(?=.{{1,253}}\Z){_DOMAIN}"
_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of name."""

    pattern: re.Pattern[str]
    rule: str
    """For people; completes "use ..."."""

    def matches(self, text: str) -> bool:
        """Say whether the whole text has this form."""
        return self.pattern.fullmatch(text) is not None


LABEL = Form(re.compile(_LABEL), "1 to 63 lower-case letters, digits and dashes, no dash at either end")
"""Of a namespace, a tenant, a chip, an attempt."""
SUBDOMAIN = Form(re.compile(_SUBDOMAIN), "at most 253 lower-case letters, digits, dashes and dots")
"""Of most objects."""
QUALIFIED = Form(
    re.compile(rf"(?:(?=[^/]{{1,253}}/){_DOMAIN}/)?{_NAME}"),
    "at most 63 letters, digits and - _ . and before them, where needed, a domain and a slash: example.com/name",
)
"""Of a label, an annotation, a taint."""
EXTENDED_RESOURCE = Form(
    re.compile(rf"(?!(?:[^/]*\.)?kubernetes\.io/)(?=[^/]{{1,253}}/){_DOMAIN}/{_NAME}"),
    "a domain, a slash and a name, as in example.com/gpu; names of kubernetes.io itself are not for devices",
)
LABEL_VALUE = Form(re.compile(rf"(?:{_NAME})?"), "at most 63 letters, digits and - _ . or nothing")
LABEL_PATTERN = Form(re.compile(r"[-A-Za-z0-9_.*]{1,63}"), "letters, digits and - _ . with * for any text")
CAPABILITY = Form(re.compile(r"[A-Z][A-Z_]{1,40}"), "a capability of Linux without CAP_, such as IPC_LOCK")
VARIABLE = Form(re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}"), "letters, digits and underscores, no digit first")
SECRET_KEY = Form(re.compile(r"[-._A-Za-z0-9]{1,253}"), "letters, digits and - . _")
MOUNT = Form(
    re.compile(r"(?=.{2,255}\Z)(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+"),
    "an absolute path of letters, digits and . _ - in which no part begins with a dot",
)
CONDITION = Form(re.compile(_NAME), "the type of a node's condition, such as KernelDeadlock")
API_VERSION = Form(re.compile(rf"(?:{_DOMAIN}/)?v[0-9][a-z0-9]{{0,20}}"), "v1 or a group, as example.com/v1")
KIND = Form(re.compile(r"[A-Z][A-Za-z0-9]{0,62}"), "a kind such as ConfigMap")
HOST = Form(re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9](?:[-A-Za-z0-9.:]*[A-Za-z0-9])?"), "a host's name or address")
FILE_PATH = Form(re.compile(r"(?=.{1,1024}\Z)/[^\x00-\x1f]*"), "an absolute path")


def is_text(value: str) -> bool:
    """Say whether text can be an environment value: no NUL, and nothing that UTF-8 cannot say."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False
