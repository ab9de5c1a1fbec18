"""Reading the settings, from the environment and `.env`: whatever is wrong is one line that says what to do."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from pydantic import ValidationError

from app.config import SECRETS, Settings
from app.errors import OperatorError

PREFIX = "OMNIRACLE_"
ENV_FILE = Path(".env")


@dataclass(frozen=True)
class Given:
    """The value of a setting, and where somebody has set it: in the environment, or in `.env`."""

    value: str
    source: str
    file: str | None = None  # that holds the value, for a secret set by NAME_FILE


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = ENV_FILE) -> Settings:
    """Return the settings of `environ` (default: the process's) over those of `env_file`.

    Raises OperatorError for a wrong value, and as `given_settings` does.
    """
    given = given_settings(environ, env_file)
    try:
        return Settings.model_validate({name: each.value for name, each in given.items()})
    except ValidationError as error:
        raise OperatorError("; ".join(_explain(problem, given) for problem in error.errors())) from error


def given_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = ENV_FILE) -> dict[str, Given]:
    """Return what somebody has set, by the name of the setting.

    Raises OperatorError for an unknown OMNIRACLE_* name or a file that cannot be read.
    """
    given: dict[str, Given] = {}
    if env_file is not None and env_file.is_file():
        try:
            found = dotenv_values(env_file)
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"{env_file} cannot be read: it must be readable and in UTF-8.") from error
        given.update({name: Given(value, env_file.name) for name, value in found.items() if value is not None})
    given.update({n: Given(v, "environment") for n, v in (os.environ if environ is None else environ).items()})
    known = {field.alias or name for name, field in Settings.model_fields.items()}
    _read_secret_files(given)
    _refuse_unknown(given, known)
    return {name: each for name, each in given.items() if name in known and each.value.strip()}


def _read_secret_files(given: dict[str, Given]) -> None:
    for name in SECRETS:
        file = given.pop(f"{name}_FILE", None)
        if file is None or not file.value:
            continue
        if name in given:
            raise OperatorError(f"Both {name} and {name}_FILE are set: keep one of them.")
        try:
            given[name] = Given(Path(file.value).read_text(encoding="utf-8").strip(), file.source, file.value)
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"{name}_FILE names a file that cannot be read: {file.value}.") from error


def _refuse_unknown(given: Mapping[str, Given], known: set[str]) -> None:
    for name in sorted(given):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else "see docs/configuration.md for all names."
            raise OperatorError(f"Unknown setting {name}: {hint}")


def _explain(problem: Mapping[str, object], given: Mapping[str, Given]) -> str:
    location = problem["loc"]
    reason = str(problem["msg"]).removeprefix("Value error, ")
    if not isinstance(location, tuple) or not location:  # about several settings, and named in the reason
        return f"{reason}."
    name = str(location[0])
    shown = "" if name in SECRETS else f" (it is {given[name].value!r})"
    return f"Setting {name} is not valid{shown}: {reason[:1].lower()}{reason[1:]}."
