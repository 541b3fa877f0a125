//! The vault: store, list, get, delete, exchange, refer and resolve. The whole job, without HTTP.
//!
//! What it costs, in operations of storage: store reads one key and writes it; get reads one;
//! delete is a bulk read and removes one; exchange, refer and resolve are one bulk read each; a list is one
//! operation per 1,000 keys, and one bulk read per 100 records whose details don't fit KV's metadata. While
//! root keys change, a record is read and written together with its guard: `guard.rs` says why.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::credential::{CredentialId, Details, NewCredential, PrincipalId, Service, Tokens};
use crate::developer::DeveloperId;
use crate::envelope::SealError;
use crate::grant::dpop::ProofId;
use crate::grant::{Grant, scope};
use crate::guard::{self, Guard, Latest};
use crate::keyring::Keyring;
use crate::limits;
use crate::record::{Place, RecordError, Summary};
use crate::reference::Reference;
use crate::secret::Secret;
use crate::store::keys::{self, Revocable};
use crate::store::{Entry, Store, StoreError};
use crate::timestamp::Timestamp;

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

/// Which credentials to list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Those of one principal only.
    pub principal: Option<PrincipalId>,
    /// Those for one service only.
    pub service: Option<Service>,
    /// At most so many, 1 to [`limits::LIST_LIMIT`]; [`limits::LIST_UNLIMITED`] when absent.
    pub limit: Option<usize>,
    /// Those after the page that gave this cursor.
    pub cursor: Option<String>,
}

/// A page of a list, newest first.
#[derive(Debug)]
pub struct CredentialPage {
    /// The credentials with their ids.
    pub credentials: Vec<(CredentialId, Rc<Details>)>,
    /// Where the next page starts, unless this was the last.
    pub next_cursor: Option<String>,
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

    /// The vault for a grant with a proof of possession: what it hands out for the grant it hands out once for
    /// the proof, as far as storage tells in time.
    pub fn spending(self, proof: Option<ProofId>) -> Self {
        Self { proof, ..self }
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
        let (home, guard) = self.home_and_guard(&key).await?;
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
        let (home, guard) = self.home_and_guard(&key).await?;
        guard::latest(place, home, guard.as_deref()).map_err(|reason| damaged(place.id, reason))
    }

    /// The values under a key and its guard's, in one read.
    async fn home_and_guard(&self, key: &str) -> Result<(Option<String>, Option<String>), VaultError> {
        Ok(guard::read(self.store, &[key.to_owned()]).await?.pop().unwrap_or_default())
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

    /// Lists a developer's credentials, newest first; what is listed is opened, the rest is not.
    pub async fn list(&self, developer: &DeveloperId, query: &ListQuery) -> Result<CredentialPage, VaultError> {
        let limit = query.limit.unwrap_or(limits::LIST_UNLIMITED);
        let mut listed = self.summaries(developer, query, limit).await?;
        let more = listed.len() > limit;
        listed.truncate(limit);
        let next_cursor = listed.last().filter(|_| more).map(|last| Position::of(last).to_string());
        let values = self.values_without_summary(developer, &listed).await?;
        let mut guarded = self.guarded_values(developer, &listed).await?.into_iter();
        let mut credentials = Vec::with_capacity(listed.len());
        for (item, value) in listed.into_iter().zip(values) {
            let place = Place { keyring: self.keyring, developer, id: &item.id };
            let value = if item.is_guarded { guarded.next().flatten() } else { value };
            let details = match (&item.sealed_details, value) {
                (Some(sealed), _) => place.open_sealed_details(sealed).and_then(|details| item.check(details)),
                // Read after it was listed: it may have been deleted and stored again in between.
                (None, Some(value)) => place.open_details(&value),
                // Deleted since it was listed.
                (None, None) => continue,
            };
            let details = details.map_err(|reason| damaged(&item.id, reason))?;
            let is_asked_for = query.principal.as_ref().is_none_or(|asked| *asked == details.principal)
                && query.service.as_ref().is_none_or(|asked| *asked == details.service);
            if is_asked_for {
                credentials.push((item.id, details));
            }
        }
        Ok(CredentialPage { credentials, next_cursor })
    }

    /// The summaries of what is asked for, in order, `limit + 1` of them at most.
    async fn summaries(
        &self,
        developer: &DeveloperId,
        query: &ListQuery,
        limit: usize,
    ) -> Result<Vec<Listed>, VaultError> {
        let after = match &query.cursor {
            Some(cursor) => Some(Position::parse(cursor).ok_or(VaultError::BadCursor)?),
            None => None,
        };
        let id_prefix = match &query.principal {
            Some(principal) => CredentialId::principal_prefix(developer, principal),
            None => String::new(),
        };
        let suffix = query.service.as_ref().map(|service| CredentialId::service_suffix(developer, service));
        let prefix = keys::credentials(developer, &id_prefix);
        let developer_prefix = keys::credentials(developer, "");
        let mut guards = match self.keyring.is_rotating() {
            true => self.guards(&prefix).await?,
            false => BTreeMap::new(),
        };
        let mut listed = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.store.list(&prefix, cursor.as_deref(), limits::KV_LIST_KEYS).await?;
            for key in page.keys {
                let id = key.name.strip_prefix(&developer_prefix).and_then(CredentialId::parse);
                // A key of another form is none that this vault wrote.
                let Some(id) = id else { continue };
                if suffix.as_ref().is_some_and(|suffix| !id.as_str().ends_with(suffix.as_str())) {
                    continue;
                }
                let summary = Summary::parse(key.metadata).map_err(|reason| damaged(&id, reason))?;
                let is_guarded = guards.remove(&id).is_some();
                let sealed_details = summary.details.filter(|_| !is_guarded);
                let item = Listed { created_at: summary.created_at, id, sealed_details, is_guarded };
                if after.as_ref().is_none_or(|after| Position::of(&item) > *after) {
                    listed.push(item);
                }
            }
            // Keep memory to a few pages, however many credentials there are.
            if listed.len() > 2 * limit.max(limits::KV_LIST_KEYS) {
                keep_first(&mut listed, limit + 1);
            }
            cursor = page.cursor;
            if cursor.is_none() {
                // Those that a guard alone holds.
                for (id, created_at) in std::mem::take(&mut guards) {
                    let is_asked_for = suffix.as_ref().is_none_or(|suffix| id.as_str().ends_with(suffix.as_str()));
                    let Some(created_at) = created_at.filter(|_| is_asked_for) else { continue };
                    let item = Listed { created_at, id, sealed_details: None, is_guarded: true };
                    if after.as_ref().is_none_or(|after| Position::of(&item) > *after) {
                        listed.push(item);
                    }
                }
                keep_first(&mut listed, limit + 1);
                return Ok(listed);
            }
        }
    }

    /// The guards of the records whose keys start with `prefix`: when what they hold was first stored, or
    /// nothing for what was deleted.
    async fn guards(&self, prefix: &str) -> Result<BTreeMap<CredentialId, Option<Timestamp>>, VaultError> {
        let prefix = keys::guard(prefix);
        let mut guards = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = self.store.list(&prefix, cursor.as_deref(), limits::KV_LIST_KEYS).await?;
            for key in page.keys {
                let credential = key.name.strip_prefix(keys::GUARDS).and_then(keys::parse_credential);
                let Some((_, id)) = credential else { continue };
                let guard = key.metadata.as_deref().and_then(Guard::parse);
                let guard = guard.ok_or_else(|| damaged(&id, RecordError::Form("guard")))?;
                let created_at = guard.record.and_then(|millis| Timestamp::from_millis(millis.parse().ok()?));
                guards.insert(id, created_at);
            }
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(guards);
            }
        }
    }

    /// For each listed record that has a guard, what it last held; nothing when it was deleted.
    async fn guarded_values(
        &self,
        developer: &DeveloperId,
        listed: &[Listed],
    ) -> Result<Vec<Option<String>>, VaultError> {
        let guarded: Vec<_> = listed.iter().filter(|item| item.is_guarded).map(|item| &item.id).collect();
        let homes: Vec<_> = guarded.iter().map(|id| keys::credential(developer, id)).collect();
        let found = guard::read(self.store, &homes).await?;
        let latest = guarded.into_iter().zip(found).map(|(id, (home, guard))| {
            let place = Place { keyring: self.keyring, developer, id };
            let latest = guard::latest(&place, home, guard.as_deref()).map_err(|reason| damaged(id, reason))?;
            Ok(latest.value())
        });
        latest.collect()
    }

    /// For each listed record whose summary lacks its details, its value.
    async fn values_without_summary(
        &self,
        developer: &DeveloperId,
        listed: &[Listed],
    ) -> Result<Vec<Option<String>>, VaultError> {
        let mut values = vec![None; listed.len()];
        let lacking: Vec<_> = values
            .iter_mut()
            .zip(listed)
            .filter(|(_, item)| item.sealed_details.is_none() && !item.is_guarded)
            .map(|(place, item)| (place, keys::credential(developer, &item.id)))
            .collect();
        let mut lacking = lacking.into_iter().peekable();
        while lacking.peek().is_some() {
            let (places, wanted): (Vec<_>, Vec<_>) = lacking.by_ref().take(limits::KV_BULK_KEYS).unzip();
            for (place, value) in places.into_iter().zip(self.store.get_many(&wanted).await?) {
                *place = value;
            }
        }
        Ok(values)
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

fn damaged(id: &CredentialId, reason: RecordError) -> VaultError {
    VaultError::Damaged { record: id.to_string(), reason }
}

/// A credential in a list, before it is opened.
#[derive(Debug)]
struct Listed {
    created_at: Timestamp,
    id: CredentialId,
    sealed_details: Option<String>,
    /// Whether it has a guard, which may be newer.
    is_guarded: bool,
}

impl Listed {
    /// The details of the same entry, if they say the same time: nobody changed it where it is in the clear.
    fn check(&self, details: Rc<Details>) -> Result<Rc<Details>, RecordError> {
        if details.created_at == self.created_at { Ok(details) } else { Err(RecordError::Form("summary")) }
    }
}

fn keep_first(listed: &mut Vec<Listed>, count: usize) {
    listed.sort_unstable_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
    listed.truncate(count);
}

/// A place in the order of a list: newest first, then by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position(std::cmp::Reverse<Timestamp>, CredentialId);

impl Position {
    fn of(item: &Listed) -> Self {
        Self(std::cmp::Reverse(item.created_at), item.id.clone())
    }

    fn parse(cursor: &str) -> Option<Self> {
        let (millis, id) = cursor.split_once('-')?;
        let created_at = Timestamp::from_millis(millis.parse().ok()?)?;
        Some(Self(std::cmp::Reverse(created_at), CredentialId::parse(id)?))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0.0.millis(), self.1)
    }
}
