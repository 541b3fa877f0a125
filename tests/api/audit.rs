//! What the log says of each call: its event, who, about what, and never a secret or a raw name.

use grant_vault::audit::Event;
use serde_json::{Value, json};

use super::{ADMIN_KEY, Answer, CREDENTIAL, Scene, calls};

fn line(answer: &Answer) -> Value {
    serde_json::to_value(answer.event.as_ref().expect("an event")).unwrap()
}

/// The event without what differs from request to request and is checked once.
fn said(answer: &Answer) -> Value {
    let mut line = line(answer);
    let members = line.as_object_mut().unwrap();
    for name in ["time", "requestId", "call", "status", "level"] {
        members.remove(name);
    }
    line
}

#[test]
fn each_call_has_its_event_and_reads_have_none() {
    let events = [
        ("POST /v1/vault/credentials", Some("credential.replaced")),
        ("GET /v1/vault/credentials", None),
        ("GET /v1/vault/credentials/{id}", None),
        ("DELETE /v1/vault/credentials/{id}", Some("credential.deleted")),
        ("POST /v1/vault/credentials/exchange", Some("credential.exchanged")),
        ("POST /v1/signup", Some("account.created")),
        ("POST /v1/keys/rotate", Some("key.rotated")),
        ("GET /v1/me", None),
        ("POST /v1/tokens/revoke", Some("token.revoked")),
        ("DELETE /v1/grants/{grantId}", Some("grant.revoked")),
        ("POST /v1/admin/developers", Some("account.created")),
        ("GET /v1/admin/developers", Some("admin.read")),
        ("GET /v1/admin/developers/{id}", Some("admin.read")),
        ("DELETE /v1/admin/developers/{id}", Some("account.removed")),
    ];
    for (number, (call, event)) in events.into_iter().enumerate() {
        let scene = Scene::new(&[]);
        let (method, target, bearer, body) = calls(&scene).swap_remove(number);
        let answer = scene.call(method, &target, &bearer, body);
        assert!(answer.response.status < 300, "{call}");
        let Some(event) = event else {
            assert!(answer.event.is_none(), "{call}");
            continue;
        };
        let line = line(&answer);
        assert_eq!(line["call"], call);
        assert_eq!((&line["event"], &line["outcome"], &line["level"]), (&json!(event), &json!("done"), &json!("info")));
        assert_eq!(line["status"], answer.response.status);
        assert_eq!(line["requestId"], answer.header("X-Request-Id").unwrap());
        assert_eq!(line["time"], "2023-11-14T22:13:20.000Z");
    }
}

#[test]
fn events_say_who_and_about_what() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    let stored = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    let credential = stored.json()["id"].clone();
    let hash = said(&stored)["principalHash"].clone();
    assert_eq!(hash.as_str().unwrap().len(), 22);
    assert_eq!(
        said(&stored),
        json!({"event": "credential.stored", "outcome": "done", "actor": "developer", "developer": developer,
               "credential": credential, "principalHash": hash})
    );
    let again = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    assert_eq!(said(&again)["event"], "credential.replaced");

    let grant = scene.grant(&developer, &["slack:*", "GitHub:read", "*"]);
    let exchanged = scene.call("POST", "/v1/vault/credentials/exchange", &grant, r#"{"service":"github"}"#);
    let token = said(&exchanged)["tokenHash"].clone();
    // The token names no grant, so that there is none to tell.
    assert_eq!(
        said(&exchanged),
        json!({"event": "credential.exchanged", "outcome": "done", "rule": "GitHub:read", "actor": "agent",
               "agent": "did:grantex:ag_1", "developer": developer, "credential": credential,
               "principalHash": hash, "tokenHash": token})
    );
    let revoked = scene.call("POST", "/v1/tokens/revoke", &api_key, r#"{"jti":"tok_1"}"#);
    assert_eq!(
        said(&revoked),
        json!({"event": "token.revoked", "outcome": "done", "actor": "developer", "developer": developer, "tokenHash": token})
    );
    let refused = scene.call("POST", "/v1/vault/credentials/exchange", &grant, r#"{"service":"github"}"#);
    assert_eq!(
        said(&refused),
        json!({"event": "exchange.refused", "outcome": "refused", "reason": "revoked", "actor": "agent",
               "agent": "did:grantex:ag_1", "developer": developer, "credential": credential,
               "principalHash": hash, "tokenHash": token})
    );

    let names = format!(r#"{{"developerId":"{developer}","principalId":"user_abc123","jti":"tok_1"}}"#);
    let hashes = scene.call("POST", "/v1/admin/audit/hashes", ADMIN_KEY, &names);
    assert_eq!(hashes.json(), json!({"principalHash": hash, "tokenHash": token}));
    assert_eq!(said(&hashes), json!({"event": "admin.read", "outcome": "done", "actor": "operator"}));

    let revoked = said(&scene.call("DELETE", "/v1/grants/grnt_1", &api_key, ""));
    assert_eq!(revoked["grantHash"].as_str().unwrap().len(), 22);
    assert_eq!(revoked["grant"], Value::Null);
    let removed = said(&scene.call("DELETE", &format!("/v1/admin/developers/{developer}"), ADMIN_KEY, ""));
    assert_eq!(
        removed,
        json!({"event": "account.removed", "outcome": "done", "actor": "operator", "developer": developer})
    );
}

#[test]
fn refusals_say_why_and_failures_what_went_wrong() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    let grant = scene.grant(&developer, &["slack:*"]);
    let event = |answer: &Answer| {
        let line = line(answer);
        [&line["level"], &line["event"], &line["outcome"], &line["reason"]]
            .map(|text| text.as_str().unwrap().to_owned())
    };
    let exchange = |bearer: &str, body| scene.call("POST", "/v1/vault/credentials/exchange", bearer, body);
    for (answer, expected) in [
        (exchange("x", "{}"), ["warn", "exchange.refused", "refused", "not a compact JWS"]),
        (exchange(&grant, "{}"), ["warn", "exchange.refused", "refused", "service is required"]),
        (
            exchange(&grant, r#"{"service":"github"}"#),
            ["warn", "exchange.refused", "refused", "No scope of the grant permits this service"],
        ),
        (
            exchange(&grant, r#"{"service":"slack"}"#),
            ["warn", "exchange.refused", "refused", "There is no such credential"],
        ),
        (scene.call("GET", "/v1/me", "gx_live_wrong", ""), ["warn", "auth.failed", "refused", "not an API key"]),
        (
            scene.call("GET", "/v1/admin/developers", &api_key, ""),
            ["warn", "auth.failed", "refused", "not the admin key"],
        ),
        (
            scene.call("POST", "/v1/vault/credentials", &api_key, "{}"),
            ["warn", "request.refused", "refused", "principalId is required"],
        ),
        (
            scene.call("GET", "/v1/nothing", "", ""),
            ["warn", "request.refused", "refused", "There is nothing at this path"],
        ),
    ] {
        assert_eq!(event(&answer), expected);
    }
    assert_eq!(said(&scene.call("POST", "/v1/vault/credentials", &api_key, "{}"))["developer"], *developer);
    scene.store.fail_after(Some(0));
    let failed = exchange(&grant, r#"{"service":"slack"}"#);
    assert_eq!(event(&failed), ["error", "exchange.failed", "failed", "storage failed: told to fail"]);
    let failed = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    assert_eq!(event(&failed), ["error", "request.failed", "failed", "storage failed: told to fail"]);
}

/// Each call as it is, with every bearer token and every text in its body a caller's own choice.
#[test]
fn no_secret_and_nothing_freely_chosen_is_in_an_event() {
    const CHOSEN: &str = "MARKED";
    let mut events: Vec<Box<Event>> = Vec::new();
    for number in 0..14 {
        let scene = Scene::new(&[]);
        let (method, target, bearer, body) = calls(&scene).swap_remove(number);
        let marked = body.replace("user_abc123", CHOSEN).replace("github", CHOSEN).replace("gho_1", CHOSEN);
        let marked = marked.replace("Acme", CHOSEN).replace("New", CHOSEN).replace("tok_1", CHOSEN);
        for (target, bearer, body) in [
            (target.clone(), bearer.clone(), body),
            (target.clone(), bearer.clone(), &*marked),
            (target.clone(), format!("{bearer}{CHOSEN}"), body),
            (target.replace("grnt_1", CHOSEN).replace("dev_", CHOSEN), bearer.clone(), &*marked),
            (format!("{target}{CHOSEN}?{CHOSEN}={CHOSEN}"), bearer, body),
        ] {
            let answer = scene.call(method, &target, &bearer, body);
            let secrets = [bearer.as_str(), CHOSEN, "user_abc123", "gho_1", "tok_1", "Acme", ADMIN_KEY];
            if let Some(event) = answer.event {
                let text = serde_json::to_string(&event).unwrap();
                for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                    assert!(!text.contains(secret), "{secret} of {method} {target} is in {text}");
                }
                events.push(event);
            }
        }
    }
    assert!(events.len() > 40, "{}", events.len());
}
