"""Values that leave the site and come back unchanged, or not at all: signed, for one purpose and a short time."""

import time

LIFETIME_S = 600
_ALGORITHM = "HS256"


def seal(secret: bytes, purpose: str, values: dict[str, str]) -> str:
    """Return `values` as a signed JSON Web Token; they can be read by who gets it, and changed by nobody."""
    from joserfc import jwt
    from joserfc.jwk import OctKey

    claims = {**values, "aud": purpose, "exp": int(time.time()) + LIFETIME_S}
    return jwt.encode({"alg": _ALGORITHM}, claims, OctKey.import_key(secret), [_ALGORITHM])


def unseal(secret: bytes, purpose: str, sealed: str) -> dict[str, str] | None:
    """Return the values that were sealed for this purpose; None for anything else, and when it is too late."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    try:
        found = jwt.decode(sealed, OctKey.import_key(secret), [_ALGORITHM])
        expected = jwt.JWTClaimsRegistry(aud={"essential": True, "value": purpose}, exp={"essential": True}, leeway=0)
        expected.validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError):  # what is made up makes the library raise any of them
        return None
    return {name: value for name, value in found.claims.items() if isinstance(value, str)}
