//! An issuer of grant tokens that signs any bytes, so that tests can forge what no library would.

use std::rc::Rc;
use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use futures::executor::block_on;
use grant_vault::fetch::{Answer, Fetch, FetchError, Request};
use grant_vault::grant::claims::Expected;
use grant_vault::grant::issuer::IssuerKeys;
use grant_vault::grant::jwks::JwkSet;
use grant_vault::grant::signature::JwtSimple;
use grant_vault::grant::verifier::GrantVerifier;
use grant_vault::grant::{Grant, GrantError};
use grant_vault::timestamp::Timestamp;
use jwt_simple::prelude::*;
use p256::ecdsa::{Signature, signature::Signer as _};
use serde_json::{Value, json};
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::Padding;
use superboring::sign::Signer;

/// The second that tokens are verified at, unless a test says otherwise.
pub const NOW: i64 = 1_700_000_000;
pub const ISSUER: &str = "https://grantex.dev";
pub const GRANT: &str = "urn:grantex:grant";

/// The issuer's keys, with the kids `ec`, `ec2`, `rsa` and `rsa2`.
pub struct Keys {
    pub ec: ES256KeyPair,
    pub ec2: ES256KeyPair,
    pub rsa: RS256KeyPair,
    pub rsa2: RS256KeyPair,
}

pub static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    ec: ES256KeyPair::generate(),
    ec2: ES256KeyPair::generate(),
    rsa: RS256KeyPair::generate(2_048).unwrap(),
    rsa2: RS256KeyPair::generate(2_048).unwrap(),
});

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}

pub fn ec_jwk(kid: &str, key: &ES256KeyPair) -> Value {
    let point = key.public_key().public_key().to_bytes_uncompressed();
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": encode(&point[1..33]), "y": encode(&point[33..])})
}

pub fn rsa_jwk(kid: &str, key: &RS256KeyPair) -> Value {
    let numbers = key.public_key().to_components();
    json!({"kty": "RSA", "kid": kid, "n": encode(numbers.n), "e": encode(numbers.e)})
}

/// What makes the third part of a token from the first two.
#[derive(Clone, Copy)]
pub enum By<'a> {
    Ec(&'a ES256KeyPair),
    /// The same in DER, which JWS doesn't use.
    EcDer(&'a ES256KeyPair),
    Rsa(&'a RS256KeyPair),
    /// Another scheme with the RSA key.
    RsaAs(&'a RS256KeyPair, Padding, fn() -> MessageDigest),
    Hmac(&'a [u8]),
    /// Bytes that were there before.
    Bytes(&'a [u8]),
}

impl By<'_> {
    fn sign(self, text: &str) -> Vec<u8> {
        let ec = |key: &ES256KeyPair| -> Signature { key.key_pair().as_ref().sign(text.as_bytes()) };
        let rsa = |key: &RS256KeyPair, padding, digest: fn() -> MessageDigest| {
            let key = PKey::from_rsa(key.key_pair().as_ref().clone()).unwrap();
            let mut signer = Signer::new(digest(), &key).unwrap();
            signer.set_rsa_padding(padding).unwrap();
            signer.update(text.as_bytes()).unwrap();
            signer.sign_to_vec().unwrap()
        };
        match self {
            Self::Ec(key) => ec(key).to_vec(),
            Self::EcDer(key) => ec(key).to_der().as_bytes().to_vec(),
            Self::Rsa(key) => rsa(key, Padding::PKCS1, MessageDigest::sha256),
            Self::RsaAs(key, padding, digest) => rsa(key, padding, digest),
            Self::Hmac(secret) => hmac_sha256::HMAC::mac(text, secret).to_vec(),
            Self::Bytes(bytes) => bytes.to_vec(),
        }
    }
}

/// A token of exactly these bytes.
pub fn token(by: By<'_>, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(by.sign(&signed));
    format!("{signed}.{signature}")
}

pub const EC_HEADER: &str = r#"{"alg":"ES256","kid":"ec"}"#;
pub const RSA_HEADER: &str = r#"{"alg":"RS256","kid":"rsa"}"#;

/// A token of the issuer's EC key with these claims.
pub fn ec_token(claims: impl AsRef<[u8]>) -> String {
    token(By::Ec(&KEYS.ec), EC_HEADER, claims)
}

/// The claims of a token in the standard spelling.
pub fn standard() -> Value {
    json!({
        "iss": ISSUER, "sub": "user_1", "jti": "tok_1", "iat": NOW, "exp": NOW + 3_600,
        "scope": "github:read slack:*",
        GRANT: {
            "agent_did": "did:grantex:ag_1", "developer_id": "dev_A", "grant_id": "grnt_1",
            "parent_grant_id": "grnt_0", "delegation_depth": 1,
        },
    })
}

/// The same in the legacy spelling.
pub fn legacy() -> Value {
    json!({
        "iss": ISSUER, "sub": "user_1", "jti": "tok_1", "iat": NOW, "exp": NOW + 3_600,
        "scp": ["github:read", "slack:*"], "agt": "did:grantex:ag_1", "dev": "dev_A", "grnt": "grnt_1",
        "parentGrnt": "grnt_0", "delegationDepth": 1,
    })
}

/// Both spellings in one token.
pub fn both() -> Value {
    let mut claims = standard();
    claims.as_object_mut().unwrap().extend(legacy().as_object().unwrap().clone());
    claims
}

/// The claims with one set to `raw`, which may be what `serde_json` wouldn't write.
pub fn with(claims: Value, name: &str, raw: &str) -> String {
    let mut claims = claims;
    claims[name] = json!("REPLACED");
    claims.to_string().replace("\"REPLACED\"", raw)
}

/// The standard claims with a member of the grant object set to `raw`.
pub fn with_inner(claims: Value, name: &str, raw: &str) -> String {
    let inner = with(claims[GRANT].clone(), name, raw);
    with(claims, GRANT, &inner)
}

/// The claims without one.
pub fn without(mut claims: Value, name: &str) -> String {
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims.to_string()
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

/// What [`standard`], [`legacy`] and [`both`] mean.
pub fn grant() -> Grant {
    Grant {
        token_id: "tok_1".into(),
        grant_id: "grnt_1".into(),
        parent_grant_id: Some("grnt_0".into()),
        delegation_depth: 1,
        developer: grant_vault::developer::DeveloperId::parse("dev_A").unwrap(),
        principal: grant_vault::credential::PrincipalId::parse("user_1").unwrap(),
        agent: "did:grantex:ag_1".into(),
        scopes: vec!["github:read".into(), "slack:*".into()],
        issued_at: at(NOW * 1_000),
        expires_at: at((NOW + 3_600) * 1_000),
        confirmation: None,
    }
}

pub fn expected(audience: Option<&str>) -> Expected {
    Expected { issuer: ISSUER.to_owned(), audience: audience.map(str::to_owned) }
}

/// The vault's side: one issuer's keys.
pub struct Vault {
    verifier: GrantVerifier,
    /// What another engine needs to say of the same tokens.
    settings: Value,
}

impl Vault {
    fn new(jwks: &[Value], audience: Option<&str>) -> Self {
        let jwks = json!({"keys": jwks}).to_string();
        let set = JwkSet::parse(jwks.as_bytes()).unwrap();
        let verifier = GrantVerifier::new(expected(audience), IssuerKeys::Inline(Rc::new(set)));
        Self { verifier, settings: json!({"GRANT_ISSUER": ISSUER, "GRANT_JWKS": jwks, "GRANT_AUDIENCE": audience}) }
    }

    /// Knows the keys `ec` and `rsa`.
    pub fn two_keys() -> Self {
        Self::new(&[ec_jwk("ec", &KEYS.ec), rsa_jwk("rsa", &KEYS.rsa)], None)
    }

    /// Knows all four keys.
    pub fn four_keys() -> Self {
        let ec = [ec_jwk("ec", &KEYS.ec), ec_jwk("ec2", &KEYS.ec2)];
        Self::new(&[ec, [rsa_jwk("rsa", &KEYS.rsa), rsa_jwk("rsa2", &KEYS.rsa2)]].concat(), None)
    }

    /// Knows the key `ec`, and takes tokens for this audience only.
    pub fn of_audience(audience: &str) -> Self {
        Self::new(&[ec_jwk("ec", &KEYS.ec)], Some(audience))
    }

    pub fn verify_at(&self, token: &str, now: Timestamp) -> Result<Grant, GrantError> {
        block_on(self.verifier.verify(token, &NoFetch, &JwtSimple, now)).map(|grant| (*grant).clone())
    }

    pub fn verify(&self, token: &str) -> Result<Grant, GrantError> {
        let outcome = self.verify_at(token, at(NOW * 1_000));
        self.record(token, &outcome);
        outcome
    }

    /// Adds a token and what jwt-simple says of it to the file that `GRANT_TOKEN_CORPUS` names, for
    /// `tests/http/token-corpus.test.mjs`, where WebCrypto has to say the same.
    fn record(&self, token: &str, outcome: &Result<Grant, GrantError>) {
        let Some(path) = std::env::var_os("GRANT_TOKEN_CORPUS") else { return };
        let reason = outcome.as_ref().err().map(ToString::to_string);
        let line = format!("{}\n", json!({"settings": self.settings, "token": token, "reason": reason}));
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
    }

    /// Each row's token must be refused, and for the row's reason.
    pub fn refuses<N: AsRef<str>>(&self, rows: impl IntoIterator<Item = (N, String, GrantError)>) {
        let outcomes = rows.into_iter().map(|(name, token, error)| (name, self.verify(&token), Err(error)));
        report(outcomes);
    }

    /// Each row's token must be taken for [`grant`].
    pub fn takes<N: AsRef<str>>(&self, rows: impl IntoIterator<Item = (N, String)>) {
        report(rows.into_iter().map(|(name, token)| (name, self.verify(&token), Ok(grant()))));
    }
}

/// Fails with the names of all rows whose outcome is not as expected, and with how both differ.
fn report<N, T>(rows: impl IntoIterator<Item = (N, T, T)>)
where
    N: AsRef<str>,
    T: PartialEq + std::fmt::Debug,
{
    let wrong = rows.into_iter().filter(|(_, outcome, expected)| outcome != expected);
    let lines: Vec<_> = wrong.map(|(name, is, should)| format!("{}: {is:?}, not {should:?}", name.as_ref())).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

/// An inline key set needs none.
pub struct NoFetch;

impl Fetch for NoFetch {
    async fn fetch(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        panic!("fetched {}", request.url)
    }
}
