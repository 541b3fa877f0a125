//! The HTTP contract as plain values, where the world can be made to fail: storage that is down at any
//! operation, an issuer that can't be reached, a body that breaks off.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "api/audit.rs"]
mod audit;
#[path = "api/limits.rs"]
mod limits;

use std::cell::Cell;

use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::audit::Event;
use grant_vault::fetch::{self, Fetch, FetchError, Request};
use grant_vault::grant::signature::JwtSimple;
use grant_vault::http::{BodyError, Head, Host, ReadBody, Reply, Response, Service};
use grant_vault::settings::Settings;
use grant_vault::store::memory::MemoryStore;
use grant_vault::timestamp::Timestamp;
use jwt_simple::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

const NOW: i64 = 1_700_000_000;
const ADMIN_KEY: &str = "an admin key of at least 32 characters";

/// A body that is there, or breaks off.
struct Body(Option<String>);

impl ReadBody for Body {
    async fn read(self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        let text = self.0.ok_or(BodyError::Broken)?;
        if text.len() > limit {
            return Err(BodyError::TooLarge);
        }
        Ok(Zeroizing::new(text.into_bytes()))
    }
}

/// An issuer that can't be reached.
struct NoIssuer;

impl Fetch for NoIssuer {
    async fn fetch(&self, _: &Request<'_>) -> Result<fetch::Answer, FetchError> {
        Err(FetchError::Network("getaddrinfo ENOTFOUND issuer.internal".to_owned()))
    }
}

struct Scene {
    service: Service,
    store: MemoryStore,
    rate_limits: limits::Counters,
    issuer_key: ES256KeyPair,
    /// Seconds since the scene began.
    second: Cell<i64>,
}

struct Answer {
    response: Response,
    event: Option<Box<Event>>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.response.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.response.all_headers().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value);
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }
}

impl Scene {
    fn new(extra: &[(&str, &str)]) -> Self {
        let issuer_key = ES256KeyPair::generate().with_key_id("k1");
        let public = issuer_key.public_key().to_jwk();
        let jwks = format!("{{\"keys\":[{public}]}}");
        let key = "11".repeat(32);
        let settings = Settings::read(|name| {
            let given = extra.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
            let has_url = extra.iter().any(|(given, _)| *given == "GRANT_JWKS_URL");
            given.or(match name {
                "VAULT_ENCRYPTION_KEY" => Some(key.clone()),
                "GRANT_JWKS" if !has_url => Some(jwks.clone()),
                "SIGNUP" => Some("open".to_owned()),
                "ADMIN_API_KEY" => Some(ADMIN_KEY.to_owned()),
                _ => None,
            })
        });
        Self {
            service: Service::new(settings),
            store: MemoryStore::new(at(0)),
            rate_limits: limits::Counters::default(),
            issuer_key,
            second: Cell::new(0),
        }
    }

    fn send(&self, head: Head, body: Body) -> Answer {
        let host = Host {
            store: &self.store,
            fetch: &NoIssuer,
            signatures: &JwtSimple,
            rate_limits: &self.rate_limits,
            now: at(self.second.get()),
        };
        match block_on(self.service.handle(host, &head, body)) {
            Reply::Answer { response, event } => Answer { response, event },
            Reply::Static { .. } => panic!("{} {} is no call", head.method, head.path),
        }
    }

    fn call(&self, method: &str, target: &str, bearer: &str, body: &str) -> Answer {
        self.send(head(method, target, bearer), Body(Some(body.to_owned())))
    }

    fn sign_up(&self) -> (String, String) {
        let answer = self.call("POST", "/v1/signup", "", r#"{"name":"Acme"}"#).json();
        (answer["developerId"].as_str().unwrap().to_owned(), answer["apiKey"].as_str().unwrap().to_owned())
    }

    fn grant(&self, developer: &str, scopes: &[&str]) -> String {
        #[derive(Serialize, Deserialize)]
        struct Legacy {
            dev: String,
            agt: String,
            scp: Vec<String>,
        }
        let scp = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let custom = Legacy { dev: developer.to_owned(), agt: "did:grantex:ag_1".to_owned(), scp };
        let mut claims = Claims::with_custom_claims(custom, Duration::from_hours(1))
            .with_issuer("https://grantex.dev")
            .with_subject("user_abc123")
            .with_jwt_id("tok_1");
        claims.issued_at = Some(UnixTimeStamp::from_secs(NOW as u64));
        claims.invalid_before = claims.issued_at;
        claims.expires_at = Some(UnixTimeStamp::from_secs(NOW as u64 + 3_600));
        self.issuer_key.sign(claims).unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis((NOW + second) * 1_000).unwrap()
}

fn head(method: &str, target: &str, bearer: &str) -> Head {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: (!bearer.is_empty()).then(|| Secret::new(format!("Bearer {bearer}"))),
        content_type: Some("application/json".to_owned()),
        origin: None,
        ..Head::default()
    }
}

const CREDENTIAL: &str = r#"{"principalId":"user_abc123","service":"github","accessToken":"gho_1"}"#;

/// Every call that asks storage, with what has to be true before it.
fn calls(scene: &Scene) -> Vec<(&'static str, String, String, &'static str)> {
    let (developer, api_key) = scene.sign_up();
    let stored = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL).json();
    let credential = format!("/v1/vault/credentials/{}", stored["id"].as_str().unwrap());
    let call = |method, target: &str, bearer: &str, body| (method, target.to_owned(), bearer.to_owned(), body);
    vec![
        call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL),
        call("GET", "/v1/vault/credentials", &api_key, ""),
        call("GET", &credential, &api_key, ""),
        call("DELETE", &credential, &api_key, ""),
        call("POST", "/v1/vault/credentials/exchange", &scene.grant(&developer, &["*"]), r#"{"service":"github"}"#),
        call("POST", "/v1/signup", "", r#"{"name":"Other"}"#),
        call("POST", "/v1/keys/rotate", &api_key, ""),
        call("GET", "/v1/me", &api_key, ""),
        call("POST", "/v1/tokens/revoke", &api_key, r#"{"jti":"tok_1"}"#),
        call("DELETE", "/v1/grants/grnt_1", &api_key, ""),
        call("POST", "/v1/admin/developers", ADMIN_KEY, r#"{"name":"New","developerId":"dev_new"}"#),
        call("GET", "/v1/admin/developers", ADMIN_KEY, ""),
        call("GET", &format!("/v1/admin/developers/{developer}"), ADMIN_KEY, ""),
        call("DELETE", &format!("/v1/admin/developers/{developer}"), ADMIN_KEY, ""),
    ]
}

#[test]
fn storage_that_fails_at_any_operation_is_a_503_or_no_loss() {
    for number in 0..14 {
        for operations in 0.. {
            let scene = Scene::new(&[]);
            let (method, target, bearer, body) = calls(&scene).swap_remove(number);
            // By now nothing is remembered of whose API key it is.
            scene.second.set(60);
            scene.store.fail_after(Some(operations));
            let answer = scene.call(method, &target, &bearer, body);
            if answer.response.status < 300 {
                assert!(operations > 0, "{method} {target} asks storage");
                break;
            }
            assert_eq!(answer.response.status, 503, "{method} {target} after {operations} operations");
            assert_eq!(answer.header("Retry-After"), Some("5"));
            assert_eq!(answer.json()["code"], "SERVICE_UNAVAILABLE");
            assert!(!answer.json()["message"].as_str().unwrap().contains("told to fail"), "internals on the wire");
            let event = answer.event.unwrap();
            assert_eq!((event.level, event.reason.as_deref()), ("error", Some("storage failed: told to fail")));
        }
    }
}

#[test]
fn a_write_too_soon_is_a_503_for_a_second() {
    let scene = Scene::new(&[]);
    let (_, api_key) = scene.sign_up();
    scene.store.limit_writes();
    assert_eq!(scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL).response.status, 201);
    let refused = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    assert_eq!((refused.response.status, refused.header("Retry-After")), (503, Some("1")));
}

#[test]
fn a_damaged_record_is_a_500_that_only_the_log_explains() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    let id =
        scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL).json()["id"].as_str().unwrap().to_owned();
    scene.store.tamper(&format!("cred:{developer}:{id}"), "broken", Some("1.broken"));
    let grant = scene.grant(&developer, &["*"]);
    for answer in [
        scene.call("GET", "/v1/vault/credentials", &api_key, ""),
        scene.call("GET", &format!("/v1/vault/credentials/{id}"), &api_key, ""),
        scene.call("POST", "/v1/vault/credentials/exchange", &grant, r#"{"service":"github"}"#),
    ] {
        assert_eq!(answer.response.status, 500);
        assert_eq!(answer.json()["code"], "INTERNAL_ERROR");
        assert!(!String::from_utf8_lossy(&answer.response.body).contains("vault_"));
        assert_eq!(answer.event.unwrap().record.unwrap(), id);
    }
}

#[test]
fn an_issuer_that_cannot_be_reached_opens_nothing() {
    let scene = Scene::new(&[("GRANT_JWKS_URL", "https://issuer.internal/jwks.json")]);
    let grant = scene.grant("dev_A", &["*"]);
    let answer = scene.call("POST", "/v1/vault/credentials/exchange", &grant, r#"{"service":"github"}"#);
    assert_eq!((answer.response.status, answer.header("Retry-After")), (503, Some("5")));
    assert!(!String::from_utf8_lossy(&answer.response.body).contains("issuer.internal"));
    assert!(answer.event.unwrap().reason.unwrap().contains("ENOTFOUND"));
}

#[test]
fn every_refusal_of_a_grant_reads_the_same() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    let grant = scene.grant(&developer, &["*"]);
    scene.call("POST", "/v1/tokens/revoke", &api_key, r#"{"jti":"tok_1"}"#);
    scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    let mut reasons = Vec::new();
    for bearer in ["", "x", api_key.as_str(), &format!("{grant}A"), &grant] {
        let answer = scene.call("POST", "/v1/vault/credentials/exchange", bearer, r#"{"service":"github"}"#);
        assert_eq!((answer.response.status, answer.header("WWW-Authenticate")), (401, Some("Bearer")));
        assert_eq!(answer.json()["message"], "The grant token is missing, invalid, expired or revoked");
        reasons.push(answer.event.unwrap().reason.unwrap());
    }
    assert_eq!(reasons[4], "revoked");
    reasons.dedup();
    assert_eq!(reasons.len(), 4, "{reasons:?}");
}

#[test]
fn bad_settings_answer_and_are_named_on_health_alone() {
    let scene = Scene::new(&[("VAULT_ENCRYPTION_KEY", "not-a-key")]);
    let health = scene.call("GET", "/health", "", "");
    assert_eq!(health.response.status, 503);
    assert_eq!(health.json()["problems"][0]["setting"], "VAULT_ENCRYPTION_KEY");
    assert!(!String::from_utf8_lossy(&health.response.body).contains("not-a-key"));
    let other = scene.call("GET", "/v1/me", "", "");
    assert_eq!((other.response.status, other.json()["code"].as_str()), (503, Some("SERVICE_UNAVAILABLE")));
    assert!(other.header("Retry-After").is_some());
}

#[test]
fn bodies_that_break_off_or_go_on_are_the_callers() {
    let scene = Scene::new(&[]);
    let (_, api_key) = scene.sign_up();
    let broken = scene.send(head("POST", "/v1/vault/credentials", &api_key), Body(None));
    assert_eq!(broken.response.status, 400);
    let long = scene.call("POST", "/v1/vault/credentials", &api_key, &" ".repeat(256 * 1024 + 1));
    assert_eq!(long.response.status, 413);
}

#[test]
fn head_answers_as_get_without_a_body() {
    let scene = Scene::new(&[]);
    let answer = scene.call("HEAD", "/health", "", "");
    assert_eq!((answer.response.status, answer.response.body.len()), (200, 0));
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
}

#[test]
fn every_answer_has_the_headers() {
    let scene = Scene::new(&[]);
    let (_, api_key) = scene.sign_up();
    let mut ids = Vec::new();
    for answer in [
        scene.call("GET", "/health", "", ""),
        scene.call("GET", "/v1/nothing", "", ""),
        scene.call("PUT", "/v1/me", "", ""),
        scene.call("DELETE", "/v1/grants/x", &api_key, ""),
    ] {
        for (name, value) in [
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
        assert!(answer.header("Strict-Transport-Security").is_some());
        ids.push(answer.header("X-Request-Id").unwrap().to_owned());
        if answer.response.status >= 400 {
            assert_eq!(answer.json()["requestId"], ids.last().unwrap().as_str());
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn browsers_of_named_origins_may_read_answers() {
    let scene = Scene::new(&[("CORS_ALLOWED_ORIGINS", "https://app.example.com")]);
    let from = |method: &str, origin: &str| {
        let head = Head { origin: Some(origin.to_owned()), ..head(method, "/v1/me", "") };
        scene.send(head, Body(Some(String::new())))
    };
    let preflight = from("OPTIONS", "https://app.example.com");
    assert_eq!(preflight.response.status, 204);
    assert_eq!(preflight.header("Access-Control-Allow-Origin"), Some("https://app.example.com"));
    assert_eq!(preflight.header("Access-Control-Allow-Headers"), Some("Authorization, Content-Type, DPoP"));
    let refused = from("GET", "https://app.example.com");
    assert_eq!(
        (refused.response.status, refused.header("Access-Control-Allow-Origin")),
        (401, Some("https://app.example.com"))
    );
    for method in ["OPTIONS", "GET"] {
        let other = from(method, "https://evil.example.com");
        assert_eq!(other.header("Access-Control-Allow-Origin"), None);
        assert_eq!(other.header("Vary"), Some("Origin"));
    }
    assert_eq!(from("OPTIONS", "https://evil.example.com").response.status, 405);
}

#[test]
fn without_an_admin_key_there_are_no_admin_routes() {
    let scene = Scene::new(&[("ADMIN_API_KEY", " ")]);
    for (method, target) in [
        ("GET", "/v1/admin/developers"),
        ("POST", "/v1/admin/developers"),
        ("PUT", "/v1/admin/developers"),
        ("DELETE", "/v1/admin/developers/dev_A"),
        ("PATCH", "/v1/admin/developers/dev_A"),
    ] {
        let answer = scene.call(method, target, ADMIN_KEY, "{}");
        assert_eq!(
            answer.json(),
            json!({
                "message": "There is nothing at this path",
                "code": "NOT_FOUND",
                "requestId": answer.header("X-Request-Id").unwrap(),
            }),
            "{method} {target}"
        );
    }
}
