"""Front matter: the YAML or TOML block before a Markdown text."""

import re
import tomllib
from collections.abc import Hashable, Mapping
from typing import Any, Literal

import yaml

from app.errors import InvalidInput

MAX_DEPTH = 40
MAX_NODES = 50_000  # with every alias written out

_OPENING = re.compile(r"\ufeff?(?:[ \t]*\r?\n)*(---|\+\+\+)[ \t]*(?:\r\n|\n|\r|\Z)")
_CLOSING = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r\n|\n|\r|\Z)", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*(?:\r\n|\n|\r|\Z)", re.MULTILINE),
}
# tomllib needs quadratic time for a key of so many parts.
_LONG_KEY = re.compile(rf"(?<![^\s.=])(?:[^\s.=]+[ \t]*\.[ \t]*){{{MAX_DEPTH}}}")
_YAML_LIKE = re.compile(r"""^[ \t]*(?:["']?[^\s"':#][^:\n]*:(?:\s|$)|-\s|#|\{)""", re.MULTILINE)


class FrontMatterError(InvalidInput):
    """The block cannot be read; `line` counts from the block's first line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"line {line} of the front matter: {message}" if line else f"front matter: {message}")
        self.line = line


def split(source: str) -> tuple[str | None, str, Literal["yaml", "toml"] | None]:
    """Return the raw front matter, the body and the kind; without front matter (None, the text, None)."""
    opening = _OPENING.match(source)
    if opening is None:
        return None, source.removeprefix("\ufeff"), None
    fence = opening[1]
    closing = _CLOSING[fence].search(source, opening.end())
    if closing is None:
        return None, source.removeprefix("\ufeff"), None
    raw = source[opening.end() : closing.start()]
    if fence == "---" and raw.strip() and not _YAML_LIKE.search(raw):
        return None, source.removeprefix("\ufeff"), None  # text between two horizontal rules
    return raw, source[closing.end() :], "yaml" if fence == "---" else "toml"


def parse(raw: str, kind: Literal["yaml", "toml"]) -> Mapping[str, Any]:
    """Return the values of a front matter block; raise FrontMatterError when it is not a readable mapping."""
    return _parse_yaml(raw) if kind == "yaml" else _parse_toml(raw)


def dumped(value: Any, *, on_one_line: bool = False) -> str:
    """Return `value` as YAML that `parse` reads as the same."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10**6, default_flow_style=on_one_line
    )
    return text


def _parse_yaml(raw: str) -> Mapping[str, Any]:
    try:
        _refuse_bombs(raw)
        values = yaml.load(raw, Loader=_Loader)  # noqa: S506  a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FrontMatterError(error.problem or "not valid YAML", mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise FrontMatterError(f"not valid YAML ({str(error).splitlines()[0]})") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise FrontMatterError("must consist of lines `key: value`", 1)
    return {str(key): value for key, value in values.items()}


def _parse_toml(raw: str) -> Mapping[str, Any]:
    if found := _LONG_KEY.search(raw):
        raise FrontMatterError("is nested too deeply", raw.count("\n", 0, found.start()) + 1)
    try:
        return tomllib.loads(raw.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        raise FrontMatterError(str(error), int(where[1]) if where else None) from error
    except RecursionError as error:
        raise FrontMatterError("is nested too deeply") from error


def _refuse_bombs(raw: str) -> None:
    """Raise FrontMatterError for YAML that is nested too deeply, or grows huge once its aliases are written out."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(raw, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise FrontMatterError(f"the alias *{event.anchor} stands inside or before what it names", line)
            total += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = total - before
        elif isinstance(event, yaml.NodeEvent):
            total += 1
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, total - 1))
            elif event.anchor:
                sizes[event.anchor] = 1
        _refuse_size(len(open_nodes), total, line)


def _refuse_size(depth: int, nodes: int, line: int | None) -> None:
    if depth > MAX_DEPTH:
        raise FrontMatterError("is nested too deeply", line)
    if nodes > MAX_NODES:
        raise FrontMatterError("is too large", line)


class _Loader(yaml.CSafeLoader):
    """Safe YAML with the scalars of YAML 1.2: yes, no, on, off and 12:30 are strings; dates stay dates."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  as PyYAML types it


class _Dumper(yaml.SafeDumper):
    """Puts in quotes every string that YAML 1.1 or 1.2 would read as something else."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    loader.flatten_mapping(node)
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _construct_timestamp(loader: _Loader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except (ValueError, AttributeError):  # 2026-02-30; an offset that PyYAML does not know
        return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _construct_timestamp)
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN"),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?)$", "-+.0123456789"),
    (
        "timestamp",
        (
            r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
            r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?$"
        ),
        "0123456789",
    ),
    ("merge", r"^<<$", "<"),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])
