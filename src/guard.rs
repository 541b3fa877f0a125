//! Guards: why resealing never loses a store and never brings back what was deleted.
//!
//! KV has no compare-and-swap. Whoever reseals a record reads it, and some time later puts it; a store
//! between the two would be overwritten, a delete undone. So, for as long as the key ring holds previous
//! keys, which is when records are resealed:
//!
//! 1. A store puts its record twice, first under its guard's key, then where it belongs. A delete puts a
//!    guard that says *deleted*, then deletes.
//! 2. Resealing puts and deletes where records belong, and never touches a guard.
//! 3. Who reads a record reads its guard with it, in one bulk read, and takes whichever was changed last.
//!
//! So nothing is lost: a store or delete that was acknowledged is in its guard, where only a later store
//! or delete replaces it (1, 2). What resealing puts is a copy of a record that was there before, with the
//! time of its last change (`updatedAt`), so it is never newer than the guard, and a reader takes the guard
//! (3). The time of a store or a delete is after that of whatever it saw. No step leans on how fast KV
//! tells its locations: a lagging reader sees an older state, as ever, and no mixture.
//!
//! When all is resealed, a last pass finds for every guard that the record is as new, and puts nothing.
//! From there on the records alone are right, so the previous keys can go and guards are read no more.
//! They disappear by themselves after [`limits::GUARD_SECS`]. An API key is never put twice, only
//! deleted, so its guards say *deleted* and nothing else.
//!
//! The time in a guard is not sealed. Whoever can write the storage could put back an older record too.

use crate::credential::Details;
use crate::keyring::Keyring;
use crate::limits;
use crate::record::{Place, Record, RecordError};
use crate::store::{Entry, Store, StoreError, keys};
use crate::timestamp::Timestamp;

const SEPARATOR: char = '.';

/// What a guard says of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// When the record was last changed.
    pub at: Timestamp,
    /// What it holds since; `None` when it was deleted. In a guard's metadata, the time that it was first
    /// stored.
    pub record: Option<String>,
}

impl Guard {
    /// Reads a guard's value or metadata.
    pub fn parse(text: &str) -> Option<Self> {
        let (millis, record) = text.split_once(SEPARATOR)?;
        let at = Timestamp::from_millis(millis.parse().ok()?)?;
        Some(Self { at, record: (!record.is_empty()).then(|| record.to_owned()) })
    }
}

/// What is under keys, each with what its guard holds.
pub async fn read<S: Store>(store: &S, keys: &[String]) -> Result<Vec<(Option<String>, Option<String>)>, StoreError> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(limits::KV_BULK_KEYS / 2) {
        let wanted: Vec<_> = keys.iter().flat_map(|key| [key.clone(), keys::guard(key)]).collect();
        let mut values = store.get_many(&wanted).await?.into_iter();
        found.extend(keys.iter().map(|_| (values.next().flatten(), values.next().flatten())));
    }
    Ok(found)
}

/// What is under one key, and what its guard holds.
pub async fn read_one<S: Store>(store: &S, key: &str) -> Result<(Option<String>, Option<String>), StoreError> {
    Ok(read(store, &[key.to_owned()]).await?.pop().unwrap_or_default())
}

/// Puts a credential's record where it belongs; in a rotation into its guard first.
pub async fn put_record<S: Store>(
    store: &S,
    keyring: &Keyring,
    key: &str,
    details: &Details,
    record: &Record,
) -> Result<(), StoreError> {
    if keyring.is_rotating() {
        let guard = format!("{}{SEPARATOR}{}", details.updated_at.millis(), record.value);
        put(store, key, details.updated_at, Some(details.created_at), &guard, limits::GUARD_SECS).await?;
    }
    store.put(key, Entry { value: &record.value, metadata: Some(&record.summary), ttl: None }).await
}

/// Puts the guard of a record that is deleted.
pub async fn put_deleted<S: Store>(store: &S, key: &str, at: Timestamp) -> Result<(), StoreError> {
    put(store, key, at, None, &format!("{}{SEPARATOR}", at.millis()), limits::GUARD_SECS).await
}

/// Puts a guard: when its record was last changed, when that was first stored, if there is one, the
/// guard's value, and for how many seconds it is kept. A list reads the records of guards, so the metadata
/// has the times and no more.
pub async fn put<S: Store>(
    store: &S,
    key: &str,
    at: Timestamp,
    created_at: Option<Timestamp>,
    value: &str,
    ttl: u64,
) -> Result<(), StoreError> {
    let created_at = created_at.map(|created_at| created_at.millis().to_string()).unwrap_or_default();
    let metadata = format!("{}{SEPARATOR}{created_at}", at.millis());
    store.put(&keys::guard(key), Entry { value, metadata: Some(&metadata), ttl: Some(ttl) }).await
}

/// What a record is, seen together with its guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latest {
    /// The record where it belongs.
    Home(String),
    /// The record of its guard, which is newer.
    Guard(String),
    /// Deleted, at the time that its guard says if there is one.
    Deleted(Option<Timestamp>),
}

impl Latest {
    /// The record's value, unless it is deleted.
    pub fn value(self) -> Option<String> {
        match self {
            Self::Home(value) | Self::Guard(value) => Some(value),
            Self::Deleted(_) => None,
        }
    }
}

/// Decides between a credential's record and its guard, by when they were changed.
pub fn latest(place: &Place<'_>, home: Option<String>, guard: Option<&str>) -> Result<Latest, RecordError> {
    let Some(guard) = guard else { return Ok(home.map_or(Latest::Deleted(None), Latest::Home)) };
    let Guard { at, record } = Guard::parse(guard).ok_or(RecordError::Form("guard"))?;
    match home {
        Some(home) if place.open_details(&home)?.updated_at >= at => Ok(Latest::Home(home)),
        _ => Ok(record.map_or(Latest::Deleted(Some(at)), Latest::Guard)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(text: &str) -> Option<(i64, Option<String>)> {
        Guard::parse(text).map(|guard| (guard.at.millis(), guard.record))
    }

    #[test]
    fn reads_what_is_put() {
        assert_eq!(guard("5.a.b"), Some((5, Some("a.b".to_owned()))));
        assert_eq!(guard("5."), Some((5, None)));
        for text in ["", "5", ".", "x.", "99999999999999999."] {
            assert_eq!(guard(text), None, "{text}");
        }
    }
}
