"""When who has a session last proved who they are, by a password or through a provider."""

from datetime import timedelta

from app.errors import InvalidFields, Problem
from app.models.columns import now
from app.services import passwords
from app.services.accounts import Key
from app.storage import keys
from app.storage.database import Database

PROOF_LIFETIME = timedelta(minutes=15)  # after which sensitive changes ask once more


def is_proved(key: Key) -> bool:
    """Say whether it was a moment ago."""
    return key.proved_at is not None and abs(now() - key.proved_at) < PROOF_LIFETIME  # a clock may be set back


def prove(database: Database, key: Key, password: str) -> None:
    """Note that the password was given now; raise InvalidFields for a wrong one."""
    if not passwords.is_right(password, key.account.password_hash):
        raise InvalidFields(Problem("password", "This is not your current password."))
    note_proof(database, key)


def note_proof(database: Database, key: Key) -> None:
    """Note that it was proved now."""
    with database.write() as session:
        keys.note_proof(session, key.digest, now())
