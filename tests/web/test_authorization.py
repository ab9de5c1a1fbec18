"""Who may come where: every route of the running application, for everybody. Nothing is let in that is not here.

`+` is let in, whatever the answer then says; `-` is asked to sign in when nobody is known, and refused otherwise.
Tokens: c and C are a contributor's, to read and to write; a and A an administrator's. None may do what its owner may
not, and none may act for them but where programs are expected.
"""

import pytest

from app.models import Role, Scope
from app.services import accounts
from tests.web.surface import address, surface

WHO = (None, Role.READER, Role.CONTRIBUTOR, Role.REVIEWER, Role.ADMIN, "c", "C", "a", "A")

#  reader ┐┌ contributor
# nobody ┐││┌ reviewer
#        │││││┌ administrator
#        │││││  tokens: c C a A
TABLE = """
         +++++ ++++  GET     /
         +++++ ++++  POST    /-/experiments
         +++++ ++++  GET     /-/experiments/{experiment_id}
         +++++ ++++  POST    /-/pause
         +++++ ++++  POST    /-/preferences
         ----+ ----  GET     /-/status
         +++++ ++++  GET     /-/worker
         +++++ ++++  GET     /-/workers
         +++++ ++++  GET     /-/workers.json
         +++++ ++++  GET     /-/workers/badge
         +++++ ++++  GET     /-/workers/cards
         +++++ ++++  GET     /about
         -++++ ----  GET     /account
         --+++ ----  GET     /account/contributions
         -++++ ----  POST    /account/identities/{identity_id}/removal
         -++++ ----  POST    /account/name
         -++++ ----  POST    /account/password
         -++++ ----  GET     /account/second-factor
         -++++ ----  POST    /account/second-factor
         -++++ ----  POST    /account/second-factor/removal
         -++++ ----  POST    /account/sessions/revocation
         -++++ ----  POST    /account/sessions/{session_id}/revocation
         -++++ ----  POST    /account/tokens
         -++++ ----  POST    /account/tokens/{token_id}/revocation
         ----+ ----  GET     /admin/accounts
         ----+ ----  POST    /admin/accounts/{account_id}/role
         ----+ ----  GET     /admin/audit
         ----+ ----  GET     /admin/welcome
         +++++ ++++  GET     /api/v1/docs
         +++++ ++++  GET     /api/v1/openapi.json
         +++++ ++++  GET     /api/v1/questions
         --+++ -+-+  POST    /api/v1/questions
         +++++ ++++  GET     /api/v1/questions/{slug}
         --+++ -+-+  PUT     /api/v1/questions/{slug}
         +++++ ++++  GET     /api/v1/questions/{slug}/revisions
         +++++ ++++  GET     /api/v1/questions/{slug}/revisions/{number}
         +++++ ++++  GET     /api/v1/search
         +++++ ++++  GET     /api/v1/suggest
         +++++ ++++  GET     /api/v1/tags
         +++++ ++++  GET     /api/v1/wanted
         --+++ ----  GET     /contribute
         --+++ ----  POST    /contribute
         --+++ ----  POST    /contribute/link
         --+++ ----  POST    /contribute/preview
         --+++ ----  GET     /drafts/{name}
         --+++ ----  POST    /drafts/{name}/removal
         --+++ ----  POST    /drafts/{target}
         +++++ ++++  GET     /favicon.ico
         +++++ ++++  GET     /feed.atom
         +++++ ++++  GET     /first-admin/{key}
         +++++ ++++  POST    /first-admin/{key}
         --+++ ----  GET     /images/new
         --+++ ----  POST    /images/new
         +++++ ++++  GET     /images/{name}
         +++++ ++++  GET     /livez
         +++++ ++++  GET     /llms.txt
         +++++ ++++  DELETE  /mcp
         +++++ ++++  GET     /mcp
         +++++ ++++  OPTIONS /mcp
         +++++ ++++  PATCH   /mcp
         +++++ ++++  POST    /mcp
         +++++ ++++  PUT     /mcp
         +++++ ++++  GET     /metrics
         +++++ ++++  GET     /opensearch.xml
         --+++ ----  GET     /proposals/{proposal_id}
         ---++ ----  POST    /proposals/{proposal_id}/approval
         --+++ ----  GET     /proposals/{proposal_id}/edit
         --+++ ----  POST    /proposals/{proposal_id}/edit
         ---++ ----  POST    /proposals/{proposal_id}/rejection
         --+++ ----  POST    /proposals/{proposal_id}/withdrawal
         +++++ ++++  GET     /questions
         +++++ ++++  GET     /questions/{slug}
         +++++ ++++  GET     /questions/{slug}.json
         +++++ ++++  GET     /questions/{slug}.md
         +++++ ++++  GET     /questions/{slug}/compare
         --+++ ----  POST    /questions/{slug}/conflict
         ---++ ----  POST    /questions/{slug}/deletion
         --+++ ----  GET     /questions/{slug}/edit
         --+++ ----  POST    /questions/{slug}/edit
         +++++ ++++  POST    /questions/{slug}/feedback
         +++++ ++++  GET     /questions/{slug}/history
         +++++ ++++  GET     /questions/{slug}/history.atom
         ----+ ----  POST    /questions/{slug}/restoration
         +++++ ++++  GET     /questions/{slug}/revisions/{number}
         --+++ ----  POST    /questions/{slug}/revisions/{number}/reversion
         +++++ ++++  GET     /questions/{slug}/social.png
         +++++ ++++  GET     /readyz
         ---++ ----  GET     /review
         ---++ ----  GET     /review/feedback
         ---++ ----  POST    /review/feedback/{feedback_id}/handling
         ---++ ----  GET     /review/links
         ---++ ----  GET     /review/stale
         +++++ ++++  GET     /robots.txt
         +++++ ++++  GET     /search
         +++++ ++++  GET     /sign-in
         +++++ ++++  POST    /sign-in
         +++++ ++++  POST    /sign-in/code
         +++++ ++++  GET     /sign-in/openid
         +++++ ++++  GET     /sign-in/openid/callback
         +++++ ++++  GET     /sign-in/openid/connection
         +++++ ++++  POST    /sign-in/openid/connection
         +++++ ++++  POST    /sign-out
         +++++ ++++  GET     /sign-up
         +++++ ++++  POST    /sign-up
         +++++ ++++  GET     /sitemap-{number}.xml
         +++++ ++++  GET     /sitemap.xml
         +++++ ++++  GET     /social.png
         +++++ ++++  GET     /static/{version}/{name:path}
         +++++ ++++  GET     /suggest.json
         +++++ ++++  GET     /tags
         +++++ ++++  GET     /tags/{name}
         +++++ ++++  GET     /tags/{name}/feed.atom
         +++++ ++++  GET     /wanted
         +++++ ++++  POST    /wanted
         +++++ ++++  GET     /wanted/feed.atom
"""
ROWS = [(method, path, roles + tokens) for roles, tokens, method, path in map(str.split, TABLE.split("\n")[1:-1])]


@pytest.fixture
def everybody(client, signed_in, people, library):
    """A client for each column of the table, and a way to make one anew."""

    def make(who):
        if who is None or isinstance(who, Role):
            return signed_in(who)
        owner = people[{"c": Role.CONTRIBUTOR, "a": Role.ADMIN}[who.lower()]]
        scope = Scope.READ if who.islower() else Scope.WRITE
        made = signed_in(None)
        made.headers["Authorization"] = "Bearer " + accounts.create_token(library.database, owner, who, scope, by="t")
        return made

    return make


def is_let_in(answer, who):
    asked_to_sign_in = answer.status_code == 401 or answer.headers.get("Location", "").startswith("/sign-in?")
    assert not asked_to_sign_in or who is None
    return not asked_to_sign_in and answer.status_code != 403


def test_every_route_is_in_the_table_and_nothing_else(client):
    assert [(method, path) for method, path, _ in ROWS] == surface(client.app)


@pytest.mark.parametrize("who", WHO)
def test_who_may_come_where(everybody, who):
    client, column = everybody(who), WHO.index(who)
    client.headers["Accept"] = "text/html" if who is None else "application/json"  # their errors are made faster
    for method, path, marks in ROWS:
        asked = address(path, slug="999999")
        answer = client.request(method, asked)
        assert answer.status_code < 500, (method, path)
        assert is_let_in(answer, who) == (marks[column] == "+"), (method, path, answer.status_code)
        if method == "GET" and who is None:
            assert client.head(asked).status_code == answer.status_code, path
        if path == "/sign-out":
            client.headers = everybody(who).headers


def test_only_who_runs_the_site_may_make_it_stand_still(everybody):
    for who in WHO:
        if who != Role.ADMIN:
            answer = everybody(who).post("/-/experiments", data={"choice": "blocked"})
            assert answer.status_code == (403 if isinstance(who, Role) else 401), who


def test_a_program_sees_what_everybody_sees(everybody):
    page = everybody("A").get("/questions/bread").text
    assert "Ada" not in page
    assert 'href="/sign-in' in page


def test_what_is_somebodys_own_is_nobody_elses(client, signed_in, people, library, password_hash):
    with library.database.write() as session:
        other = accounts.add(
            session, email="bob@example.org", name="Bob", password_hash=password_hash, role=Role.CONTRIBUTOR
        )
    people["other"] = other
    ann, bob = signed_in(Role.CONTRIBUTOR), signed_in("other")
    sent = ann.post("/contribute", data={"title": "Secret plan", "body": "Secret.", "lang": "en", "tags": "x"})
    proposal = int(sent.headers["Location"].removeprefix("/proposals/"))
    ann.post("/drafts/new", data={"title": "Secret draft", "body": "x"})
    accounts.create_token(library.database, people[Role.CONTRIBUTOR], "hers", Scope.READ, by="t")
    for path in ("", "/edit"):
        assert bob.get(f"/proposals/{proposal}{path}").status_code == 403
        assert "Secret" in ann.get(f"/proposals/{proposal}{path}").text
    assert bob.post(f"/proposals/{proposal}/edit", data={"title": "x", "body": "y"}).status_code == 403
    assert bob.post(f"/proposals/{proposal}/withdrawal").status_code in (403, 404)
    for each in (bob, signed_in(Role.ADMIN)):
        assert each.get("/drafts/new").status_code == 404
        assert "Secret draft" not in each.get("/account/contributions").text
        for number in range(1, 5):
            assert each.post(f"/account/tokens/{number}/revocation").status_code == 404
    assert ann.get("/drafts/new").status_code == 200
    assert ">hers" in ann.get("/account").text
    assert ann.get(f"/proposals/{proposal}").status_code == 200
    assert ann.post(f"/proposals/{proposal}/withdrawal").status_code == 303
