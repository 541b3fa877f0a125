//! Sender-constrained grants: a token that is bound to a key opens nothing without a proof, and a proof
//! that is wrong in any one way of RFC 9449 section 4.3 is none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]
#![allow(dead_code, reason = "of what the tests of grant tokens share, not all is used here")]

mod common;

use std::cell::Cell;

use common::*;
use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::grant::signature::JwtSimple;
use grant_vault::http::rate::Unlimited;
use grant_vault::http::{BodyError, Head, Host, ReadBody, Reply, Service};
use grant_vault::settings::Settings;
use grant_vault::store::memory::{MemoryStore, Operations};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const BASE: &str = "https://vault.example.com";
const PATH: &str = "/v1/vault/credentials/exchange";

struct Body(&'static str);

impl ReadBody for Body {
    async fn read(self, _: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        Ok(Zeroizing::new(self.0.as_bytes().to_vec()))
    }
}

/// A key that proofs are signed with.
enum Holder {
    Ec,
    Rsa,
    Ed(ed25519_compact::KeyPair),
}

impl Holder {
    fn ed(seed: u8) -> Self {
        Self::Ed(ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new([seed; 32])))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec => "ES256",
            Self::Rsa => "RS256",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn jwk(&self) -> Value {
        let mut jwk = match self {
            Self::Ec => ec_jwk("", &KEYS.ec2),
            Self::Rsa => rsa_jwk("", &KEYS.rsa2),
            Self::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(*pair.pk)}),
        };
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    }

    /// RFC 7638, by the order in which serde_json writes names.
    fn thumbprint(&self) -> String {
        encode(Sha256::digest(self.jwk().to_string()))
    }

    fn sign(&self, header: &Value, claims: &str) -> String {
        let header = header.to_string();
        match self {
            Self::Ec => token(By::Ec(&KEYS.ec2), header, claims),
            Self::Rsa => token(By::Rsa(&KEYS.rsa2), header, claims),
            Self::Ed(pair) => {
                let signed = format!("{}.{}", encode(header), encode(claims));
                let signature = encode(*pair.sk.sign(&signed, None));
                format!("{signed}.{signature}")
            }
        }
    }
}

struct Scene {
    service: Service,
    store: MemoryStore,
    /// Makes every proof's `jti` another.
    proofs: Cell<usize>,
}

/// A status, the challenge, and the log's reason.
#[derive(Debug, PartialEq)]
struct Outcome(u16, String, String);

impl Scene {
    fn new() -> Self {
        let jwks = json!({"keys": [ec_jwk("ec", &KEYS.ec)]}).to_string();
        let settings = Settings::read(|name| match name {
            "VAULT_ENCRYPTION_KEY" => Some("11".repeat(32)),
            "GRANT_JWKS" => Some(jwks.clone()),
            "ADMIN_API_KEY" => Some("an admin key of at least 32 characters".to_owned()),
            _ => None,
        });
        let scene =
            Self { service: Service::new(settings), store: MemoryStore::new(at(NOW * 1_000)), proofs: Cell::new(0) };
        let admin = head("POST", "/v1/admin/developers", "Bearer an admin key of at least 32 characters", None);
        let (_, body, _) = scene.send(&scene.service, admin, r#"{"name":"Acme","developerId":"dev_A"}"#, 0);
        let key = format!("Bearer {}", serde_json::from_slice::<Value>(&body).unwrap()["apiKey"].as_str().unwrap());
        let credential = r#"{"principalId":"user_1","service":"github","accessToken":"gho_1"}"#;
        let stored = scene.send(&scene.service, head("POST", "/v1/vault/credentials", &key, None), credential, 0);
        assert_eq!(stored.0.0, 201);
        scene
    }

    fn send(&self, service: &Service, head: Head, body: &'static str, second: i64) -> (Outcome, Vec<u8>, usize) {
        let now = at((NOW + second) * 1_000);
        self.store.set_time(now);
        self.store.take_operations();
        let host = Host { store: &self.store, fetch: &NoFetch, signatures: &JwtSimple, rate_limits: &Unlimited, now };
        let Reply::Answer { response, event } = block_on(service.handle(host, &head, Body(body))) else { panic!() };
        let challenge = response.all_headers().find(|(name, _)| *name == "WWW-Authenticate");
        let challenge = challenge.map(|(_, value)| value.to_owned()).unwrap_or_default();
        let reason = event.and_then(|event| event.reason).unwrap_or_default();
        (Outcome(response.status, challenge, reason), response.body.to_vec(), self.store.take_operations().puts)
    }

    fn exchange_on(&self, service: &Service, scheme: &str, grant: &str, proof: Option<&str>, second: i64) -> Outcome {
        let head = head("POST", PATH, &format!("{scheme} {grant}"), proof);
        let (outcome, body, _) = self.send(service, head, r#"{"service":"github"}"#, second);
        assert_eq!(String::from_utf8(body).unwrap().contains("gho_1"), outcome.0 == 200);
        outcome
    }

    fn exchange(&self, scheme: &str, grant: &str, proof: Option<&str>, second: i64) -> Outcome {
        self.exchange_on(&self.service, scheme, grant, proof, second)
    }

    /// The claims of a good proof for an exchange of that token, with a `jti` of its own.
    fn claims(&self, grant: &str) -> Value {
        self.proofs.set(self.proofs.get() + 1);
        let id = format!("proof_{}", self.proofs.get());
        let hash = encode(Sha256::digest(grant));
        json!({"jti": id, "htm": "POST", "htu": format!("{BASE}{PATH}"), "iat": NOW, "ath": hash})
    }

    fn proof(&self, holder: &Holder, grant: &str) -> String {
        holder.sign(&header(holder), &self.claims(grant).to_string())
    }
}

fn head(method: &str, path: &str, authorization: &str, proof: Option<&str>) -> Head {
    Head {
        method: method.to_owned(),
        path: path.to_owned(),
        authorization: Some(Secret::new(authorization.to_owned())),
        content_type: Some("application/json".to_owned()),
        dpop: proof.map(str::to_owned),
        base: BASE.to_owned(),
        ..Head::default()
    }
}

fn header(holder: &Holder) -> Value {
    json!({"typ": "dpop+jwt", "alg": holder.algorithm(), "jwk": holder.jwk()})
}

fn bound_to(holder: &Holder) -> String {
    ec_token(with(standard(), "cnf", &json!({"jkt": holder.thumbprint()}).to_string()))
}

fn refused(error: &str, reason: &str) -> Outcome {
    Outcome(401, format!("DPoP error=\"{error}\", algs=\"ES256 EdDSA RS256\""), reason.to_owned())
}

fn ok() -> Outcome {
    Outcome(200, String::new(), String::new())
}

#[test]
fn each_kind_of_key_proves_itself() {
    for holder in [Holder::Ec, Holder::Rsa, Holder::ed(7)] {
        let scene = Scene::new();
        let grant = bound_to(&holder);
        for scheme in ["DPoP", "dpop", "DPOP"] {
            assert_eq!(scene.exchange(scheme, &grant, Some(&scene.proof(&holder, &grant)), 0), ok());
        }
    }
    let (scene, ed) = (Scene::new(), Holder::ed(7));
    let grant = bound_to(&ed);
    let mut header = header(&ed);
    header["alg"] = json!("Ed25519");
    let proof = ed.sign(&header, &scene.claims(&grant).to_string());
    assert_eq!(scene.exchange("DPoP", &grant, Some(&proof), 0), ok());
}

#[test]
fn a_bound_token_needs_a_proof_and_an_unbound_one_has_none() {
    let scene = Scene::new();
    let grant = bound_to(&Holder::Ec);
    let proof = scene.proof(&Holder::Ec, &grant);
    let bound = "bound to a key (cnf), and sent without a proof";
    assert_eq!(scene.exchange("Bearer", &grant, None, 0), refused("invalid_token", bound));
    assert_eq!(scene.exchange("Bearer", &grant, Some(&proof), 0), refused("invalid_token", bound));
    assert_eq!(scene.exchange("DPoP", &grant, None, 0), refused("invalid_dpop_proof", "proof: there is none"));
    let unbound = ec_token(standard().to_string());
    let reason = "not bound to a key, and sent with the scheme DPoP";
    let proof = scene.proof(&Holder::Ec, &unbound);
    assert_eq!(scene.exchange("DPoP", &unbound, Some(&proof), 0), refused("invalid_token", reason));
    assert_eq!(scene.exchange("Bearer", &unbound, None, 0), ok());
}

#[test]
fn a_proof_of_another_header_is_none() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut header = header(&ec);
        edit(&mut header);
        let proof = ec.sign(&header, &scene.claims(&grant).to_string());
        scene.exchange("DPoP", &grant, Some(&proof), 0)
    };
    assert_eq!(edited(&|_| {}), ok());
    type Edit = &'static dyn Fn(&mut Value);
    let rows: [(Edit, &str); 16] = [
        (&|header| header["typ"] = json!("JWT"), "typ is not dpop+jwt"),
        (&|header| drop(header.as_object_mut().unwrap().remove("typ")), "typ is required"),
        (&|header| header["typ"] = Value::Null, "typ must not be null"),
        (&|header| header["alg"] = json!("none"), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| header["alg"] = json!("HS256"), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| header["alg"] = json!("ES384"), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| header["alg"] = json!("RS256"), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| header["alg"] = json!("EdDSA"), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| drop(header.as_object_mut().unwrap().remove("jwk")), "jwk is required"),
        (&|header| header["jwk"] = json!("a key"), "jwk must be an object"),
        (&|header| header["jwk"]["d"] = json!("AAAA"), "shows its private key"),
        (&|header| header["jwk"]["k"] = json!("AAAA"), "shows its private key"),
        (&|header| header["jwk"] = json!({"kty": "oct"}), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| header["jwk"]["crv"] = json!("P-384"), "not a key for ES256, EdDSA or RS256, or not that of alg"),
        (&|header| header["crit"] = json!(["exp"]), "header asks for an extension"),
        (&|header| header["jwk"]["x"] = json!(encode([1; 32])), "of another key than the token is bound to"),
    ];
    for (edit, reason) in rows {
        assert_eq!(edited(edit), refused("invalid_dpop_proof", &format!("proof: {reason}")), "{reason}");
    }
}

#[test]
fn a_proof_with_other_claims_is_none() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    let sent = |claims: &str| scene.exchange("DPoP", &grant, Some(&ec.sign(&header(&ec), claims)), 0);
    let set = |name: &str, value: Value| {
        let mut claims = scene.claims(&grant);
        claims[name] = value;
        sent(&claims.to_string())
    };
    for good in [NOW as f64, NOW as f64 - 60.0, NOW as f64 + 5.0, NOW as f64 + 0.5] {
        assert_eq!(set("iat", json!(good)), ok(), "{good}");
    }
    assert_eq!(set("htu", json!(format!("HTTPS://VAULT.example.com:443{PATH}?x=1#y"))), ok());
    assert_eq!(set("nonce", json!("anything")), ok());
    for (name, value, reason) in [
        ("htm", json!("GET"), "for another method"),
        ("htm", json!("post"), "for another method"),
        ("htm", json!(5), "htm must be a string"),
        ("htu", json!("https://vault.example.com/oauth/token"), "for another URL"),
        ("htu", json!(format!("http://vault.example.com{PATH}")), "for another URL"),
        ("htu", json!(format!("https://evil.example{PATH}")), "for another URL"),
        ("htu", json!(PATH), "for another URL"),
        ("iat", json!(NOW - 61), "too old, or of the future"),
        ("iat", json!(NOW + 6), "too old, or of the future"),
        ("iat", json!("now"), "iat must be a number"),
        ("ath", json!(encode(Sha256::digest("another token"))), "for another token"),
        ("ath", json!(""), "for another token"),
        ("jti", json!(""), "jti is unusable"),
        ("jti", json!("x".repeat(513)), "jti is unusable"),
        ("jti", json!(["a"]), "jti must be a string"),
    ] {
        assert_eq!(set(name, value), refused("invalid_dpop_proof", &format!("proof: {reason}")), "{name}");
    }
    for name in ["htm", "htu", "iat", "jti"] {
        let missing = refused("invalid_dpop_proof", &format!("proof: {name} is required"));
        assert_eq!(sent(&without(scene.claims(&grant), name)), missing);
    }
    let unnamed = refused("invalid_dpop_proof", "proof: for another token");
    assert_eq!(sent(&without(scene.claims(&grant), "ath")), unnamed);
    let twice = scene.claims(&grant).to_string().replacen('{', r#"{"htm":"GET","#, 1);
    assert_eq!(sent(&twice).0, 401);
}

#[test]
fn a_proof_by_another_key_or_in_another_form_is_none() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    let other = scene.proof(&Holder::ed(9), &grant);
    let reason = "proof: of another key than the token is bound to";
    assert_eq!(scene.exchange("DPoP", &grant, Some(&other), 0), refused("invalid_dpop_proof", reason));
    // The right key in the header, and another's signature.
    let claims = scene.claims(&grant).to_string();
    let forged = token(By::Ec(&KEYS.ec), header(&ec).to_string(), &claims);
    let der = token(By::EcDer(&KEYS.ec2), header(&ec).to_string(), &claims);
    let hmac = token(By::Hmac(b"secret"), header(&ec).to_string(), &claims);
    for forged in [forged, der, hmac] {
        let reason = "proof: signature is not the key's";
        assert_eq!(scene.exchange("DPoP", &grant, Some(&forged), 0), refused("invalid_dpop_proof", reason));
    }
    let good = scene.proof(&ec, &grant);
    // Two headers arrive joined.
    for other in
        ["", "x", "a.b", &format!("{good}, {good}"), &format!("{good}.x"), &format!(" {good}"), &"x.".repeat(5_000)]
    {
        assert_eq!(scene.exchange("DPoP", &grant, Some(other), 0).0, 401, "{other:.40}");
    }
    assert_eq!(scene.exchange("DPoP", &grant, Some(&good), 0), ok());
}

#[test]
fn a_proof_is_used_once_in_an_isolate() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    let proof = scene.proof(&ec, &grant);
    let replayed = refused("invalid_dpop_proof", "proof: used before");
    assert_eq!(scene.exchange("DPoP", &grant, Some(&proof), 0), ok());
    for second in [0, 30, 60] {
        assert_eq!(scene.exchange("DPoP", &grant, Some(&proof), second), replayed);
    }
    let stale = refused("invalid_dpop_proof", "proof: too old, or of the future");
    assert_eq!(scene.exchange("DPoP", &grant, Some(&proof), 61), stale);
    // The other way to write the same signature is no other proof.
    let claims = scene.claims(&grant).to_string();
    let first = ec.sign(&header(&ec), &claims);
    assert_eq!(scene.exchange("DPoP", &grant, Some(&first), 0), ok());
    let again = ec.sign(&header(&ec), &format!("{claims} "));
    assert_ne!(first, again);
    assert_eq!(scene.exchange("DPoP", &grant, Some(&again), 0), replayed);
}

#[test]
fn another_isolate_knows_it_from_storage_once_storage_tells() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    let elsewhere = || Scene::new().service;
    let replayed = refused("invalid_dpop_proof", "proof: used before");
    let proof = scene.proof(&ec, &grant);
    assert_eq!(scene.exchange("DPoP", &grant, Some(&proof), 0), ok());
    assert_eq!(scene.exchange_on(&elsewhere(), "DPoP", &grant, Some(&proof), 1), replayed);
    // Where storage lags it isn't known yet: that is the window that the documentation owns up to.
    let proof = scene.proof(&ec, &grant);
    scene.store.lag();
    assert_eq!(scene.exchange("DPoP", &grant, Some(&proof), 0), ok());
    assert_eq!(scene.exchange_on(&elsewhere(), "DPoP", &grant, Some(&proof), 1), ok());
    scene.store.catch_up();
    assert_eq!(scene.exchange_on(&elsewhere(), "DPoP", &grant, Some(&proof), 2), replayed);
}

#[test]
fn a_proof_costs_a_write_and_a_bearer_token_none() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    let proof = scene.proof(&ec, &grant);
    let bound = head("POST", PATH, &format!("DPoP {grant}"), Some(&proof));
    assert_eq!(scene.send(&scene.service, bound, r#"{"service":"github"}"#, 0).2, 1);
    let bearer = head("POST", PATH, &format!("Bearer {}", ec_token(standard().to_string())), None);
    assert_eq!(scene.send(&scene.service, bearer, r#"{"service":"github"}"#, 0).2, 0);
    assert_eq!(scene.store.take_operations(), Operations::default());
}

#[test]
fn nothing_is_handed_out_when_the_proof_cannot_be_marked() {
    let (scene, ec) = (Scene::new(), Holder::Ec);
    let grant = bound_to(&ec);
    // The read passes, the write doesn't.
    scene.store.fail_after(Some(1));
    assert_eq!(scene.exchange("DPoP", &grant, Some(&scene.proof(&ec, &grant)), 0).0, 503);
    scene.store.fail_after(None);
    assert_eq!(scene.exchange("DPoP", &grant, Some(&scene.proof(&ec, &grant)), 0), ok());
}
