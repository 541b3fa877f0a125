"""Proves that the published Python SDK, grantex 0.7.2, works against this vault unmodified.

The five examples of the SDK's vault page, as they are written there but for the base URL, the keys
and the token; then the errors that the SDK raises, revocation, sign-up and a new API key. run.mjs
starts the vault and sets the environment.
"""

import contextlib
import io
import os
import re
import textwrap
import unittest

import grantex
from grantex import (
    ExchangeCredentialParams,
    Grantex,
    GrantexApiError,
    GrantexAuthError,
    ListVaultCredentialsParams,
    SignupParams,
    StoreCredentialParams,
)

BASE_URL = os.environ["VAULT_URL"]
API_KEY = os.environ["VAULT_API_KEY"]
GRANT_TOKEN = os.environ["VAULT_GRANT_TOKEN"]
CREDENTIAL_ID = r"vault_[0-9A-HJKMNP-TV-Z]{26}"
TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
REQUEST_ID = r"req_[0-9A-HJKMNP-TV-Z]{26}"


def client(api_key: str = API_KEY) -> Grantex:
    return Grantex(api_key=api_key, base_url=BASE_URL)


def run(example: str, **replaced: str) -> str:
    """Runs an example of the page and returns what it prints.

    The client gets this vault's address beside the key, and what `replaced` names is put in place
    of the page's values.
    """
    example = textwrap.dedent(example).replace('Grantex(api_key="gx_live_...")', "Grantex(api_key=API_KEY, base_url=BASE_URL)")
    for name, value in {"eyJhbGciOiJSUzI1NiIs...": GRANT_TOKEN, **replaced}.items():
        example = example.replace(name, value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {"API_KEY": API_KEY, "BASE_URL": BASE_URL})
    return printed.getvalue()


STORE = """
    from grantex import Grantex, StoreCredentialParams

    with Grantex(api_key="gx_live_...") as client:
        result = client.vault.store(StoreCredentialParams(
            principal_id="user_abc123",
            service="github",
            access_token="gho_xxxxxxxxxxxx",
            credential_type="oauth2",
            refresh_token="ghr_xxxxxxxxxxxx",
            token_expires_at="2026-04-10T00:00:00Z",
            metadata={"scope": "repo,user"},
        ))

        print(f"Credential ID: {result.id}")
        print(f"Service: {result.service}")
        print(f"Created: {result.created_at}")
"""

LIST = """
    from grantex import Grantex, ListVaultCredentialsParams

    with Grantex(api_key="gx_live_...") as client:
        result = client.vault.list(ListVaultCredentialsParams(
            principal_id="user_abc123",
            service="github",
        ))

        for cred in result.credentials:
            print(f"{cred.service} ({cred.credential_type}) - expires {cred.token_expires_at}")
"""

GET = """
    from grantex import Grantex

    with Grantex(api_key="gx_live_...") as client:
        cred = client.vault.get("cred_01HXYZ...")

        print(f"Service: {cred.service}")
        print(f"Type: {cred.credential_type}")
        print(f"Expires: {cred.token_expires_at}")
"""

DELETE = """
    from grantex import Grantex

    with Grantex(api_key="gx_live_...") as client:
        client.vault.delete("cred_01HXYZ...")
"""

EXCHANGE = """
    from grantex import Grantex, ExchangeCredentialParams

    with Grantex(api_key="gx_live_...") as client:
        result = client.vault.exchange(
            grant_token="eyJhbGciOiJSUzI1NiIs...",
            params=ExchangeCredentialParams(service="github"),
        )

        print(f"Access token: {result.access_token}")
        print(f"Service: {result.service}")
        print(f"Expires: {result.token_expires_at}")
"""


class Examples(unittest.TestCase):
    """The five examples of the page, in one go: store, list, get, exchange, delete."""

    def test_they_print_what_the_page_promises(self) -> None:
        stored = run(STORE)
        self.assertRegex(stored, rf"^Credential ID: {CREDENTIAL_ID}\nService: github\nCreated: {TIMESTAMP}\n$")
        credential_id = re.search(CREDENTIAL_ID, stored)[0]
        self.assertEqual(run(LIST), "github (oauth2) - expires 2026-04-10T00:00:00.000Z\n")
        got = run(GET, **{"cred_01HXYZ...": credential_id})
        self.assertEqual(got, "Service: github\nType: oauth2\nExpires: 2026-04-10T00:00:00.000Z\n")
        exchanged = run(EXCHANGE)
        self.assertEqual(exchanged, "Access token: gho_xxxxxxxxxxxx\nService: github\nExpires: 2026-04-10T00:00:00.000Z\n")
        self.assertEqual(run(DELETE, **{"cred_01HXYZ...": credential_id}), "")
        self.assertEqual(run(LIST), "")


class Vault(unittest.TestCase):
    """What the examples leave out."""

    def setUp(self) -> None:
        self.client = client()
        self.addCleanup(self.client.close)

    def store(self, **fields: object) -> grantex.StoreCredentialResponse:
        params = {"principal_id": "user_abc123", "service": "github", "access_token": "gho_stored", **fields}
        return self.client.vault.store(StoreCredentialParams(**params))

    def test_every_field_of_every_answer_has_its_type(self) -> None:
        metadata = {"scope": "repo,user", "nested": {"list": [1, 2.5, None, True, "ü☃"]}}
        stored = self.store(principal_id="user with space", metadata=metadata)
        self.assertEqual((stored.principal_id, stored.service, stored.credential_type), ("user with space", "github", "oauth2"))
        got = self.client.vault.get(stored.id)
        self.assertEqual(got.metadata, metadata)
        self.assertIsNone(got.token_expires_at)
        self.assertEqual((got.id, got.created_at), (stored.id, stored.created_at))
        self.assertRegex(got.updated_at, TIMESTAMP)
        listed = self.client.vault.list(ListVaultCredentialsParams(principal_id="user with space"))
        self.assertEqual(listed.credentials, (got,))
        self.assertIn(got, self.client.vault.list().credentials)

    def test_an_exchange_gives_token_and_metadata(self) -> None:
        self.store(metadata={"scope": "repo"})
        result = self.client.vault.exchange(GRANT_TOKEN, ExchangeCredentialParams(service="GitHub"))
        self.assertEqual(
            (result.access_token, result.service, result.credential_type, result.token_expires_at, result.metadata),
            ("gho_stored", "github", "oauth2", None, {"scope": "repo"}),
        )

    def test_a_store_of_the_same_replaces(self) -> None:
        first = self.store(principal_id="user_again", metadata={"a": 1})
        second = self.store(principal_id="user_again", service="GitHub")
        self.assertEqual((second.id, second.created_at, second.service), (first.id, first.created_at, "GitHub"))
        self.assertEqual(self.client.vault.get(first.id).metadata, {})


class References(unittest.TestCase):
    """A credential by reference, which the agent can't open and the developer's key resolves."""

    def test_an_exchange_by_reference(self) -> None:
        with client() as ours:
            ours.vault.store(StoreCredentialParams(
                principal_id="user_referred", service="github", access_token="gho_referred", metadata={"scope": "repo"}))
            params = ExchangeCredentialParams(service="github")
            result = ours.vault.exchange_reference(os.environ["VAULT_TOKEN_TO_REFER"], params)
            self.assertRegex(result.credential_ref, r"^vref_[\w-]+$")
            self.assertNotIn("gho_referred", repr(result))
            self.assertRegex(result.reference_expires_at, TIMESTAMP)
            self.assertEqual(
                (result.service, result.credential_type, result.token_expires_at, result.metadata),
                ("github", "oauth2", None, {"scope": "repo"}),
            )
            resolved = ours.vault._http.post("/v1/vault/references/resolve", {"credentialRef": result.credential_ref})
            self.assertEqual(resolved["accessToken"], "gho_referred")
            with self.assertRaisesRegex(ValueError, "(?i)scope"):
                ours.vault.exchange_reference(os.environ["VAULT_GRANT_TOKEN_FOR_SLACK"], params)


class Errors(unittest.TestCase):
    def check(self, error: GrantexApiError, status: int, code: str) -> None:
        self.assertEqual((error.status_code, error.code), (status, code))
        self.assertRegex(error.request_id, f"^{REQUEST_ID}$")
        self.assertEqual(error.body["requestId"], error.request_id)
        self.assertEqual(str(error), error.body["message"])

    def test_an_unknown_key_is_an_auth_error(self) -> None:
        with client("gx_live_" + "A" * 43) as stranger, self.assertRaises(GrantexAuthError) as raised:
            stranger.vault.list()
        self.check(raised.exception, 401, "UNAUTHORIZED")

    def test_an_unknown_id_is_an_api_error(self) -> None:
        for call in ("get", "delete"):
            with client() as ours, self.assertRaises(GrantexApiError) as raised:
                getattr(ours.vault, call)("cred_01HXYZ...")
            self.assertNotIsInstance(raised.exception, GrantexAuthError)
            self.check(raised.exception, 404, "NOT_FOUND")

    def test_bad_input_is_an_api_error_that_names_the_field(self) -> None:
        with client() as ours, self.assertRaises(GrantexApiError) as raised:
            ours.vault.store(StoreCredentialParams(principal_id="", service="github", access_token="gho"))
        self.check(raised.exception, 400, "BAD_REQUEST")
        self.assertIn("principalId", str(raised.exception))

    def test_a_refused_exchange_is_a_value_error_with_the_message(self) -> None:
        refused = {
            "not-a-token": r"(?i)grant token",
            os.environ["VAULT_GRANT_TOKEN_FOR_SLACK"]: r"(?i)scope",
            os.environ["VAULT_GRANT_TOKEN_OF_NOBODY"]: r"(?i)credential",
        }
        for token, message in refused.items():
            with client() as ours, self.assertRaisesRegex(ValueError, message):
                ours.vault.exchange(token, ExchangeCredentialParams(service="github"))


class Revocation(unittest.TestCase):
    """Tokens of their own, for the credential of user_revoked."""

    def check(self, token: str, revoke: str, revoked_id: str) -> None:
        with client() as ours:
            params = ExchangeCredentialParams(service="github")
            ours.vault.store(StoreCredentialParams(principal_id="user_revoked", service="github", access_token="gho_revoked"))
            self.assertEqual(ours.vault.exchange(token, params).access_token, "gho_revoked")
            resource, method = revoke.split(".")
            self.assertIsNone(getattr(getattr(ours, resource), method)(revoked_id))
            with self.assertRaises(ValueError):
                ours.vault.exchange(token, params)

    def test_of_a_token(self) -> None:
        self.check(os.environ["VAULT_TOKEN_TO_REVOKE"], "tokens.revoke", os.environ["VAULT_JTI_TO_REVOKE"])

    def test_of_a_grant(self) -> None:
        self.check(os.environ["VAULT_TOKEN_OF_GRANT_TO_REVOKE"], "grants.revoke", os.environ["VAULT_GRANT_TO_REVOKE"])


class Accounts(unittest.TestCase):
    def test_sign_up_then_a_new_key(self) -> None:
        signed_up = Grantex.signup(SignupParams(name="Someone", email="someone@example.com", mode="sandbox"), base_url=BASE_URL)
        self.assertEqual((signed_up.name, signed_up.email, signed_up.mode), ("Someone", "someone@example.com", "sandbox"))
        self.assertRegex(signed_up.api_key, r"^gx_test_[\w-]{43}$")
        self.assertRegex(signed_up.created_at, TIMESTAMP)
        with client(signed_up.api_key) as theirs:
            self.assertEqual(theirs.vault.list().credentials, ())
            rotated = theirs.rotate_key()
            self.assertRegex(rotated.rotated_at, TIMESTAMP)
            with self.assertRaises(GrantexAuthError):
                theirs.vault.list()
        with client(rotated.api_key) as renewed:
            self.assertEqual(renewed.vault.list().credentials, ())

    def test_sign_up_without_a_name_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "name"):
            Grantex.signup(SignupParams(name=""), base_url=BASE_URL)


if __name__ == "__main__":
    assert grantex.__version__ == os.environ["GRANTEX_VERSION"], grantex.__version__
    unittest.main()
