//! Proofs of possession (DPoP, RFC 9449): that who sends a grant token holds the key that it is bound to.
//!
//! [`check`] does what section 4.3 asks, but for what only others know: that there is one `DPoP` header,
//! which a compact JWS shows by itself, as two headers would be joined by a comma; and that the proof wasn't
//! used before, for which [`SeenProofs`] remembers what this isolate saw and `vault/exchange.rs` what others did.
//! The key is the token's before its signature is looked at, so that no stranger's key is ever used.

use std::cell::RefCell;
use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::jwks::PublicKey;
use super::signature::CheckSignature;
use crate::bounded;
use crate::json::{JsonError, Object, is_distinct};
use crate::limits;
use crate::timestamp::Timestamp;

/// The algorithms that a proof may be signed with, as `WWW-Authenticate` and the metadata name them.
pub const ALGORITHMS: [&str; 3] = ["ES256", "EdDSA", "RS256"];

/// Members of a JWK that only the holder of the private key may have (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The request that a proof came with.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The proof, as the `DPoP` header has it.
    pub proof: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's scheme and authority, like `https://vault.example.com`.
    pub base: &'a str,
    /// The request's path.
    pub path: &'a str,
    /// Whether the proof must name the grant token (`ath`), as it must beside `Authorization`.
    pub names_token: bool,
}

/// Why a proof is refused. The log says it; the wire says only that it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no proof.
    #[error("there is none")]
    Missing,
    /// Not one compact JWS of at most [`limits::PROOF_BYTES`].
    #[error("not one compact JWS")]
    Form,
    /// The header or the claims are no JSON object, or lack a member, or it has the wrong type.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// `typ` isn't `dpop+jwt`.
    #[error("typ is not dpop+jwt")]
    Type,
    /// `crit` names an extension, and none is understood here.
    #[error("header asks for an extension")]
    Critical,
    /// `alg` is none of [`ALGORITHMS`], or the key isn't for it.
    #[error("not a key for ES256, EdDSA or RS256, or not that of alg")]
    Algorithm,
    /// The key in the header has private parts.
    #[error("shows its private key")]
    PrivateKey,
    /// It is another key than the token's.
    #[error("of another key than the token is bound to")]
    OtherKey,
    /// The signature isn't the key's.
    #[error("signature is not the key's")]
    Signature,
    /// `htm` is another method.
    #[error("for another method")]
    Method,
    /// `htu` is another URL.
    #[error("for another URL")]
    Url,
    /// `iat` is too long ago or yet to come.
    #[error("too old, or of the future")]
    Time,
    /// `ath` is another token's hash, or missing.
    #[error("for another token")]
    Token,
    /// `jti` is empty or too long.
    #[error("jti is unusable")]
    Id,
    /// It was used before.
    #[error("used before")]
    Replayed,
}

/// What a proof is remembered by: a hash of the key and the proof's `jti`. Its text wouldn't do, as one
/// ECDSA signature can be written in two ways.
pub type ProofId = [u8; 32];

/// The proofs that this isolate saw and that would still be in time.
#[derive(Debug, Default)]
pub struct SeenProofs(RefCell<HashMap<ProofId, Timestamp>>);

impl SeenProofs {
    /// Remembers a proof; an error where it was seen before.
    pub fn note(&self, id: ProofId, now: Timestamp) -> Result<(), ProofError> {
        let mut seen = self.0.borrow_mut();
        let is_in_time = |at: &Timestamp| now.seconds_since(*at) < limits::PROOF_MARK_SECS as i64;
        if seen.get(&id).is_some_and(is_in_time) {
            return Err(ProofError::Replayed);
        }
        if seen.len() >= limits::SEEN_PROOFS {
            seen.retain(|_, at| is_in_time(at));
        }
        bounded::keep(&mut seen, limits::SEEN_PROOFS, id, now);
        Ok(())
    }
}

/// Checks a proof for a token that is bound to the key of this thumbprint (RFC 7638):
///
/// 1. one compact JWS of type `dpop+jwt`, in a known algorithm, with a public key of it;
/// 2. the key is the token's;
/// 3. the signature is the key's;
/// 4. method, URL, time and token are those of the request.
pub async fn check(
    sent: Sent<'_>,
    token: &str,
    thumbprint: &str,
    signatures: &impl CheckSignature,
    now: Timestamp,
) -> Result<ProofId, ProofError> {
    if sent.proof.len() > limits::PROOF_BYTES {
        return Err(ProofError::Form);
    }
    let (signed, signature) = sent.proof.rsplit_once('.').ok_or(ProofError::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(ProofError::Form)?;
    let (header, claims, signature) = (decode(header)?, decode(claims)?, decode(signature)?);
    let key = read_header(&header)?; // 1
    if key.thumbprint() != thumbprint {
        return Err(ProofError::OtherKey); // 2
    }
    let checked = signatures.check_bytes(&key, signed.as_bytes(), &signature).await;
    checked.map_err(|_| ProofError::Signature)?; // 3
    let id = read_claims(&claims, sent, token, now)?; // 4
    Ok(Sha256::new().chain_update(thumbprint).chain_update("\n").chain_update(id).finalize().into())
}

fn decode(part: &str) -> Result<Vec<u8>, ProofError> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| ProofError::Form)
}

fn read_header(header: &[u8]) -> Result<PublicKey, ProofError> {
    let header = Object::parse(header)?;
    let kind: String = header.required("typ", "a string")?;
    if !kind.eq_ignore_ascii_case("dpop+jwt") {
        return Err(ProofError::Type);
    }
    if header.raw("crit").is_some() || header.raw("b64").is_some() {
        return Err(ProofError::Critical);
    }
    let algorithm: String = header.required("alg", "a string")?;
    let jwk = header.object("jwk")?.ok_or(JsonError::Missing("jwk"))?;
    if PRIVATE_MEMBERS.iter().any(|name| jwk.raw(name).is_some()) {
        return Err(ProofError::PrivateKey);
    }
    let key = PublicKey::of_proof(&jwk).ok_or(ProofError::Algorithm)?;
    let fits = match &key {
        PublicKey::Rsa { .. } => algorithm == "RS256",
        PublicKey::P256 { .. } => algorithm == "ES256",
        // RFC 9864 gives it its own name.
        PublicKey::Ed25519 { .. } => algorithm == "EdDSA" || algorithm == "Ed25519",
    };
    if fits { Ok(key) } else { Err(ProofError::Algorithm) }
}

/// Checks the claims; gives the `jti`.
fn read_claims(claims: &[u8], sent: Sent<'_>, token: &str, now: Timestamp) -> Result<String, ProofError> {
    if !is_distinct(claims, limits::CLAIMS_DEPTH) {
        return Err(JsonError::NotAnObject.into());
    }
    let claims = Object::parse(claims)?;
    let method: String = claims.required("htm", "a string")?;
    if method != sent.method {
        return Err(ProofError::Method);
    }
    let url: String = claims.required("htu", "a string")?;
    if !is_same_url(&url, sent.base, sent.path) {
        return Err(ProofError::Url);
    }
    let issued_at: f64 = claims.required("iat", "a number")?;
    let age = now.millis() as f64 / 1_000.0 - issued_at;
    if !(-(limits::PROOF_AHEAD_SECS as f64)..=limits::PROOF_AGE_SECS as f64).contains(&age) {
        return Err(ProofError::Time);
    }
    let hash: Option<String> = claims.optional("ath", "a string")?;
    let is_named = hash.map(|hash| hash == Base64UrlUnpadded::encode_string(&Sha256::digest(token)));
    if !is_named.unwrap_or(!sent.names_token) {
        return Err(ProofError::Token);
    }
    let id: String = claims.required("jti", "a string")?;
    if (1..=limits::REVOCABLE_ID_BYTES).contains(&id.len()) { Ok(id) } else { Err(ProofError::Id) }
}

/// Whether `htu` names the request's URL, its query and fragment left out, and scheme and host as RFC 3986
/// section 6.2 normalises them. Paths that take proofs hold nothing that could be written otherwise.
fn is_same_url(htu: &str, base: &str, path: &str) -> bool {
    let (Some(theirs), Some(ours)) = (split_url(htu), split_url(base)) else { return false };
    theirs.0 == ours.0 && theirs.1 == ours.1 && theirs.2 == path
}

/// Scheme and authority in lower case, without the scheme's own port, and the path.
pub(crate) fn split_url(url: &str) -> Option<(String, String, &str)> {
    let url = url.split(['?', '#']).next()?;
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, authority) = (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase());
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.strip_suffix(port).map_or(authority.clone(), str::to_owned);
    Some((scheme, authority, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_compared_without_query_and_as_it_is_normalised() {
        let same = |htu: &str| is_same_url(htu, "https://vault.example.com", "/oauth/token");
        for htu in [
            "https://vault.example.com/oauth/token",
            "HTTPS://Vault.Example.COM/oauth/token",
            "https://vault.example.com:443/oauth/token",
            "https://vault.example.com/oauth/token?a=b#c",
        ] {
            assert!(same(htu), "{htu}");
        }
        for htu in [
            "",
            "/oauth/token",
            "http://vault.example.com/oauth/token",
            "https://vault.example.com:8443/oauth/token",
            "https://vault.example.com/oauth/token/",
            "https://vault.example.com/OAuth/token",
            "https://vault.example.com/",
            "https://vault.example.com",
            "https://vault.example.com.evil.example/oauth/token",
            "https://user@vault.example.com/oauth/token",
            "https://evil.example/https://vault.example.com/oauth/token",
        ] {
            assert!(!same(htu), "{htu}");
        }
        assert!(is_same_url("http://localhost:8787/a", "http://localhost:8787", "/a"));
    }

    #[test]
    fn a_proof_is_seen_once_while_it_is_in_time() {
        let at = |second: i64| Timestamp::from_millis(1_700_000_000_000 + second * 1_000).unwrap();
        let seen = SeenProofs::default();
        assert_eq!(seen.note([1; 32], at(0)), Ok(()));
        assert_eq!(seen.note([1; 32], at(65)), Err(ProofError::Replayed));
        assert_eq!(seen.note([2; 32], at(65)), Ok(()));
        assert_eq!(seen.note([1; 32], at(limits::PROOF_MARK_SECS as i64)), Ok(()));
    }

    #[test]
    fn what_is_in_time_outlasts_what_is_not() {
        let at = |second: i64| Timestamp::from_millis(1_700_000_000_000 + second * 1_000).unwrap();
        let seen = SeenProofs::default();
        let id = |number: usize| -> ProofId { Sha256::digest(number.to_be_bytes()).into() };
        for number in 0..limits::SEEN_PROOFS - 1 {
            seen.note(id(number), at(0)).unwrap();
        }
        let late = limits::PROOF_MARK_SECS as i64;
        seen.note(id(limits::SEEN_PROOFS), at(late - 1)).unwrap();
        seen.note(id(limits::SEEN_PROOFS + 1), at(late)).unwrap();
        assert_eq!(seen.0.borrow().len(), 2);
        assert_eq!(seen.note(id(limits::SEEN_PROOFS), at(late)), Err(ProofError::Replayed));
    }
}
