"""Commands on accounts and their tokens."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.choices import Role, Scope
from app.cli.help import examples
from app.cli.stores import open_stores
from app.errors import NotFound, OperatorError

if TYPE_CHECKING:
    from app.models import Account
    from app.storage.database import Database

user = typer.Typer(name="user", help="Create and change accounts.", no_args_is_help=True)
token = typer.Typer(name="token", help="Create API tokens.", no_args_is_help=True)

EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="The account's address.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@user.command(
    "add",
    epilog=examples(
        "omniracle user add me@example.org --role admin", "omniracle user add me@example.org --no-password"
    ),
)
def add_user(
    email: EmailArgument,
    *,
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.CONTRIBUTOR,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The name that is shown; part of the address when absent.")
    ] = None,
    password_stdin: FromStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Create it without one: its owner signs in through OpenID Connect.")
    ] = False,
) -> None:
    """Create an account.

    It asks for the password unless that comes from standard input.
    """
    from app.services import accounts

    password = None if no_password else _password(from_stdin=password_stdin)
    with open_stores() as (_settings, database, _index):
        shown = name or email.partition("@")[0]
        account = accounts.sign_up(database, email=email, name=shown, password=password, role=role)
    typer.echo(f"Made {account.email} ({account.role}).")


@user.command("list", epilog=examples("omniracle user list"))
def list_users() -> None:
    """List all accounts.

    One a line: address, role, name, and the number by which the log names it, with tabs between them.
    """
    from app.storage import accounts

    with open_stores() as (_settings, database, _index), database.read() as session:
        for account in accounts.everybody(session):
            typer.echo(f"{account.email}\t{account.role}\t{account.name}\t{account.id}")


@user.command(
    "passwd",
    epilog=examples(
        "omniracle user passwd me@example.org", "omniracle user passwd me@example.org --password-stdin < secret.txt"
    ),
)
def set_password(email: EmailArgument, *, password_stdin: FromStdin = False) -> None:
    """Give an account a new password.

    All its sessions and tokens end at once. It asks for the password unless that comes from standard input.
    """
    from app.services import accounts
    from app.storage.audit import COMMAND

    with open_stores() as (_settings, database, _index):
        account = _account(database, email)
        accounts.set_password(database, account, _password(from_stdin=password_stdin), by=COMMAND)
    typer.echo(f"Changed the password of {account.email}.")


@user.command("role", epilog=examples("omniracle user role me@example.org reviewer"))
def set_role(
    email: EmailArgument,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="What the account may do from now on.")],
) -> None:
    """Give an account another role.

    It counts from the next request on.
    """
    from app.services import accounts
    from app.storage.audit import COMMAND

    with open_stores() as (_settings, database, _index):
        account = _account(database, email)
        accounts.set_role(database, accounts.id_of(account), role, by=COMMAND)
    typer.echo(f"{account.email} is now a {role}.")


@user.command("second-factor-off", epilog=examples("omniracle user second-factor-off me@example.org"))
def turn_off_second_factor(email: EmailArgument) -> None:
    """Let an account sign in by password alone.

    For who has lost phone and recovery codes; make sure that it is them who ask.
    """
    from app.services import second_factor
    from app.storage.audit import COMMAND

    with open_stores() as (_settings, database, _index):
        account = _account(database, email)
        was_on = second_factor.turn_off(database, account, by=COMMAND)
    typer.echo(f"{account.email} signs in by password alone." if was_on else f"{account.email} has no second factor.")


@token.command("create", epilog=examples('omniracle token create me@example.org --name "nightly import" --scope write'))
def create_token(
    email: EmailArgument,
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the token is for.")] = "command line",
    scope: Annotated[Scope, typer.Option(help="What it may be used for.")] = Scope.WRITE,
) -> None:
    """Create an API token and print it, alone.

    It can never be shown again. Programs send it as `Authorization: Bearer TOKEN`.
    """
    from app.services import accounts
    from app.storage.audit import COMMAND

    with open_stores() as (_settings, database, _index):
        typer.echo(accounts.create_token(database, _account(database, email), name, scope, by=COMMAND))


def _account(database: "Database", email: str) -> "Account":
    from app.storage import accounts

    with database.read() as session:
        account = accounts.by_email(session, email.strip().lower())
    if account is None:
        raise NotFound(f"No account has the address {email}: `omniracle user list` shows all.")
    return account


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise OperatorError("There is no terminal to ask for the password: use --password-stdin.")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
