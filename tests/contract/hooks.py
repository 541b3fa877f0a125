"""What schemathesis can't know by itself: the limits that JSON Schema has no words for, that an answer says
nothing which the contract doesn't, and which identities must outlive the calls that end identities."""

import atexit
import json
import os
from pathlib import Path

import requests
import schemathesis
from schemathesis.wfc.escalation import restore_identity_assignments

WORLD = json.loads(Path(os.environ["CONTRACT_WORLD"]).read_text())
VAULT = WORLD["url"]
CONTRACT = requests.get(f"{VAULT}/openapi.json", timeout=30).json()


def resolved(part):
    """A part of the contract with its `$ref` followed; what stands beside a `$ref` counts too."""
    while "$ref" in part:
        target = CONTRACT
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        beside = {name: value for name, value in part.items() if name != "$ref"}
        part = {**target, **beside}
        if "properties" in beside:
            part["properties"] = {**target.get("properties", {}), **beside["properties"]}
    return part


def depth(value):
    """Levels of JSON, the outermost being the first."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def is_within(schema, value):
    """Whether a value keeps to the `x-maxBytes` and `x-maxDepth` of its schema and of what is in it."""
    schema = resolved(schema)
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text.encode()) > schema.get("x-maxBytes", len(text.encode())):
        return False
    if depth(value) > schema.get("x-maxDepth", depth(value)):
        return False
    fields = schema.get("properties", {}) if isinstance(value, dict) else {}
    return all(is_within(field, value[name]) for name, field in fields.items() if name in value) and all(
        is_within(part, value) for part in schema.get("anyOf", [])
    )


def sent(case):
    """The schema and value of everything that a case sends."""
    item = CONTRACT["paths"][case.operation.path]
    operation = item[case.operation.method.lower()]
    for parameter in map(resolved, item.get("parameters", []) + operation.get("parameters", [])):
        values = {"path": case.path_parameters, "query": case.query, "header": case.headers}[parameter["in"]] or {}
        if parameter["name"] in values:
            yield parameter["schema"], values[parameter["name"]]
    if "requestBody" in operation and isinstance(case.body, dict):
        yield operation["requestBody"]["content"]["application/json"]["schema"], case.body


@schemathesis.hook
def filter_case(context, case):
    """Drops what is meant to be valid and exceeds a limit that JSON Schema can't express."""
    is_positive = case.meta is None or case.meta.generation.mode.is_positive
    return not is_positive or all(is_within(schema, value) for schema, value in sent(case))


def undocumented(schema, value, place="the answer"):
    """Where a value has fields that its schema doesn't name. An object that names none takes any."""
    schema = resolved(schema)
    if isinstance(value, list):
        for item in value:
            yield from undocumented(schema.get("items", {}), item, f"{place}[]")
    elif isinstance(value, dict):
        fields = schema.get("properties", {})
        yield from (f"{place}.{name}" for name in value if fields and name not in fields)
        for name in fields.keys() & value.keys():
            yield from undocumented(fields[name], value[name], f"{place}.{name}")


@schemathesis.check
def documented_fields_only(ctx, response, case):
    """Fails for an answer that says more than the contract does."""
    operation = CONTRACT["paths"][case.operation.path][case.operation.method.lower()]
    answer = resolved(operation["responses"].get(str(response.status_code), {}))
    if case.operation.path == "/openapi.json" or "content" not in answer or not response.content:
        return
    extra = list(undocumented(answer["content"]["application/json"]["schema"], response.json()))
    assert not extra, f"the contract has no {', '.join(extra)}"


def spare():
    """A developer to lose, in place of one that the tests stand on."""
    answer = requests.post(f"{VAULT}/v1/signup", json={"name": "Spare"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


KEYS = {f"Bearer {key}" for key in WORLD["apiKeys"]}
SUCCEEDED = set()


@schemathesis.hook
def before_init_operation(context, operation):
    """Says which identity an operation is for, lest schemathesis spend its tries on finding out."""
    security = CONTRACT["paths"][operation.path][operation.method.lower()]["security"]
    identity = {"apiKey": "developer", "grantToken": "agent", "adminKey": "operator"}
    for scheme in security[:1]:
        restore_identity_assignments(operation.schema, {operation.label: identity[next(iter(scheme))]})


@schemathesis.hook
def before_call(context, case, kwargs):
    """Turns a call that would end an identity of the tests against a spare one."""
    if case.operation.label == "POST /v1/keys/rotate" and case.headers.get("Authorization") in KEYS:
        case.headers["Authorization"] = f"Bearer {spare()['apiKey']}"
    parameters = case.path_parameters or {}
    if case.method == "DELETE" and parameters.get("developerId") in WORLD["developerIds"]:
        case.path_parameters["developerId"] = spare()["developerId"]


@schemathesis.hook
def after_call(context, case, response):
    """Notes which operations have succeeded."""
    if response.status_code < 300:
        SUCCEEDED.add(case.operation.label)


atexit.register(lambda: Path(WORLD["succeeded"]).write_text(json.dumps(sorted(SUCCEEDED))))
