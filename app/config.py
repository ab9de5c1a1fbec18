"""All settings: what each takes, what it is when nobody sets it, and what follows from them."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from app import addresses
from app.errors import OperatorError

PROJECT_DIR = Path(__file__).resolve().parent.parent
TEMPLATES_DIR = PROJECT_DIR / "templates"
STATIC_DIR = PROJECT_DIR / "static"
FONTS_DIR = Path(__file__).resolve().parent / "fonts"

SECRETS = ("DATABASE_URL", "OMNIRACLE_SECRET_KEY", "OMNIRACLE_ADMIN_PASSWORD", "OMNIRACLE_OIDC_CLIENT_SECRET")
SHORTEST_SECRET = 32  # characters
ADDRESS = WithJsonSchema({"type": "string", "format": "uri"})


def _default_workers() -> int:
    return max(2, min(4, os.cpu_count() or 2))


class Group(BaseModel):
    """Settings that belong together, each named by the environment variable that sets it (the field's alias).

    Where settings are listed, each direct subclass is a section, and its docstring the heading.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Places(Group):
    """Where things are."""

    data_dir: Path = Field(
        Path("var"), alias="OMNIRACLE_DATA_DIR", description="Folder for the database, the search index and the images."
    )
    content_dir: Path = Field(
        Path("content"), alias="OMNIRACLE_CONTENT_DIR", description="Folder of Markdown files that seeds the database."
    )
    database_url: Annotated[str, BeforeValidator(addresses.database_url), ADDRESS] | None = Field(
        None,
        alias="DATABASE_URL",
        description="The database, `sqlite:///…` or `postgresql+psycopg://…`; SQLite in the data folder when absent.",
    )
    search_engine: Literal["whoosh", "postgresql"] = Field(
        "whoosh",
        alias="OMNIRACLE_SEARCH_ENGINE",
        description="What searches: `whoosh`, by files of each host, or `postgresql`, in the database, for all hosts.",
    )
    images: Annotated[str, BeforeValidator(addresses.images)] | None = Field(
        None,
        alias="OMNIRACLE_IMAGES",
        description="Where images are kept, a folder or `s3://bucket/prefix`; in the data folder when absent.",
    )


class Serving(Group):
    """Serving."""

    workers: int = Field(
        default_factory=_default_workers,
        alias="WEB_CONCURRENCY",
        ge=1,
        le=64,
        description="Number of worker processes; between 2 and 4 by the number of cores when absent.",
    )
    host: str = Field("127.0.0.1", alias="OMNIRACLE_HOST", description="Address to listen on.")
    port: int = Field(8000, alias="OMNIRACLE_PORT", ge=1, le=65535, description="Port to listen on.")
    base_url: Annotated[str, BeforeValidator(addresses.base_url), ADDRESS] | None = Field(
        None,
        alias="OMNIRACLE_BASE_URL",
        description="Public address of the site, `http://…` or `https://…`; taken from each request when absent.",
    )
    secret_key: str | None = Field(
        None,
        alias="OMNIRACLE_SECRET_KEY",
        min_length=SHORTEST_SECRET,
        description="The site's secret; made and kept in the data folder when absent.",
    )
    forwarded_allow_ips: str = Field(
        "127.0.0.1",
        alias="FORWARDED_ALLOW_IPS",
        description="Proxies whose `X-Forwarded-…` headers are believed: addresses and networks, by commas, or `*`.",
    )
    access_log: Path | None = Field(
        None,
        alias="OMNIRACLE_ACCESS_LOG",
        description="File to which each request is written as a line of JSON; no requests are written when absent.",
    )
    watchdog_s: float = Field(
        60.0,
        alias="OMNIRACLE_WATCHDOG_S",
        ge=0,
        description="Seconds after which a worker whose event loop stands still ends and is replaced; 0 for never.",
    )
    recycle_after: int = Field(
        5_000_000,
        alias="OMNIRACLE_RECYCLE_AFTER",
        ge=0,
        description="Requests after which a worker is replaced, up to half as many more by chance; 0 for never.",
    )


class Site(Group):
    """What the site offers."""

    site_name: str = Field(
        "Omniracle", alias="OMNIRACLE_SITE_NAME", min_length=1, max_length=60, description="Name shown on every page."
    )
    experiments: Literal["public", "operators", "off"] = Field(
        "public",
        alias="OMNIRACLE_EXPERIMENTS",
        description="Who may let the site measure which worker gets a request.",
    )
    link_checks: Literal["on", "off"] = Field(
        "off",
        alias="OMNIRACLE_LINK_CHECKS",
        description="Whether the site itself looks now and then whether linked pages are still there.",
    )


class Limits(Group):
    """Limits."""

    api_reads: int = Field(
        12_000,
        alias="OMNIRACLE_API_READS",
        ge=0,
        description="How often a minute one address may read through the API; 0 for no limit.",
    )
    contributions: int = Field(
        60,
        alias="OMNIRACLE_CONTRIBUTIONS",
        ge=0,
        description="How often an hour one account may publish or propose; 0 for no limit.",
    )
    sign_ups: int = Field(
        10,
        alias="OMNIRACLE_SIGN_UPS",
        ge=0,
        description="How often an hour one address may try to sign up; 0 for no limit.",
    )
    request_mb: int = Field(
        16, alias="OMNIRACLE_REQUEST_MB", ge=1, le=1024, description="Megabytes that one request may bring."
    )
    image_mb: int = Field(
        8, alias="OMNIRACLE_IMAGE_MB", ge=1, le=1024, description="Megabytes that one image may have."
    )


class People(Group):
    """People."""

    admin_email: str | None = Field(
        None, alias="OMNIRACLE_ADMIN_EMAIL", description="Email of the administrator made at the first start."
    )
    admin_password: str | None = Field(
        None, alias="OMNIRACLE_ADMIN_PASSWORD", description="Password of the administrator made at the first start."
    )
    registration: Literal["open", "closed"] = Field(
        "open", alias="OMNIRACLE_REGISTRATION", description="Whether anyone may sign up."
    )


class Provider(Group):
    """OpenID Connect."""

    oidc_issuer: Annotated[str, BeforeValidator(addresses.issuer), ADDRESS] | None = Field(
        None,
        alias="OMNIRACLE_OIDC_ISSUER",
        description="The OpenID Connect provider through which people may sign in, `https://…`, as it names itself.",
    )
    oidc_client_id: str | None = Field(
        None, alias="OMNIRACLE_OIDC_CLIENT_ID", description="What the provider knows this site by."
    )
    oidc_client_secret: str | None = Field(
        None,
        alias="OMNIRACLE_OIDC_CLIENT_SECRET",
        description="The secret that the provider has given to this site; none for a public client.",
    )
    oidc_name: str | None = Field(
        None,
        alias="OMNIRACLE_OIDC_NAME",
        max_length=60,
        description="What people call the provider, for the button; its host name when absent.",
    )


class Settings(Places, Serving, Site, Limits, People, Provider):
    """All settings of an installation."""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("OMNIRACLE_OIDC_ISSUER and OMNIRACLE_OIDC_CLIENT_ID belong together: set both or none")
        if self.search_engine == "postgresql" and not self.resolved_database_url.startswith("postgresql"):
            needed = "a DATABASE_URL that begins with postgresql+psycopg://"
            raise ValueError(f"OMNIRACLE_SEARCH_ENGINE=postgresql needs {needed}")
        return self

    @property
    def resolved_database_url(self) -> str:
        """The address of the database, SQLite in the data folder by default."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'omniracle.db'}"

    @property
    def index_dir(self) -> Path:
        """Folder of the search index."""
        return self.data_dir / "index"

    @property
    def images_dir(self) -> Path:
        """Folder of the images that contributors have put in, where they are in one."""
        is_folder = self.images is not None and "://" not in self.images
        return Path(self.images or "") if is_folder else self.data_dir / "images"

    @property
    def social_dir(self) -> Path:
        """Folder of the pictures by which other sites show links; they are drawn again when it is deleted."""
        return self.data_dir / "social"

    @property
    def templates_dir(self) -> Path:
        """Folder of the translated templates; they are translated again when it is deleted."""
        return self.data_dir / "templates"

    @property
    def pages_dir(self) -> Path:
        """Folder of the pages that the workers share; they are made again when it is deleted."""
        return self.data_dir / "pages"

    @property
    def workers_file(self) -> Path:
        """File of the table in which the workers report."""
        return self.data_dir / "workers.table"

    @property
    def version_file(self) -> Path:
        """File of the number that every change of the content raises."""
        return self.data_dir / "content.version"

    @property
    def secret_file(self) -> Path:
        """File of the site's secret, where no setting has it."""
        return self.data_dir / "secret.key"

    @property
    def backup_file(self) -> Path:
        """File that says when the last backup was made."""
        return self.data_dir / "backup.json"

    @property
    def pid_file(self) -> Path:
        """File that names the server's parent process while it runs."""
        return self.data_dir / "server.pid"

    def signing_key(self) -> bytes:
        """Return the site's secret: the setting, else the one kept in the data folder, made when it is not there yet.

        Raises OperatorError when it can be neither read nor made, or is too short to be one.
        """
        if self.secret_key is not None:
            return self.secret_key.encode()
        file = self.secret_file
        try:
            if not file.exists():
                made = file.with_name(f"{file.name}.{os.getpid()}")
                made.touch(0o600)
                made.write_text(secrets.token_urlsafe(48), encoding="ascii")
                with contextlib.suppress(FileExistsError):  # another process was first: its secret counts
                    os.link(made, file)
                made.unlink()
            secret = file.read_bytes()
        except OSError as error:
            raise OperatorError(
                f"The secret in {file} cannot be used ({error.strerror}): change its owner or set OMNIRACLE_SECRET_KEY."
            ) from error
        if len(secret) < SHORTEST_SECRET:  # the disk was full when it was written, for example
            raise OperatorError(f"The secret in {file} is empty or cut off: delete the file, and a new one is made.")
        return secret

    def prepare_data_dir(self) -> None:
        """Make the data folder; raise OperatorError when it cannot be made or written to."""
        try:
            self.data_dir.mkdir(0o700, parents=True, exist_ok=True)  # it holds addresses and password hashes
            probe = self.data_dir / f".write-test-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise OperatorError(
                f"The data folder {self.data_dir} cannot be written to ({error.strerror}): "
                "change its owner or set OMNIRACLE_DATA_DIR to another folder."
            ) from error
