"""A second factor beside the password: codes of an app on the phone (RFC 6238), or one of ten that were written down.

The app and the site share a secret. In the database it is encrypted by the site's secret key, so that neither a copy of
the database nor a backup is enough to make codes. pyotp, segno and cryptography are imported where somebody needs them.
"""

import base64
import hashlib
import hmac
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from app.errors import InvalidFields, InvalidInput, Problem
from app.models import Account, RecoveryCode, SecondFactor
from app.models.columns import now
from app.services.accounts import Key, id_of
from app.storage import audit, keys, second_factors
from app.storage.database import Database

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

log = logging.getLogger(__name__)

STEP_S = 30  # for which an app shows a code
DRIFT = 1  # steps that the phone's clock may be off
RECOVERY_CODES = 10
FIELD = "code"
_SECRET = re.compile(r"[A-Z2-7]{32}")


def new_secret() -> str:
    """Return a secret of 160 random bits in Base32, as apps take it."""
    import pyotp

    return pyotp.random_base32()


def picture(secret: str, account: Account, site: str) -> str:
    """Return the QR code, as SVG, by which an app learns the secret of an account on the site of that name."""
    import pyotp
    import segno

    uri = pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=site.replace(":", " "))
    return segno.make(uri, error="m").svg_inline(scale=4, border=3, dark="#000", light="#fff", omitsize=True)


def turn_on(database: Database, site_key: bytes, key: Key, secret: str, code: str) -> list[str]:
    """Ask for codes from now on, end all other sessions, and return the recovery codes: they are never shown again.

    Raises InvalidFields where the code is not the one that an app with this secret shows now, and InvalidInput where
    the account has a second factor already: who found a browser open must not put their own in its place.
    """
    if not _SECRET.fullmatch(secret):
        raise InvalidInput("This page is not complete any more. Open it again and scan the new picture.")
    account_id, step = id_of(key.account), _step_of(secret, code, after=0)
    if step is None:
        raise _wrong()
    recovery = ["-".join(secrets.token_hex(2) for _ in range(4)) for _ in range(RECOVERY_CODES)]
    sealed = _box(site_key).encrypt(secret.encode()).decode()
    factor = SecondFactor(account_id=account_id, sealed=sealed, last_step=step, created_at=now())
    with database.write() as session:
        if second_factors.of(session, account_id) is not None:
            raise InvalidInput("This account already has a second factor. Turn it off before you set up another one.")
        second_factors.put(session, factor, [_digest(account_id, each) for each in recovery])
        keys.drop_sessions_but(session, account_id, key.digest)
        audit.record(session, key.account, "second-factor", key.account.email, "on")
    return recovery


def turn_off(database: Database, account: Account, *, by: Account | str) -> bool:
    """Ask for the password alone from now on; return whether more was asked before."""
    with database.write() as session:
        was_on = second_factors.drop(session, id_of(account))
        if was_on:
            audit.record(session, by, "second-factor", account.email, "off")
    return was_on


def is_on(database: Database, account: Account) -> bool:
    """Say whether an account has a second factor."""
    with database.read() as session:
        return second_factors.of(session, id_of(account)) is not None


def check(database: Database, site_key: bytes, account: Account, code: str) -> None:
    """Raise InvalidFields unless `code` is one that the app shows now, or a recovery code; each is good once.

    Where the site has another key than it had, recovery codes alone are good, and InvalidFields says so.
    """
    account_id = id_of(account)
    with database.write() as session:
        factor = second_factors.of(session, account_id)
        if factor is None:
            return
        secret = _opened(_box(site_key), factor)
        step = _step_of(secret, code, after=factor.last_step) if secret is not None else None
        if step is not None:
            factor.last_step = step
            session.add(factor)
        elif keys.drop_own(session, RecoveryCode, _digest(account_id, code), account_id):
            audit.record(session, account, "second-factor", account.email, "recovery code")
        elif secret is None:
            log.error(
                "account %d: its second factor does not open with the site's secret; see `omniracle check`", account_id
            )
            raise _unknown()
        else:
            raise _wrong()


def closed(database: Database, site_key: bytes) -> list[int]:
    """Return the numbers of the accounts whose second factor does not open with this key, but with another one."""
    box = _box(site_key)
    with database.read() as session:
        return [factor.account_id for factor in second_factors.every(session) if _opened(box, factor) is None]


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """Return the step of time, later than `after`, of which `code` is; None for a wrong one, or one that was taken."""
    import pyotp

    given = "".join(code.split())
    if not given.isascii():
        return None
    generator = pyotp.TOTP(secret, interval=STEP_S)
    current = int(time.time()) // STEP_S
    for step in range(current - DRIFT, current + DRIFT + 1):
        if step > after and hmac.compare_digest(generator.generate_otp(step), given):
            return step
    return None


def _opened(box: "Fernet", factor: SecondFactor) -> str | None:
    """Return the secret; None where the site has another key than it had, which leaves the recovery codes."""
    from cryptography.fernet import InvalidToken

    try:
        return box.decrypt(factor.sealed.encode()).decode()
    except InvalidToken:
        return None


def _box(site_key: bytes) -> "Fernet":
    from cryptography.fernet import Fernet

    derived = hmac.new(site_key, b"second factors", hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


def _digest(account_id: int, code: str) -> str:
    # As random as a session's key is not needed: it is one of few attempts, and of 64 bits.
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(f"{account_id} {plain}".encode("utf-8", "surrogatepass")).hexdigest()


def _wrong() -> InvalidFields:
    return InvalidFields(Problem(FIELD, "This code is wrong or has been used. Enter the one that the app shows now."))


def _unknown() -> InvalidFields:
    message = (
        "Codes of the app cannot be checked, as this site has another secret than before. Enter one of your recovery "
        "codes, or ask the operator of the site."
    )
    return InvalidFields(Problem(FIELD, message))
