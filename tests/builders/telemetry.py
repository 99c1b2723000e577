"""Reading what a server tells of itself, as Prometheus reads it."""

from collections.abc import Mapping
from http.client import HTTPConnection

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families


def samples(page: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample of a page by its name and labels."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(page)
        for one in family.samples
    }


def value(page: str | CollectorRegistry, name: str, labels: Mapping[str, str] | None = None) -> float | None:
    """Return one sample of a page or of a registry, None where there is none."""
    text = page if isinstance(page, str) else generate_latest(page).decode()
    return samples(text).get((name, frozenset((labels or {}).items())))


def scrape(port: int, path: str = "/metrics") -> tuple[int, str]:
    """Ask for a page on this machine; return status and text."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
