"""No payload of the collection survives in an answer, wherever in Markdown it stands."""

import pytest

from app.content.rendering import render
from tests.hostile import dangers, payloads


def test_the_looker_sees_what_it_should():
    for bad in (
        "<script>1</script>", "<img src=x onerror=alert(1)>", '<a href="java\tscript:1">', "<iframe>", "<svg/onload=1>",
        "<p style=x>", '<a href="&#106;avascript:1">', '<base href="//x">', '<meta http-equiv="refresh">', "<math>",
        '<link rel="stylesheet" href="//evil/x.css">', '<object data="x">', '<a href=" data:text/html,x">',
    ):  # fmt: skip
        assert dangers(bad), bad
    assert dangers('<p id="a">x <a href="/a:b">y</a> <a href="mailto:a@b">z</a> <img src="/images/x.png"></p>') == []


@pytest.mark.parametrize("construct", ["{}", "[x]({})", '<a href="{}">x</a>'])
def test_no_payload_survives(construct):
    collection = payloads()
    assert len(collection) > 2000
    for payload in collection:
        found = dangers(render(construct.replace("{}", payload)).html)
        assert found == [], payload
