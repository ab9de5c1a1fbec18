"""The live block in answers, the pages about workers, and experiments as far as one process can show them."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.content.rendering import render
from app.models import Role
from app.web.application import create_app
from tests.servers import free_port
from tests.web.test_contributing import edit_fields, fields

BLOCK = "Before.\n\n```live workers\n```\n\nAfter.\n"


def test_a_live_block_is_a_mark_in_the_kept_rendering():
    rendered = render(BLOCK)
    assert rendered.html == '<p>Before.</p>\n<div class="live-workers"></div>\n<p>After.</p>'
    assert "live" not in rendered.text


@pytest.mark.parametrize(
    "fence", ["```live  workers\nwhatever\n```", "~~~ live workers\n~~~", "> ```live workers\n> ```"]
)
def test_it_may_be_written_in_other_ways(fence):
    assert '<div class="live-workers"></div>' in render(fence).html


@pytest.mark.parametrize(
    "fence", ["```live\n```", "```live things\n```", "```workers\n```", "    ```live workers\n    ```"]
)
def test_everything_else_is_code(fence):
    assert "live-workers" not in render(fence).html


def publish(rob, body):
    return rob.post("/contribute", data=fields(body=body)).headers["Location"]


def test_the_page_shows_a_panel_that_leads_back(client, signed_in):
    path = publish(signed_in(Role.REVIEWER), BLOCK + BLOCK)
    page = client.get(path).text
    assert page.count('action="/-/experiments"') == 1  # once is enough
    assert f'name="next" value="{path}"' in page
    assert 'value="blocked"' not in page
    assert 'value="blocked"' in signed_in(Role.ADMIN).get(path).text
    chinese = client.get(path, headers={"Accept-Language": "zh-CN"}).text
    assert "问问这台服务器" in chinese
    assert "```live workers" in client.get(f"{path}.md").text


def test_authors_cannot_bring_a_form_of_their_own(client, signed_in):
    evil = '<div class="live-workers"><form action="https://evil.example"><button>Go</button></form></div>\n\nText.'
    page = client.get(publish(signed_in(Role.REVIEWER), evil)).text
    assert "evil.example" not in page


def test_the_preview_has_no_form_within_the_editors(signed_in):
    ann = signed_in(Role.CONTRIBUTOR)
    page = ann.post("/contribute", data=fields(body=BLOCK, action="preview")).text
    assert "The buttons are not shown in the preview" in page
    assert 'action="/-/experiments"' not in page
    assert 'action="/-/experiments"' not in ann.post("/contribute/preview", data=fields(body=BLOCK)).text


def test_proposals_and_revisions_show_it_too(signed_in):
    rob = signed_in(Role.REVIEWER)
    path = publish(rob, BLOCK)
    assert 'action="/-/experiments"' in rob.get(f"{path}/revisions/1").text
    form = edit_fields(signed_in(Role.CONTRIBUTOR).get(f"{path}/edit").text, body=BLOCK + "More.")
    proposal = signed_in(Role.CONTRIBUTOR).post(f"{path}/edit", data=form).headers["Location"]
    assert 'action="/-/experiments"' in rob.get(proposal).text


def test_the_page_of_workers_has_charts_and_figures(client):
    client.app.state.omniracle.table.beat(2.0)
    page = client.get("/-/workers")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.text.count("<polyline") == 4
    assert re.search(r'points="[\d., ]+"', page.text)
    for part in ("cards", "badge"):
        answer = client.get(f"/-/workers/{part}")
        assert answer.headers["Connection"] == "close"
        assert "<html" not in answer.text


def test_every_page_carries_the_badge_of_who_sent_it(client):
    for path in ("/", "/questions", "/none", "/-/workers", "/sign-in"):
        page = client.get(path)
        assert f"<b>PID {page.headers['X-Served-By']}</b>" in page.text


def test_without_a_server_the_site_cannot_ask_itself_and_says_so(client):
    client.base_url = f"http://127.0.0.1:{free_port()}"  # where nobody listens
    answer = client.post("/-/experiments", json={"mode": "new", "requests": 5})
    assert answer.status_code == 503
    assert "See the log for the reason" in answer.json()["detail"]
    page = client.post("/-/experiments", data={"choice": "new"}, headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "<html" in page.text
    assert client.get("/-/experiments/1").status_code == 404


def test_another_site_cannot_start_an_experiment(client):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/-/experiments", data={"choice": "new"}, headers=headers).status_code == 403


def test_switched_off_there_is_no_button(library, signed_in):
    settings = library.settings.model_copy(update={"experiments": "operators"})
    with TestClient(create_app(settings)) as client:
        assert "Only the site's administrators" in client.get("/-/workers").text
    path = publish(signed_in(Role.REVIEWER), BLOCK)
    with TestClient(create_app(library.settings.model_copy(update={"experiments": "off"}))) as client:
        assert 'action="/-/experiments"' not in client.get(path).text


def test_metrics_are_what_prometheus_reads(client):
    client.get("/questions/bread")
    client.get("/questions/none")
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=1.0.0; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    statuses = {
        sample.labels["status"]: sample.value
        for sample in families["omniracle_responses"].samples
        if sample.labels["route"] == "/questions/{slug}"
    }
    assert statuses == {"2xx": 1, "4xx": 1}
    durations = families["omniracle_request_duration_seconds"].samples
    assert [s.value for s in durations if s.name.endswith("_count") and s.labels["route"] == "/questions/{slug}"] == [2]
    assert families["omniracle_articles"].samples[0].value == 5
    assert families["omniracle_database_up"].samples[0].value == families["omniracle_index_up"].samples[0].value == 1
    assert families["omniracle_index_jobs"].samples[0].value == 0
    assert families["omniracle_worker_resident_bytes"].samples[0].value > 10_000_000
