"""Front matter: YAML 1.2 scalars, TOML, and no bombs."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.content.front_matter import FrontMatterError, parse, split


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("---\na: 1\n---\nb", ("a: 1\n", "b", "yaml")),
        ("\ufeff\n---\r\na: 1\r\n---\r\nb", ("a: 1\r\n", "b", "yaml")),
        ("+++\na = 1\n+++\nb", ("a = 1\n", "b", "toml")),
        ("---\na: 1\n...\nb", ("a: 1\n", "b", "yaml")),
        ("---\n---\nb", ("", "b", "yaml")),
        ("---\na: 1\n---", ("a: 1\n", "", "yaml")),
        ("---\na: 1\n", (None, "---\na: 1\n", None)),
        ("---\n\nJust text.\n\n---\nb", (None, "---\n\nJust text.\n\n---\nb", None)),
        ("b\n---\na: 1\n---\n", (None, "b\n---\na: 1\n---\n", None)),
        ("", (None, "", None)),
    ],
)
def test_split(source, expected):
    assert split(source) == expected


def test_yaml_scalars_are_those_of_yaml_1_2():
    values = parse("a: yes\nb: 12:30\nc: 010\nd: 2026-11-23\ne: true\nf: ~\ng: 1.5\nh: 2026-02-30\n", "yaml")
    assert values == {
        "a": "yes", "b": "12:30", "c": "010", "d": dt.date(2026, 11, 23), "e": True, "f": None, "g": 1.5,
        "h": "2026-02-30",
    }  # fmt: skip


@pytest.mark.parametrize(
    "moment", ["2018-01-02 10:00:00 +0800", "2018-01-02T10:00:00Z", "2018-1-2 1:00:00", "2018-01-02"]
)
def test_any_time_is_a_value(moment):
    assert str(parse(f"a: {moment}", "yaml")["a"]).startswith("2018-")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcde", "bcdef", strict=True)
)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("a: 1\na: 2", "line 2 of the front matter: the key 'a' stands twice"),
        ("a: [", "line"),
        ("a: b: c", "line 1 of the front matter"),
        ("- a", "must consist of lines"),
        ("&a [*a]", "inside or before"),
        ("? [x]\n: y", "a key must be a word"),
        ("[" * 60 + "]" * 60, "nested too deeply"),
        (BOMB, "too large"),
        ("a: !!python/object:os.system x", "line 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_its_line(raw, message):
    with pytest.raises(FrontMatterError, match=r".") as caught:
        parse(raw, "yaml")
    assert message in str(caught.value)


def test_toml():
    assert parse('a = "b"\r\nc = [1]\r\n', "toml") == {"a": "b", "c": [1]}
    with pytest.raises(FrontMatterError) as caught:
        parse("a = 1\nb = \nc = 2", "toml")
    assert caught.value.line == 2


@pytest.mark.timeout(15)
@pytest.mark.parametrize("raw", ["a = 1\n" + "a." * 50_000 + "b = 1", "a = 1\nb = {" + "a . " * 50_000 + "b = 1}"])
def test_a_key_of_toml_has_an_end(raw):
    with pytest.raises(FrontMatterError, match="line 2 of the front matter: is nested too deeply"):
        parse(raw, "toml")


PIECES = [*"ab:-[]{}&*!|>'\"%@`#?,. \n\t1~=<", "---\n", "+++\n", "\r\n", "\ufeff", "中", "2026-01-01"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_splitting_loses_nothing_and_parsing_raises_nothing_else(source):
    head, body, kind = split(source)
    assert source.endswith(body)
    if head is None:
        assert body == source.removeprefix("\ufeff")
        return
    assert head in source
    try:
        assert isinstance(parse(head, kind), dict)
    except FrontMatterError as error:
        assert str(error)  # noqa: PT017
