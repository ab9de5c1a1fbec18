"""Whatever is sent to the API, the answer is one that its description names (schemathesis, MIT)."""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks
from starlette.testclient import TestClient

from app.models import Role, Scope
from app.services import accounts
from app.web.application import create_app

# Schemathesis asks `random` now and then while it makes an example; Hypothesis thinks that examples may differ then.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)

EXAMPLES = 20  # of each operation, kind and reader
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OPERATIONS = (
    "GET /api/v1/search", "GET /api/v1/suggest", "GET /api/v1/questions", "POST /api/v1/questions",
    "GET /api/v1/questions/{slug}", "PUT /api/v1/questions/{slug}", "GET /api/v1/tags",
    "GET /api/v1/questions/{slug}/revisions", "GET /api/v1/questions/{slug}/revisions/{number}", "GET /api/v1/wanted",
)  # fmt: skip
# Where nothing can be wrong but the address: any text is a slug.
NEVER_WRONG = ("GET /api/v1/questions/{slug}",)
SLUGS = ("workers-zh", "old-workers", "bread")


@pytest.fixture(scope="module")
def site(common_library):
    """The application, its description, and an administrator's token."""
    library = common_library
    with library.database.write() as session:
        ada = accounts.add(session, email="ada@example.org", name="Ada", password_hash="", role=Role.ADMIN)
    token = accounts.create_token(library.database, ada, "tests", Scope.WRITE, "tests")
    app = create_app(library.settings.model_copy(update={"api_reads": 0, "contributions": 0}))
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as client:
        yield client, schemathesis.openapi.from_dict(client.get("/api/v1/openapi.json").json()), token


def test_each_operation_is_tried(site):
    assert {found.ok().label for found in site[1].get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize("is_signed_in", [False, True], ids=["anonymous", "token"])
@pytest.mark.parametrize("kind", list(schemathesis.GenerationMode), ids=lambda kind: kind.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_those_of_the_description(site, label, kind, is_signed_in):
    if kind == schemathesis.GenerationMode.NEGATIVE and label in NEVER_WRONG:
        pytest.skip("there is no wrong way to ask for it")
    client, schema, token = site
    operation = next(found.ok() for found in schema.get_all_operations() if found.ok().label == label)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=kind), slug=st.sampled_from((None, *SLUGS)))
    def check(case, slug):
        if slug and "slug" in case.path_parameters:
            case.path_parameters["slug"] = slug
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
        headers = dict(sent.headers)
        if is_signed_in:
            headers["Authorization"] = f"Bearer {token}"
        else:
            headers.pop("Authorization", None)
        response = client.request(sent.method, sent.url, headers=headers, content=sent.body)
        case.validate_response(response, checks=CHECKS)

    check()
