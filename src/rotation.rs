//! Changing the root key: how many records are under which key, and resealing the rest.
//!
//! Both walk through the namespace a page at a time, the caller bringing back the cursor: first
//! credentials, then API keys, accounts, and guards. A page that was done twice is no harm, so a run may
//! be stopped anywhere. That no store or delete is lost meanwhile is the business of `guard.rs`: this
//! module puts and deletes records where they belong, and never a guard.
//!
//! The old key can go after a pass that found nothing to do, begun when every location of KV could see
//! what the pass before had put.

use std::collections::BTreeMap;

use crate::accounts;
use crate::envelope::{self, SealError};
use crate::guard::{self, Latest};
use crate::keyring::{KeyId, Keyring};
use crate::limits;
use crate::record::{Place, RecordError, Summary};
use crate::store::{Entry, ListedKey, Store, StoreError, keys};

/// What the walk goes through, in order.
const PREFIXES: [&str; 4] = [keys::CREDENTIALS, keys::API_KEYS, keys::ACCOUNTS, keys::GUARDS];

/// Why a page couldn't be done.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The cursor isn't one that an earlier page gave.
    #[error("not a cursor of this walk")]
    BadCursor,
    /// A record couldn't be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Storage didn't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many records of a page are under which key.
#[derive(Debug, Default)]
pub struct KeyCounts {
    /// By the id of the key; every key of the ring is in here.
    pub records: BTreeMap<KeyId, usize>,
    /// Records that don't say their key: changed, or written by a later release.
    pub unreadable: usize,
    /// Guards whose store or delete has yet to reach the record itself.
    pub unsettled: usize,
    /// Where the next page starts, unless this was the last.
    pub next_cursor: Option<String>,
}

/// What became of the records of a page.
#[derive(Debug, Default)]
pub struct Rewrapped {
    /// How many were looked at.
    pub seen: usize,
    /// How many were under another key and are under the current one now.
    pub resealed: usize,
    /// How many had missed a store or delete that their guard knew of, and have it now.
    pub settled: usize,
    /// How many were just written by somebody else; a later pass finds them again.
    pub busy: usize,
    /// Those that don't open. They stay as they are.
    pub damaged: Vec<DamagedRecord>,
    /// Where the next page starts, unless this was the last.
    pub next_cursor: Option<String>,
}

/// A record that doesn't open.
#[derive(Debug)]
pub struct DamagedRecord {
    /// Its key in storage, with the developer's and the credential's id or the hash of the API key.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What became of one record.
enum Outcome {
    Unchanged,
    Resealed,
    Settled,
}

/// Why one record wasn't dealt with.
enum Trouble {
    Damaged(String),
    Seal(SealError),
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RecordError> for Trouble {
    fn from(error: RecordError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The records of some storage, and the keys they are or should be under.
#[derive(Debug)]
pub struct Rotation<'a, S> {
    keyring: &'a Keyring,
    store: &'a S,
}

impl<'a, S: Store> Rotation<'a, S> {
    /// The records in `store`, which should be under the current key of `keyring`.
    pub fn new(keyring: &'a Keyring, store: &'a S) -> Self {
        Self { keyring, store }
    }

    /// Counts the records of one page, of up to [`limits::KV_LIST_KEYS`] keys.
    pub async fn count(&self, cursor: Option<&str>) -> Result<KeyCounts, RotationError> {
        let page = self.page(cursor, limits::KV_LIST_KEYS).await?;
        let mut counts = KeyCounts { next_cursor: page.next_cursor, ..KeyCounts::default() };
        counts.records.extend(self.keyring.keys().map(|key| (key.id(), 0)));
        if page.prefix == keys::GUARDS {
            for (home_key, home, guard) in self.guarded(&page.keys).await? {
                counts.unsettled += usize::from(!self.is_settled(&home_key, home, guard));
            }
            return Ok(counts);
        }
        let mut silent = Vec::new();
        for key in page.keys {
            match listed_key_id(page.prefix, key.metadata.as_deref()) {
                Some(id) => *counts.records.entry(id).or_default() += 1,
                None => silent.push(key.name),
            }
        }
        for names in silent.chunks(limits::KV_BULK_KEYS) {
            // One that was deleted since it was listed is none.
            for value in self.store.get_many(names).await?.into_iter().flatten() {
                match envelope::key_id(&value) {
                    Ok(id) => *counts.records.entry(id).or_default() += 1,
                    Err(_) => counts.unreadable += 1,
                }
            }
        }
        Ok(counts)
    }

    /// Reseals what is under another than the current key, of one page of up to `limit` records.
    pub async fn rewrap(&self, cursor: Option<&str>, limit: usize) -> Result<Rewrapped, RotationError> {
        let page = self.page(cursor, limit).await?;
        let mut done = Rewrapped { seen: page.keys.len(), next_cursor: page.next_cursor, ..Rewrapped::default() };
        let current = self.keyring.current().id();
        let listed = match page.prefix == keys::GUARDS {
            true => page.keys,
            false => page
                .keys
                .into_iter()
                .filter(|key| listed_key_id(page.prefix, key.metadata.as_deref()) != Some(current))
                .collect(),
        };
        for (key, home, guard) in self.guarded(&listed).await? {
            match self.settle(&key, home, guard).await {
                Ok(Outcome::Unchanged) => {}
                Ok(Outcome::Resealed) => done.resealed += 1,
                Ok(Outcome::Settled) => done.settled += 1,
                Err(Trouble::Damaged(reason)) => done.damaged.push(DamagedRecord { key, reason }),
                Err(Trouble::Store(StoreError::Busy(_))) => done.busy += 1,
                Err(Trouble::Store(error)) => return Err(error.into()),
                Err(Trouble::Seal(error)) => return Err(error.into()),
            }
        }
        Ok(done)
    }

    /// Brings one record up to its guard and under the current key.
    async fn settle(&self, key: &str, home: Option<String>, guard: Option<String>) -> Result<Outcome, Trouble> {
        match keys::parse_credential(key) {
            Some((developer, id)) => {
                let place = Place { keyring: self.keyring, developer: &developer, id: &id };
                self.settle_credential(&place, key, home, guard).await
            }
            None if key.starts_with(keys::API_KEYS) || key.starts_with(keys::ACCOUNTS) => {
                self.settle_account(key, home, guard).await
            }
            // A key of another form is none that this vault wrote.
            None => Ok(Outcome::Unchanged),
        }
    }

    async fn settle_credential(
        &self,
        place: &Place<'_>,
        key: &str,
        home: Option<String>,
        guard: Option<String>,
    ) -> Result<Outcome, Trouble> {
        let was_there = home.is_some();
        let (value, outcome) = match guard::latest(place, home, guard.as_deref())? {
            Latest::Home(value) => (value, Outcome::Resealed),
            Latest::Guard(value) => (value, Outcome::Settled),
            Latest::Deleted(_) if was_there => {
                self.store.delete(key).await?;
                return Ok(Outcome::Settled);
            }
            Latest::Deleted(_) => return Ok(Outcome::Unchanged),
        };
        let (details, tokens) = place.open_named(&value)?;
        if matches!(outcome, Outcome::Resealed) && envelope::key_id(&value) == Ok(self.keyring.current().id()) {
            return Ok(Outcome::Unchanged);
        }
        let record = place.seal(&details, &tokens).map_err(Trouble::Seal)?;
        let entry = Entry { value: &record.value, metadata: Some(&record.summary), ttl: None };
        self.store.put(key, entry).await?;
        Ok(outcome)
    }

    async fn settle_account(&self, key: &str, home: Option<String>, guard: Option<String>) -> Result<Outcome, Trouble> {
        let Some(sealed) = home else { return Ok(Outcome::Unchanged) };
        if guard.is_some() {
            self.store.delete(key).await?;
            return Ok(Outcome::Settled);
        }
        if envelope::key_id(&sealed) == Ok(self.keyring.current().id()) {
            return Ok(Outcome::Unchanged);
        }
        let resealed =
            accounts::reseal(self.keyring, key, &sealed).map_err(|error| Trouble::Damaged(error.to_string()))?;
        accounts::put_entry(self.store, key, &resealed).await?;
        Ok(Outcome::Resealed)
    }

    fn is_settled(&self, key: &str, home: Option<String>, guard: Option<String>) -> bool {
        let Some((developer, id)) = keys::parse_credential(key) else { return home.is_none() || guard.is_none() };
        let place = Place { keyring: self.keyring, developer: &developer, id: &id };
        let was_there = home.is_some();
        match guard::latest(&place, home, guard.as_deref()) {
            Ok(Latest::Home(_)) => true,
            Ok(Latest::Guard(_)) | Err(_) => false,
            Ok(Latest::Deleted(_)) => !was_there,
        }
    }

    /// For each listed key, or guard of a key, what is there and what its guard holds.
    async fn guarded(
        &self,
        listed: &[ListedKey],
    ) -> Result<Vec<(String, Option<String>, Option<String>)>, RotationError> {
        let home = |key: &ListedKey| key.name.strip_prefix(keys::GUARDS).unwrap_or(&key.name).to_owned();
        let homes: Vec<_> = listed.iter().map(home).collect();
        let found = guard::read(self.store, &homes).await?;
        let in_force = |guard: Option<String>| guard.filter(|_| self.keyring.is_rotating());
        // Without previous keys nobody keeps guards, and those that are left are old.
        Ok(homes.into_iter().zip(found).map(|(key, (home, guard))| (key, home, in_force(guard))).collect())
    }

    /// The page at a cursor; kinds of record of which there are none are passed over.
    async fn page(&self, cursor: Option<&str>, limit: usize) -> Result<Page, RotationError> {
        let prefixes =
            || PREFIXES.iter().copied().filter(|prefix| *prefix != keys::GUARDS || self.keyring.is_rotating());
        let (first, mut kv_cursor) = match cursor {
            None => (keys::CREDENTIALS, None),
            Some(cursor) => {
                let (name, kv_cursor) = cursor.split_once('.').ok_or(RotationError::BadCursor)?;
                let is_named = |prefix: &&str| prefix.strip_suffix(':') == Some(name);
                let prefix = prefixes().find(is_named).ok_or(RotationError::BadCursor)?;
                (prefix, (!kv_cursor.is_empty()).then(|| kv_cursor.to_owned()))
            }
        };
        let mut left = prefixes().skip_while(|prefix| *prefix != first).peekable();
        while let Some(prefix) = left.next() {
            let page = self.store.list(prefix, kv_cursor.as_deref(), limit).await?;
            let next_cursor = match (page.cursor, left.peek()) {
                (Some(cursor), _) => Some(cursor_at(prefix, &cursor)),
                (None, Some(next)) => Some(cursor_at(next, "")),
                (None, None) => None,
            };
            if !page.keys.is_empty() || next_cursor.is_none() {
                return Ok(Page { prefix, keys: page.keys, next_cursor });
            }
            kv_cursor = None;
        }
        Err(RotationError::BadCursor)
    }
}

/// Keys of one kind.
struct Page {
    prefix: &'static str,
    keys: Vec<ListedKey>,
    next_cursor: Option<String>,
}

fn cursor_at(prefix: &str, kv_cursor: &str) -> String {
    format!("{}.{kv_cursor}", prefix.trim_end_matches(':'))
}

/// The key that a record is under, as its metadata tells it.
fn listed_key_id(prefix: &str, metadata: Option<&str>) -> Option<KeyId> {
    match prefix {
        keys::CREDENTIALS => Summary::key_id(metadata?),
        _ => envelope::key_id(metadata?).ok(),
    }
}
