"""OpenID Connect: the authorization code flow with PKCE, state and nonce, against one provider.

The library is Authlib. It and its cryptography are imported when somebody first signs in this way, for most sites have
no provider. Source: OpenID Connect Core 1.0, sections 3.1 and 5; RFC 7636 (PKCE); RFC 9207 (`iss` of the answer).
"""

import json
import logging
import secrets
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import urlsplit

from app.content.plain import one_line
from app.errors import InvalidInput, ProviderUnavailable

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
MAX_BYTES = 1_000_000  # of what a provider says of itself
WAIT_S = 1.0  # for others who ask the provider just now: a slow one must not take all threads of the site
AT_ONCE = 4
METADATA_KEPT_S = 3600
FAILURE_KEPT_S = 10  # so long nobody waits again for a provider that did not answer
KEYS_KEPT_S = 60  # at least, whatever key a token names
LEEWAY_S = 60  # how far the provider's clock may be off
LATEST = 10**11  # seconds since 1970 that are still a date
SCOPE = "openid email profile"
# Only what the provider alone can sign: with HS256 the key would be the client secret, and "none" is no signature.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as the provider says."""

    issuer: str
    subject: str
    email: str  # empty when the provider does not tell it
    is_email_verified: bool
    name: str  # empty when the provider does not tell it
    signed_in_at: datetime | None = None  # there; None when the provider does not tell it


@dataclass(frozen=True)
class Beginning:
    """A sign-in that was begun: where the browser goes, and what has to come back or be known when it returns."""

    url: str
    state: str
    nonce: str
    verifier: str


class OpenIdProvider:
    """The provider that the settings name; what it says of itself is kept for an hour."""

    def __init__(self, issuer: str, client_id: str, client_secret: str | None, name: str | None) -> None:
        self.issuer = issuer
        self.name = name or urlsplit(issuer).hostname or issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._lock = Lock()
        self._turns = BoundedSemaphore(AT_ONCE)
        self._metadata: dict[str, Any] = {}
        self._metadata_until = 0.0
        self._failed_until = 0.0
        self._keys: Any = None  # a KeySet
        self._keys_until = 0.0

    def begin(self, redirect_uri: str, *, anew: bool = False) -> Beginning:
        """Return where to send the browser; raise ProviderUnavailable when the provider does not answer.

        `anew` asks the provider to let them sign in there once more, where it would know them still.
        """
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        endpoint = self._describe()["authorization_endpoint"]
        with self._client(redirect_uri) as client:
            more = {"prompt": "login", "max_age": "0"} if anew else {}
            url, _ = client.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier, **more)
        return Beginning(url, state, nonce, verifier)

    def finish(
        self, redirect_uri: str, answer: Mapping[str, str], *, nonce: str, verifier: str, since: float = 0.0
    ) -> Identity:
        """Return who has signed in there, by the answer that the browser brought back: `code`, or `error`, and `iss`.

        Who signed in there before the time `since` is not who sits there now for sure; a provider that does not tell
        when it was, though section 2 asks it to, is trusted to have asked. Raises InvalidInput when it proves nobody,
        ProviderUnavailable when the provider does not answer.
        """
        code = answer.get("code")
        if not code or "error" in answer or answer.get("iss", self.issuer) != self.issuer:
            raise self._unproved(one_line(answer.get("error", "no code, or of another provider")))
        if not self._turns.acquire(timeout=WAIT_S):
            raise ProviderUnavailable(self.name)
        try:
            claims = self._exchange(redirect_uri, code, nonce, verifier)
        finally:
            self._turns.release()
        signed_in_at = _moment(claims, "auth_time")
        if signed_in_at is not None and signed_in_at.timestamp() < since - LEEWAY_S:
            raise self._unproved("it did not let them sign in again")
        return Identity(
            issuer=self.issuer,
            subject=claims["sub"],
            email=_text(claims, "email"),
            is_email_verified=claims.get("email_verified") in (True, "true"),  # some write it as a text
            name=_text(claims, "name") or _text(claims, "preferred_username"),
            signed_in_at=signed_in_at,
        )

    def _exchange(self, redirect_uri: str, code: str, nonce: str, verifier: str) -> dict[str, Any]:
        """Return what the provider says of who has signed in."""
        from authlib.common.errors import AuthlibBaseError
        from httpx2 import HTTPError
        from joserfc.errors import JoseError

        try:
            with self._client(redirect_uri) as client:
                token = client.fetch_token(self._describe()["token_endpoint"], code=code, code_verifier=verifier)
                claims = self._claims(token, nonce)
                is_told = _text(claims, "email") and "email_verified" in claims
                if not is_told and (endpoint := self._describe().get("userinfo_endpoint")):
                    told = client.get(endpoint).raise_for_status().json()
                    # Section 5.3.2: what is said of another subject must not be used.
                    claims = {**claims, **told} if told.get("sub") == claims["sub"] else claims
        except HTTPError as error:
            raise self._unavailable(error) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unproved(f"{type(error).__name__}: {one_line(str(error))}") from error
        return claims

    def _claims(self, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Return what the ID token says, after all that it must be was checked."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError

        supported = self._describe().get("id_token_signing_alg_values_supported", ["RS256"])
        algorithms = [name for name in ALGORITHMS if name in supported]
        try:
            decoded = jwt.decode(token["id_token"], self._fetch_keys(), algorithms)
        except InvalidKeyIdError:  # the provider has new keys
            decoded = jwt.decode(token["id_token"], self._fetch_keys(anew=True), algorithms)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client_id}},
            {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
        )
        claims.validate(leeway=LEEWAY_S)
        if not _text(claims, "sub") or len(claims["sub"]) > 255:
            raise ValueError("the subject is no text, empty or too long")
        return dict(claims)

    def _client(self, redirect_uri: str) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        ways = self._describe().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return OAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method=basic if self._client_secret else "none",
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            verify=ssl.create_default_context(),
        )

    def _describe(self) -> dict[str, Any]:
        """Return the provider's metadata; raise ProviderUnavailable when it does not tell them."""
        if time.monotonic() < self._metadata_until:
            return self._metadata
        with self._alone():
            if time.monotonic() < self._metadata_until:  # somebody else was faster
                return self._metadata
            if time.monotonic() < self._failed_until:
                raise ProviderUnavailable(self.name)
            found = self._get_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            self._check(found)
            self._metadata, self._metadata_until = found, time.monotonic() + METADATA_KEPT_S
            return found

    def _check(self, metadata: dict[str, Any]) -> None:
        """Raise ProviderUnavailable for metadata that cannot be used."""
        if metadata.get("issuer") != self.issuer:
            told = metadata.get("issuer")
            raise self._unavailable(f"it calls itself {told!r}: set OMNIRACLE_OIDC_ISSUER to that")
        safe = ("https",) if self.issuer.startswith("https:") else ("https", "http")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            address = metadata.get(name)
            if address is None and name == "userinfo_endpoint":
                continue
            if not isinstance(address, str) or not _is_address(address, safe):
                raise self._unavailable(f"its {name} is missing or not safe")
        for name in ("id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported"):
            if not isinstance(metadata.get(name, []), list):
                raise self._unavailable(f"its {name} is no list")

    def _fetch_keys(self, *, anew: bool = False) -> Any:
        """Return the provider's keys, without those that are of no use here (RFC 7517, section 5)."""
        from joserfc.errors import JoseError
        from joserfc.jwk import JWKRegistry, KeySet

        uri = self._describe()["jwks_uri"]
        with self._alone():
            kept_s = METADATA_KEPT_S - KEYS_KEPT_S if anew else 0
            if time.monotonic() > self._keys_until - kept_s:
                keys = []
                for key in self._get_json(uri).get("keys", []):
                    try:
                        keys.append(JWKRegistry.import_key(key))
                    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
                        log.info("%s has a key of no use: %s", self.issuer, type(error).__name__)
                self._keys, self._keys_until = KeySet(keys), time.monotonic() + METADATA_KEPT_S
            return self._keys

    def _get_json(self, url: str) -> dict[str, Any]:
        """Return what the provider answers, if it does so in time and in few words."""
        import httpx2

        deadline = time.monotonic() + TIMEOUT_S
        read = bytearray()
        try:
            with httpx2.stream("GET", url, timeout=TIMEOUT_S, verify=ssl.create_default_context()) as answer:
                answer.raise_for_status()
                for chunk in answer.iter_bytes():
                    read += chunk
                    if len(read) > MAX_BYTES or time.monotonic() > deadline:
                        raise self._unavailable("it answers too much or too slowly")
            found = json.loads(read)
        except (httpx2.HTTPError, ValueError) as error:
            raise self._unavailable(error) from error
        if not isinstance(found, dict):
            raise self._unavailable("it does not answer with what OpenID Connect asks for")
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=WAIT_S):
            raise ProviderUnavailable(self.name)
        try:
            yield
        finally:
            self._lock.release()

    def _unproved(self, reason: str) -> InvalidInput:
        log.warning("%s has proved nobody: %s", self.issuer, reason[:300])
        return InvalidInput("%(provider)s did not confirm who you are. Please try again.", provider=self.name)

    def _unavailable(self, reason: object) -> ProviderUnavailable:
        self._failed_until = time.monotonic() + FAILURE_KEPT_S
        log.warning("%s cannot be used to sign in: %s", self.issuer, one_line(str(reason))[:300])
        return ProviderUnavailable(self.name)


def _text(claims: Mapping[str, Any], name: str) -> str:
    """Return a claim that is a text; empty for none and for anything else."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """Return a claim that is a time, in seconds since 1970; None for none and for anything else."""
    value = claims.get(name)
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) and 0 < value < LATEST else None


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname)
    except ValueError:
        return False
