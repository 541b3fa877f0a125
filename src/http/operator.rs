//! What the operator sends and gets who changes root keys or moves records: pages of records and what
//! became of each.

use serde::Serialize;
use serde_json::value::RawValue;

use super::error::ApiError;
use super::params::{self, A_STRING, Query};
use crate::credential::{CredentialId, NewCredential};
use crate::developer::DeveloperId;
use crate::json::{Object, Whole};
use crate::keyring::{KeyId, Keyring};
use crate::limits;
use crate::rotation;
use crate::timestamp::Timestamp;
use crate::transfer::{Arrival, ExportPage, Exported};

/// The query of a count: the cursor.
pub fn cursor_query(query: &str) -> Result<Option<String>, ApiError> {
    Query(query).one("cursor")
}

/// The query of an export: limit and cursor.
pub fn export_query(query: &str) -> Result<(usize, Option<String>), ApiError> {
    let query = Query(query);
    Ok((query.limit(limits::EXPORT_PAGE)?.unwrap_or(limits::EXPORT_PAGE), query.one("cursor")?))
}

/// The body of a call to reseal: cursor and limit.
pub fn rewrap(body: &[u8]) -> Result<(Option<String>, usize), ApiError> {
    let body = Object::parse(body)?;
    let limit = match body.nullable("limit", "a whole number")? {
        None => limits::REWRAP_DEFAULT,
        Some(Whole(limit)) => {
            let limit = usize::try_from(limit).ok().filter(|limit| (1..=limits::REWRAP_LIMIT).contains(limit));
            let most = limits::REWRAP_LIMIT;
            limit.ok_or_else(|| ApiError::bad_request(format!("limit must be a whole number from 1 to {most}")))?
        }
    };
    Ok((body.nullable("cursor", A_STRING)?, limit))
}

/// The body of an import: exported records.
pub fn imported_records(body: &[u8]) -> Result<Vec<Exported>, ApiError> {
    #[derive(serde::Deserialize)]
    struct Record {
        key: String,
        value: String,
        #[serde(default)]
        expiration: Option<Whole>,
    }

    let expected = "a list of records with key, value and perhaps expiration";
    let records: Vec<Record> = Object::parse(body)?.required("records", expected)?;
    bounded_list("records", records.len())?;
    // Metadata is made anew.
    let exported = |Record { key, value, expiration }| {
        let expiration = expiration.map(|Whole(at)| at);
        Exported { key, value, metadata: None, expiration }
    };
    Ok(records.into_iter().map(exported).collect())
}

/// A credential of another vault.
pub struct ImportedCredential {
    /// Whose it is.
    pub developer: DeveloperId,
    /// What to store.
    pub new: NewCredential,
    /// When it was first stored there.
    pub created_at: Timestamp,
    /// When it was last stored there.
    pub updated_at: Timestamp,
}

/// The body of an import of credentials, each read by itself.
pub fn imported_credentials(body: &[u8]) -> Result<Vec<Result<ImportedCredential, ApiError>>, ApiError> {
    let credentials: Vec<&RawValue> = Object::parse(body)?.required("credentials", "a list of objects")?;
    bounded_list("credentials", credentials.len())?;
    Ok(credentials.into_iter().map(|credential| imported_credential(credential.get().as_bytes())).collect())
}

fn imported_credential(text: &[u8]) -> Result<ImportedCredential, ApiError> {
    let body = Object::parse(text)?;
    let developer: String = body.required("developerId", A_STRING)?;
    let developer = params::developer_id(&developer)?;
    let time = |name: &'static str| -> Result<Timestamp, ApiError> {
        let text: String = body.required(name, A_STRING)?;
        Timestamp::parse(&text)
            .ok_or_else(|| ApiError::bad_request(format!("{name} must be an RFC 3339 timestamp with an offset")))
    };
    let (created_at, updated_at) = (time("createdAt")?, time("updatedAt")?);
    Ok(ImportedCredential { developer, new: params::new_credential(text)?, created_at, updated_at })
}

fn bounded_list(name: &'static str, length: usize) -> Result<(), ApiError> {
    if (1..=limits::IMPORT_PAGE).contains(&length) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("{name} must have 1 to {} entries", limits::IMPORT_PAGE)))
}

/// How many records of a page are under which root key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCounts<'a> {
    keys: Vec<KeyCount>,
    unreadable: usize,
    unsettled: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyCount {
    key_id: String,
    /// Whether it seals what is stored now.
    current: bool,
    /// Whether the vault has it.
    known: bool,
    records: usize,
}

impl<'a> KeyCounts<'a> {
    /// What is shown of a page's counts.
    pub fn new(keyring: &Keyring, counts: &'a rotation::KeyCounts) -> Self {
        let count = |(id, &records): (&KeyId, &usize)| KeyCount {
            key_id: id.to_string(),
            current: *id == keyring.current().id(),
            known: keyring.find(*id).is_some(),
            records,
        };
        Self {
            keys: counts.records.iter().map(count).collect(),
            unreadable: counts.unreadable,
            unsettled: counts.unsettled,
            next_cursor: counts.next_cursor.as_deref(),
        }
    }
}

/// What resealing did to a page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rewrapped<'a> {
    seen: usize,
    resealed: usize,
    settled: usize,
    busy: usize,
    damaged: Vec<Damaged<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Damaged<'a> {
    key: &'a str,
    reason: &'a str,
}

impl<'a> Rewrapped<'a> {
    /// What is shown of a page that was resealed.
    pub fn new(done: &'a rotation::Rewrapped) -> Self {
        let damaged = |one: &'a rotation::DamagedRecord| Damaged { key: &one.key, reason: &one.reason };
        Self {
            seen: done.seen,
            resealed: done.resealed,
            settled: done.settled,
            busy: done.busy,
            damaged: done.damaged.iter().map(damaged).collect(),
            next_cursor: done.next_cursor.as_deref(),
        }
    }
}

/// A page of an export.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Records<'a> {
    records: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct Record<'a> {
    key: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<i64>,
}

impl<'a> Records<'a> {
    /// What storage holds, as it is.
    pub fn new(page: &'a ExportPage) -> Self {
        let record = |one: &'a Exported| Record {
            key: &one.key,
            value: &one.value,
            metadata: one.metadata.as_deref(),
            expiration: one.expiration,
        };
        Self { records: page.records.iter().map(record).collect(), next_cursor: page.next_cursor.as_deref() }
    }
}

/// What became of the records that came in, in their order.
#[derive(Serialize)]
pub struct Arrivals<'a> {
    /// One for each.
    pub results: Vec<Arrived<'a>>,
}

/// What became of one.
#[derive(Serialize)]
pub struct Arrived<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> Arrived<'a> {
    /// What is told of a record, by its key or, of a credential, its id.
    pub fn new(key: Option<&'a str>, id: Option<&'a CredentialId>, arrival: &'a Arrival) -> Self {
        let (outcome, reason) = match arrival {
            Arrival::Written => ("written", None),
            Arrival::Unchanged => ("unchanged", None),
            Arrival::Newer => ("newer", None),
            Arrival::Expired => ("expired", None),
            Arrival::Refused(reason) => ("refused", Some(reason.as_str())),
        };
        Self { key, id: id.map(CredentialId::as_str), outcome, reason }
    }
}
