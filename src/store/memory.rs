//! A store in memory that behaves as badly as KV may: for tests, and for trying the vault out.
//!
//! It can fail, lag, and refuse a second write within a second, and it counts its operations.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::{Entry, KeyPage, ListedKey, Store, StoreError};
use crate::timestamp::Timestamp;

/// How many operations of each kind a store has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Reads of one key.
    pub gets: usize,
    /// Bulk reads, each one operation however many keys it takes.
    pub bulk_gets: usize,
    /// Writes.
    pub puts: usize,
    /// Removals.
    pub deletes: usize,
    /// Pages of lists.
    pub lists: usize,
}

#[derive(Clone, Debug)]
struct Held {
    value: String,
    metadata: Option<String>,
    expires_at: Option<i64>,
}

/// The store. Its clock stands still until [`MemoryStore::set_time`] moves it.
#[derive(Debug)]
pub struct MemoryStore {
    now: Cell<Timestamp>,
    entries: RefCell<BTreeMap<String, Held>>,
    /// What lagging readers still see.
    stale: RefCell<Option<BTreeMap<String, Held>>>,
    written: RefCell<BTreeMap<String, Timestamp>>,
    one_write_a_second: Cell<bool>,
    /// Operations still to be done before one fails.
    fails_after: Cell<Option<usize>>,
    operations: Cell<Operations>,
}

impl MemoryStore {
    /// An empty store whose clock says `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: Cell::new(now),
            entries: RefCell::default(),
            stale: RefCell::default(),
            written: RefCell::default(),
            one_write_a_second: Cell::new(false),
            fails_after: Cell::new(None),
            operations: Cell::default(),
        }
    }

    /// Moves the clock, which expiry and the write limit go by.
    pub fn set_time(&self, now: Timestamp) {
        self.now.set(now);
    }

    /// From here on readers see the entries of this moment, whatever is written.
    pub fn lag(&self) {
        *self.stale.borrow_mut() = Some(self.entries.borrow().clone());
    }

    /// Readers see what was written.
    pub fn catch_up(&self) {
        *self.stale.borrow_mut() = None;
    }

    /// Refuses a second write of a key within a second, as KV does.
    pub fn limit_writes(&self) {
        self.one_write_a_second.set(true);
    }

    /// Lets `operations` more operations pass and fails all after them; `None` ends that.
    pub fn fail_after(&self, operations: Option<usize>) {
        self.fails_after.set(operations);
    }

    /// Operations since the last call of this.
    pub fn take_operations(&self) -> Operations {
        self.operations.take()
    }

    /// Every key with its value and metadata: what a dump of the namespace shows.
    pub fn dump(&self) -> Vec<(String, String, Option<String>)> {
        let entries = self.entries.borrow();
        entries.iter().map(|(key, held)| (key.clone(), held.value.clone(), held.metadata.clone())).collect()
    }

    /// Writes past every check, as somebody with access to the storage could.
    pub fn tamper(&self, key: &str, value: &str, metadata: Option<&str>) {
        let held = Held { value: value.to_owned(), metadata: metadata.map(str::to_owned), expires_at: None };
        self.entries.borrow_mut().insert(key.to_owned(), held);
    }

    fn begin(&self, count: impl FnOnce(&mut Operations)) -> Result<(), StoreError> {
        let mut operations = self.operations.get();
        count(&mut operations);
        self.operations.set(operations);
        match self.fails_after.get() {
            Some(0) => Err(StoreError::Unavailable("told to fail".to_owned())),
            Some(left) => {
                self.fails_after.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn begin_write(&self, key: &str) -> Result<(), StoreError> {
        let now = self.now.get();
        let last = self.written.borrow_mut().insert(key.to_owned(), now);
        if self.one_write_a_second.get() && last.is_some_and(|last| now.millis() - last.millis() < 1_000) {
            return Err(StoreError::Busy("429 Too Many Requests".to_owned()));
        }
        Ok(())
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<String, Held>) -> T) -> T {
        match &*self.stale.borrow() {
            Some(stale) => read(stale),
            None => read(&self.entries.borrow()),
        }
    }

    fn is_alive(&self, held: &Held) -> bool {
        held.expires_at.is_none_or(|at| self.now.get().seconds() < at)
    }

    fn value(&self, key: &str) -> Option<String> {
        self.read(|entries| entries.get(key).filter(|held| self.is_alive(held)).map(|held| held.value.clone()))
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.begin(|operations| operations.gets += 1)?;
        Ok(self.value(key))
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, StoreError> {
        self.begin(|operations| operations.bulk_gets += 1)?;
        Ok(keys.iter().map(|key| self.value(key)).collect())
    }

    async fn put(&self, key: &str, entry: Entry<'_>) -> Result<(), StoreError> {
        self.begin(|operations| operations.puts += 1)?;
        self.begin_write(key)?;
        let held = Held {
            value: entry.value.to_owned(),
            metadata: entry.metadata.map(str::to_owned),
            expires_at: entry.ttl.map(|ttl| self.now.get().seconds().saturating_add_unsigned(ttl)),
        };
        self.entries.borrow_mut().insert(key.to_owned(), held);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.begin(|operations| operations.deletes += 1)?;
        self.begin_write(key)?;
        self.entries.borrow_mut().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<KeyPage, StoreError> {
        self.begin(|operations| operations.lists += 1)?;
        let mut keys: Vec<ListedKey> = self.read(|entries| {
            entries
                .range(prefix.to_owned()..)
                .take_while(|(name, _)| name.starts_with(prefix))
                .filter(|(name, held)| self.is_alive(held) && cursor.is_none_or(|last| name.as_str() > last))
                .take(limit.saturating_add(1))
                .map(|(name, held)| ListedKey {
                    name: name.clone(),
                    metadata: held.metadata.clone(),
                    expiration: held.expires_at,
                })
                .collect()
        });
        let more = keys.len() > limit;
        keys.truncate(limit);
        let cursor = keys.last().filter(|_| more).map(|key| key.name.clone());
        Ok(KeyPage { keys, cursor })
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn store() -> MemoryStore {
        MemoryStore::new(Timestamp::from_millis(0).unwrap())
    }

    fn put(store: &MemoryStore, key: &str, ttl: Option<u64>) -> Result<(), StoreError> {
        block_on(store.put(key, Entry { value: key, metadata: None, ttl }))
    }

    #[test]
    fn lags_until_it_catches_up() {
        let store = store();
        store.lag();
        put(&store, "a", None).unwrap();
        assert_eq!(block_on(store.get("a")), Ok(None));
        store.catch_up();
        assert_eq!(block_on(store.get("a")), Ok(Some("a".to_owned())));
    }

    #[test]
    fn refuses_a_second_write_within_a_second() {
        let store = store();
        store.limit_writes();
        put(&store, "a", None).unwrap();
        assert!(matches!(put(&store, "a", None), Err(StoreError::Busy(_))));
        put(&store, "b", None).unwrap();
        store.set_time(Timestamp::from_millis(2_000).unwrap());
        put(&store, "a", None).unwrap();
    }

    #[test]
    fn forgets_what_has_expired() {
        let store = store();
        put(&store, "a", Some(60)).unwrap();
        store.set_time(Timestamp::from_millis(59_999).unwrap());
        assert!(block_on(store.get("a")).unwrap().is_some());
        store.set_time(Timestamp::from_millis(60_000).unwrap());
        assert!(block_on(store.get("a")).unwrap().is_none());
    }

    #[test]
    fn lists_in_pages_of_one_prefix() {
        let store = store();
        for key in ["a:1", "a:2", "a:3", "b:1"] {
            put(&store, key, None).unwrap();
        }
        let first = block_on(store.list("a:", None, 2)).unwrap();
        assert_eq!(first.keys.len(), 2);
        let second = block_on(store.list("a:", first.cursor.as_deref(), 2)).unwrap();
        assert_eq!(second.keys[0].name, "a:3");
        assert_eq!(second.cursor, None);
    }

    #[test]
    fn fails_when_told() {
        let store = store();
        store.fail_after(Some(1));
        put(&store, "a", None).unwrap();
        assert!(matches!(put(&store, "b", None), Err(StoreError::Unavailable(_))));
        store.fail_after(None);
        assert_eq!(block_on(store.get("b")), Ok(None));
    }
}
