//! Storage: what the vault needs of a key-value store, which is what Workers KV gives.
//!
//! The trait has KV's shape and KV's weaknesses: no transactions, last write wins, reads that may
//! lag. [`keys`] is the schema; [`memory`] is a store for tests that shows every weakness at will.

pub mod keys;
pub mod memory;

/// Why storage didn't do what was asked, or didn't say that it did. Nothing was half done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It asks to slow down: KV takes one write per key per second.
    #[error("storage asks to slow down: {0}")]
    Busy(String),
    /// It failed, can't be reached, or didn't answer in time: then a write may have been done.
    #[error("storage failed: {0}")]
    Unavailable(String),
    /// It doesn't know the cursor that a list was to go on from.
    #[error("storage refuses the cursor: {0}")]
    Cursor(String),
}

/// One key in a page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key's name.
    pub name: String,
    /// The metadata it was put with.
    pub metadata: Option<String>,
    /// When it disappears, in seconds since the epoch; `None` for never.
    pub expiration: Option<i64>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys, in byte order of their names.
    pub keys: Vec<ListedKey>,
    /// Where the next page starts, unless this was the last.
    pub cursor: Option<String>,
}

/// What to put under a key.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The value.
    pub value: &'a str,
    /// Metadata, which a list gives without reading the value; 1,024 bytes of JSON at most.
    pub metadata: Option<&'a str>,
    /// Seconds until the key disappears, at least 60; never, when `None`.
    pub ttl: Option<u64>,
}

/// A key-value store. A write is seen whole or not at all, by some readers later than by others.
#[allow(async_fn_in_trait, reason = "JavaScript's promises are not Send, and nothing here needs Send")]
pub trait Store {
    /// The value of one key.
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// The values of up to [`crate::limits::KV_BULK_KEYS`] keys in their order, as one operation.
    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, StoreError>;

    /// Puts an entry in place of what was there.
    async fn put(&self, key: &str, entry: Entry<'_>) -> Result<(), StoreError>;

    /// Removes a key; one that isn't there is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Up to `limit` (at most [`crate::limits::KV_LIST_KEYS`]) keys that start with `prefix`.
    async fn list(&self, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<KeyPage, StoreError>;
}
