"""Talking to an API server: plain documents in and out, every wait bounded, nothing sent twice behind one's back.

The only room that imports `kubernetes` (for credentials) and `urllib3`.
"""

from scheduler.adapters.kubernetes.transport.calls import Transport
from scheduler.adapters.kubernetes.transport.credentials import Credentials
from scheduler.adapters.kubernetes.transport.faults import ApiFault, Garbled, Unreachable
from scheduler.adapters.kubernetes.transport.streams import Stream
from scheduler.adapters.kubernetes.transport.timing import Timing

__all__ = ["ApiFault", "Credentials", "Garbled", "Stream", "Timing", "Transport", "Unreachable"]
