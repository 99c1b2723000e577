"""What a failed connection means, said for people."""

import ssl

from urllib3 import exceptions

from scheduler.adapters.kubernetes.transport.faults import Unreachable

SENTENCES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((exceptions.ProxyError,), "the proxy before {server} does not answer ({cause}); correct it in {source}"),
    ((exceptions.NameResolutionError,), "the name of {server} is not known here; correct it in {source}, or the DNS"),
    ((exceptions.ReadTimeoutError, TimeoutError), "{server} did not answer in time; it may be overloaded or cut off"),
    (
        (exceptions.NewConnectionError,),
        "{server} cannot be reached ({cause}); is the API server running, and is its address in {source} right?",
    ),
    (
        (exceptions.ConnectTimeoutError,),
        "no connection to {server} in time; check the network, firewalls and the address in {source}",
    ),
    ((exceptions.ProtocolError,), "the connection to {server} broke ({cause}); the API server may be restarting"),
    ((Exception,), "{server} gave no answer ({cause}); check its address in {source}"),
)
"""The first that fits is said."""


def explain(error: Exception, *, server: str, source: str, asked: str) -> Unreachable:
    """Return what to tell of an error while `asked` was sent to `server`, whose address stands in `source`."""
    if isinstance(error, exceptions.SSLError | ssl.SSLError):
        said = _explain_tls(error, server=server, source=source)
    else:
        sentence = next(sentence for kinds, sentence in SENTENCES if isinstance(error, kinds))
        said = sentence.format(server=server, source=source, cause=_cause(error))
    return Unreachable(f"{asked}: {said}")


def _explain_tls(error: Exception, *, server: str, source: str) -> str:
    cause = next((part for part in _chain(error) if isinstance(part, ssl.SSLCertVerificationError)), None)
    if cause is not None:
        return (
            f"the certificate of {server} is not trusted ({cause.verify_message or cause.reason}); "
            f"take the certificate authority or tls-server-name of this cluster into {source}"
        )
    said = str(error)
    if "alert" in said.lower():
        return f"{server} refuses our client certificate ({_cause(error)}); it may have expired: renew {source}"
    return (
        f"no TLS with {server} ({_cause(error)}); is its address in {source} that of an API server, "
        "and our client certificate still valid?"
    )


def _cause(error: Exception) -> str:
    innermost = list(_chain(error))[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return str(innermost) or type(innermost).__name__


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and what it wraps, outermost first."""
    chain: list[BaseException] = [error]
    while len(chain) < 10:  # noqa: PLR2004 - a bound, so that no ring of causes holds us
        inner = chain[-1].__cause__ or next(
            (part for part in chain[-1].args if isinstance(part, BaseException)), chain[-1].__context__
        )
        if inner is None or inner in chain:
            break
        chain.append(inner)
    return chain
