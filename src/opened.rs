//! Details that were opened before, remembered by the sealed text that they came from.
//!
//! A list opens a thousand records, and the next one mostly the same. Sealed text that is equal to
//! the last byte, of the same record of the same developer, opens to the same details: reading it
//! again costs a comparison, and what is shown of them is written once. Details only: tokens are
//! opened anew each time and kept nowhere.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::credential::{CredentialId, Details};
use crate::developer::DeveloperId;
use crate::limits;

/// What one isolate opened before, within [`limits::OPENED_BYTES`].
#[derive(Debug, Default)]
pub struct OpenedDetails(RefCell<Memory>);

#[derive(Debug, Default)]
struct Memory {
    records: HashMap<CredentialId, Opened>,
    bytes: usize,
}

#[derive(Debug)]
struct Opened {
    developer: DeveloperId,
    sealed: String,
    details: Rc<Details>,
}

impl OpenedDetails {
    /// The details, if this sealed text of this record was opened before.
    pub fn find(&self, developer: &DeveloperId, id: &CredentialId, sealed: &str) -> Option<Rc<Details>> {
        let memory = self.0.borrow();
        let opened = memory.records.get(id)?;
        (is_same(&opened.sealed, sealed) && opened.developer == *developer).then(|| opened.details.clone())
    }

    /// Remembers what a sealed text opened to, in place of the record's earlier one. When there is no
    /// more room it starts over, as `bounded.rs` does.
    pub fn keep(&self, developer: &DeveloperId, id: &CredentialId, sealed: &str, details: &Rc<Details>) {
        let mut memory = self.0.borrow_mut();
        let bytes = size(sealed);
        if memory.bytes + bytes > limits::OPENED_BYTES {
            *memory = Memory::default();
        }
        let opened = Opened { developer: developer.clone(), sealed: sealed.to_owned(), details: details.clone() };
        memory.bytes += bytes;
        if let Some(earlier) = memory.records.insert(id.clone(), opened) {
            memory.bytes -= size(&earlier.sealed);
        }
    }
}

/// Whether two texts are equal, eight bytes at a time: WebAssembly's `memcmp` takes one, and a list
/// compares a thousand of them.
fn is_same(a: &str, b: &str) -> bool {
    let (a, a_rest) = a.as_bytes().as_chunks::<8>();
    let (b, b_rest) = b.as_bytes().as_chunks::<8>();
    a.len() == b.len()
        && a_rest == b_rest
        && a.iter().zip(b).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
}

/// About what an entry takes: the sealed text, the details and what is shown of them, each three quarters of
/// it, the names in what is shown, and what holds them together.
fn size(sealed: &str) -> usize {
    const FRAME: usize = 768;
    5 * sealed.len() / 2 + FRAME
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{PrincipalId, Service, Shown};
    use crate::json::Metadata;
    use crate::timestamp::Timestamp;

    fn details() -> Rc<Details> {
        Rc::new(Details {
            principal: PrincipalId::parse("user_1").unwrap(),
            service: Service::parse("github").unwrap(),
            credential_type: "oauth2".to_owned(),
            token_expires_at: None,
            metadata: Metadata::parse("{}", 1).unwrap(),
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
            shown: Shown::default(),
        })
    }

    fn place(developer: &str, principal: &str) -> (DeveloperId, CredentialId) {
        let developer = DeveloperId::parse(developer).unwrap();
        let principal = PrincipalId::parse(principal).unwrap();
        let id = CredentialId::derive(&developer, &principal, &Service::parse("github").unwrap());
        (developer, id)
    }

    #[test]
    fn finds_the_same_text_of_the_same_record_only() {
        let opened = OpenedDetails::default();
        let (developer, id) = place("dev_A", "user_1");
        let (other_developer, other_id) = place("dev_B", "user_2");
        let sealed = "sealed text of 27 characters";
        opened.keep(&developer, &id, sealed, &details());
        assert!(opened.find(&developer, &id, sealed).is_some());
        assert!(opened.find(&other_developer, &id, sealed).is_none());
        assert!(opened.find(&developer, &other_id, sealed).is_none());
        for at in 0..sealed.len() {
            let changed = format!("{}X{}", &sealed[..at], &sealed[at + 1..]);
            assert!(opened.find(&developer, &id, &changed).is_none(), "{changed}");
            assert!(opened.find(&developer, &id, &sealed[..at]).is_none());
        }
        assert!(opened.find(&developer, &id, &format!("{sealed}X")).is_none());
    }

    #[test]
    fn never_holds_more_than_it_may_and_always_the_last() {
        let opened = OpenedDetails::default();
        let sealed = "x".repeat(limits::OPENED_BYTES / 20);
        for number in 0..100 {
            let (developer, id) = place("dev_A", &format!("user_{}", number % 50));
            opened.keep(&developer, &id, &sealed, &details());
            assert!(opened.find(&developer, &id, &sealed).is_some());
            let memory = opened.0.borrow();
            assert!(memory.bytes <= limits::OPENED_BYTES);
            assert_eq!(memory.bytes, memory.records.values().map(|opened| size(&opened.sealed)).sum::<usize>());
        }
    }
}
