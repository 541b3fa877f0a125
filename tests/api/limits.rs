//! How often a caller may do what, with counters that count to what they are told.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use grant_vault::http::rate::{Limit, RateLimits};

use super::{ADMIN_KEY, Answer, CREDENTIAL, Scene};

/// Counters without an end, until `only` bounds one of them.
#[derive(Debug, Default)]
pub struct Counters {
    only: Cell<Option<(Limit, usize)>>,
    address: RefCell<Option<String>>,
    counted: RefCell<HashMap<(&'static str, String), usize>>,
}

impl RateLimits for Counters {
    fn count<'a>(&'a self, limit: Limit, key: &'a str) -> Pin<Box<dyn Future<Output = bool> + 'a>> {
        let mut counted = self.counted.borrow_mut();
        let count = counted.entry((limit.binding(), key.to_owned())).or_default();
        *count += 1;
        let within = self.only.get().is_none_or(|(only, most)| only != limit || *count <= most);
        Box::pin(std::future::ready(within))
    }

    fn client_address(&self) -> Option<String> {
        self.address.borrow().clone()
    }

    fn unbound(&self) -> &[&'static str] {
        &["SIGNUP_LIMIT"]
    }
}

impl Counters {
    fn bound(&self, limit: Limit, most: usize) {
        self.only.set(Some((limit, most)));
        self.counted.borrow_mut().clear();
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys: Vec<_> = self.counted.borrow().keys().cloned().collect();
        keys.sort();
        keys
    }
}

fn assert_refused(answer: &Answer, limit: &str) {
    assert_eq!(answer.response.status, 429);
    assert_eq!(answer.json()["code"], "TOO_MANY_REQUESTS");
    for (name, value) in [
        ("Retry-After", "60"),
        ("X-RateLimit-Limit", limit),
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", "1700000060"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

fn event(answer: &Answer) -> String {
    serde_json::to_value(answer.event.as_ref().unwrap()).unwrap()["event"].as_str().unwrap().to_owned()
}

#[test]
fn a_grant_token_is_exchanged_so_often_and_no_more() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    let grant = scene.grant(&developer, &["github:read"]);
    let exchange = |body| scene.call("POST", "/v1/vault/credentials/exchange", &grant, body);
    scene.rate_limits.bound(Limit::Exchange, 2);
    assert_eq!(exchange(r#"{"service":"github"}"#).response.status, 200);
    assert_eq!(exchange("no JSON").response.status, 400);
    scene.store.fail_after(Some(0));
    let refused = exchange(r#"{"service":"github"}"#);
    assert_refused(&refused, "20");
    assert_eq!(event(&refused), "exchange.refused");
    assert!(refused.event.unwrap().is_handed_on());
    let keys = scene.rate_limits.keys();
    assert!(keys.len() == 1 && !keys[0].1.contains("tok_1"), "one counter, and not under the token's id: {keys:?}");
}

#[test]
fn stores_and_deletions_of_one_developer_are_counted_together() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    let (_, other) = scene.sign_up();
    let stored = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL).json();
    let target = format!("/v1/vault/credentials/{}", stored["id"].as_str().unwrap());
    scene.rate_limits.bound(Limit::Write, 1);
    assert_eq!(scene.call("DELETE", &target, &api_key, "").response.status, 204);
    let refused = scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    assert_refused(&refused, "600");
    assert_eq!(event(&refused), "limit.exceeded");
    assert_refused(&scene.call("DELETE", &target, &api_key, ""), "600");
    assert_eq!(scene.rate_limits.keys(), [("WRITE_LIMIT", developer)]);
    assert_eq!(scene.call("GET", &target, &api_key, "").response.status, 404, "a read is not counted");
    assert_eq!(scene.call("POST", "/v1/vault/credentials", &other, CREDENTIAL).response.status, 201);
}

#[test]
fn failed_authentication_is_counted_for_its_address_alone() {
    let scene = Scene::new(&[]);
    let (developer, api_key) = scene.sign_up();
    let grant = scene.grant(&developer, &["*"]);
    *scene.rate_limits.address.borrow_mut() = Some("192.0.2.7".to_owned());
    scene.rate_limits.bound(Limit::Authentication, 3);
    let unknown = format!("gx_live_{}", "A".repeat(43));
    let exchange = |bearer: &str| scene.call("POST", "/v1/vault/credentials/exchange", bearer, "{}");
    let attempts = || {
        [
            scene.call("GET", "/v1/me", &unknown, ""),
            scene.call("GET", "/v1/admin/developers", &api_key, ""),
            exchange("x"),
        ]
    };
    for refused in attempts() {
        assert_eq!(refused.response.status, 401);
        assert!(refused.event.unwrap().is_handed_on());
    }
    for refused in attempts() {
        assert_refused(&refused, "30");
        assert!(!refused.event.unwrap().is_handed_on(), "a flood ends at the log");
    }
    assert_eq!(scene.rate_limits.keys(), [("AUTH_LIMIT", "192.0.2.7".to_owned())]);
    // A neighbour behind the same address isn't shut out.
    assert_eq!(scene.call("GET", "/v1/me", &api_key, "").response.status, 200);
    assert_eq!(scene.call("GET", "/v1/admin/developers", ADMIN_KEY, "").response.status, 200);
    assert_eq!(exchange(&grant).response.status, 400);
    *scene.rate_limits.address.borrow_mut() = Some("192.0.2.8".to_owned());
    assert_eq!(attempts()[0].response.status, 401);
}

#[test]
fn sign_ups_from_one_address_are_counted() {
    for sign_up in ["open", "closed"] {
        let scene = Scene::new(&[("SIGNUP", sign_up)]);
        scene.rate_limits.bound(Limit::SignUp, 0);
        let refused = scene.call("POST", "/v1/signup", "", r#"{"name":"Acme"}"#);
        assert_refused(&refused, "5");
        assert_eq!(event(&refused), "limit.exceeded");
        assert_eq!(scene.rate_limits.keys(), [("SIGNUP_LIMIT", "unknown".to_owned())]);
    }
}

#[test]
fn turned_off_nothing_is_counted() {
    let scene = Scene::new(&[("RATE_LIMITS", "off")]);
    let (developer, api_key) = scene.sign_up();
    scene.call("POST", "/v1/vault/credentials", &api_key, CREDENTIAL);
    scene.call("POST", "/v1/vault/credentials/exchange", &scene.grant(&developer, &["*"]), r#"{"service":"github"}"#);
    scene.call("GET", "/v1/me", "x", "");
    assert!(scene.rate_limits.keys().is_empty());
    assert_eq!(scene.call("GET", "/health", "", "").json()["rateLimits"], "off");
}

#[test]
fn health_says_what_nothing_counts() {
    let health = Scene::new(&[]).call("GET", "/health", "", "").json();
    assert_eq!(health["rateLimits"], "unbound");
    assert_eq!(health["unboundRateLimits"], serde_json::json!(["SIGNUP_LIMIT"]));
}

#[test]
fn a_page_of_a_named_origin_may_read_the_limits() {
    let scene = Scene::new(&[("CORS_ALLOWED_ORIGINS", "https://app.example.com")]);
    let head = grant_vault::http::Head {
        origin: Some("https://app.example.com".to_owned()),
        ..super::head("GET", "/health", "")
    };
    let answer = scene.send(head, super::Body(Some(String::new())));
    assert!(answer.header("Access-Control-Expose-Headers").unwrap().contains("X-RateLimit-Reset"));
}
