//! What callers get: the bodies of the answers, in the contract's names.

use serde::Serialize;

use crate::accounts::AccountPage;
use crate::credential::{CredentialId, Details};
use crate::developer::{Account, ApiKey, Mode};
use crate::grant::dpop;
use crate::grantex::developers::Profile;
use crate::json::Metadata;
use crate::keyring::{KeyId, Keyring};
use crate::rotation;
use crate::settings::{Problem, SignUp};
use crate::timestamp::Timestamp;
use crate::transfer::{Arrival, ExportPage, Exported};
use crate::vault::CredentialPage;

/// The release, as `/health` tells it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The answer to a store.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stored<'a> {
    id: &'a str,
    principal_id: &'a str,
    service: &'a str,
    credential_type: &'a str,
    created_at: Timestamp,
}

impl<'a> Stored<'a> {
    /// What is said of a credential that was stored.
    pub fn new(id: &'a CredentialId, details: &'a Details) -> Self {
        Self {
            id: id.as_str(),
            principal_id: details.principal.as_str(),
            service: details.service.as_str(),
            credential_type: &details.credential_type,
            created_at: details.created_at,
        }
    }
}

/// A credential without its tokens: the contract's VaultCredential.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential<'a> {
    id: &'a str,
    principal_id: &'a str,
    service: &'a str,
    credential_type: &'a str,
    token_expires_at: Option<Timestamp>,
    metadata: &'a Metadata,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> Credential<'a> {
    /// What is shown of a credential.
    pub fn new(id: &'a CredentialId, details: &'a Details) -> Self {
        Self {
            id: id.as_str(),
            principal_id: details.principal.as_str(),
            service: details.service.as_str(),
            credential_type: &details.credential_type,
            token_expires_at: details.token_expires_at,
            metadata: &details.metadata,
            created_at: details.created_at,
            updated_at: details.updated_at,
        }
    }
}

/// A page of credentials.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials<'a> {
    credentials: Vec<Credential<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// What is shown of a page.
    pub fn new(page: &'a CredentialPage) -> Self {
        Self {
            credentials: page.credentials.iter().map(|(id, details)| Credential::new(id, details)).collect(),
            next_cursor: page.next_cursor.as_deref(),
        }
    }
}

/// The answer to an exchange; the one view that holds an upstream token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchanged<'a> {
    access_token: &'a str,
    service: &'a str,
    credential_type: &'a str,
    token_expires_at: Option<Timestamp>,
    metadata: &'a Metadata,
}

impl<'a> Exchanged<'a> {
    /// Hands out an access token.
    pub fn new(details: &'a Details, access_token: &'a str) -> Self {
        Self {
            access_token,
            service: details.service.as_str(),
            credential_type: &details.credential_type,
            token_expires_at: details.token_expires_at,
            metadata: &details.metadata,
        }
    }
}

/// The answer to an exchange for a reference: what is known of the credential but its tokens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referred<'a> {
    credential_ref: &'a str,
    service: &'a str,
    credential_type: &'a str,
    token_expires_at: Option<Timestamp>,
    metadata: &'a Metadata,
    reference_expires_at: Timestamp,
}

impl<'a> Referred<'a> {
    /// Hands out a reference, as text, that ends then.
    pub fn new(details: &'a Details, reference: &'a str, ends: Timestamp) -> Self {
        Self {
            credential_ref: reference,
            service: details.service.as_str(),
            credential_type: &details.credential_type,
            token_expires_at: details.token_expires_at,
            metadata: &details.metadata,
            reference_expires_at: ends,
        }
    }
}

/// An account, with its API key in the one answer that shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Developer<'a> {
    developer_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    name: &'a str,
    email: Option<&'a str>,
    mode: &'static str,
    created_at: Timestamp,
}

impl<'a> Developer<'a> {
    /// What is shown of an account.
    pub fn new(account: &'a Account) -> Self {
        Self {
            developer_id: account.developer.as_str(),
            api_key: None,
            name: &account.name,
            email: account.email.as_deref(),
            mode: account.mode.as_str(),
            created_at: account.created_at,
        }
    }

    /// What is shown once, when the account is made.
    pub fn with_key(account: &'a Account, api_key: &'a ApiKey) -> Self {
        Self { api_key: Some(api_key.expose()), ..Self::new(account) }
    }
}

/// A developer whose account is kept at Grantex, as it told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantexDeveloper<'a> {
    developer_id: &'a str,
    name: Option<&'a str>,
    email: Option<&'a str>,
    mode: Option<&'static str>,
    created_at: Option<Timestamp>,
}

impl<'a> GrantexDeveloper<'a> {
    /// What is shown of a developer of Grantex's.
    pub fn new(profile: &'a Profile) -> Self {
        Self {
            developer_id: profile.developer.as_str(),
            name: profile.name.as_deref(),
            email: profile.email.as_deref(),
            mode: profile.mode.map(Mode::as_str),
            created_at: profile.created_at,
        }
    }
}

/// A page of accounts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Developers<'a> {
    developers: Vec<Developer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

impl<'a> Developers<'a> {
    /// What is shown of a page.
    pub fn new(page: &'a AccountPage) -> Self {
        Self {
            developers: page.accounts.iter().map(Developer::new).collect(),
            next_cursor: page.next_cursor.as_deref(),
        }
    }
}

/// The answer to a rotation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotatedKey<'a> {
    api_key: &'a str,
    rotated_at: Timestamp,
}

impl<'a> RotatedKey<'a> {
    /// Shows the new key, once.
    pub fn new(api_key: &'a ApiKey, rotated_at: Timestamp) -> Self {
        Self { api_key: api_key.expose(), rotated_at }
    }
}

/// The answer to a removal that isn't done.
#[derive(Serialize)]
pub struct Remaining {
    /// Always true: the same request has to be sent again.
    pub remaining: bool,
}

/// The hashes that stand for names in the audit, for those that were named.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditHashes {
    /// For the principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_hash: Option<String>,
    /// For the token's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_hash: Option<String>,
    /// For the grant that was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_hash: Option<String>,
}

/// How many records of a page are under which root key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCounts<'a> {
    keys: Vec<KeyCount>,
    unreadable: usize,
    unsettled: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyCount {
    key_id: String,
    /// Whether it seals what is stored now.
    current: bool,
    /// Whether the vault has it.
    known: bool,
    records: usize,
}

impl<'a> KeyCounts<'a> {
    /// What is shown of a page's counts.
    pub fn new(keyring: &Keyring, counts: &'a rotation::KeyCounts) -> Self {
        let count = |(id, &records): (&KeyId, &usize)| KeyCount {
            key_id: id.to_string(),
            current: *id == keyring.current().id(),
            known: keyring.find(*id).is_some(),
            records,
        };
        Self {
            keys: counts.records.iter().map(count).collect(),
            unreadable: counts.unreadable,
            unsettled: counts.unsettled,
            next_cursor: counts.next_cursor.as_deref(),
        }
    }
}

/// What resealing did to a page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rewrapped<'a> {
    seen: usize,
    resealed: usize,
    settled: usize,
    busy: usize,
    damaged: Vec<Damaged<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Damaged<'a> {
    key: &'a str,
    reason: &'a str,
}

impl<'a> Rewrapped<'a> {
    /// What is shown of a page that was resealed.
    pub fn new(done: &'a rotation::Rewrapped) -> Self {
        let damaged = |one: &'a rotation::DamagedRecord| Damaged { key: &one.key, reason: &one.reason };
        Self {
            seen: done.seen,
            resealed: done.resealed,
            settled: done.settled,
            busy: done.busy,
            damaged: done.damaged.iter().map(damaged).collect(),
            next_cursor: done.next_cursor.as_deref(),
        }
    }
}

/// A page of an export.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Records<'a> {
    records: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Record<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<i64>,
}

impl<'a> Records<'a> {
    /// What storage holds, as it is.
    pub fn new(page: &'a ExportPage) -> Self {
        let record = |one: &'a Exported| Record {
            key: &one.key,
            value: &one.value,
            metadata: one.metadata.as_deref(),
            expiration: one.expiration,
        };
        Self { records: page.records.iter().map(record).collect(), next_cursor: page.next_cursor.as_deref() }
    }
}

/// What became of the records that came in, in their order.
#[derive(Serialize)]
pub struct Arrivals<'a> {
    /// One for each.
    pub results: Vec<Arrived<'a>>,
}

/// What became of one.
#[derive(Serialize)]
pub struct Arrived<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> Arrived<'a> {
    /// What is told of a record, by its key or, of a credential, its id.
    pub fn new(key: Option<&'a str>, id: Option<&'a CredentialId>, arrival: &'a Arrival) -> Self {
        let (outcome, reason) = match arrival {
            Arrival::Written => ("written", None),
            Arrival::Unchanged => ("unchanged", None),
            Arrival::Newer => ("newer", None),
            Arrival::Expired => ("expired", None),
            Arrival::Refused(reason) => ("refused", Some(reason.as_str())),
        };
        Self { key, id: id.map(CredentialId::as_str), outcome, reason }
    }
}

/// The answer of `/health`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health<'a> {
    status: &'static str,
    version: &'static str,
    /// Whether anybody may sign up, so that a page needs no attempt to find out.
    #[serde(skip_serializing_if = "Option::is_none")]
    signup: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    problems: &'a [Problem],
    /// `on`, `off`, or `unbound` where a binding is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limits: Option<&'static str>,
    /// The bindings that are missing.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unbound_rate_limits: &'a [&'static str],
}

impl<'a> Health<'a> {
    /// Of a vault that is well; with the rate limits that nothing counts, unless they are turned off.
    pub fn well(sign_up: SignUp, has_rate_limits: bool, unbound: &'a [&'static str]) -> Self {
        let (rate_limits, unbound) = match unbound {
            _ if !has_rate_limits => ("off", &[][..]),
            [] => ("on", unbound),
            unbound => ("unbound", unbound),
        };
        Self {
            status: "ok",
            version: VERSION,
            signup: Some(sign_up.as_str()),
            problems: &[],
            rate_limits: Some(rate_limits),
            unbound_rate_limits: unbound,
        }
    }

    /// Of one whose settings have problems.
    pub fn misconfigured(problems: &'a [Problem]) -> Self {
        Self {
            status: "misconfigured",
            version: VERSION,
            signup: None,
            problems,
            rate_limits: None,
            unbound_rate_limits: &[],
        }
    }
}

/// The names of OAuth (RFC 8693 sections 2.1 and 3).
pub mod oauth {
    /// The grant type.
    pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
    /// A JWT.
    pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
    /// An access token.
    pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
}

/// The answer to a token exchange (RFC 8693 section 2.2.1).
#[derive(Serialize)]
pub struct IssuedToken<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl<'a> IssuedToken<'a> {
    /// Hands out an access token. When it expires is told where that is known and yet to come.
    pub fn new(details: &Details, access_token: &'a str, scope: Option<&'a str>, now: Timestamp) -> Self {
        let expires_in = details.token_expires_at.map(|at| at.seconds_since(now)).filter(|&seconds| seconds > 0);
        Self { access_token, issued_token_type: oauth::ACCESS_TOKEN, token_type: "Bearer", expires_in, scope }
    }
}

/// The metadata of the authorization server that the vault is to OAuth clients (RFC 8414 section 2).
#[derive(Serialize)]
pub struct OauthMetadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    grant_types_supported: [&'static str; 1],
    /// There is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 3],
}

impl<'a> OauthMetadata<'a> {
    /// The metadata of the vault at an origin.
    pub fn new(origin: &'a str) -> Self {
        Self {
            issuer: origin,
            token_endpoint: format!("{origin}/oauth/token"),
            grant_types_supported: [oauth::TOKEN_EXCHANGE],
            response_types_supported: [],
            token_endpoint_auth_methods_supported: ["none"],
            dpop_signing_alg_values_supported: dpop::ALGORITHMS,
        }
    }
}
