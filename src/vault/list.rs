//! Lists: which credentials there are, newest first, a page at a time.
//!
//! What is asked for shows in the keys, and the order in their metadata; of what is listed the sealed details
//! are opened, and the rest is not. What could not be told from the keys is checked once it is open.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::{Vault, VaultError, damaged};
use crate::credential::{CredentialId, Details, PrincipalId, Service};
use crate::developer::DeveloperId;
use crate::guard::{self, Guard};
use crate::limits;
use crate::record::{Place, RecordError, Summary};
use crate::store::{Store, keys};
use crate::timestamp::Timestamp;

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

impl<S: Store> Vault<'_, S> {
    /// Lists a developer's credentials, newest first; what is listed is opened, the rest is not.
    pub async fn list(&self, developer: &DeveloperId, query: &ListQuery) -> Result<CredentialPage, VaultError> {
        let limit = query.limit.unwrap_or(limits::LIST_UNLIMITED);
        let mut listed = self.summaries(developer, query, limit).await?;
        let more = listed.len() > limit;
        listed.truncate(limit);
        let next_cursor = listed.last().filter(|_| more).map(|last| last.position().to_string());
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
        let asked = Asked::by(developer, query)?;
        let mut guards = match self.keyring.is_rotating() {
            true => self.guards(&asked.prefix).await?,
            false => BTreeMap::new(),
        };
        let mut listed = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.store.list(&asked.prefix, cursor.as_deref(), limits::KV_LIST_KEYS).await?;
            for key in page.keys {
                let Some(id) = asked.id_in(&key.name) else { continue };
                let is_guarded = guards.remove(&id).is_some();
                let item = Listed::read(id, key.metadata, is_guarded)?;
                if asked.goes_on_with(&item) {
                    listed.push(item);
                }
            }
            // Keep memory to a few pages, however many credentials there are.
            if listed.len() > 2 * limit.max(limits::KV_LIST_KEYS) {
                keep_first(&mut listed, limit + 1);
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        let in_guards = guards.into_iter().filter(|(id, _)| asked.is_for(id));
        let held_by_guards_alone = in_guards.filter_map(|(id, created_at)| Some(Listed::guarded(id, created_at?)));
        listed.extend(held_by_guards_alone.filter(|item| asked.goes_on_with(item)));
        keep_first(&mut listed, limit + 1);
        Ok(listed)
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

/// What a list is asked for, as far as it shows before anything is opened.
#[derive(Debug)]
struct Asked {
    /// What the keys of the developer's credentials begin with.
    home: String,
    /// What the keys to be listed begin with.
    prefix: String,
    /// What the ids to be listed end with.
    suffix: Option<String>,
    /// Where the page before ended.
    after: Option<Position>,
}

impl Asked {
    fn by(developer: &DeveloperId, query: &ListQuery) -> Result<Self, VaultError> {
        let after = match &query.cursor {
            Some(cursor) => Some(Position::parse(cursor).ok_or(VaultError::BadCursor)?),
            None => None,
        };
        let id_prefix = match &query.principal {
            Some(principal) => CredentialId::principal_prefix(developer, principal),
            None => String::new(),
        };
        Ok(Self {
            home: keys::credentials(developer, ""),
            prefix: keys::credentials(developer, &id_prefix),
            suffix: query.service.as_ref().map(|service| CredentialId::service_suffix(developer, service)),
            after,
        })
    }

    /// The id in a key, if it is asked for. A key of another form is none that this vault wrote.
    fn id_in(&self, key: &str) -> Option<CredentialId> {
        key.strip_prefix(&self.home).and_then(CredentialId::parse).filter(|id| self.is_for(id))
    }

    /// Whether the id is of the service that is asked for.
    fn is_for(&self, id: &CredentialId) -> bool {
        self.suffix.as_ref().is_none_or(|suffix| id.as_str().ends_with(suffix.as_str()))
    }

    /// Whether this comes after the page before.
    fn goes_on_with(&self, item: &Listed) -> bool {
        self.after.as_ref().is_none_or(|after| item.position() > after.as_ref())
    }
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
    /// Reads what a page of keys says of a record.
    fn read(id: CredentialId, metadata: Option<String>, is_guarded: bool) -> Result<Self, VaultError> {
        let summary = Summary::parse(metadata).map_err(|reason| damaged(&id, reason))?;
        let sealed_details = summary.details.filter(|_| !is_guarded);
        Ok(Self { created_at: summary.created_at, id, sealed_details, is_guarded })
    }

    /// One that a guard holds, and no record.
    fn guarded(id: CredentialId, created_at: Timestamp) -> Self {
        Self { created_at, id, sealed_details: None, is_guarded: true }
    }

    /// Its place in the order of a list.
    fn position(&self) -> Position<&CredentialId> {
        Position(Reverse(self.created_at), &self.id)
    }

    /// The details of the same entry, if they say the same time: nobody changed it where it is in the clear.
    fn check(&self, details: Rc<Details>) -> Result<Rc<Details>, RecordError> {
        if details.created_at == self.created_at { Ok(details) } else { Err(RecordError::Form("summary")) }
    }
}

fn keep_first(listed: &mut Vec<Listed>, count: usize) {
    listed.sort_unstable_by(|a, b| a.position().cmp(&b.position()));
    listed.truncate(count);
}

/// A place in the order of a list: newest first, then by id. As text, a list's cursor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position<Id = CredentialId>(Reverse<Timestamp>, Id);

impl Position {
    fn parse(cursor: &str) -> Option<Self> {
        let (millis, id) = cursor.split_once('-')?;
        let created_at = Timestamp::from_millis(millis.parse().ok()?)?;
        Some(Self(Reverse(created_at), CredentialId::parse(id)?))
    }

    fn as_ref(&self) -> Position<&CredentialId> {
        Position(self.0, &self.1)
    }
}

impl fmt::Display for Position<&CredentialId> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.0.millis(), self.1)
    }
}
