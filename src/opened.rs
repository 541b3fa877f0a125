//! Details that were opened before, remembered by the sealed text that they came from.
//!
//! A list opens a thousand records, and the next one mostly the same. Sealed text that is equal to
//! the last byte, of the same record of the same developer, opens to the same details: reading it
//! again costs a comparison. Details only: tokens are opened anew each time and kept nowhere.

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
        (opened.sealed == sealed && opened.developer == *developer).then(|| opened.details.clone())
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

/// About what an entry takes: the sealed text, the details, which are three quarters of it, and what
/// holds them together.
fn size(sealed: &str) -> usize {
    const FRAME: usize = 512;
    2 * sealed.len() + FRAME
}
