"""What is derived from the server's one secret, so that nothing has to be kept and every API process agrees."""

import base64
import hashlib
import hmac

from scheduler.services.access.authenticate import BASE62, SECRET_LENGTH, secret_of


class ServerSecrets:
    """Derives and seals; each purpose has a key of its own."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def rotated(self, token_id: str, number: int, key: str) -> str:
        """Return a token's secret after so many replacements, the last of them asked for under `key`.

        The same question has the same answer, so that a repeated call can be answered again; nobody without the
        server's secret can work it out.
        """
        left = int.from_bytes(self._digest("rotated token", f"{token_id}\n{number}\n{key}", hashlib.sha512))
        letters = ""
        for _ in range(SECRET_LENGTH):
            left, digit = divmod(left, len(BASE62))
            letters += BASE62[digit]
        return secret_of(letters)

    def derive(self, purpose: str, text: str) -> str:
        """Return 43 letters that only this server can make of a text."""
        return base64.urlsafe_b64encode(self._digest(purpose, text)).decode().rstrip("=")

    def seal(self, purpose: str, text: str) -> str:
        """Return the text with a signature; everybody can read it, nobody else can make it."""
        return f"{text}.{self.derive(purpose, text)}"

    def unseal(self, purpose: str, sealed: str) -> str | None:
        """Return a text that `seal` signed for this purpose, None for any other."""
        text, _, signature = sealed.rpartition(".")
        return text if self.is_derived(purpose, text, signature) else None

    def is_derived(self, purpose: str, text: str, given: str) -> bool:
        """Say whether `given` is what `derive` makes of a text, in a time that tells nothing."""
        return hmac.compare_digest(self.derive(purpose, text).encode(), given.encode(errors="replace"))

    def _digest(self, purpose: str, text: str, algorithm: object = hashlib.sha256) -> bytes:
        key = hmac.digest(self._secret, purpose.encode(), hashlib.sha256)
        return hmac.digest(key, text.encode(errors="replace"), algorithm)  # type: ignore[arg-type]  # a hash of hashlib
