//! What a grant opens: exchange, refer, resolve; and revoking, after which it opens nothing.
//!
//! Grants come here verified. Whether one was revoked, only storage knows: it is asked in the same bulk read
//! that takes the credential.

use std::rc::Rc;

use super::{Vault, VaultError, damaged};
use crate::credential::{CredentialId, Details, Service, Tokens};
use crate::developer::DeveloperId;
use crate::grant::dpop::ProofId;
use crate::grant::{Grant, scope};
use crate::guard;
use crate::limits;
use crate::record::Place;
use crate::reference::Reference;
use crate::secret::Secret;
use crate::store::keys::{self, Revocable};
use crate::store::{Entry, Store};
use crate::timestamp::Timestamp;

impl<S: Store> Vault<'_, S> {
    /// The vault for a grant with a proof of possession: what it hands out for the grant it hands out once for
    /// the proof, as far as storage tells in time.
    pub fn spending(self, proof: Option<ProofId>) -> Self {
        Self { proof, ..self }
    }

    /// Exchanges a verified grant for the credential of one service:
    ///
    /// 1. a scope must permit the service, before storage is asked anything;
    /// 2. one bulk read takes the credential, in a rotation its guard, and the revocations of token, grant
    ///    and parent grant;
    /// 3. none of them may be revoked;
    /// 4. the credential must be there, open, and be the one that was asked for.
    pub async fn exchange(&self, grant: &Grant, service: &Service) -> Result<(Rc<Details>, Tokens), VaultError> {
        let (id, value) = self.granted(grant, service).await?; // 1 to 4
        let place = Place { keyring: self.keyring, developer: &grant.developer, id: &id };
        let (details, tokens) = place.open(&value).map_err(|reason| damaged(&id, reason))?;
        must_be_covered(&details, grant, service)?;
        Ok((details, tokens))
    }

    /// Gives a reference to the credential instead, under the same conditions as [`Self::exchange`]; the
    /// tokens stay sealed. `grant_token` goes with it, sealed, where its issuer is to be asked again.
    pub async fn refer(
        &self,
        grant: &Grant,
        service: &Service,
        grant_token: Option<Secret>,
        now: Timestamp,
    ) -> Result<(Rc<Details>, Reference), VaultError> {
        let (id, value) = self.granted(grant, service).await?;
        let place = Place { keyring: self.keyring, developer: &grant.developer, id: &id };
        let details = place.open_details(&value).map_err(|reason| damaged(&id, reason))?;
        must_be_covered(&details, grant, service)?;
        let reference = Reference::new(grant, id, grant_token, now).ok_or(VaultError::GrantEnded)?;
        Ok((details, reference))
    }

    /// Opens a reference that this developer was sent; it must not have ended.
    pub fn open_reference(&self, developer: &DeveloperId, text: &str, now: Timestamp) -> Result<Reference, VaultError> {
        let reference = Reference::open(self.keyring, developer, text);
        reference.filter(|reference| now < reference.expires_at).ok_or(VaultError::NoReference)
    }

    /// The credential that a reference stands for, as it is now: the grant must not have been revoked
    /// since, and the credential still be there.
    pub async fn resolve(&self, reference: &Reference) -> Result<(Rc<Details>, Tokens), VaultError> {
        let Reference { developer, credential: id, token_id, grant_id, parent_grant_id, .. } = reference;
        let names = Names { token_id, grant_id, parent_grant_id: parent_grant_id.as_deref() };
        let value = self.unrevoked(developer, id, &names).await?;
        Place { keyring: self.keyring, developer, id }.open(&value).map_err(|reason| damaged(id, reason))
    }

    /// The credential that a grant covers, still sealed, if a scope permits it.
    async fn granted(&self, grant: &Grant, service: &Service) -> Result<(CredentialId, String), VaultError> {
        if !scope::permits(&grant.scopes, service.as_str()) {
            return Err(VaultError::OutOfScope);
        }
        let id = CredentialId::derive(&grant.developer, &grant.principal, service);
        let Grant { developer, token_id, grant_id, parent_grant_id, .. } = grant;
        let names = Names { token_id, grant_id, parent_grant_id: parent_grant_id.as_deref() };
        let value = self.unrevoked(developer, &id, &names).await?;
        Ok((id, value))
    }

    /// A credential, still sealed, unless the token or grant that asks for it was revoked.
    async fn unrevoked(
        &self,
        developer: &DeveloperId,
        id: &CredentialId,
        names: &Names<'_>,
    ) -> Result<String, VaultError> {
        let mut wanted = vec![
            keys::credential(developer, id),
            keys::revocation(developer, Revocable::Token(names.token_id)),
            keys::revocation(developer, Revocable::Grant(names.grant_id)),
        ];
        if let Some(parent) = names.parent_grant_id {
            wanted.push(keys::revocation(developer, Revocable::Grant(parent)));
        }
        wanted.extend(self.proof.map(|proof| keys::proof(developer, &proof)));
        if self.keyring.is_rotating() {
            wanted.push(keys::guard(&keys::credential(developer, id)));
        }
        let mut found = self.store.get_many(&wanted).await?;
        let guard = if self.keyring.is_rotating() { found.pop().flatten() } else { None };
        let mut found = found.into_iter();
        let value = found.next().flatten();
        if self.proof.is_some() && found.next_back().flatten().is_some() {
            return Err(VaultError::Replayed);
        }
        if found.any(|revocation| revocation.is_some()) {
            return Err(VaultError::Revoked);
        }
        let place = Place { keyring: self.keyring, developer, id };
        let latest = guard::latest(&place, value, guard.as_deref()).map_err(|reason| damaged(id, reason))?;
        let value = latest.value().ok_or(VaultError::NotFound)?;
        if let Some(proof) = self.proof {
            let mark = Entry { value: "1", metadata: None, ttl: Some(limits::PROOF_MARK_SECS) };
            self.store.put(&keys::proof(developer, &proof), mark).await?;
        }
        Ok(value)
    }

    /// Revokes a token or a grant of this developer's, for as long as a token may live.
    pub async fn revoke(&self, developer: &DeveloperId, revoked: Revocable<'_>) -> Result<(), VaultError> {
        let entry = Entry { value: "1", metadata: None, ttl: Some(limits::REVOCATION_SECS) };
        Ok(self.store.put(&keys::revocation(developer, revoked), entry).await?)
    }
}

/// The names under which a grant can have been revoked.
#[derive(Debug)]
struct Names<'a> {
    token_id: &'a str,
    grant_id: &'a str,
    parent_grant_id: Option<&'a str>,
}

/// Whether a record is the one that its place promises, as a second principal or service could, in 2^80
/// tries, derive the same id.
fn must_be_covered(details: &Details, grant: &Grant, service: &Service) -> Result<(), VaultError> {
    let is_covered = details.principal == grant.principal && details.service == *service;
    if is_covered { Ok(()) } else { Err(VaultError::NotFound) }
}
