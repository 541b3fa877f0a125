// Proves the agent's side of the vault: a grant token of either spelling and either algorithm gives
// the credential of its own principal and developer, for the services its scopes name, until it or
// its grant is revoked.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { assertStatus, serveVault, unique, withoutRequestId } from "./harness.mjs";
import { grantClaims } from "./support/grants.mjs";

const vault = await serveVault();
const developer = await vault.newDeveloper();
const principal = unique("user");
const sent = {
  principalId: principal,
  service: "GitHub",
  accessToken: unique("gho_access"),
  refreshToken: unique("ghr_refresh"),
  credentialType: "oauth2",
  tokenExpiresAt: "2026-04-10T00:00:00Z",
  metadata: { scope: "repo,user" },
};
assertStatus(await developer.store(sent), 201);

const grant = (fields, options) => developer.grant({ principal, scopes: ["github:read"], ...fields }, options);

describe("a grant", () => {
  for (const spelling of ["standard", "legacy"]) {
    for (const alg of ["RS256", "ES256"]) {
      test(`in ${spelling} claims, signed with ${alg}, gives the credential`, async () => {
        const answer = await vault.exchange(await grant({}, { spelling, alg }), "github");
        assertStatus(answer, 200);
        // The expiry of the upstream token has passed: the caller sees so, and decides.
        assert.deepEqual(answer.body, {
          accessToken: sent.accessToken,
          service: "GitHub",
          credentialType: "oauth2",
          tokenExpiresAt: "2026-04-10T00:00:00.000Z",
          metadata: { scope: "repo,user" },
        });
        assert.ok(!answer.text.includes(sent.refreshToken), "the refresh token stays in the vault");
      });
    }
  }

  test("may carry both spellings when they agree", async () => {
    const claims = {
      ...grantClaims("legacy", { developerId: developer.developerId, principal, scopes: ["github:read"], grantId: "grnt_1" }),
    };
    const both = await grant({ jti: claims.jti, grantId: "grnt_1" }, { claims });
    assertStatus(await vault.exchange(both, "github"), 200);
  });

  test("may leave the standard object's members to legacy claims", async () => {
    const { developerId } = developer;
    const claims = { "urn:grantex:grant": { agent_did: "did:grantex:agent-1" }, dev: developerId };
    assertStatus(await vault.exchange(await grant({}, { claims }), "github"), 200);
  });

  test("of the legacy spelling is read by scp, not by the lossy scope beside it", async () => {
    const narrow = await grant({ scopes: ["slack:read"] }, { spelling: "legacy", claims: { scope: "github:read" } });
    assertStatus(await vault.exchange(narrow, "github"), 403);
    const wide = await grant({ scopes: ["github:read"] }, { spelling: "legacy", claims: { scope: "slack:read" } });
    assertStatus(await vault.exchange(wide, "github"), 200);
  });

  test("may be for an audience when the vault names none", async () => {
    assertStatus(await vault.exchange(await grant({}, { claims: { aud: "https://elsewhere.test" } }), "github"), 200);
  });

  test("may carry claims that the vault doesn't know", async () => {
    const claims = { act: { sub: "did:grantex:agent-0" }, client_id: "client", authorization_details: [{ type: "x" }], x: [1] };
    assertStatus(await vault.exchange(await grant({}, { claims }), "github"), 200);
  });
});

describe("scopes", () => {
  const permit = [
    "*",
    "github:*",
    "github:read",
    "github:credentials:read",
    "vault:github:*",
    "vault:github:read",
    "vault:credentials:exchange",
    "GITHUB:READ",
    "Vault:GitHub:Read",
  ];
  const refuse = [
    "",
    "github",
    "github:",
    "github:write",
    "github:read:x",
    "github:read*",
    "githu:read",
    "githubx:read",
    "github:credentials:*",
    "slack:read",
    "slack:*",
    "*:read",
    "**",
    "vault:*",
    "vault:slack:*",
    "vault:github",
    "vault:github:write",
    "vault:credentials:*",
    "vault:credentials:exchange:github",
    "vault:*:read",
    "github:read,slack:read",
  ];
  for (const spelling of ["standard", "legacy"]) {
    for (const scope of permit) {
      test(`${scope} permits an exchange (${spelling})`, async () => {
        assertStatus(await vault.exchange(await grant({ scopes: ["slack:write", scope] }, { spelling }), "github"), 200);
      });
    }
    for (const scope of refuse) {
      test(`${JSON.stringify(scope)} does not (${spelling})`, async () => {
        const token = await grant({ scopes: ["slack:write", scope] }, { spelling });
        const here = assertStatus(await vault.exchange(token, "github"), 403);
        const nowhere = assertStatus(await vault.exchange(token, "gitlab"), 403);
        assert.deepEqual(withoutRequestId(here), withoutRequestId(nowhere), "403 doesn't tell whether there is a credential");
      });
    }
  }

  test("in legacy tokens are not split at spaces", async () => {
    const token = await grant({ scopes: ["slack:read github:read"] }, { spelling: "legacy" });
    assertStatus(await vault.exchange(token, "github"), 403);
  });

  test("of an empty list permit nothing", async () => {
    for (const spelling of ["standard", "legacy"]) {
      assertStatus(await vault.exchange(await grant({ scopes: [] }, { spelling }), "github"), 403);
    }
  });
});

describe("whose credential", () => {
  test("the service in the request is compared without case", async () => {
    assert.equal(assertStatus(await vault.exchange(await grant(), "GITHUB"), 200).body.service, "GitHub");
  });

  test("principal and developer come from the token, whatever the request says", async () => {
    const stranger = await vault.newDeveloper();
    const token = await stranger.grant({ principal, scopes: ["*"] });
    const { developerId } = developer;
    const answer = await vault.send(
      "POST",
      `/v1/vault/credentials/exchange?principalId=${principal}&developerId=${developerId}`,
      {
        bearer: token,
        json: { service: "github", principalId: principal, developerId, sub: principal, dev: developerId },
        headers: { "X-Developer-Id": developerId },
      },
    );
    assertStatus(answer, 404);
  });

  test("404 for no credential: another service, principal or developer, all alike", async () => {
    const stranger = await vault.newDeveloper();
    const answers = [
      await vault.exchange(await grant({ scopes: ["*"] }), "gitlab"),
      await vault.exchange(await grant({ principal: unique("nobody") }), "github"),
      await vault.exchange(await grant({ principal: principal.toUpperCase() }), "github"),
      await vault.exchange(await stranger.grant({ principal, scopes: ["*"] }), "github"),
      await vault.exchange(await grant({ developerId: "dev_nobody" }), "github"),
    ];
    for (const answer of answers) {
      assertStatus(answer, 404);
      assert.deepEqual(withoutRequestId(answer), withoutRequestId(answers[0]));
    }
  });
});

describe("revocation", () => {
  const works = async (token) => assertStatus(await vault.exchange(token, "github"), 200);
  const refused = async (token) => assertStatus(await vault.exchange(token, "github"), 401);

  for (const spelling of ["standard", "legacy"]) {
    test(`of a token by its jti (${spelling})`, async () => {
      const [jti, grantId] = [randomUUID(), unique("grnt")];
      const token = await grant({ jti, grantId }, { spelling });
      const sibling = await grant({ grantId }, { spelling });
      await works(token);
      assertStatus(await developer.revokeToken(jti), 204);
      await refused(token);
      await works(sibling);
    });

    test(`of a grant by its id, with all its tokens and its children (${spelling})`, async () => {
      const grantId = unique("grnt");
      const tokens = [
        await grant({ grantId }, { spelling }),
        await grant({ grantId }, { spelling }),
        await grant({ grantId: unique("grnt"), parentGrantId: grantId }, { spelling }),
      ];
      for (const token of tokens) await works(token);
      assertStatus(await developer.revokeGrant(grantId), 204);
      for (const token of tokens) await refused(token);
    });

    test(`of a grant without an id of its own by the jti (${spelling})`, async () => {
      const jti = randomUUID();
      const token = await grant({ jti }, { spelling });
      await works(token);
      assertStatus(await developer.revokeGrant(jti), 204);
      await refused(token);
    });
  }

  test("of a jti is not that of a grant of the same name", async () => {
    const name = unique("same");
    const token = await grant({ grantId: name });
    assertStatus(await developer.revokeToken(name), 204);
    await works(token);
  });

  test("by another developer changes nothing", async () => {
    const stranger = await vault.newDeveloper();
    const [jti, grantId] = [randomUUID(), unique("grnt")];
    const token = await grant({ jti, grantId });
    assertStatus(await stranger.revokeToken(jti), 204);
    assertStatus(await stranger.revokeGrant(grantId), 204);
    await works(token);
  });

  test("answers 204 a second time, and for what never was", async () => {
    const jti = randomUUID();
    for (let i = 0; i < 2; i += 1) {
      assertStatus(await developer.revokeToken(jti), 204);
      assertStatus(await developer.revokeGrant(jti), 204);
    }
  });

  for (const grantId of ["a/b", "a b", "a:b", "a%b", "ünï☃", "x".repeat(200)]) {
    test(`of the grant ${grantId.slice(0, 20)}`, async () => {
      const token = await grant({ grantId });
      await works(token);
      assertStatus(await developer.revokeGrant(grantId), 204);
      await refused(token);
    });
  }

  test("survives a restart", async () => {
    const jti = randomUUID();
    const token = await grant({ jti });
    assertStatus(await developer.revokeToken(jti), 204);
    await vault.restart();
    await refused(token);
    await works(await grant());
  });
});
