"""What the workers of a job are given beside devices."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Volume:
    """Storage that the operator offers under a name, mounted into every worker."""

    volume_class: str
    path: str
    """Where workers see it: an absolute path."""
    is_read_only: bool


@dataclass(frozen=True, slots=True)
class SecretVariable:
    """An environment variable whose value the cluster takes from a secret; Medley never reads it."""

    variable: str
    secret: str
    """The secret's name where the tenant's workers run."""
    key: str
    """Which of the secret's entries."""
