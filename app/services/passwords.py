"""Passwords: hashing, checking, and which ones are taken."""

from functools import cache
from pathlib import Path

import argon2

from app.errors import InvalidFields, Problem

MIN_LENGTH = 10  # characters
MAX_LENGTH = 200
COMMON = Path(__file__).with_name("common_passwords.txt")
# OWASP's recommendation for Argon2id with little memory: a dozen sign-ins at once take 230 MB, not 800.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hashed(password: str) -> str:
    """Return the Argon2id hash of a password, with its salt and parameters."""
    return _hasher.hash(password)


def is_right(password: str, known: str | None) -> bool:
    """Say whether `password` has the hash `known`; without a hash it takes as long and is wrong."""
    try:
        return _hasher.verify(known or _hash_of_nothing(), password[: MAX_LENGTH + 1]) and known is not None
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def check(password: str, field: str, *, personal: tuple[str, ...] = ()) -> None:
    """Raise InvalidFields for a password that is too short, too long, common, or made of what is known of a person."""
    if len(password) < MIN_LENGTH:
        raise InvalidFields(Problem(field, "Use at least %(least)s characters.", {"least": MIN_LENGTH}))
    if len(password) > MAX_LENGTH:
        raise InvalidFields(Problem(field, "Use at most %(most)s characters.", {"most": MAX_LENGTH}))
    rest = password.casefold()
    for part in (*personal, "omniracle", "password", "123456789", "qwertyuiop"):
        if len(part) > 3:
            rest = rest.replace(part.casefold(), "")
    if len(set(rest)) < 4 or password.casefold() in _common():
        raise InvalidFields(Problem(field, "This password is too easy to guess. Use several unrelated words.", {}))


@cache
def _common() -> frozenset[str]:
    lines = COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@cache
def _hash_of_nothing() -> str:
    return _hasher.hash("no account has this")
