import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.sources import kind_of


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://github.com/Kludex/uvicorn/blob/main/uvicorn/supervisors/multiprocess.py", "code"),
        ("https://github.com/Kludex/uvicorn/issues/2000", "talk"),
        ("https://github.com/Kludex/uvicorn/discussions", "talk"),
        ("https://stackoverflow.com/questions/1", "talk"),
        ("https://unix.stackexchange.com/questions/1", "talk"),
        ("https://arxiv.org/abs/2106.09685", "paper"),
        ("https://doi.org/10.1/x", "paper"),
        ("https://example.org/study.PDF", "paper"),
        ("https://www.youtube.com/watch?v=1", "video"),
        ("https://docs.gunicorn.org/en/stable/design.html", "docs"),
        ("https://man7.org/linux/man-pages/man2/accept.2.html", "docs"),
        ("https://apscheduler.readthedocs.io/en/3.x/", "docs"),
        ("https://fastapi.tiangolo.com/zh/deployment/server-workers/", "docs"),
        ("https://www.postgresql.org/docs/current/", "docs"),
        ("https://eur-lex.europa.eu/eli/reg/2024/1689", "law"),
        ("https://blog.cloudflare.com/the-sad-state", "page"),
        ("https://notgithub.com/a", "page"),
        ("https://github.com/", "page"),
        ("http://[", "page"),
    ],
)
def test_the_address_tells_the_kind(url, kind):
    assert kind_of(url) == kind


@given(st.text(max_size=60))
def test_any_text_has_a_kind(text):
    assert kind_of(text) in ("code", "talk", "paper", "video", "docs", "law", "page")
