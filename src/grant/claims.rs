//! The claims of a grant token, in both spellings, and what must be true of them.
//!
//! Standard (Grantex 0.6): `scope`, and an object `urn:grantex:grant` with `agent_did`,
//! `developer_id`, `grant_id`, `parent_grant_id`, `delegation_depth`. Legacy: `scp`, `agt`, `dev`,
//! `grnt`, `parentGrnt`, `delegationDepth`. Where a token has both spellings of a claim they must
//! agree. A token with `scp` and no `urn:grantex:grant` is a legacy one, whose `scope` is a lossy
//! join of `scp` and isn't read.

use serde::Deserialize;

use super::{Grant, GrantError};
use crate::credential::PrincipalId;
use crate::developer::DeveloperId;
use crate::json::{JsonError, Object, is_distinct};
use crate::limits::{CLAIMS_DEPTH, CLOCK_SKEW_SECS, GRANT_LIFETIME_SECS};
use crate::timestamp::Timestamp;

const GRANT_CLAIM: &str = "urn:grantex:grant";
const SKEW_MILLIS: i64 = CLOCK_SKEW_SECS * 1_000;

/// What a token must say to be for this vault.
#[derive(Clone, Debug)]
pub struct Expected {
    /// `iss`.
    pub issuer: String,
    /// What `aud` must contain, if anything.
    pub audience: Option<String>,
}

/// Reads and checks the claims of a token whose signature is good.
pub fn read(claims: &[u8], expected: &Expected, now: Timestamp) -> Result<Grant, GrantError> {
    if !is_distinct(claims, CLAIMS_DEPTH) {
        return Err(GrantError::Claims(JsonError::NotAnObject));
    }
    let claims = Object::parse(claims).map_err(GrantError::Claims)?;
    if claims.has_null() {
        return Err(GrantError::NullClaim);
    }
    let issuer: String = claims.required("iss", "a string").map_err(GrantError::Claims)?;
    if issuer != expected.issuer {
        return Err(GrantError::Issuer);
    }
    check_audience(&claims, expected.audience.as_deref())?;
    let (issued_at, expires_at) = check_times(&claims, now)?;
    let confirmation = confirmation(&claims)?;
    claims.optional::<String>("nonce", "a string").map_err(GrantError::Claims)?;
    let spellings = Spellings::of(&claims)?;
    let token_id = identifier(&claims, "jti")?;
    let principal = identifier(&claims, "sub")?;
    let developer: String = spellings.required("developer_id", "dev", "a string")?;
    let agent: String = spellings.required("agent_did", "agt", "a string")?;
    let grant_id: Option<String> = spellings.optional("grant_id", "grnt", "a string")?;
    let parent_grant_id: Option<String> = spellings.optional("parent_grant_id", "parentGrnt", "a string")?;
    let depth = spellings.optional("delegation_depth", "delegationDepth", "a whole number")?;
    Ok(Grant {
        grant_id: filled("grant_id", grant_id.unwrap_or_else(|| token_id.clone()))?,
        token_id,
        parent_grant_id: parent_grant_id.map(|id| filled("parent_grant_id", id)).transpose()?,
        delegation_depth: depth.unwrap_or(0),
        developer: DeveloperId::parse(&developer).ok_or(GrantError::Value("developer_id"))?,
        principal: PrincipalId::parse(&principal).ok_or(GrantError::Value("sub"))?,
        agent: filled("agent_did", agent)?,
        scopes: spellings.scopes()?,
        issued_at,
        expires_at,
        confirmation,
    })
}

/// `cnf`: the thumbprint of the key that the token is bound to (RFC 9449 section 6.1). A token that is bound
/// in another way, or in one more, is refused.
fn confirmation(claims: &Object<'_>) -> Result<Option<String>, GrantError> {
    let Some(cnf) = claims.object("cnf").map_err(GrantError::Claims)? else { return Ok(None) };
    let thumbprint: Option<String> = cnf.optional("jkt", "a string").map_err(GrantError::Claims)?;
    match thumbprint {
        Some(thumbprint) if cnf.len() == 1 => Ok(Some(thumbprint)),
        _ => Err(GrantError::Confirmation),
    }
}

fn filled(name: &'static str, text: String) -> Result<String, GrantError> {
    if text.is_empty() { Err(GrantError::Value(name)) } else { Ok(text) }
}

fn identifier(claims: &Object<'_>, name: &'static str) -> Result<String, GrantError> {
    filled(name, claims.required(name, "a string").map_err(GrantError::Claims)?)
}

/// `aud` (RFC 7519 section 4.1.3): one string or an array of them.
fn check_audience(claims: &Object<'_>, expected: Option<&str>) -> Result<(), GrantError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }

    let audience = claims.optional("aud", "a string or an array of strings").map_err(GrantError::Claims)?;
    let Some(expected) = expected else { return Ok(()) };
    let contained = match audience {
        None => false,
        Some(Audience::One(name)) => name == expected,
        Some(Audience::Many(names)) => names.iter().any(|name| name == expected),
    };
    if contained { Ok(()) } else { Err(GrantError::Audience) }
}

/// `exp`, `nbf` and `iat`, with the skew; gives the times of issue and expiry.
fn check_times(claims: &Object<'_>, now: Timestamp) -> Result<(Timestamp, Timestamp), GrantError> {
    let expires_at = numeric_date(claims, "exp")?.ok_or(GrantError::Claims(JsonError::Missing("exp")))?;
    let issued_at = numeric_date(claims, "iat")?.ok_or(GrantError::Claims(JsonError::Missing("iat")))?;
    let not_before = numeric_date(claims, "nbf")?.unwrap_or(issued_at);
    if has_expired(expires_at, now) {
        return Err(GrantError::Expired);
    }
    if issued_at.max(not_before).millis() - now.millis() > SKEW_MILLIS {
        return Err(GrantError::NotYetValid);
    }
    // `exp` is not before now and `iat` not after it, but for the skew: so this bounds what is left
    // of the token's life too, which is how long a revocation has to last.
    if expires_at.millis() - issued_at.millis() > GRANT_LIFETIME_SECS * 1_000 {
        return Err(GrantError::Lifetime);
    }
    Ok((issued_at, expires_at))
}

/// Whether a token that ends then has ended by now, the skew allowed for.
pub(super) fn has_expired(expires_at: Timestamp, now: Timestamp) -> bool {
    now.millis() - expires_at.millis() >= SKEW_MILLIS
}

/// A NumericDate (RFC 7519 section 2): seconds since the epoch, perhaps with a fraction.
fn numeric_date(claims: &Object<'_>, name: &'static str) -> Result<Option<Timestamp>, GrantError> {
    let seconds: Option<f64> = claims.optional(name, "a number").map_err(GrantError::Claims)?;
    let Some(seconds) = seconds else { return Ok(None) };
    // Casting saturates, and neither end is a time that a timestamp can hold.
    let date = Timestamp::from_millis((seconds * 1_000.0).floor() as i64);
    date.filter(|date| date.millis() >= 0).map(Some).ok_or(GrantError::Value(name))
}

/// The claims that have two spellings.
struct Spellings<'a> {
    /// Whether the token has the standard object.
    is_standard: bool,
    standard: Object<'a>,
    legacy: &'a Object<'a>,
}

impl<'a> Spellings<'a> {
    fn of(claims: &'a Object<'a>) -> Result<Self, GrantError> {
        let standard = claims.object(GRANT_CLAIM).map_err(GrantError::Claims)?;
        if standard.as_ref().is_some_and(Object::has_null) {
            return Err(GrantError::NullClaim);
        }
        Ok(Self { is_standard: standard.is_some(), standard: standard.unwrap_or_default(), legacy: claims })
    }

    fn optional<T: Deserialize<'a> + PartialEq>(
        &self,
        standard: &'static str,
        legacy: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, GrantError> {
        let in_standard = self.standard.optional(standard, expected).map_err(GrantError::Claims)?;
        let in_legacy = self.legacy.optional(legacy, expected).map_err(GrantError::Claims)?;
        agreed(standard, in_standard, in_legacy)
    }

    fn required<T: Deserialize<'a> + PartialEq>(
        &self,
        standard: &'static str,
        legacy: &'static str,
        expected: &'static str,
    ) -> Result<T, GrantError> {
        self.optional(standard, legacy, expected)?.ok_or(GrantError::Claims(JsonError::Missing(standard)))
    }

    fn scopes(&self) -> Result<Vec<String>, GrantError> {
        let standard: Option<String> = self.legacy.optional("scope", "a string").map_err(GrantError::Claims)?;
        let legacy = self.legacy.optional("scp", "an array of strings").map_err(GrantError::Claims)?;
        let scopes = if !self.is_standard && legacy.is_some() {
            legacy
        } else {
            let split = |scope: String| scope.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
            agreed("scope", standard.map(split), legacy)?
        };
        scopes.ok_or(GrantError::Claims(JsonError::Missing("scope")))
    }
}

fn agreed<T: PartialEq>(name: &'static str, standard: Option<T>, legacy: Option<T>) -> Result<Option<T>, GrantError> {
    match (standard, legacy) {
        (Some(standard), Some(legacy)) if standard != legacy => Err(GrantError::Disagreement(name)),
        (standard, legacy) => Ok(standard.or(legacy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn read_claims(text: &str) -> Result<Grant, GrantError> {
        let expected = Expected { issuer: "https://grantex.dev".to_owned(), audience: None };
        read(text.as_bytes(), &expected, Timestamp::from_millis(NOW * 1_000).unwrap())
    }

    fn standard() -> serde_json::Value {
        serde_json::json!({
            "iss": "https://grantex.dev", "sub": "user", "jti": "tok_1", "iat": NOW, "exp": NOW + 3600,
            "scope": "github:read slack:*",
            "urn:grantex:grant": {"agent_did": "did:grantex:ag_1", "developer_id": "dev_A", "grant_id": "grnt_1"},
        })
    }

    fn legacy() -> serde_json::Value {
        serde_json::json!({
            "iss": "https://grantex.dev", "sub": "user", "jti": "tok_1", "iat": NOW, "exp": NOW + 3600,
            "scp": ["github:read", "slack:*"], "agt": "did:grantex:ag_1", "dev": "dev_A", "grnt": "grnt_1",
        })
    }

    fn with(mut claims: serde_json::Value, name: &str, value: serde_json::Value) -> Result<Grant, GrantError> {
        claims[name] = value;
        read_claims(&claims.to_string())
    }

    fn without(mut claims: serde_json::Value, name: &str) -> Result<Grant, GrantError> {
        claims.as_object_mut().unwrap().remove(name);
        read_claims(&claims.to_string())
    }

    #[test]
    fn both_spellings_read_as_one_grant() {
        let grant = read_claims(&standard().to_string()).unwrap();
        assert_eq!(grant.scopes, ["github:read", "slack:*"]);
        assert_eq!((grant.grant_id.as_str(), grant.developer.as_str()), ("grnt_1", "dev_A"));
        assert_eq!(read_claims(&legacy().to_string()).unwrap(), grant);
    }

    #[test]
    fn both_spellings_in_one_token_must_agree() {
        let mut both = standard();
        both.as_object_mut().unwrap().extend(legacy().as_object().unwrap().clone());
        assert!(read_claims(&both.to_string()).is_ok());
        for (name, value) in [("agt", "did:x"), ("dev", "dev_B"), ("grnt", "grnt_2"), ("scope", "github:read")] {
            assert!(matches!(with(both.clone(), name, value.into()), Err(GrantError::Disagreement(_))), "{name}");
        }
        assert!(matches!(with(both, "scp", serde_json::json!(["*"])), Err(GrantError::Disagreement("scope"))));
    }

    #[test]
    fn a_legacy_tokens_scope_is_not_read() {
        assert_eq!(with(legacy(), "scope", "*".into()).unwrap().scopes, ["github:read", "slack:*"]);
    }

    #[test]
    fn a_missing_grant_id_means_the_tokens() {
        assert_eq!(without(legacy(), "grnt").unwrap().grant_id, "tok_1");
    }

    #[test]
    fn every_other_claim_is_needed() {
        for name in ["iss", "sub", "jti", "iat", "exp", "scope", GRANT_CLAIM] {
            assert!(matches!(without(standard(), name), Err(GrantError::Claims(JsonError::Missing(_)))), "{name}");
        }
        for name in ["scp", "agt", "dev"] {
            assert!(matches!(without(legacy(), name), Err(GrantError::Claims(JsonError::Missing(_)))), "{name}");
        }
    }

    #[test]
    fn null_is_never_absence() {
        for name in ["iss", "sub", "jti", "exp", "nbf", "aud", "scp", "dev", "grnt", "act", "cnf", "new", GRANT_CLAIM] {
            assert_eq!(with(standard(), name, serde_json::Value::Null), Err(GrantError::NullClaim), "{name}");
        }
        for name in ["agent_did", "developer_id", "grant_id", "parent_grant_id", "delegation_depth", "new"] {
            let mut claims = standard();
            claims[GRANT_CLAIM][name] = serde_json::Value::Null;
            assert_eq!(read_claims(&claims.to_string()), Err(GrantError::NullClaim), "{name}");
        }
    }

    #[test]
    fn times_are_numbers_within_the_skew() {
        let at = |name: &str, seconds: f64| with(standard(), name, seconds.into()).map(drop);
        let now = NOW as f64;
        assert_eq!(at("exp", now - 59.9), Ok(()));
        assert_eq!(at("exp", now - 60.0), Err(GrantError::Expired));
        assert_eq!(at("exp", now + 0.5), Ok(()));
        assert_eq!(at("nbf", now + 60.0), Ok(()));
        assert_eq!(at("nbf", now + 60.1), Err(GrantError::NotYetValid));
        assert_eq!(at("iat", now + 60.1), Err(GrantError::NotYetValid));
        assert_eq!(at("exp", -1.0), Err(GrantError::Value("exp")));
        let lifetime = GRANT_LIFETIME_SECS as f64;
        assert_eq!(at("exp", now + lifetime), Ok(()));
        assert_eq!(at("exp", now + lifetime + 1.0), Err(GrantError::Lifetime));
        assert_eq!(at("exp", 1e300), Err(GrantError::Value("exp")));
        assert!(matches!(with(standard(), "exp", "1700003600".into()), Err(GrantError::Claims(_))));
        let huge = standard().to_string().replace(&(NOW + 3600).to_string(), "1e400");
        assert!(matches!(read_claims(&huge), Err(GrantError::Claims(_))));
    }

    #[test]
    fn the_audience_must_contain_ours_when_one_is_set() {
        let expected = Expected { issuer: "https://grantex.dev".to_owned(), audience: Some("vault".to_owned()) };
        let audience = |value: serde_json::Value| {
            let mut claims = standard();
            claims["aud"] = value;
            read(claims.to_string().as_bytes(), &expected, Timestamp::from_millis(NOW * 1_000).unwrap()).map(drop)
        };
        assert_eq!(audience("vault".into()), Ok(()));
        assert_eq!(audience(serde_json::json!(["x", "vault"])), Ok(()));
        for other in [serde_json::json!("x"), serde_json::json!([]), serde_json::json!("Vault")] {
            assert_eq!(audience(other), Err(GrantError::Audience));
        }
        assert!(matches!(audience(serde_json::json!({"vault": 1})), Err(GrantError::Claims(_))));
        assert!(with(standard(), "aud", "anything".into()).is_ok());
    }

    #[test]
    fn values_must_be_usable() {
        assert_eq!(with(standard(), "iss", "https://grantex.dev/".into()), Err(GrantError::Issuer));
        assert_eq!(with(standard(), "jti", "".into()), Err(GrantError::Value("jti")));
        assert_eq!(with(standard(), "sub", "a\u{1}".into()), Err(GrantError::Value("sub")));
        assert_eq!(with(legacy(), "dev", "dev:A".into()), Err(GrantError::Value("developer_id")));
        assert_eq!(with(legacy(), "agt", "".into()), Err(GrantError::Value("agent_did")));
        assert_eq!(with(legacy(), "grnt", "".into()), Err(GrantError::Value("grant_id")));
        assert!(matches!(with(legacy(), "delegationDepth", (-1).into()), Err(GrantError::Claims(_))));
        assert!(matches!(read_claims("[]"), Err(GrantError::Claims(_))));
        let twice = standard().to_string().replacen('{', r#"{"sub":"other","#, 1);
        assert!(matches!(read_claims(&twice), Err(GrantError::Claims(_))));
    }
}
