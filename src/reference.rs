//! Credentials by reference: a sealed text that stands for a credential, which the agent that holds it
//! can't open and the developer's own services can have resolved.
//!
//! A reference is not stored anywhere: `vref_` and an envelope under the developer's key that says which
//! credential, which grant and which agent it is for, and until when. What it stands for is decided when
//! it is resolved, see `vault/exchange.rs`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credential::{CredentialId, PrincipalId};
use crate::developer::DeveloperId;
use crate::envelope::{self, Context, Part, SealError};
use crate::grant::Grant;
use crate::keyring::{Keyring, Owner};
use crate::limits;
use crate::secret::{self, Secret};
use crate::timestamp::Timestamp;

const PREFIX: &str = "vref_";

/// What a reference says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Whose credential it stands for.
    pub developer: DeveloperId,
    /// Which credential.
    pub credential: CredentialId,
    /// Whose credential that is to the developer.
    pub principal: PrincipalId,
    /// The grant token that it was given for (`jti`).
    pub token_id: String,
    /// The grant.
    pub grant_id: String,
    /// The grant that this one was delegated from, if any.
    pub parent_grant_id: Option<String>,
    /// The agent that it was given to.
    pub agent: String,
    /// The grant token itself, where its issuer is to be asked again whether it stands.
    pub grant_token: Option<Secret>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A reference as it is sealed; the time is milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    #[serde(rename = "c")]
    credential: &'a str,
    #[serde(rename = "u")]
    principal: String,
    #[serde(rename = "j")]
    token_id: String,
    #[serde(rename = "g")]
    grant_id: String,
    #[serde(rename = "p")]
    parent_grant_id: Option<String>,
    #[serde(rename = "a")]
    agent: String,
    /// Compact JWS, which needs no escapes, and so is never copied.
    #[serde(borrow, rename = "t")]
    grant_token: Option<Cow<'a, str>>,
    #[serde(rename = "e")]
    expires_at: i64,
}

impl Reference {
    /// A reference for a grant: it ends after [`limits::REFERENCE_SECS`], or with the grant if that is
    /// sooner; `None` for a grant that has ended, be it within the tolerated skew.
    pub fn new(grant: &Grant, credential: CredentialId, grant_token: Option<Secret>, now: Timestamp) -> Option<Self> {
        let longest = Timestamp::from_millis(now.millis() + limits::REFERENCE_SECS * 1_000)?;
        let expires_at = longest.min(grant.expires_at);
        (expires_at > now).then(|| Self {
            developer: grant.developer.clone(),
            credential,
            principal: grant.principal.clone(),
            token_id: grant.token_id.clone(),
            grant_id: grant.grant_id.clone(),
            parent_grant_id: grant.parent_grant_id.clone(),
            agent: grant.agent.clone(),
            grant_token,
            expires_at,
        })
    }

    /// The reference as text for the agent.
    pub fn seal(&self, keyring: &Keyring) -> Result<Secret, SealError> {
        let plain = secret::json(&Sealed {
            credential: self.credential.as_str(),
            principal: self.principal.as_str().to_owned(),
            token_id: self.token_id.clone(),
            grant_id: self.grant_id.clone(),
            parent_grant_id: self.parent_grant_id.clone(),
            agent: self.agent.clone(),
            grant_token: self.grant_token.as_ref().map(|token| token.expose().into()),
            expires_at: self.expires_at.millis(),
        });
        let sealed = Zeroizing::new(envelope::seal(keyring, &context(&self.developer), &plain)?);
        Ok(Secret::new([PREFIX, &sealed].concat()))
    }

    /// Opens a reference of this developer's; `None` for anything else, another developer's included.
    /// Whether it has ended is not asked here.
    pub fn open(keyring: &Keyring, developer: &DeveloperId, text: &str) -> Option<Self> {
        let sealed = text.strip_prefix(PREFIX)?;
        let plain = envelope::open(keyring, &context(developer), sealed).ok()?;
        let sealed: Sealed<'_> = serde_json::from_slice(&plain).ok()?;
        Some(Self {
            developer: developer.clone(),
            credential: CredentialId::parse(sealed.credential)?,
            principal: PrincipalId::parse(&sealed.principal)?,
            token_id: sealed.token_id,
            grant_id: sealed.grant_id,
            parent_grant_id: sealed.parent_grant_id,
            agent: sealed.agent,
            grant_token: sealed.grant_token.map(|token| Secret::new(token.into_owned())),
            expires_at: Timestamp::from_millis(sealed.expires_at)?,
        })
    }
}

/// A reference belongs to no record: which credential it stands for is inside.
fn context(developer: &DeveloperId) -> Context<'_> {
    Context { owner: Owner::Developer(developer.as_str()), record: "", part: Part::Reference }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Service;
    use crate::keyring::RootKey;

    const NOW: i64 = 1_700_000_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(NOW + second * 1_000).unwrap()
    }

    fn keyring(byte: &str) -> Keyring {
        Keyring::new(RootKey::parse(&byte.repeat(32)).unwrap(), Vec::new())
    }

    fn developer(id: &str) -> DeveloperId {
        DeveloperId::parse(id).unwrap()
    }

    fn reference(grant_ends: i64) -> Option<Reference> {
        let (developer, principal) = (developer("dev_A"), PrincipalId::parse("user").unwrap());
        let id = CredentialId::derive(&developer, &principal, &Service::parse("github").unwrap());
        let grant = Grant {
            token_id: "tok_1".to_owned(),
            grant_id: "grnt_1".to_owned(),
            parent_grant_id: Some("grnt_0".to_owned()),
            delegation_depth: 1,
            developer,
            principal,
            agent: "did:grantex:\"ag_1\"".to_owned(),
            scopes: Vec::new(),
            issued_at: at(-60),
            expires_at: at(grant_ends),
            confirmation: None,
        };
        Reference::new(&grant, id, Some(Secret::new("eyJ.a.b".to_owned())), at(0))
    }

    #[test]
    fn opens_as_what_was_sealed() {
        let reference = reference(3_600).unwrap();
        let text = reference.seal(&keyring("11")).unwrap();
        assert!(text.expose().starts_with("vref_"));
        assert_eq!(Reference::open(&keyring("11"), &developer("dev_A"), text.expose()), Some(reference));
    }

    #[test]
    fn ends_after_five_minutes_or_with_the_grant() {
        assert_eq!(reference(3_600).unwrap().expires_at, at(300));
        assert_eq!(reference(299).unwrap().expires_at, at(299));
        assert_eq!(reference(0), None);
        assert_eq!(reference(-30), None);
    }

    #[test]
    fn nothing_else_opens() {
        let text = reference(3_600).unwrap().seal(&keyring("11")).unwrap();
        let text = text.expose();
        let open = |byte: &str, id: &str, text: &str| Reference::open(&keyring(byte), &developer(id), text);
        assert_eq!(open("11", "dev_B", text), None);
        assert_eq!(open("22", "dev_A", text), None);
        let sealed = text.strip_prefix("vref_").unwrap();
        for other in ["", "vref_", sealed, &format!("vref_{text}"), &format!("{text}A"), &text[..text.len() - 1]] {
            assert_eq!(open("11", "dev_A", other), None, "{other:?}");
        }
    }

    /// Sealed with the same key for something else, it is no reference; and a reference is nothing else.
    #[test]
    fn a_part_of_a_record_is_no_reference() {
        let owner = Owner::Developer("dev_A");
        let details = Context { owner, record: "", part: Part::Details };
        let text = format!("vref_{}", envelope::seal(&keyring("11"), &details, b"{}").unwrap());
        assert_eq!(Reference::open(&keyring("11"), &developer("dev_A"), &text), None);
        let reference = reference(3_600).unwrap().seal(&keyring("11")).unwrap();
        assert!(envelope::open(&keyring("11"), &details, reference.expose().strip_prefix("vref_").unwrap()).is_err());
    }
}
