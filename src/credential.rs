//! Credentials: what is stored for one user of one service, what of it is shown, what is secret.
//!
//! Values and their ids only; sealing and storage are in `record.rs` and `vault/`.

use std::cell::OnceCell;
use std::fmt;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::base32;
use crate::developer::DeveloperId;
use crate::json::Metadata;
use crate::limits;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// Names a credential: `vault_`, 16 characters for the principal, 10 for the service.
///
/// It is derived from developer, principal and service: storing again finds the same record,
/// racing stores can't make two, a principal's credentials share a prefix of their key, and those
/// for one service share an ending.
#[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialId(String);

impl CredentialId {
    const PREFIX: &'static str = "vault_";
    /// 80 bits: finding a second principal with the same part takes 2^80 tries.
    const PRINCIPAL_CHARACTERS: usize = 16;
    /// 50 bits; the names of services are few, and the developer's own.
    const SERVICE_CHARACTERS: usize = 10;

    /// The id of a principal's credential for a service.
    pub fn derive(developer: &DeveloperId, principal: &PrincipalId, service: &Service) -> Self {
        let mut id = Self::principal_prefix(developer, principal);
        id.push_str(&Self::service_suffix(developer, service));
        Self(id)
    }

    /// What the ids of a principal's credentials start with.
    pub fn principal_prefix(developer: &DeveloperId, principal: &PrincipalId) -> String {
        let hash = hash("principal", developer, principal.as_str());
        format!("{}{}", Self::PREFIX, base32::encode(&hash, Self::PRINCIPAL_CHARACTERS))
    }

    /// What the ids of a developer's credentials for a service end with.
    pub fn service_suffix(developer: &DeveloperId, service: &Service) -> String {
        let hash = hash("service", developer, &service.identity());
        base32::encode(&hash, Self::SERVICE_CHARACTERS)
    }

    /// Takes an id that has the form; whether there is such a credential, storage knows.
    pub fn parse(text: &str) -> Option<Self> {
        let characters = text.strip_prefix(Self::PREFIX)?;
        let length = Self::PRINCIPAL_CHARACTERS + Self::SERVICE_CHARACTERS;
        (characters.len() == length && base32::is_encoded(characters)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hash(kind: &str, developer: &DeveloperId, name: &str) -> [u8; 32] {
    // Neither a kind nor a developer's id holds a line feed, so the three can't run together.
    Sha256::new()
        .chain_update("grant-vault credential id\n")
        .chain_update(kind)
        .chain_update("\n")
        .chain_update(developer.as_str())
        .chain_update("\n")
        .chain_update(name)
        .finalize()
        .into()
}

/// Names the end user whose credential it is: 1 to 256 bytes, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalId(String);

impl PrincipalId {
    /// Takes an id that has the form.
    pub fn parse(text: &str) -> Option<Self> {
        is_name(text, limits::PRINCIPAL_ID_BYTES).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text may name something: 1 to `longest` bytes without control characters.
pub(crate) fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Names an upstream service, like `github`: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
///
/// Two spellings that differ in case name one service.
#[derive(Clone, Debug)]
pub struct Service(String);

impl Service {
    /// Takes a name that has the form.
    pub fn parse(text: &str) -> Option<Self> {
        let (first, rest) = text.as_bytes().split_first()?;
        let formed = text.len() <= limits::SERVICE_BYTES
            && first.is_ascii_alphanumeric()
            && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
        formed.then(|| Self(text.to_owned()))
    }

    /// The name as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in the spelling that decides which service it is.
    pub fn identity(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Service {}

/// What a developer may see of a credential: everything but its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Whose credential it is.
    pub principal: PrincipalId,
    /// What it is for, in the spelling last stored.
    pub service: Service,
    /// What kind it is, like `oauth2` or `api_key`.
    pub credential_type: String,
    /// When the upstream token expires, if that is known.
    pub token_expires_at: Option<Timestamp>,
    /// What the developer keeps beside it.
    pub metadata: Metadata,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last stored.
    pub updated_at: Timestamp,
    /// What a caller is shown of all this.
    pub shown: Shown,
}

/// What a caller is shown of a credential, as JSON: written when it is first shown, and kept as long as the
/// details are. A list shows a thousand, and the next one mostly the same.
#[derive(Clone, Debug, Default)]
pub struct Shown(OnceCell<Box<RawValue>>);

impl Shown {
    /// The JSON that `write` writes, or wrote when it was first shown.
    pub fn or_write(&self, write: impl FnOnce() -> Box<RawValue>) -> &RawValue {
        self.0.get_or_init(write)
    }
}

/// It follows from the rest.
impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

/// The secret half of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// What an exchange hands out.
    pub access: Secret,
    /// Kept for the developer; no call of the contract hands it out.
    pub refresh: Option<Secret>,
}

/// What a developer sends to be stored.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Whose credential it is.
    pub principal: PrincipalId,
    /// What it is for.
    pub service: Service,
    /// What kind it is.
    pub credential_type: String,
    /// When the upstream token expires, if that is known.
    pub token_expires_at: Option<Timestamp>,
    /// What the developer keeps beside it.
    pub metadata: Metadata,
    /// The tokens to seal.
    pub tokens: Tokens,
}

impl NewCredential {
    /// The details, with the times that they get, and the tokens.
    pub fn dated(self, created_at: Timestamp, updated_at: Timestamp) -> (Details, Tokens) {
        let Self { principal, service, credential_type, token_expires_at, metadata, tokens } = self;
        let shown = Shown::default();
        let details =
            Details { principal, service, credential_type, token_expires_at, metadata, created_at, updated_at, shown };
        (details, tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(developer: &str, principal: &str, service: &str) -> CredentialId {
        CredentialId::derive(
            &DeveloperId::parse(developer).unwrap(),
            &PrincipalId::parse(principal).unwrap(),
            &Service::parse(service).unwrap(),
        )
    }

    #[test]
    fn an_id_is_the_same_for_the_same_three_and_no_other() {
        let github = id("dev_A", "user", "github");
        assert_eq!(CredentialId::parse(github.as_str()).unwrap(), github);
        assert_eq!(id("dev_A", "user", "GitHub"), github);
        for other in [id("dev_B", "user", "github"), id("dev_A", "User", "github"), id("dev_A", "user", "slack")] {
            assert_ne!(other, github);
        }
    }

    #[test]
    fn ids_share_the_part_for_what_they_share() {
        let (github, slack, other) =
            (id("dev_A", "user", "github"), id("dev_A", "user", "slack"), id("dev_A", "other", "github"));
        assert_eq!(github.as_str()[..22], slack.as_str()[..22]);
        assert_eq!(github.as_str()[22..], other.as_str()[22..]);
        assert_ne!(github.as_str()[22..], slack.as_str()[22..]);
        assert_ne!(github.as_str()[22..], id("dev_B", "user", "github").as_str()[22..]);
    }

    #[test]
    fn other_texts_are_no_ids() {
        let id = id("dev_A", "user", "github").to_string();
        for text in
            ["", "vault_", &id[1..], &id[..31], &format!("{id}0"), &id.to_lowercase(), &id.replace("vault_", "cred__")]
        {
            assert_eq!(CredentialId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_have_their_forms() {
        for text in ["github", "G", "9", "a.b_c-d", &"x".repeat(64)] {
            assert!(Service::parse(text).is_some(), "{text}");
        }
        for text in ["", ".a", "-a", "_a", "a b", "a:b", "a/b", "é", &"x".repeat(65)] {
            assert!(Service::parse(text).is_none(), "{text}");
        }
        assert!(PrincipalId::parse(&"é".repeat(128)).is_some());
        for text in ["", "a\n", "a\u{85}", "\0", &"x".repeat(257)] {
            assert!(PrincipalId::parse(text).is_none(), "{text:?}");
        }
    }
}
