"""What the disk or the database fails at, told from mistakes of ours: one line for the log instead of a traceback."""

import errno
import os
import sqlite3

from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, OperationalError, TimeoutError  # noqa: A004

from app.errors import OperatorError

_OF_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EFBIG}
_OF_MACHINE = _OF_DISK | {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_SQLITE_OF_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_READ_ONLY = "25006"  # read_only_sql_transaction
_POSTGRESQL_OF_DISK = {"53100", _READ_ONLY}  # disk_full
_POSTGRESQL_FAILS = _POSTGRESQL_OF_DISK | {
    *("XX001", "XX002"),  # data_corrupted, index_corrupted
    "25P03",  # idle_in_transaction_session_timeout: this process stood still
}
READ_ONLY_ADVICE = "this server is a read-only replica, or set to be read-only. DATABASE_URL has to name the primary."


def reason_of(error: BaseException) -> str | None:
    """Return in one line what has failed; None when the error is a mistake of ours, whose traceback is needed."""
    if isinstance(error, OSError) and error.errno in _OF_MACHINE:
        named = f": {error.filename}" if error.filename else ""
        return f"{os.strerror(error.errno or 0)}{named}"
    # Not its other subclasses: a constraint that does not hold, or SQL that is none, is a mistake.
    if isinstance(error, DBAPIError) and (
        isinstance(error, OperationalError) or type(error) is DatabaseError or _sqlstate(error) in _POSTGRESQL_FAILS
    ):
        return f"the database: {said_by(error)}"
    if isinstance(error, TimeoutError):
        return "the database: all connections are in use"
    return str(error) if isinstance(error, OperatorError) else None


def advice_on(error: DBAPIError) -> str:
    """Return in one line what the database has failed at, and what its operator can do."""
    if _sqlstate(error) == _READ_ONLY:
        return f"The database takes no changes ({said_by(error)}): {READ_ONLY_ADVICE}"
    return f"The database failed ({said_by(error)}): check DATABASE_URL, its file and the space there."


def said_by(error: DBAPIError) -> str:
    """Return what the database says, in one line; PostgreSQL's driver adds advice of its own."""
    return str(error.orig).partition("\n")[0]


def is_of_disk(error: BaseException) -> bool:
    """Say whether nothing can be written until somebody makes space, or gives the right to write."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the rest says more exactly what it is
        return code in _SQLITE_OF_DISK or _sqlstate(error) in _POSTGRESQL_OF_DISK
    return isinstance(error, OSError) and error.errno in _OF_DISK


def is_no_text(error: BaseException) -> bool:
    """Say whether PostgreSQL was asked for, or given, a text with a zero byte; none of its texts can have one."""
    return isinstance(error, DataError) and "NUL (0x00)" in str(error.orig)


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
