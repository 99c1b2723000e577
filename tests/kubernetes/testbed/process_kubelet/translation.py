"""What a container's document means on this machine: folders for its volumes, its environment and its command."""

import base64
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.kubernetes.testbed.api import Api, Document, path_of

OF_THIS_MACHINE = frozenset({"/tmp", "/dev/shm"})
"""Where an empty folder is mounted here, a process takes the machine's own."""
LOOPBACK = "127.0.0.1"
MADE_IN_FOLDERS = ("configMap", "secret", "downwardAPI", "projected", "emptyDir")


class NotYet(Exception):
    """A volume names something that is not there; a kubelet waits for it."""


class CannotConfigure(Exception):
    """A variable names something that is not there: CreateContainerConfigError."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a container."""

    command: list[str]
    environment: dict[str, str]
    folder: Path


class Translation:
    """Of one pod, into a folder of its own."""

    def __init__(self, api: Api, pod: Document, folder: Path, image_environment: Mapping[str, str]) -> None:
        self._api = api
        self._pod = pod
        self._namespace = str(pod["metadata"]["namespace"])
        self._folder = folder
        self._image_environment = image_environment

    def make_volumes(self) -> None:
        """Write all volumes. Raises NotYet."""
        for volume in self._pod["spec"].get("volumes", ()):
            place = self._folder / "volumes" / volume["name"]
            place.mkdir(parents=True, exist_ok=True)
            for name, data in self._files(volume).items():
                path = place / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._with_folders_of_servers(data))

    def launch(self, container: Document) -> Launch:
        """Return how to start a container. Raises CannotConfigure."""
        localise = self._localiser(container)
        own = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "HOSTNAME": str(self._pod["metadata"]["name"]),
        }
        environment = own | dict(self._image_environment)
        for source in container.get("envFrom", ()):
            environment |= self._all_of(source)
        for entry in container.get("env", ()):
            environment[entry["name"]] = expand(self._value(entry), environment)
        environment = {name: localise(value) for name, value in environment.items()}
        command = [*container.get("command", ()), *container.get("args", ())]
        if not command:
            raise CannotConfigure("the test bed knows no images: the container needs a command")
        folder = Path(localise(container["workingDir"])) if container.get("workingDir") else self._folder
        return Launch([localise(expand(word, environment)) for word in command], environment, folder)

    def _localiser(self, container: Document) -> Callable[[str], str]:
        """Return what puts the folders of volumes in the place of the paths at which they are mounted."""
        volumes = {volume["name"]: volume for volume in self._pod["spec"].get("volumes", ())}
        places = {}
        for mount in container.get("volumeMounts", ()):
            is_made = any(kind in volumes[mount["name"]] for kind in MADE_IN_FOLDERS)
            if "nfs" in volumes[mount["name"]]:
                places[mount["mountPath"].rstrip("/")] = str(self._of_server(volumes[mount["name"]], mount))
            if is_made and mount["mountPath"] not in OF_THIS_MACHINE:
                inner = self._folder / "volumes" / mount["name"] / mount.get("subPath", "")
                places[mount["mountPath"].rstrip("/")] = str(inner)
        if not places:
            return lambda text: text
        longest_first = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))
        pattern = re.compile(rf"(?<![\w./-])({longest_first})(?=$|[/:,;\s])")
        return lambda text: pattern.sub(lambda found: places[found[1]], text)

    def _of_server(self, volume: Document, mount: Document) -> Path:
        """Return the folder that all pods of the kubelet take for this one of a file server."""
        served = self._folder.parent / "served" / str(volume["nfs"]["server"]) / str(volume["nfs"]["path"]).strip("/")
        folder = served / str(mount.get("subPath", ""))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _with_folders_of_servers(self, data: bytes) -> bytes:
        """Return a file with the folders of file servers in the place of the paths at which they are mounted."""
        served = {volume["name"]: volume for volume in self._pod["spec"].get("volumes", ()) if "nfs" in volume}
        for container in self._pod["spec"]["containers"]:
            for mount in container.get("volumeMounts", ()):
                if mount["name"] in served:
                    folder = str(self._of_server(served[mount["name"]], mount))
                    data = data.replace(f'"{mount["mountPath"]}"'.encode(), f'"{folder}"'.encode())
        return data

    def _files(self, volume: Document) -> dict[str, bytes]:
        if "projected" in volume:
            files: dict[str, bytes] = {}
            for source in volume["projected"].get("sources", ()):
                files |= self._files(source)
            return files
        for kind, name_key in (("configMap", "name"), ("secret", "secretName")):
            if kind in volume:
                source = volume[kind]
                name = source.get(name_key) or source["name"]
                return _chosen(self._data(kind, name, is_optional=source.get("optional", False)), source.get("items"))
        if "downwardAPI" in volume:
            items = volume["downwardAPI"].get("items", ())
            return {item["path"]: self._field(item["fieldRef"]["fieldPath"]).encode() for item in items}
        return {}

    def _data(self, kind: str, name: str, *, is_optional: bool) -> dict[str, bytes]:
        resource = "configmaps" if kind == "configMap" else "secrets"
        found = self._api.find(path_of(resource, name, namespace=self._namespace))
        if found is None:
            if is_optional:
                return {}
            raise NotYet(f'{resource[:-1]} "{name}" not found')
        binary = found.get("data", {}) if kind == "secret" else found.get("binaryData", {})
        text = {} if kind == "secret" else found.get("data", {})
        decoded = {key: base64.b64decode(value) for key, value in (binary or {}).items()}
        return decoded | {key: value.encode() for key, value in (text or {}).items()}

    def _all_of(self, source: Document) -> dict[str, str]:
        kind = "configMap" if "configMapRef" in source else "secret"
        given = source[f"{kind}Ref"]
        data = self._variables(kind, given["name"], is_optional=given.get("optional", False))
        return {f"{source.get('prefix', '')}{key}": value.decode() for key, value in data.items()}

    def _value(self, entry: Document) -> str:
        given = entry.get("valueFrom")
        if not given:
            return str(entry.get("value", ""))
        if "fieldRef" in given:
            return self._field(given["fieldRef"]["fieldPath"])
        for kind in ("configMap", "secret"):
            key = given.get(f"{kind}KeyRef")
            if key:
                data = self._variables(kind, key["name"], is_optional=key.get("optional", False))
                if key["key"] in data:
                    return data[key["key"]].decode()
                if key.get("optional"):
                    return ""
                raise CannotConfigure(f"couldn't find key {key['key']} in {kind} {self._namespace}/{key['name']}")
        raise CannotConfigure(f"the test bed does not know where {entry['name']} comes from: {given}")

    def _variables(self, kind: str, name: str, *, is_optional: bool) -> dict[str, bytes]:
        try:
            return self._data(kind, name, is_optional=is_optional)
        except NotYet as error:
            raise CannotConfigure(str(error)) from error

    def _field(self, path: str) -> str:
        metadata, spec = self._pod["metadata"], self._pod["spec"]
        chosen = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
        if chosen:
            return str(metadata.get(chosen[1], {}).get(chosen[2], ""))
        known = {
            "metadata.name": metadata["name"],
            "metadata.namespace": metadata["namespace"],
            "metadata.uid": metadata["uid"],
            "spec.nodeName": spec["nodeName"],
            "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
            "status.podIP": LOOPBACK,
            "status.hostIP": LOOPBACK,
        }
        if path not in known:
            raise CannotConfigure(f"the test bed does not know the field {path}")
        return str(known[path])


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Put in the values of `$(NAME)`; `$$` is a dollar sign, an unknown name stays as it is."""
    return re.sub(
        r"\$(?:\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))",
        lambda found: "$" if found[1] is None else environment.get(found[1], found[0]),
        text,
    )


def _chosen(data: dict[str, bytes], items: list[Document] | None) -> dict[str, bytes]:
    return data if items is None else {item["path"]: data[item["key"]] for item in items if item["key"] in data}
