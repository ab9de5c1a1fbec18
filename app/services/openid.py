"""OpenID Connect: the authorization code flow with PKCE, state and nonce, against one provider.

The library is Authlib. It and its cryptography are imported when somebody first signs in this way, for most sites have
no provider. Source: OpenID Connect Core 1.0, sections 3.1 and 5; RFC 7636 (PKCE); RFC 9207 (`iss` of the answer).
"""

import logging
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from app.content.plain import one_line
from app.errors import InvalidInput, ProviderUnavailable

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
METADATA_KEPT_S = 3600
FAILURE_KEPT_S = 10  # so long nobody waits again for a provider that did not answer
KEYS_KEPT_S = 60  # at least, whatever key a token names
LEEWAY_S = 60  # how far the provider's clock may be off
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
        self._metadata: dict[str, Any] = {}
        self._metadata_until = 0.0
        self._failed_until = 0.0
        self._keys: dict[str, Any] = {}
        self._keys_until = 0.0

    def begin(self, redirect_uri: str) -> Beginning:
        """Return where to send the browser; raise ProviderUnavailable when the provider does not answer."""
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        endpoint = self._describe()["authorization_endpoint"]
        with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier)
        return Beginning(url, state, nonce, verifier)

    def finish(self, redirect_uri: str, answer: Mapping[str, str], *, nonce: str, verifier: str) -> Identity:
        """Return who has signed in there, by the answer that the browser brought back: `code`, or `error`, and `iss`.

        Raises InvalidInput when it proves nobody, ProviderUnavailable when the provider does not answer.
        """
        from authlib.common.errors import AuthlibBaseError
        from httpx2 import HTTPError
        from joserfc.errors import JoseError

        code = answer.get("code")
        if not code or "error" in answer or answer.get("iss", self.issuer) != self.issuer:
            raise self._unproved(one_line(answer.get("error", "no code, or of another provider")))
        try:
            with self._client(redirect_uri) as client:
                token = client.fetch_token(self._describe()["token_endpoint"], code=code, code_verifier=verifier)
                claims = self._claims(token, nonce)
                is_told = claims.get("email") and "email_verified" in claims
                if not is_told and (endpoint := self._describe().get("userinfo_endpoint")):
                    told = client.get(endpoint).raise_for_status().json()
                    # Section 5.3.2: what is said of another subject must not be used.
                    claims = {**claims, **told} if told.get("sub") == claims["sub"] else claims
        except HTTPError as error:
            raise self._unavailable(error) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unproved(f"{type(error).__name__}: {one_line(str(error))}") from error
        return Identity(
            issuer=self.issuer,
            subject=str(claims["sub"]),
            email=str(claims.get("email") or ""),
            is_email_verified=claims.get("email_verified") in (True, "true"),  # some write it as a text
            name=str(claims.get("name") or claims.get("preferred_username") or ""),
        )

    def _claims(self, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Return what the ID token says, after all that it must be was checked."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError
        from joserfc.jwk import KeySet

        supported = self._describe().get("id_token_signing_alg_values_supported", ["RS256"])
        algorithms = [name for name in ALGORITHMS if name in supported]
        try:
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(self._fetch_keys()), algorithms)
        except InvalidKeyIdError:  # the provider has new keys
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(self._fetch_keys(anew=True)), algorithms)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client_id}},
            {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
        )
        claims.validate(leeway=LEEWAY_S)
        if not claims["sub"] or len(str(claims["sub"])) > 255:
            raise ValueError("the subject is empty or too long")
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
        with self._lock:
            if time.monotonic() < self._metadata_until:
                return self._metadata
            if time.monotonic() < self._failed_until:
                raise ProviderUnavailable(self.name)
            found = self._get_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer:
                raise self._unavailable(f"it calls itself {found.get('issuer')!r}: set OMNIRACLE_OIDC_ISSUER to that")
            own = ("https",) if self.issuer.startswith("https:") else ("https", "http")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if urlsplit(str(found.get(name))).scheme not in own:
                    raise self._unavailable(f"its {name} is missing or not safe")
            self._metadata, self._metadata_until = found, time.monotonic() + METADATA_KEPT_S
            return found

    def _fetch_keys(self, *, anew: bool = False) -> Any:
        uri = self._describe()["jwks_uri"]
        with self._lock:
            kept_s = METADATA_KEPT_S - KEYS_KEPT_S if anew else 0
            if time.monotonic() > self._keys_until - kept_s:
                self._keys, self._keys_until = self._get_json(uri), time.monotonic() + METADATA_KEPT_S
            return self._keys

    def _get_json(self, url: str) -> dict[str, Any]:
        import httpx2

        try:
            answer = httpx2.get(url, timeout=TIMEOUT_S, verify=ssl.create_default_context(), follow_redirects=True)
            found = answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise self._unavailable(error) from error
        if not isinstance(found, dict):
            raise self._unavailable("it does not answer with what OpenID Connect asks for")
        return found

    def _unproved(self, reason: str) -> InvalidInput:
        log.warning("%s has proved nobody: %s", self.issuer, reason[:300])
        return InvalidInput("%(provider)s has not said who you are. Please try again.", provider=self.name)

    def _unavailable(self, reason: object) -> ProviderUnavailable:
        self._failed_until = time.monotonic() + FAILURE_KEPT_S
        log.warning("%s cannot be used to sign in: %s", self.issuer, one_line(str(reason))[:300])
        return ProviderUnavailable(self.name)
