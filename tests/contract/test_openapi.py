"""The API's description says everything, and its examples are true."""

from typing import get_args

import pytest
from pydantic import BaseModel

from app.environment import load_settings
from app.services.searching import Way
from app.storage.articles import Sort
from app.web.application import create_app
from app.web.routes import api, api_contributions, api_library


@pytest.fixture(scope="module")
def description(tmp_path_factory):
    return create_app(load_settings({"OMNIRACLE_DATA_DIR": str(tmp_path_factory.mktemp("var"))})).openapi()


def operations(description):
    return [(method, path, told) for path, methods in description["paths"].items() for method, told in methods.items()]


def test_every_operation_is_described_with_its_parameters_and_errors(description):
    assert len(operations(description)) >= 10
    for method, path, told in operations(description):
        assert told["description"], path
        assert {"429", "503"} <= told["responses"].keys(), path
        for parameter in told.get("parameters", []):
            assert parameter.get("description"), (path, parameter["name"])
        for status, response in told["responses"].items():
            assert response["description"], (path, status)
            if int(status) >= 400:
                problem = response["content"]["application/problem+json"]["schema"]["$ref"]
                assert problem.rpartition("/")[2] in description["components"]["schemas"]
        assert ("security" in told) == (method in ("post", "put"))


def test_every_reference_leads_somewhere(description):
    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    components = description["components"]
    known = {f"#/components/{kind}/{name}" for kind in ("schemas", "headers") for name in components[kind]}
    assert set(references(description)) <= known


def test_what_comes_with_an_answer_is_described(description):
    for method, path, told in operations(description):
        for status, response in told["responses"].items():
            sent = response["headers"].keys()
            assert "X-Served-By" in sent
            assert ("Retry-After" in sent) == (status in ("429", "503")), path
            assert ("Location" in sent) == (status == "301" or (method != "get" and status in ("200", "201"))), path
        assert ("304" in told["responses"]) == (method == "get" and path.split("/")[3] not in ("search", "suggest"))
        assert ("301" in told["responses"]) == (method == "get" and "{slug}" in path)
        assert ({"413", "415"} <= told["responses"].keys()) == (method != "get")


def test_closed_sets_of_words_are_listed(description):
    schemas = description["components"]["schemas"]
    assert schemas["SearchHit"]["properties"]["matched"]["items"]["enum"] == list(get_args(Way))
    assert schemas["Section"]["enum"] == ["resources", "more"]
    assert schemas["ProposalState"]["enum"] == ["pending", "approved", "rejected", "withdrawn"]
    listed = {each["name"]: each["schema"] for each in description["paths"]["/api/v1/questions"]["get"]["parameters"]}
    assert listed["sort"]["enum"] == list(get_args(Sort))
    assert (listed["page"]["type"], listed["page"]["minimum"], listed["page"]["default"]) == ("integer", 1, 1)


def test_every_answer_and_body_has_an_example(description):
    schemas = description["components"]["schemas"]
    for _method, path, told in operations(description):
        bodies = [told["requestBody"]] if "requestBody" in told else []
        for response in [*bodies, *(part for status, part in told["responses"].items() if int(status) < 300)]:
            name = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert "example" in schemas[name], path


@pytest.mark.parametrize(
    "model",
    dict.fromkeys(  # in one order, for all processes of a run
        each
        for module in (api, api_library, api_contributions)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseModel) and "json_schema_extra" in each.model_config
    ),
    ids=lambda model: model.__name__,
)
def test_the_examples_are_what_the_models_say(model):
    example = model.model_config["json_schema_extra"]["example"]
    strict = model.model_validate(example)
    assert strict.model_dump(mode="json", exclude_unset=True) == example
