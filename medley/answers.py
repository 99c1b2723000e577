"""What the API answers, as it came."""

from typing import Any

Json = dict[str, Any]
"""An object of JSON."""
