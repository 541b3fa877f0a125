//! Grant tokens: signed statements that an agent may use a user's credential for a service.
//!
//! A token is taken apart in [`token`], its key is found in [`jwks`] (fetched and kept by
//! [`issuer`]), its signature is checked in [`signature`], its claims are read in [`claims`], and
//! [`verifier`] puts them in order. What
//! comes out is a [`Grant`]; whether it has been revoked only storage knows, see `vault/exchange.rs`.

pub mod claims;
pub mod dpop;
pub mod issuer;
pub mod jwks;
pub mod scope;
pub mod signature;
pub mod token;
pub mod verifier;

use crate::credential::PrincipalId;
use crate::developer::DeveloperId;
use crate::timestamp::Timestamp;

/// What a verified grant token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token's own id (`jti`).
    pub token_id: String,
    /// The grant's id; the token's where it names none.
    pub grant_id: String,
    /// The grant that this one was delegated from, if any.
    pub parent_grant_id: Option<String>,
    /// How often the grant was delegated on; 0 for the user's own.
    pub delegation_depth: u64,
    /// Whose vault it opens (`developer_id` or `dev`).
    pub developer: DeveloperId,
    /// Whose credentials it covers (`sub`).
    pub principal: PrincipalId,
    /// The agent it was given to (`agent_did` or `agt`).
    pub agent: String,
    /// What it permits; see [`scope::permits`].
    pub scopes: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends, before any skew.
    pub expires_at: Timestamp,
    /// The thumbprint of the key that the token is bound to (`cnf.jkt`), if it is.
    pub confirmation: Option<String>,
}

/// Why a grant token is refused. The log says it; the wire says only that it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Longer than [`crate::limits::GRANT_TOKEN_BYTES`].
    #[error("longer than 16 KiB")]
    TooLong,
    /// Not three parts of base64url.
    #[error("not a compact JWS")]
    NotCompact,
    /// The header is no JSON object, or a member has the wrong type.
    #[error("header: {0}")]
    Header(crate::json::JsonError),
    /// `alg` is neither RS256 nor ES256.
    #[error("algorithm is not RS256 or ES256")]
    Algorithm,
    /// `crit` names an extension, or `b64` asks for one (RFC 7797), and none is understood here.
    #[error("header asks for an extension (crit, b64)")]
    Critical,
    /// The key set has no key, or more than one, for `kid` and `alg`.
    #[error("{0}")]
    Key(jwks::SelectError),
    /// The header brings a key of its own (`jwk`).
    #[error("header brings a key")]
    EmbeddedKey,
    /// `typ` says that it is another kind of token (RFC 8725 section 3.11).
    #[error("header has a typ other than JWT and at+jwt")]
    Type,
    /// The signature isn't the key's.
    #[error("signature: {0}")]
    Signature(signature::SignatureError),
    /// A claim is present and null, which could be read as absence.
    #[error("a claim is null")]
    NullClaim,
    /// A claim is absent or of the wrong type, or a name occurs twice.
    #[error("claims: {0}")]
    Claims(crate::json::JsonError),
    /// A claim has the right type and a value that can't be.
    #[error("claim {0} has an unusable value")]
    Value(&'static str),
    /// The two spellings of a claim say different things.
    #[error("claim {0} disagrees with its other spelling")]
    Disagreement(&'static str),
    /// `iss` is another issuer.
    #[error("issued by another issuer")]
    Issuer,
    /// `aud` isn't this vault's.
    #[error("for another audience")]
    Audience,
    /// `exp` is past.
    #[error("expired")]
    Expired,
    /// `nbf` or `iat` is yet to come.
    #[error("not yet valid")]
    NotYetValid,
    /// It lives longer than [`crate::limits::GRANT_LIFETIME_SECS`].
    #[error("lives longer than 400 days")]
    Lifetime,
    /// `cnf` binds it in a way that can't be proven here.
    #[error("bound (cnf) otherwise than by jkt alone")]
    Confirmation,
    /// It is bound to a key, and was sent as if it weren't.
    #[error("bound to a key (cnf), and sent without a proof")]
    Bound,
    /// It isn't bound to a key, and was sent as if it were.
    #[error("not bound to a key, and sent with the scheme DPoP")]
    Unbound,
    /// It is bound to a key, and the proof isn't good.
    #[error("proof: {0}")]
    Proof(#[from] dpop::ProofError),
    /// The token, its grant or the grant it was delegated from was revoked.
    #[error("revoked")]
    Revoked,
    /// The issuer's key set can't be had, so nothing is known of the token.
    #[error("no key set of the issuer: {0}")]
    NoKeys(issuer::KeysError),
}
