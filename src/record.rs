//! A credential as storage holds it: sealed details, sealed tokens, and a summary for lists.
//!
//! Translates between [`Details`] and [`Tokens`] and the texts of one KV entry; reads and writes
//! nothing itself. The summary (KV's metadata) repeats the sealed details where they fit, so that a
//! list needs no value, and gives the time of creation in the clear, so that it opens no more
//! records than it shows. What it shows it opens, and that time is in there too. Where the details don't
//! fit, their first characters stand for them, which say the key.

use std::borrow::Cow;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::credential::{CredentialId, Details, PrincipalId, Service, Shown, Tokens};
use crate::developer::DeveloperId;
use crate::envelope::{self, Context, OpenError, Part, SealError};
use crate::json::Metadata;
use crate::keyring::{KeyId, Keyring, Owner};
use crate::limits;
use crate::secret::{self, Secret};
use crate::timestamp::Timestamp;

/// What separates the parts of an entry; base64url and digits hold no dot.
const SEPARATOR: char = '.';

/// Why a record doesn't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A sealed part doesn't open.
    #[error("{part}: {reason}")]
    Open {
        /// Which part.
        part: &'static str,
        /// Why not.
        reason: OpenError,
    },
    /// The entry, or what was sealed in it, hasn't the form that this vault writes.
    #[error("{0}: not in the form that this vault writes")]
    Form(&'static str),
}

/// The texts of one KV entry.
#[derive(Debug)]
pub struct Record {
    /// KV's value.
    pub value: String,
    /// KV's metadata.
    pub summary: String,
}

/// Where a record belongs, and the keys that open it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The keys.
    pub keyring: &'a Keyring,
    /// Whose record it is.
    pub developer: &'a DeveloperId,
    /// Which record it is.
    pub id: &'a CredentialId,
}

impl Place<'_> {
    fn context<'a>(&'a self, part: Part<'a>) -> Context<'a> {
        Context { owner: Owner::Developer(self.developer.as_str()), record: self.id.as_str(), part }
    }

    /// Seals a credential.
    pub fn seal(&self, details: &Details, tokens: &Tokens) -> Result<Record, SealError> {
        let plain = encode_details(details);
        let sealed = envelope::seal(self.keyring, &self.context(Part::Details), &plain)?;
        let part = Part::Tokens { details: &sealed };
        let sealed_tokens = envelope::seal(self.keyring, &self.context(part), &encode_tokens(tokens))?;
        Ok(Record {
            value: format!("{sealed}{SEPARATOR}{sealed_tokens}"),
            summary: summarize(details.created_at, &sealed),
        })
    }

    /// The summary of a KV value that opens as these details.
    pub fn summary(&self, details: &Details, value: &str) -> String {
        summarize(details.created_at, value.split_once(SEPARATOR).map_or("", |(sealed, _)| sealed))
    }

    /// Opens the details of a KV value, the tokens staying sealed.
    pub fn open_details(&self, value: &str) -> Result<Rc<Details>, RecordError> {
        let (sealed, _) = value.split_once(SEPARATOR).ok_or(RecordError::Form("value"))?;
        self.open_sealed_details(sealed)
    }

    /// Opens sealed details, from a KV value or from a summary.
    pub fn open_sealed_details(&self, sealed: &str) -> Result<Rc<Details>, RecordError> {
        let opened = self.keyring.opened();
        if let Some(details) = opened.find(self.developer, self.id, sealed) {
            return Ok(details);
        }
        let plain = envelope::open(self.keyring, &self.context(Part::Details), sealed)
            .map_err(|reason| RecordError::Open { part: "details", reason })?;
        let details = Rc::new(decode_details(&plain).ok_or(RecordError::Form("details"))?);
        opened.keep(self.developer, self.id, sealed, &details);
        Ok(details)
    }

    /// Opens all of a KV value.
    pub fn open(&self, value: &str) -> Result<(Rc<Details>, Tokens), RecordError> {
        let (sealed, sealed_tokens) = value.split_once(SEPARATOR).ok_or(RecordError::Form("value"))?;
        let details = self.open_sealed_details(sealed)?;
        let part = Part::Tokens { details: sealed };
        let plain = envelope::open(self.keyring, &self.context(part), sealed_tokens)
            .map_err(|reason| RecordError::Open { part: "tokens", reason })?;
        let tokens = decode_tokens(&plain).ok_or(RecordError::Form("tokens"))?;
        Ok((details, tokens))
    }

    /// Opens all of a KV value, which must be of the credential that the id names.
    pub fn open_named(&self, value: &str) -> Result<(Rc<Details>, Tokens), RecordError> {
        let (details, tokens) = self.open(value)?;
        let named = CredentialId::derive(self.developer, &details.principal, &details.service);
        if named == *self.id { Ok((details, tokens)) } else { Err(RecordError::Form("details")) }
    }
}

/// What KV's metadata says of a record: not to be trusted until the details are opened.
#[derive(Debug)]
pub struct Summary {
    /// When the credential was first stored.
    pub created_at: Timestamp,
    /// The sealed details, where they fitted.
    pub details: Option<String>,
}

impl Summary {
    /// Reads KV's metadata.
    pub fn parse(metadata: Option<String>) -> Result<Self, RecordError> {
        let form = RecordError::Form("summary");
        let mut text = metadata.ok_or(form)?;
        let (millis, _) = text.split_once(SEPARATOR).ok_or(form)?;
        let created_at = millis.parse().ok().and_then(Timestamp::from_millis).ok_or(form)?;
        // In place: a list reads a thousand of them.
        text.drain(..millis.len() + SEPARATOR.len_utf8());
        // Where the details didn't fit there are a few characters of them, or in version 0.1 none.
        Ok(Self { created_at, details: Some(text).filter(|details| details.len() > envelope::HEADER_CHARS) })
    }

    /// The id of the key that sealed the record, if KV's metadata tells it: it does but for records of
    /// version 0.1 whose details didn't fit.
    pub fn key_id(metadata: &str) -> Option<KeyId> {
        envelope::key_id(metadata.split_once(SEPARATOR)?.1).ok()
    }
}

fn summarize(created_at: Timestamp, sealed_details: &str) -> String {
    /// A summary is a JSON string of characters that need no escape.
    const QUOTES: usize = 2;
    let mut summary = format!("{}{SEPARATOR}", created_at.millis());
    let fits = summary.len() + sealed_details.len() + QUOTES <= limits::KV_METADATA_BYTES;
    let header = sealed_details.get(..envelope::HEADER_CHARS).unwrap_or_default();
    summary.push_str(if fits { sealed_details } else { header });
    summary
}

/// Details as they are sealed; times are milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
struct SealedDetails<'a> {
    #[serde(borrow, rename = "p")]
    principal: Cow<'a, str>,
    #[serde(borrow, rename = "s")]
    service: Cow<'a, str>,
    #[serde(borrow, rename = "t")]
    credential_type: Cow<'a, str>,
    #[serde(rename = "e")]
    token_expires_at: Option<i64>,
    #[serde(borrow, rename = "m")]
    metadata: &'a RawValue,
    #[serde(rename = "c")]
    created_at: i64,
    #[serde(rename = "u")]
    updated_at: i64,
}

fn encode_details(details: &Details) -> Zeroizing<Vec<u8>> {
    secret::json(&SealedDetails {
        principal: details.principal.as_str().into(),
        service: details.service.as_str().into(),
        credential_type: details.credential_type.as_str().into(),
        token_expires_at: details.token_expires_at.map(Timestamp::millis),
        metadata: details.metadata.raw(),
        created_at: details.created_at.millis(),
        updated_at: details.updated_at.millis(),
    })
}

fn decode_details(plain: &[u8]) -> Option<Details> {
    let sealed: SealedDetails<'_> = serde_json::from_slice(plain).ok()?;
    let token_expires_at = match sealed.token_expires_at {
        Some(millis) => Some(Timestamp::from_millis(millis)?),
        None => None,
    };
    Some(Details {
        principal: PrincipalId::parse(&sealed.principal)?,
        service: Service::parse(&sealed.service)?,
        credential_type: sealed.credential_type.into_owned(),
        token_expires_at,
        metadata: Metadata::from_raw(sealed.metadata)?,
        created_at: Timestamp::from_millis(sealed.created_at)?,
        updated_at: Timestamp::from_millis(sealed.updated_at)?,
        shown: Shown::default(),
    })
}

/// Length of the access token in four bytes, most significant first, then it, then the refresh
/// token after a byte that says whether there is one: no escapes, so one buffer of known size.
fn encode_tokens(tokens: &Tokens) -> Zeroizing<Vec<u8>> {
    let access = tokens.access.expose();
    let refresh = tokens.refresh.as_ref().map(Secret::expose);
    let mut plain = Zeroizing::new(Vec::with_capacity(5 + access.len() + refresh.map_or(0, str::len)));
    plain.extend_from_slice(&(access.len() as u32).to_be_bytes());
    plain.extend_from_slice(access.as_bytes());
    plain.push(u8::from(refresh.is_some()));
    plain.extend_from_slice(refresh.unwrap_or_default().as_bytes());
    plain
}

fn decode_tokens(plain: &[u8]) -> Option<Tokens> {
    let (length, rest) = plain.split_first_chunk()?;
    let (access, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let (has_refresh, refresh) = rest.split_first()?;
    let secret = |bytes: &[u8]| Some(Secret::new(std::str::from_utf8(bytes).ok()?.to_owned()));
    let refresh = match has_refresh {
        0 if refresh.is_empty() => None,
        1 => Some(secret(refresh)?),
        _ => return None,
    };
    Some(Tokens { access: secret(access)?, refresh })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::RootKey;

    fn keyring() -> Keyring {
        Keyring::new(RootKey::parse(&"11".repeat(32)).unwrap(), Vec::new())
    }

    fn details(metadata: &str) -> Details {
        Details {
            principal: PrincipalId::parse("user \"ü\"").unwrap(),
            service: Service::parse("GitHub").unwrap(),
            credential_type: "oauth2".to_owned(),
            token_expires_at: Timestamp::from_millis(1_775_779_200_000),
            metadata: Metadata::parse(metadata, 16).unwrap(),
            created_at: Timestamp::from_millis(1_000).unwrap(),
            updated_at: Timestamp::from_millis(2_000).unwrap(),
            shown: Shown::default(),
        }
    }

    fn tokens(refresh: Option<&str>) -> Tokens {
        let secret = |text: &str| Secret::new(text.to_owned());
        Tokens { access: secret("gho_1"), refresh: refresh.map(secret) }
    }

    fn with_place(test: impl FnOnce(Place<'_>)) {
        let (keyring, developer) = (keyring(), DeveloperId::parse("dev_A").unwrap());
        let credential = details("{}");
        let id = CredentialId::derive(&developer, &credential.principal, &credential.service);
        test(Place { keyring: &keyring, developer: &developer, id: &id });
    }

    #[test]
    fn a_record_reads_as_it_was_written() {
        with_place(|place| {
            for (metadata, refresh) in [("{}", None), (r#"{"scope":"repo,user","n":1.50}"#, Some("ghr_1"))] {
                let record = place.seal(&details(metadata), &tokens(refresh)).unwrap();
                assert_eq!(place.open(&record.value).unwrap(), (details(metadata).into(), tokens(refresh)));
                assert_eq!(*place.open_details(&record.value).unwrap(), details(metadata));
            }
        });
    }

    #[test]
    fn a_summary_holds_the_details_where_they_fit() {
        with_place(|place| {
            let record = place.seal(&details("{}"), &tokens(None)).unwrap();
            let summary = Summary::parse(Some(record.summary.clone())).unwrap();
            assert_eq!(summary.created_at.millis(), 1_000);
            assert_eq!(*place.open_sealed_details(&summary.details.unwrap()).unwrap(), details("{}"));

            let large = details(&format!("{{\"note\":\"{}\"}}", "x".repeat(1_000)));
            let record = place.seal(&large, &tokens(None)).unwrap();
            assert_eq!(record.summary, format!("1000.{}", &record.value[..envelope::HEADER_CHARS]));
            assert!(Summary::parse(Some(record.summary.clone())).unwrap().details.is_none());
            assert_eq!(Summary::key_id(&record.summary), Some(keyring().current().id()));
            let of_version_0_1 = Summary::parse(Some("1000.".to_owned())).unwrap();
            assert_eq!((of_version_0_1.details, Summary::key_id("1000.")), (None, None));
        });
    }

    #[test]
    fn no_summary_is_longer_than_kv_allows() {
        let created_at = Timestamp::from_millis(253_402_300_799_999).unwrap();
        for length in 0..2_000 {
            let summary = summarize(created_at, &"A".repeat(length));
            assert!(serde_json::to_string(&summary).unwrap().len() <= limits::KV_METADATA_BYTES);
        }
    }

    #[test]
    fn parts_of_two_versions_do_not_open_together() {
        with_place(|place| {
            let old = place.seal(&details("{}"), &tokens(None)).unwrap().value;
            let new = place.seal(&details("{}"), &tokens(Some("ghr_1"))).unwrap().value;
            let spliced = format!("{}.{}", old.split_once('.').unwrap().0, new.split_once('.').unwrap().1);
            let forged = RecordError::Open { part: "tokens", reason: OpenError::Forged };
            assert_eq!(place.open(&spliced), Err(forged));
        });
    }

    #[test]
    fn swapped_and_missing_parts_do_not_open() {
        with_place(|place| {
            let value = place.seal(&details("{}"), &tokens(None)).unwrap().value;
            let (sealed, sealed_tokens) = value.split_once('.').unwrap();
            for broken in [
                format!("{sealed_tokens}.{sealed}"),
                sealed.to_owned(),
                format!("{sealed}."),
                String::new(),
                "{}".to_owned(),
            ] {
                assert!(place.open(&broken).is_err(), "{broken}");
            }
        });
    }

    #[test]
    fn token_plaintext_of_another_form_is_refused() {
        for plain in
            [&b""[..], b"\0\0\0\x05abc", b"\0\0\0\x01a", b"\0\0\0\x01a\0b", b"\0\0\0\x01a\x02", b"\0\0\0\x01\xff\0"]
        {
            assert_eq!(decode_tokens(plain), None, "{}", plain.escape_ascii());
        }
    }

    #[test]
    fn summaries_of_another_form_are_refused() {
        for metadata in [None, Some(""), Some("."), Some("soon.x"), Some("5"), Some("99999999999999999.x")] {
            assert!(Summary::parse(metadata.map(str::to_owned)).is_err(), "{metadata:?}");
        }
    }
}
