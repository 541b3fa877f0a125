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
        yield next(iter(operation["requestBody"]["content"].values()))["schema"], case.body


def is_positive(case):
    """Whether a case is meant to be valid."""
    return case.meta is None or case.meta.generation.mode.is_positive


@schemathesis.hook
def filter_case(context, case):
    """Drops what is meant to be valid and exceeds a limit that JSON Schema can't express."""
    return not is_positive(case) or all(is_within(schema, value) for schema, value in sent(case))


def undocumented(schema, value, place="the answer"):
    """Where a value has fields that its schema doesn't name. An object that names none takes any."""
    schema = resolved(schema)
    if "anyOf" in schema and isinstance(value, dict):
        # The form with the fewest: an answer has one of them.
        yield from min((list(undocumented(part, value, place)) for part in schema["anyOf"]), key=len)
        return
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


def send(path, token, body):
    """What the vault answers to a call that must succeed."""
    answer = requests.post(f"{VAULT}{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def granted():
    """The service that the grant token opens, with a credential that is there, whatever was deleted since."""
    send("/v1/vault/credentials", WORLD["apiKeys"][0], WORLD["credential"])
    return WORLD["credential"]["service"]


def reference():
    """A reference to that credential."""
    body = {"service": granted(), "delivery": "reference"}
    return send("/v1/vault/credentials/exchange", WORLD["grantToken"], body)["credentialRef"]


def fill_in(case):
    """Puts in what only the vault and the issuer can make: references, and a grant token with what it permits.

    OAuth has one status for a request that can't be and for a token, target or scope that is refused, so
    that a token request which is to be accepted has to be granted, too.
    """
    if not is_positive(case) or not isinstance(case.body, dict):
        return
    if "credentialRef" in case.body:
        case.body["credentialRef"] = reference()
    if "subject_token" in case.body:
        case.body.update(subject_token=WORLD["grantToken"], audience=granted())
        case.body.pop("resource", None)
        case.body.pop("scope", None)


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
    """Turns a call that would end an identity of the tests against a spare one, and fills in secrets."""
    fill_in(case)
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
