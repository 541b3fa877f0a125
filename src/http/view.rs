//! What callers get: the bodies of the answers, in the contract's names.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::accounts::AccountPage;
use crate::credential::{CredentialId, Details};
use crate::developer::{Account, ApiKey, Mode};
use crate::grantex::developers::Profile;
use crate::json::Metadata;
use crate::settings::{Problem, SignUp};
use crate::timestamp::Timestamp;
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
    pub fn show(id: &'a CredentialId, details: &'a Details) -> &'a RawValue {
        let view = || Self {
            id: id.as_str(),
            principal_id: details.principal.as_str(),
            service: details.service.as_str(),
            credential_type: &details.credential_type,
            token_expires_at: details.token_expires_at,
            metadata: &details.metadata,
            created_at: details.created_at,
            updated_at: details.updated_at,
        };
        // Texts and an object with text names: nothing that serde_json refuses.
        details.shown.or_write(|| to_raw_value(&view()).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

/// A page of credentials.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials<'a> {
    credentials: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// What is shown of a page.
    pub fn new(page: &'a CredentialPage) -> Self {
        Self {
            credentials: page.credentials.iter().map(|(id, details)| Credential::show(id, details)).collect(),
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
