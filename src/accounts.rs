//! Developers' accounts: sign-up, API keys, and the operator's view of them.
//!
//! An account is kept twice for each API key, sealed both times: under the key's hash, where a
//! request finds it, and under the developer's id, where the operator does. The second is written
//! first and removed last, so that every key that works can be found and removed. While root keys change,
//! what is removed leaves a guard: `guard.rs` says why.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::developer::{Account, ApiKey, DeveloperId, Mode};
use crate::envelope::{self, Context, OpenError, Part, SealError};
use crate::guard::{self, Guard};
use crate::keyring::{Keyring, Owner};
use crate::limits;
use crate::random::RandomError;
use crate::store::{Entry, ListedKey, Store, StoreError, keys};
use crate::timestamp::Timestamp;

/// Why an account couldn't be used, made or removed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The API key is nobody's.
    #[error("no account has this API key")]
    UnknownKey,
    /// There is no such developer.
    #[error("no such developer")]
    NotFound,
    /// There is such a developer already.
    #[error("developer exists")]
    Exists,
    /// The cursor isn't one that storage gave.
    #[error("not a cursor of this list")]
    BadCursor,
    /// A stored account doesn't read.
    #[error("account {record}: {reason}")]
    Damaged {
        /// The hash that it is stored under.
        record: String,
        /// What is wrong with it.
        reason: DamagedAccount,
    },
    /// The account couldn't be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// There was no randomness for an id or a key.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Storage didn't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a stored account doesn't read.
#[derive(Debug, thiserror::Error)]
pub enum DamagedAccount {
    /// It doesn't open.
    #[error(transparent)]
    Open(OpenError),
    /// It opens as something else than an account.
    #[error("not in the form that this vault writes")]
    Form,
}

/// What a new developer says of themselves.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Their name.
    pub name: String,
    /// Their e-mail address, if they gave one.
    pub email: Option<String>,
    /// Production or trying out.
    pub mode: Mode,
}

/// A page of the operator's list.
#[derive(Debug)]
pub struct AccountPage {
    /// The accounts, by developer id.
    pub accounts: Vec<Account>,
    /// Where the next page starts, unless this was the last.
    pub next_cursor: Option<String>,
}

/// Whether a removal is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Nothing of the developer is left.
    Complete,
    /// Their keys don't work any more, but there are credentials left to delete.
    Remaining,
}

/// Accounts that were read a moment ago, by the hash of their API key.
#[derive(Debug, Default)]
pub struct KnownAccounts(RefCell<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    account: Account,
    read_at: Timestamp,
}

impl KnownAccounts {
    fn find(&self, hash: &str, now: Timestamp) -> Option<Account> {
        let known = self.0.borrow();
        let found = known.get(hash)?;
        let is_recent = now.seconds_since(found.read_at) < limits::KNOWN_ACCOUNT_SECS;
        is_recent.then(|| found.account.clone())
    }

    fn keep(&self, hash: String, account: Account, read_at: Timestamp) {
        bounded::keep(&mut self.0.borrow_mut(), limits::KNOWN_ACCOUNTS, hash, Known { account, read_at });
    }

    fn forget(&self, hash: &str) {
        self.0.borrow_mut().remove(hash);
    }
}

/// The accounts in some storage.
#[derive(Debug)]
pub struct Accounts<'a, S> {
    keyring: &'a Keyring,
    store: &'a S,
    known: &'a KnownAccounts,
}

impl<'a, S: Store> Accounts<'a, S> {
    /// Accounts kept in `store`, sealed with `keyring`, some of them `known` already.
    pub fn new(keyring: &'a Keyring, store: &'a S, known: &'a KnownAccounts) -> Self {
        Self { keyring, store, known }
    }

    /// Makes an account with an id of its own.
    pub async fn sign_up(&self, new: NewAccount, now: Timestamp) -> Result<(Account, ApiKey), AccountError> {
        self.create(DeveloperId::generate()?, new, now).await
    }

    /// Makes an account with an id that the operator chose, if nobody has it.
    pub async fn provision(
        &self,
        developer: DeveloperId,
        new: NewAccount,
        now: Timestamp,
    ) -> Result<(Account, ApiKey), AccountError> {
        match self.entries(&developer).await?.is_empty() {
            true => self.create(developer, new, now).await,
            false => Err(AccountError::Exists),
        }
    }

    /// The account that an API key belongs to, as it was at most
    /// [`limits::KNOWN_ACCOUNT_SECS`] ago.
    pub async fn authenticate(&self, api_key: &ApiKey, now: Timestamp) -> Result<Account, AccountError> {
        let hash = api_key.hash();
        if let Some(account) = self.known.find(&hash, now) {
            return Ok(account);
        }
        let key = keys::api_key(&hash);
        let sealed = match self.keyring.is_rotating() {
            true => self.unless_removed(&[key]).await?.pop().and_then(|(_, sealed)| sealed),
            false => self.store.get(&key).await?,
        };
        let sealed = sealed.ok_or(AccountError::UnknownKey)?;
        let account = open(self.keyring, &hash, Part::ApiKey, &sealed)?;
        self.known.keep(hash, account.clone(), now);
        Ok(account)
    }

    /// Gives an account a new API key; the old one stops working.
    ///
    /// Where that fails halfway the new key stays, known to nobody, until the developer is removed:
    /// taking it back could, if the old one is gone after all, leave the developer without any.
    pub async fn rotate(&self, account: &Account, old: &ApiKey) -> Result<ApiKey, AccountError> {
        let new = self.issue_key(account).await?;
        let old = old.hash();
        self.known.forget(&old);
        // An API key is never put twice: when it was removed doesn't matter.
        let when = Timestamp::EPOCH;
        self.remove_entry(&keys::api_key(&old), when).await?;
        // The old key is dead and the new one must reach its owner: what is left to fail is a listing
        // that names a dead key, and goes with the developer.
        let _ = self.remove_entry(&keys::account(&account.developer, &old), when).await;
        Ok(new)
    }

    /// A page of up to `limit` accounts.
    pub async fn list(&self, limit: usize, cursor: Option<&str>) -> Result<AccountPage, AccountError> {
        let after = match cursor {
            Some(cursor) => Some(DeveloperId::parse(cursor).ok_or(AccountError::BadCursor)?),
            None => None,
        };
        let mut first_keys: Vec<(DeveloperId, String)> = Vec::new();
        let mut kv_cursor = None;
        while first_keys.len() <= limit {
            let page = self.store.list(keys::ACCOUNTS, kv_cursor.as_deref(), limits::KV_LIST_KEYS).await?;
            for key in page.keys {
                let Some((developer, _)) = account_key(&key.name) else { continue };
                let is_after =
                    after.as_ref().is_none_or(|after| keys::accounts_of(&developer) > keys::accounts_of(after));
                let is_new = first_keys.last().is_none_or(|(last, _)| *last != developer);
                if is_after && is_new && first_keys.len() <= limit {
                    first_keys.push((developer, key.name));
                }
            }
            kv_cursor = page.cursor;
            if kv_cursor.is_none() {
                break;
            }
        }
        let more = first_keys.len() > limit;
        first_keys.truncate(limit);
        let next_cursor = first_keys.last().filter(|_| more).map(|(developer, _)| developer.to_string());
        let names: Vec<_> = first_keys.into_iter().map(|(_, name)| name).collect();
        Ok(AccountPage { accounts: self.open_all(&names).await?, next_cursor })
    }

    /// One developer's account.
    pub async fn find(&self, developer: &DeveloperId) -> Result<Account, AccountError> {
        let names: Vec<_> = self.entries(developer).await?.into_iter().take(1).map(|key| key.name).collect();
        self.open_all(&names).await?.pop().ok_or(AccountError::NotFound)
    }

    /// Removes a developer: first the API keys, so that none works any more, then up to
    /// [`limits::REMOVALS_PER_REQUEST`] credentials, and with the last of them the account.
    pub async fn remove(&self, developer: &DeveloperId, now: Timestamp) -> Result<Removal, AccountError> {
        let entries = self.entries(developer).await?;
        if entries.is_empty() {
            return Err(AccountError::NotFound);
        }
        for (_, hash) in entries.iter().filter_map(|key| account_key(&key.name)) {
            self.known.forget(&hash);
            self.remove_entry(&keys::api_key(&hash), now).await?;
        }
        if self.remove_credentials(developer, now).await? == Removal::Remaining {
            return Ok(Removal::Remaining);
        }
        for key in &entries {
            self.remove_entry(&key.name, now).await?;
        }
        Ok(Removal::Complete)
    }

    async fn remove_credentials(&self, developer: &DeveloperId, now: Timestamp) -> Result<Removal, AccountError> {
        let prefix = keys::credentials(developer, "");
        // In a rotation each takes two writes.
        let most = limits::REMOVALS_PER_REQUEST / if self.keyring.is_rotating() { 2 } else { 1 };
        let page = self.store.list(&prefix, None, most).await?;
        for key in &page.keys {
            self.remove_entry(&key.name, now).await?;
        }
        let left = most - page.keys.len();
        if page.cursor.is_some() || left == 0 {
            return Ok(Removal::Remaining);
        }
        self.empty_guards(developer, left, now).await
    }

    /// Leaves nothing in a developer's guards: in a rotation they say that all is deleted, else they go.
    async fn empty_guards(
        &self,
        developer: &DeveloperId,
        most: usize,
        now: Timestamp,
    ) -> Result<Removal, AccountError> {
        let prefix = keys::guard(&keys::credentials(developer, ""));
        let mut emptied = 0;
        let mut cursor = None;
        loop {
            let page = self.store.list(&prefix, cursor.as_deref(), limits::KV_LIST_KEYS).await?;
            for key in &page.keys {
                let holds = key.metadata.as_deref().and_then(Guard::parse).is_none_or(|guard| guard.record.is_some());
                if self.keyring.is_rotating() && !holds {
                    continue;
                }
                if emptied == most {
                    return Ok(Removal::Remaining);
                }
                emptied += 1;
                match key.name.strip_prefix(keys::GUARDS) {
                    Some(home) if self.keyring.is_rotating() => guard::put_deleted(self.store, home, now).await?,
                    _ => self.store.delete(&key.name).await?,
                }
            }
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(Removal::Complete);
            }
        }
    }

    /// Removes what is under a key, so that resealing can't bring it back.
    async fn remove_entry(&self, key: &str, now: Timestamp) -> Result<(), AccountError> {
        if self.keyring.is_rotating() {
            guard::put_deleted(self.store, key, now).await?;
        }
        Ok(self.store.delete(key).await?)
    }

    /// The values under these keys, less those whose guard says that they were removed.
    async fn unless_removed(&self, names: &[String]) -> Result<Vec<(String, Option<String>)>, AccountError> {
        let found = guard::read(self.store, names).await?.into_iter();
        Ok(names.iter().cloned().zip(found.map(|(value, guard)| value.filter(|_| guard.is_none()))).collect())
    }

    async fn create(
        &self,
        developer: DeveloperId,
        new: NewAccount,
        now: Timestamp,
    ) -> Result<(Account, ApiKey), AccountError> {
        let NewAccount { name, email, mode } = new;
        let account = Account { developer, name, email, mode, created_at: now };
        let api_key = self.issue_key(&account).await?;
        Ok((account, api_key))
    }

    async fn issue_key(&self, account: &Account) -> Result<ApiKey, AccountError> {
        let api_key = ApiKey::generate(account.mode)?;
        let hash = api_key.hash();
        let listed = seal(self.keyring, &hash, Part::Account, account)?;
        let found = seal(self.keyring, &hash, Part::ApiKey, account)?;
        let listed_key = keys::account(&account.developer, &hash);
        self.put(&listed_key, &listed).await?;
        if let Err(error) = self.put(&keys::api_key(&hash), &found).await {
            // Nobody has the key yet: leave nothing of it behind, so far as storage lets us.
            let _ = self.store.delete(&listed_key).await;
            return Err(error);
        }
        Ok(api_key)
    }

    async fn put(&self, key: &str, value: &str) -> Result<(), AccountError> {
        Ok(put_entry(self.store, key, value).await?)
    }

    async fn entries(&self, developer: &DeveloperId) -> Result<Vec<ListedKey>, AccountError> {
        let page = self.store.list(&keys::accounts_of(developer), None, limits::KV_LIST_KEYS).await?;
        if !self.keyring.is_rotating() {
            return Ok(page.keys);
        }
        let names: Vec<_> = page.keys.iter().map(|key| key.name.clone()).collect();
        let found = self.unless_removed(&names).await?;
        let kept = page.keys.into_iter().zip(found).filter(|(_, (_, value))| value.is_some());
        Ok(kept.map(|(key, _)| key).collect())
    }

    /// Reads and opens the accounts under these keys; one removed meanwhile is left out.
    async fn open_all(&self, names: &[String]) -> Result<Vec<Account>, AccountError> {
        let mut accounts = Vec::with_capacity(names.len());
        let found = match self.keyring.is_rotating() {
            true => self.unless_removed(names).await?,
            false => {
                let mut found = Vec::with_capacity(names.len());
                for names in names.chunks(limits::KV_BULK_KEYS) {
                    found.extend(names.iter().cloned().zip(self.store.get_many(names).await?));
                }
                found
            }
        };
        for (name, value) in found {
            if let (Some((_, hash)), Some(value)) = (account_key(&name), value) {
                accounts.push(open(self.keyring, &hash, Part::Account, &value)?);
            }
        }
        Ok(accounts)
    }
}

/// Puts what is sealed under an account's key.
pub(crate) async fn put_entry<S: Store>(store: &S, key: &str, sealed: &str) -> Result<(), StoreError> {
    // Says the key that sealed it, for whoever counts.
    let metadata = sealed.get(..envelope::HEADER_CHARS);
    store.put(key, Entry { value: sealed, metadata, ttl: None }).await
}

/// Seals what is under an account's key anew, if it opens.
pub(crate) fn reseal(keyring: &Keyring, key: &str, sealed: &str) -> Result<String, AccountError> {
    let (hash, part) = sealed_as(key).ok_or(AccountError::NotFound)?;
    seal(keyring, hash, part, &open(keyring, hash, part, sealed)?)
}

/// What is under an account's key, if it opens and belongs there.
pub(crate) fn open_entry(keyring: &Keyring, key: &str, sealed: &str) -> Result<Account, AccountError> {
    let (hash, part) = sealed_as(key).ok_or(AccountError::NotFound)?;
    let account = open(keyring, hash, part, sealed)?;
    match account_key(key) {
        Some((developer, _)) if developer != account.developer => {
            Err(AccountError::Damaged { record: hash.to_owned(), reason: DamagedAccount::Form })
        }
        _ => Ok(account),
    }
}

fn seal(keyring: &Keyring, hash: &str, part: Part<'_>, account: &Account) -> Result<String, AccountError> {
    let sealed = SealedAccount {
        developer: account.developer.as_str().into(),
        name: account.name.as_str().into(),
        email: account.email.as_deref().map(Cow::from),
        mode: account.mode.as_str().into(),
        created_at: account.created_at.millis(),
    };
    let plain = serde_json::to_vec(&sealed).map_err(|_| SealError::Refused)?;
    let context = Context { owner: Owner::Accounts, record: hash, part };
    Ok(envelope::seal(keyring, &context, &plain)?)
}

fn open(keyring: &Keyring, hash: &str, part: Part<'_>, sealed: &str) -> Result<Account, AccountError> {
    let damaged = |reason| AccountError::Damaged { record: hash.to_owned(), reason };
    let context = Context { owner: Owner::Accounts, record: hash, part };
    let plain = envelope::open(keyring, &context, sealed).map_err(|reason| damaged(DamagedAccount::Open(reason)))?;
    decode(&plain).ok_or_else(|| damaged(DamagedAccount::Form))
}

/// The developer and the hash in the key of a listed account.
fn account_key(name: &str) -> Option<(DeveloperId, String)> {
    let (developer, hash) = name.strip_prefix(keys::ACCOUNTS)?.split_once(':')?;
    Some((DeveloperId::parse(developer)?, hash.to_owned()))
}

/// The hash in an account's key, and as which part of a record it is sealed there.
fn sealed_as(key: &str) -> Option<(&str, Part<'static>)> {
    if let Some(hash) = key.strip_prefix(keys::API_KEYS) {
        return Some((hash, Part::ApiKey));
    }
    let (_, hash) = key.strip_prefix(keys::ACCOUNTS)?.split_once(':')?;
    Some((hash, Part::Account))
}

/// An account as it is sealed.
#[derive(Serialize, Deserialize)]
struct SealedAccount<'a> {
    #[serde(borrow, rename = "d")]
    developer: Cow<'a, str>,
    #[serde(borrow, rename = "n")]
    name: Cow<'a, str>,
    #[serde(borrow, rename = "e")]
    email: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "m")]
    mode: Cow<'a, str>,
    #[serde(rename = "c")]
    created_at: i64,
}

fn decode(plain: &[u8]) -> Option<Account> {
    let sealed: SealedAccount<'_> = serde_json::from_slice(plain).ok()?;
    Some(Account {
        developer: DeveloperId::parse(&sealed.developer)?,
        name: sealed.name.into_owned(),
        email: sealed.email.map(Cow::into_owned),
        mode: Mode::parse(&sealed.mode)?,
        created_at: Timestamp::from_millis(sealed.created_at)?,
    })
}
