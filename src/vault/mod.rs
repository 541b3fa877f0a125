//! The vault: store, list, get, delete, exchange, refer and resolve. The whole job, without HTTP.
//!
//! Here is what a developer does with one credential. What a grant opens is in `exchange.rs`, lists are in
//! `list.rs`.
//!
//! What it costs, in operations of storage: store reads one key and writes it; get reads one;
//! delete is a bulk read and removes one; exchange, refer and resolve are one bulk read each; a list is one
//! operation per 1,000 keys, and one bulk read per 100 records whose details don't fit KV's metadata. While
//! root keys change, a record is read and written together with its guard: `guard.rs` says why.

mod exchange;
mod list;

use std::rc::Rc;

use crate::credential::{CredentialId, Details, NewCredential};
use crate::developer::DeveloperId;
use crate::envelope::SealError;
use crate::grant::dpop::ProofId;
use crate::guard::{self, Latest};
use crate::keyring::Keyring;
use crate::record::{Place, RecordError};
use crate::store::{Store, StoreError, keys};
use crate::timestamp::Timestamp;

pub use list::{CredentialPage, ListQuery};

/// Why the vault didn't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no such credential of this developer's.
    #[error("no such credential")]
    NotFound,
    /// The grant has no scope that permits the service.
    #[error("no scope of the grant permits the service")]
    OutOfScope,
    /// The token, its grant or the grant it was delegated from was revoked.
    #[error("revoked")]
    Revoked,
    /// The reference isn't one of this developer's, or has ended.
    #[error("no such reference, or it has ended")]
    NoReference,
    /// The grant ended before a reference could be made.
    #[error("the grant has ended")]
    GrantEnded,
    /// The proof of possession was used before.
    #[error("the proof was used before")]
    Replayed,
    /// The cursor isn't one that a list gave.
    #[error("not a cursor of this list")]
    BadCursor,
    /// A stored record doesn't read: changed, moved, or sealed by a key that isn't here.
    #[error("record {record}: {reason}")]
    Damaged {
        /// The credential's id.
        record: String,
        /// What is wrong with it.
        reason: RecordError,
    },
    /// The id that two credentials derive is the same, which takes 2^80 tries to bring about.
    #[error("record {0} belongs to another principal or service of the same id")]
    Collision(String),
    /// The credential couldn't be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Storage didn't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The vault over some storage.
#[derive(Debug)]
pub struct Vault<'a, S> {
    keyring: &'a Keyring,
    store: &'a S,
    proof: Option<ProofId>,
}

impl<'a, S: Store> Vault<'a, S> {
    /// A vault that keeps in `store` what it seals with `keyring`.
    pub fn new(keyring: &'a Keyring, store: &'a S) -> Self {
        Self { keyring, store, proof: None }
    }

    /// Stores a credential, in place of the one for the same principal and service if there is one:
    /// that one's id and time of creation stay, all else is replaced.
    pub async fn store(
        &self,
        developer: &DeveloperId,
        new: NewCredential,
        now: Timestamp,
    ) -> Result<(CredentialId, Details), VaultError> {
        let id = CredentialId::derive(developer, &new.principal, &new.service);
        let place = Place { keyring: self.keyring, developer, id: &id };
        let key = keys::credential(developer, &id);
        let (existing, deleted_at) = match self.latest(&place).await? {
            Latest::Deleted(at) => (None, at),
            Latest::Home(value) | Latest::Guard(value) => {
                (Some(place.open_details(&value).map_err(|reason| damaged(&id, reason))?), None)
            }
        };
        if existing.as_ref().is_some_and(|old| old.principal != new.principal || old.service != new.service) {
            return Err(VaultError::Collision(id.to_string()));
        }
        let (created_at, updated_at) = match existing {
            Some(old) => (old.created_at, now.max(old.updated_at.next())),
            None => (now, deleted_at.map_or(now, |at| now.max(at.next()))),
        };
        let (details, tokens) = new.dated(created_at, updated_at);
        let record = place.seal(&details, &tokens)?;
        guard::put_record(self.store, self.keyring, &key, &details, &record).await?;
        Ok((id, details))
    }

    /// What may be seen of one credential.
    pub async fn get(&self, developer: &DeveloperId, id: &CredentialId) -> Result<Rc<Details>, VaultError> {
        let place = Place { keyring: self.keyring, developer, id };
        let value = self.latest(&place).await?.value().ok_or(VaultError::NotFound)?;
        place.open_details(&value).map_err(|reason| damaged(id, reason))
    }

    /// Removes a credential. One that is damaged can be removed.
    pub async fn delete(&self, developer: &DeveloperId, id: &CredentialId, now: Timestamp) -> Result<(), VaultError> {
        let place = Place { keyring: self.keyring, developer, id };
        let key = keys::credential(developer, id);
        let (home, guard) = guard::read_one(self.store, &key).await?;
        if !self.keyring.is_rotating() {
            home.ok_or(VaultError::NotFound)?;
            self.store.delete(&key).await?;
            // Left over from a rotation; in the next one it would be newer than nothing.
            if guard.is_some() {
                self.store.delete(&keys::guard(&key)).await?;
            }
            return Ok(());
        }
        let was_at = match guard::latest(&place, home, guard.as_deref()) {
            Ok(Latest::Deleted(_)) => return Err(VaultError::NotFound),
            Ok(Latest::Home(value) | Latest::Guard(value)) => {
                place.open_details(&value).ok().map(|details| details.updated_at)
            }
            // Damaged.
            Err(_) => None,
        };
        let at = was_at.map_or(now, |was_at| now.max(was_at.next()));
        guard::put_deleted(self.store, &key, at).await?;
        Ok(self.store.delete(&key).await?)
    }

    /// A credential's record as it was last changed: its own, or in a rotation its guard's.
    async fn latest(&self, place: &Place<'_>) -> Result<Latest, VaultError> {
        let key = keys::credential(place.developer, place.id);
        if !self.keyring.is_rotating() {
            return Ok(self.store.get(&key).await?.map_or(Latest::Deleted(None), Latest::Home));
        }
        let (home, guard) = guard::read_one(self.store, &key).await?;
        guard::latest(place, home, guard.as_deref()).map_err(|reason| damaged(place.id, reason))
    }
}

fn damaged(id: &CredentialId, reason: RecordError) -> VaultError {
    VaultError::Damaged { record: id.to_string(), reason }
}
