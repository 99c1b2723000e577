"""Lists in pages, each a view of one moment."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from tests.kubernetes.fake_api.answers import Fault, Json, Refusal, invalid
from tests.kubernetes.fake_api.resources import Kind
from tests.kubernetes.fake_api.selectors import Matcher, selector
from tests.kubernetes.fake_api.store import Store, Stored

UNLESS = "unless resourceVersion is provided"
TOO_OLD_LIST = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True)
class Query:
    """What a list or a watch was asked for."""

    kind: Kind
    namespace: str
    """Empty for all."""
    parameters: Mapping[str, str]
    is_partial: bool = False
    """Whether only the metadata is wanted."""

    def matcher(self) -> Matcher | None:
        """Return what says whether an object is wanted; None where every one is. Raises Refusal (400)."""
        given = self.parameters
        selected = selector(self.kind, given.get("labelSelector", ""), given.get("fieldSelector", ""))
        namespace = self.namespace
        if not namespace:
            return selected

        def wanted(document: Json) -> bool:
            is_here = document["metadata"].get("namespace") == namespace
            return is_here and (selected is None or selected(document))

        return wanted

    @property
    def has_selectors(self) -> bool:
        """Say whether it names labels or fields."""
        return bool(self.parameters.get("labelSelector") or self.parameters.get("fieldSelector"))

    def version(self) -> int | None:
        """Return the resourceVersion; None where none is given. Raises Refusal (400)."""
        text = self.parameters.get("resourceVersion", "")
        if not text:
            return None
        if not text.isdigit():
            why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
            raise Refusal(400, f'invalid resource version: resourceVersion: Invalid value: "{text}": {why}')
        return int(text)

    def number(self, name: str) -> int:
        """Return a number; 0 where it is not given. Raises Refusal (400)."""
        text = self.parameters.get(name, "") or "0"
        try:
            return int(text)
        except ValueError as error:
            raise Refusal(400, f'strconv.ParseInt: parsing "{text}": invalid syntax') from error

    def encoded(self, stored: Stored, *, is_item: bool = False) -> bytes:
        """Return an object as it was asked for."""
        if self.is_partial:
            return partial(stored)
        return stored.item if is_item else stored.encoded


def partial(stored: Stored) -> bytes:
    """Return only an object's metadata."""
    body = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": stored.document["metadata"]}
    return json.dumps(body, separators=(",", ":")).encode()


def listed(store: Store, query: Query) -> bytes:
    """Return a list's body. Raises Refusal (400, 410, 422, 504)."""
    with store.lock:
        page = _page(store, query)
    items = b",".join(query.encoded(stored, is_item=True) for stored in page.items)
    name, version = query.kind.name, query.kind.version
    if query.is_partial:
        name, version = "PartialObjectMetadata", "meta.k8s.io/v1"
    metadata = json.dumps(page.metadata, separators=(",", ":")).encode()
    head = b'{"kind":"%sList","apiVersion":"%s","metadata":%s' % (name.encode(), version.encode(), metadata)
    return head + b',"items":[' + items + b"]}"


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[Stored]
    metadata: Json


def _page(store: Store, query: Query) -> _Page:
    version, limit = query.version(), max(query.number("limit"), 0)
    exactly = query.parameters.get("resourceVersionMatch", "")
    if exactly and version is None:
        fault = Fault("resourceVersionMatch", "Forbidden", f"resourceVersionMatch is forbidden {UNLESS}")
        refusal = invalid("ListOptions.meta.k8s.io", "", [fault])
        refusal.details = {"group": "meta.k8s.io", "kind": "ListOptions", "causes": [fault.cause]}
        raise refusal
    wanted = query.matcher()
    if token := query.parameters.get("continue", ""):
        if version is not None and version > 0:
            raise Refusal(400, "specifying resource version is not allowed when using continue")
        moment, start = _opened(token)
        again = _token(-1, start)
        stored = store.all(query.kind) if moment < 0 else store.at(query.kind, moment, token=again)
        moment = store.version if moment < 0 else moment
    else:
        start = ""
        moment, stored = _moment(store, query.kind, version, is_exact=_is_exact(exactly, version, limit))
        limit = 0 if version == 0 else limit
    chosen = (one for one in stored if one.key > start and (wanted is None or wanted(one.document)))
    items = list(islice(chosen, limit + 1 if limit else None))
    metadata: Json = {"resourceVersion": str(moment)}
    if limit and len(items) > limit:
        items.pop()
        metadata["continue"] = _token(moment, items[-1].key)
        if not query.has_selectors:
            metadata["remainingItemCount"] = 1 + sum(1 for _ in chosen)
    return _Page(items, metadata)


def _is_exact(match: str, version: int | None, limit: int) -> bool:
    return match == "Exact" or (not match and bool(version) and limit > 0)


def _moment(store: Store, kind: Kind, version: int | None, *, is_exact: bool) -> tuple[int, list[Stored]]:
    if version and version > store.version:
        raise _from_the_future(version, store.version)
    if is_exact and version:
        return version, store.at(kind, version, message=TOO_OLD_LIST)
    return store.version, store.all(kind)


def _from_the_future(version: int, current: int) -> Refusal:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause], "retryAfterSeconds": 1}
    message = f"Timeout: Too large resource version: {version}, current: {current}"
    return Refusal(504, message, details=details, retry_after_s=1)


def _token(moment: int, start: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"v": "meta.k8s.io/v1", "rv": moment, "start": start}).encode()).decode()


def _opened(token: str) -> tuple[int, str]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token))
        return int(content["rv"]), str(content["start"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, f"invalid continue token: continue key is not valid: {error}") from error
