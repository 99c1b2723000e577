"""From a request to what it is about, and from there to its answer."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.kubernetes.fake_api.answers import Json, Refusal, no_such_resource, not_allowed
from tests.kubernetes.fake_api.faults import Denial
from tests.kubernetes.fake_api.logs import LogBook
from tests.kubernetes.fake_api.reading import Query, listed, partial
from tests.kubernetes.fake_api.registry import DeleteOptions, Place, Registry
from tests.kubernetes.fake_api.resources import BY_PLURAL, KINDS, NAMESPACES, PODS, PREFIXES
from tests.kubernetes.fake_api.store import Stored
from tests.kubernetes.fake_api.watching import Watch

USER = "medley-tester"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitTreeState": "clean", "platform": "linux/amd64"}
LARGEST_BODY = 3 * 1024 * 1024
SUBRESOURCES = frozenset({"", "status", "log", "eviction", "binding"})
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        """The query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def document(self, wanted: str = "") -> Any:
        """Return the body as JSON; an empty one as an empty object. Raises Refusal (400, 413)."""
        if len(self.body) > LARGEST_BODY:
            raise Refusal(413, f"Request entity too large: limit is {LARGEST_BODY}")
        if not self.body:
            return {}
        try:
            return json.loads(self.body)
        except ValueError as error:
            if not wanted:
                raise Refusal(400, "error decoding patch: unexpected end of JSON input") from error
            text = self.body.decode(errors="replace")
            why = f"couldn't get version/kind; json parse error: unexpected end of JSON input ({text})"
            message = f"the object provided is unrecognized (must be of type {wanted}): {why}"
            raise Refusal(400, message) from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: one body, or a stream of pieces."""

    code: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None


@dataclass(slots=True)
class Routes:
    """Answers every request but those that a fault takes."""

    registry: Registry
    logs: LogBook
    token: str | None = None
    """Who does not bring it is not known."""
    denials: set[Denial] = field(default_factory=set)
    bookmark_every_s: float = 60.0
    watches: list[Watch] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Answer:
        """Carry out a request; a refusal is an answer as well."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refused(refusal)

    def open_watches(self) -> list[Watch]:
        """Return the watches that are running."""
        with self._lock:
            return list(self.watches)

    def _answer(self, request: Request) -> Answer:
        path = request.path
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized")
        if path == REVIEWS and request.method == "POST":
            return self._review(request.document("SelfSubjectAccessReview"))
        if (fixed := _fixed(request)) is not None:
            return fixed
        place = _place(path)
        verb = _verb(request, place)
        self._authorise(verb, place)
        if place.subresource in ("log", "eviction", "binding"):
            return self._pod_action(request, place)
        acts: dict[str, Callable[[Request, Place], Answer]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_all,
        }
        return acts[verb](request, place)

    def _get(self, request: Request, place: Place) -> Answer:
        with self.registry.store.lock:
            stored = self.registry.read(place)
        return Answer(200, partial(stored) if _is_partial(request) else stored.encoded)

    def _list(self, request: Request, place: Place) -> Answer:
        return Answer(200, listed(self.registry.store, _query(request, place)))

    def _watch(self, request: Request, place: Place) -> Answer:
        query = _query(request, place)
        query.matcher()
        try:
            query.version()
        except Refusal as refusal:
            text = refusal.message.removeprefix("invalid resource version: ")
            raise Refusal(500, text, "") from refusal
        query.number("timeoutSeconds")
        watch = Watch(self.registry.store, query, self.bookmark_every_s)
        return Answer(200, stream=self._watched(watch))

    def _watched(self, watch: Watch) -> Iterator[bytes]:
        with self._lock:
            self.watches.append(watch)
        try:
            yield from watch.lines()
        finally:
            with self._lock:
                self.watches.remove(watch)

    def _create(self, request: Request, place: Place) -> Answer:
        body = request.document(place.kind.name)
        given = body.get("kind", place.kind.name)
        if given != place.kind.name:
            why = f"converting (v1.{given}) to (core.{place.kind.name}): unknown conversion"
            raise Refusal(400, f'{given} in version "v1" cannot be handled as a {place.kind.name}: {why}')
        stored = self.registry.create(place, body, is_dry=request.parameters.get("dryRun") == "All")
        return Answer(201, stored.encoded)

    def _update(self, request: Request, place: Place) -> Answer:
        return Answer(200, self.registry.replace(place, request.document(place.kind.name)).encoded)

    def _patch(self, request: Request, place: Place) -> Answer:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip()
        stored = self.registry.patch(place, request.document(), content_type)
        return Answer(200, stored.encoded)

    def _delete(self, request: Request, place: Place) -> Answer:
        options = _delete_options(request.document("DeleteOptions"), request.parameters)
        stored = self.registry.delete(place, options)
        if place.kind.returns_deleted or stored.document["metadata"].get("deletionTimestamp"):
            return Answer(200, stored.encoded)
        details = {"name": place.name, "kind": place.kind.plural, "uid": stored.document["metadata"]["uid"]}
        if place.kind.group:
            details["group"] = place.kind.group
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return encoded(body)

    def _delete_all(self, request: Request, place: Place) -> Answer:
        query = _query(request, place)
        store, wanted = self.registry.store, query.matcher()
        options = _delete_options(request.document("DeleteOptions"), request.parameters)
        with store.lock:
            before = listed(store, query)
            chosen = [stored for stored in store.all(place.kind) if wanted is None or wanted(stored.document)]
            for stored in chosen:
                self.registry.delete(place_of(stored), options)
        return Answer(200, before)

    def _pod_action(self, request: Request, place: Place) -> Answer:
        if place.subresource == "log":
            return self._log(request, place)
        body = request.document()
        if (body.get("metadata") or {}).get("name") != place.name:
            what = "Binding" if place.subresource == "binding" else "Eviction"
            raise Refusal(400, f"name in URL does not match name in {what} object")
        if place.subresource == "binding":
            self.registry.bind(place, body["target"]["name"])
        else:
            self.registry.evict(place, _delete_options(body.get("deleteOptions") or {}, request.parameters))
        return encoded({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)

    def _log(self, request: Request, place: Place) -> Answer:
        options = request.parameters
        with self.registry.store.lock:
            pod = self.registry.read(place)
        if not self.logs.check(pod.document, options):
            return Answer(204)
        if options.get("follow") == "true":
            uid = pod.document["metadata"]["uid"]
            return Answer(content_type="text/plain", stream=self.logs.follow(place.key, uid, options))
        return Answer(200, self.logs.read(place.key, options), "text/plain")

    def _review(self, body: Json) -> Answer:
        spec = body.get("spec") or {}
        asked = dict(spec.get("resourceAttributes") or {})
        if asked.get("subresource"):
            asked["resource"] = f"{asked.get('resource', '')}/{asked['subresource']}"
        is_allowed = not any(denial.meets(asked) for denial in self.denials)
        answer = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}}
        return encoded({**answer, "spec": spec, "status": {"allowed": is_allowed}}, 201)

    def _authorise(self, verb: str, place: Place) -> None:
        resource = f"{place.kind.plural}/{place.subresource}" if place.subresource else place.kind.plural
        asked = {"verb": verb, "resource": resource, "namespace": place.namespace}
        if not any(denial.meets(asked) for denial in self.denials):
            return
        named = f'{place.kind.plural} "{place.name}"' if place.name else place.kind.plural
        where = f'in the namespace "{place.namespace}"' if place.namespace else "at the cluster scope"
        what = f'cannot {verb} resource "{resource}" in API group "{place.kind.group}" {where}'
        details = {"name": place.name} if place.name else {}
        message = f'{named} is forbidden: User "{USER}" {what}'
        raise Refusal(403, message, details={**details, "kind": place.kind.plural})


def refused(refusal: Refusal) -> Answer:
    """Return the answer that carries a refusal."""
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    return Answer(refusal.code, json.dumps(refusal.status(), separators=(",", ":")).encode(), headers=headers)


def encoded(body: Mapping[str, Any], code: int = 200) -> Answer:
    """Return an answer of JSON."""
    return Answer(code, json.dumps(body, separators=(",", ":")).encode())


def place_of(stored: Stored) -> Place:
    """Return the place of an object that is there."""
    metadata = stored.document["metadata"]
    return Place(stored.kind, metadata.get("namespace", ""), metadata["name"])


def _fixed(request: Request) -> Answer | None:
    """Return the answer of a path that is about no object; None where it is about one."""
    path = request.path
    if path in ("/readyz", "/livez", "/healthz"):
        return Answer(200, b"ok", "text/plain; charset=utf-8")
    if path == "/version":
        return encoded(VERSION)
    if path in PREFIXES and request.method == "GET":
        return encoded(_discovered(path))
    if not any(path.startswith(f"{prefix}/") for prefix in PREFIXES):
        return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
    return None


def _place(path: str) -> Place:
    """Return what a path leads to. Raises Refusal (404)."""
    prefix = next(one for one in PREFIXES if path.startswith(f"{one}/"))
    parts = path.removeprefix(f"{prefix}/").strip("/").split("/")
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > len(("namespaces", "name")) and parts[2] != "status":
        namespace, parts = parts[1], parts[2:]
    kind = BY_PLURAL.get((prefix, parts[0]))
    if kind is None or (namespace and not kind.is_namespaced):
        raise no_such_resource()
    name, subresource = [*parts[1:3], "", ""][:2]
    has_it = not subresource or (subresource == "status" and kind.has_status) or kind is PODS
    if len(parts) > len(("plural", "name", "subresource")) or subresource not in SUBRESOURCES or not has_it:
        raise no_such_resource()
    return Place(kind, namespace, name, subresource)


def _verb(request: Request, place: Place) -> str:
    """Return what a request wants to do. Raises Refusal (405)."""
    method, name, subresource = request.method, place.name, place.subresource
    if method == "GET" and subresource in ("", "status", "log"):
        if name:
            return "get"
        return "watch" if request.parameters.get("watch") in ("true", "1") else "list"
    if method == "DELETE" and not subresource:
        if place.kind is NAMESPACES and not name:
            raise not_allowed()
        return "delete" if name else "deletecollection"
    is_post = method == "POST" and (bool(name) == (subresource in ("eviction", "binding")))
    has_namespace = bool(place.namespace) or not place.kind.is_namespaced
    is_change = method in ("PUT", "PATCH") and bool(name) and subresource in ("", "status")
    if (is_post or is_change) and has_namespace:
        return VERBS[method]
    raise not_allowed()


def _query(request: Request, place: Place) -> Query:
    return Query(place.kind, place.namespace, request.parameters, is_partial=_is_partial(request))


def _is_partial(request: Request) -> bool:
    return "as=PartialObjectMetadata" in request.headers.get("accept", "")


def _delete_options(body: Json, parameters: Mapping[str, str]) -> DeleteOptions:
    conditions = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", parameters.get("gracePeriodSeconds"))
    grace_s = None if grace is None else int(grace)
    return DeleteOptions(grace_s, conditions.get("uid"), conditions.get("resourceVersion"))


def _discovered(prefix: str) -> Json:
    verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    resources = [
        {"name": kind.plural, "singularName": "", "namespaced": kind.is_namespaced, "kind": kind.name, "verbs": verbs}
        for kind in KINDS
        if kind.prefix == prefix
    ]
    version = prefix.removeprefix("/apis/").removeprefix("/api/")
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}
