//! Moving: records out of one namespace, still sealed, and into another; and credentials in from
//! elsewhere.
//!
//! What goes out is what storage holds, value for value. What comes in must open here, as what its key
//! says it is: so the key ring must hold the key that sealed it, as a previous one if need be. Coming in
//! twice changes nothing, and nothing that was changed here later is overwritten. In a rotation what comes
//! in leaves a guard like any store (see `guard.rs`); outside of one, don't store the same credentials
//! while they come in, as the last writer wins.

use std::rc::Rc;

use crate::accounts::{self, AccountError};
use crate::credential::{CredentialId, Details, NewCredential};
use crate::developer::DeveloperId;
use crate::envelope::SealError;
use crate::guard::{self, Guard, Latest};
use crate::keyring::Keyring;
use crate::limits;
use crate::record::{Place, Record, RecordError};
use crate::store::{Entry, ListedKey, Store, StoreError, keys};
use crate::timestamp::Timestamp;

/// KV refuses to keep an entry for less.
const LEAST_TTL_SECS: i64 = 60;

/// Why a page couldn't be moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A credential couldn't be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Storage didn't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One entry of storage as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its key.
    pub key: String,
    /// What is under it.
    pub value: String,
    /// KV's metadata, which is made anew when the record comes in.
    pub metadata: Option<String>,
    /// When it disappears, in seconds since the epoch; `None` for never.
    pub expiration: Option<i64>,
}

/// A page of an export.
#[derive(Debug)]
pub struct ExportPage {
    /// Everything that storage holds between two cursors.
    pub records: Vec<Exported>,
    /// Where the next page starts, unless this was the last.
    pub next_cursor: Option<String>,
}

/// What became of a record that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is stored now.
    Written,
    /// It was here already.
    Unchanged,
    /// What is here was changed later, and stays.
    Newer,
    /// Its time was over.
    Expired,
    /// It doesn't open, or isn't a record; why.
    Refused(String),
}

impl From<RecordError> for Arrival {
    fn from(error: RecordError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// What there is in the place of a record that comes in.
enum Here {
    Nothing { deleted_at: Option<Timestamp> },
    Details(Rc<Details>),
    Refused(Arrival),
}

/// Moves records in and out of one storage.
#[derive(Debug)]
pub struct Transfer<'a, S> {
    keyring: &'a Keyring,
    store: &'a S,
}

impl<'a, S: Store> Transfer<'a, S> {
    /// Moves records in and out of `store`, where `keyring` opens them.
    pub fn new(keyring: &'a Keyring, store: &'a S) -> Self {
        Self { keyring, store }
    }

    /// Up to `limit` entries of storage, at most [`limits::EXPORT_PAGE`], as they are.
    pub async fn export(&self, cursor: Option<&str>, limit: usize) -> Result<ExportPage, TransferError> {
        let page = self.store.list("", cursor, limit).await?;
        let names: Vec<_> = page.keys.iter().map(|key| key.name.clone()).collect();
        let values = match names.is_empty() {
            true => Vec::new(),
            false => self.store.get_many(&names).await?,
        };
        let exported = |(key, value): (ListedKey, Option<String>)| {
            let ListedKey { name, metadata, expiration } = key;
            // One that was deleted since it was listed is none.
            Some(Exported { key: name, value: value?, metadata, expiration })
        };
        Ok(ExportPage {
            records: page.keys.into_iter().zip(values).filter_map(exported).collect(),
            next_cursor: page.cursor,
        })
    }

    /// Takes in up to [`limits::IMPORT_PAGE`] exported records; what became of each, in their order.
    pub async fn import(&self, records: &[Exported], now: Timestamp) -> Result<Vec<Arrival>, TransferError> {
        // A key that KV refuses would fail the read for all.
        let wanted: Vec<_> =
            records.iter().map(|record| &record.key).filter(|key| keys::may_be(key)).cloned().collect();
        let mut found = guard::read(self.store, &wanted).await?.into_iter();
        let mut arrivals = Vec::with_capacity(records.len());
        for record in records {
            let (here, guard) = match keys::may_be(&record.key) {
                true => found.next().unwrap_or_default(),
                false => (None, None),
            };
            arrivals.push(self.take_in(record, here, guard, now).await?);
        }
        Ok(arrivals)
    }

    /// Takes in a credential from elsewhere, with the times that it had there.
    pub async fn move_in(
        &self,
        developer: &DeveloperId,
        new: NewCredential,
        created_at: Timestamp,
        updated_at: Timestamp,
    ) -> Result<(CredentialId, Arrival), TransferError> {
        let id = CredentialId::derive(developer, &new.principal, &new.service);
        let place = Place { keyring: self.keyring, developer, id: &id };
        let key = keys::credential(developer, &id);
        let (here, guard) = guard::read_one(self.store, &key).await?;
        let (details, tokens) = new.dated(created_at, updated_at);
        if let Some(arrival) = keeps(self.here(&place, here, guard.as_deref()), &details) {
            return Ok((id, arrival));
        }
        let record = place.seal(&details, &tokens)?;
        guard::put_record(self.store, self.keyring, &key, &details, &record).await?;
        Ok((id, Arrival::Written))
    }

    async fn take_in(
        &self,
        record: &Exported,
        here: Option<String>,
        guard: Option<String>,
        now: Timestamp,
    ) -> Result<Arrival, TransferError> {
        let key = record.key.as_str();
        if let Some(home) = key.strip_prefix(keys::GUARDS) {
            return self.take_in_guard(home, record, here, now).await;
        }
        if let Some((developer, id)) = keys::parse_credential(key) {
            let place = Place { keyring: self.keyring, developer: &developer, id: &id };
            return self.take_in_credential(&place, record, here, guard.as_deref()).await;
        }
        if key.starts_with(keys::API_KEYS) || key.starts_with(keys::ACCOUNTS) {
            return self.take_in_account(record, here, guard).await;
        }
        if keys::is_revocation(key) {
            return self.take_in_revocation(record, here, now).await;
        }
        Ok(Arrival::Refused("not a key of this vault's".to_owned()))
    }

    async fn take_in_credential(
        &self,
        place: &Place<'_>,
        record: &Exported,
        here: Option<String>,
        guard: Option<&str>,
    ) -> Result<Arrival, TransferError> {
        let details = match place.open_named(&record.value) {
            Ok((details, _)) => details,
            Err(error) => return Ok(error.into()),
        };
        if here.as_ref() == Some(&record.value) {
            return Ok(Arrival::Unchanged);
        }
        if let Some(arrival) = keeps(self.here(place, here, guard), &details) {
            return Ok(arrival);
        }
        let summary = place.summary(&details, &record.value);
        let stored = Record { value: record.value.clone(), summary };
        guard::put_record(self.store, self.keyring, &record.key, &details, &stored).await?;
        Ok(Arrival::Written)
    }

    async fn take_in_account(
        &self,
        record: &Exported,
        here: Option<String>,
        guard: Option<String>,
    ) -> Result<Arrival, TransferError> {
        let open = |value: &str| {
            accounts::open_entry(self.keyring, &record.key, value)
                .map_err(|error| Arrival::Refused(account_reason(&error)))
        };
        let account = match open(&record.value) {
            Ok(account) => account,
            Err(refused) => return Ok(refused),
        };
        if guard.is_some() && self.keyring.is_rotating() {
            return Ok(Arrival::Newer);
        }
        match here.map(|value| open(&value)) {
            None => {}
            Some(Ok(here)) if here == account => return Ok(Arrival::Unchanged),
            Some(Ok(_)) => return Ok(Arrival::Refused("another account is here".to_owned())),
            Some(Err(_)) => return Ok(Arrival::Refused("what is here doesn't open".to_owned())),
        }
        accounts::put_entry(self.store, &record.key, &record.value).await?;
        Ok(Arrival::Written)
    }

    async fn take_in_revocation(
        &self,
        record: &Exported,
        here: Option<String>,
        now: Timestamp,
    ) -> Result<Arrival, TransferError> {
        if record.value != "1" {
            return Ok(Arrival::Refused("not a revocation".to_owned()));
        }
        let ttl = match ttl(record, now) {
            Ok(ttl) => ttl.min(limits::REVOCATION_SECS),
            Err(arrival) => return Ok(arrival),
        };
        if here.is_some() {
            return Ok(Arrival::Unchanged);
        }
        self.store.put(&record.key, Entry { value: "1", metadata: None, ttl: Some(ttl) }).await?;
        Ok(Arrival::Written)
    }

    /// A guard comes in as it is, unless there is one that is as new.
    async fn take_in_guard(
        &self,
        home: &str,
        record: &Exported,
        here: Option<String>,
        now: Timestamp,
    ) -> Result<Arrival, TransferError> {
        let malformed = || Arrival::Refused("guard: not in the form that this vault writes".to_owned());
        let Some(Guard { at, record: held }) = Guard::parse(&record.value) else { return Ok(malformed()) };
        let created_at = match (keys::parse_credential(home), held) {
            (Some((developer, id)), Some(value)) => {
                let place = Place { keyring: self.keyring, developer: &developer, id: &id };
                match place.open_named(&value) {
                    Ok((details, _)) if details.updated_at == at => Some(details.created_at),
                    Ok(_) => return Ok(malformed()),
                    Err(error) => return Ok(error.into()),
                }
            }
            (Some(_), None) => None,
            (None, None) if home.starts_with(keys::API_KEYS) || home.starts_with(keys::ACCOUNTS) => None,
            (None, _) => return Ok(Arrival::Refused("not a key of this vault's".to_owned())),
        };
        let ttl = match ttl(record, now) {
            Ok(ttl) => ttl.min(limits::GUARD_SECS),
            Err(arrival) => return Ok(arrival),
        };
        if let Some(here) = here.as_deref().and_then(Guard::parse) {
            return Ok(if here.at > at { Arrival::Newer } else { Arrival::Unchanged });
        }
        guard::put(self.store, home, at, created_at, &record.value, ttl).await?;
        Ok(Arrival::Written)
    }

    /// What there is in a credential's place, its guard considered in a rotation.
    fn here(&self, place: &Place<'_>, home: Option<String>, guard: Option<&str>) -> Here {
        let guard = guard.filter(|_| self.keyring.is_rotating());
        let value = match guard::latest(place, home, guard) {
            Ok(Latest::Home(value) | Latest::Guard(value)) => value,
            Ok(Latest::Deleted(deleted_at)) => return Here::Nothing { deleted_at },
            Err(error) => return Here::Refused(does_not_open(error)),
        };
        place.open_details(&value).map_or_else(|error| Here::Refused(does_not_open(error)), Here::Details)
    }
}

/// Why what is here stays; `None` when what comes in takes its place.
fn keeps(here: Here, details: &Details) -> Option<Arrival> {
    match here {
        Here::Nothing { deleted_at } => deleted_at.filter(|at| *at >= details.updated_at).map(|_| Arrival::Newer),
        Here::Details(here) if here.principal != details.principal || here.service != details.service => {
            Some(Arrival::Refused("another principal or service of the same id is here".to_owned()))
        }
        Here::Details(here) if here.updated_at > details.updated_at => Some(Arrival::Newer),
        Here::Details(here) => (*here == *details).then_some(Arrival::Unchanged),
        Here::Refused(arrival) => Some(arrival),
    }
}

fn does_not_open(error: RecordError) -> Arrival {
    Arrival::Refused(format!("what is here doesn't open: {error}"))
}

/// What an account's error says without the hash, which the key tells.
fn account_reason(error: &AccountError) -> String {
    match error {
        AccountError::Damaged { reason, .. } => reason.to_string(),
        other => other.to_string(),
    }
}

/// How long an entry that expires is still to be kept.
fn ttl(record: &Exported, now: Timestamp) -> Result<u64, Arrival> {
    let left = record.expiration.ok_or_else(|| Arrival::Refused("its expiration is missing".to_owned()))?;
    let left = left.saturating_sub(now.seconds());
    if left < LEAST_TTL_SECS { Err(Arrival::Expired) } else { Ok(left.unsigned_abs()) }
}
