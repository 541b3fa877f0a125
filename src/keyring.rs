//! The root keys, and what is derived from them.
//!
//! A root key seals nothing itself: each developer's records, and the accounts, have a key of their
//! own, derived by HKDF-SHA-256 (RFC 5869). A key's id is derived from the key too, so that nothing
//! has to be named and an envelope can say which key opens it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit;
use base64ct::{Base64, Encoding};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::opened::OpenedDetails;
use crate::{bounded, limits};

/// Length of a root key, in bytes.
const KEY_BYTES: usize = 32;

/// Names a root key without telling it: 8 bytes derived from the key, printed as hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KeyId::BYTES]);

impl KeyId {
    pub(crate) const BYTES: usize = 8;

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base16ct::lower::encode_string(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whose records a derived key seals.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// The credentials of one developer.
    Developer(&'a str),
    /// The developers' accounts and API keys.
    Accounts,
}

/// A root key is not 32 bytes written as 64 hexadecimal or 44 base64 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes as 64 hexadecimal or 44 base64 characters")]
pub struct KeyFormatError;

/// One root key with its id.
pub struct RootKey {
    id: KeyId,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl RootKey {
    /// Reads a key: 32 bytes as 64 hexadecimal or 44 base64 characters.
    pub fn parse(text: &str) -> Result<Self, KeyFormatError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let decoded = match text.len() {
            64 => base16ct::mixed::decode(text, &mut *bytes).map(<[u8]>::len).ok(),
            44 => Base64::decode(text, &mut *bytes).map(<[u8]>::len).ok(),
            _ => None,
        };
        if decoded != Some(KEY_BYTES) {
            return Err(KeyFormatError);
        }
        let id = KeyId(expand(&bytes, &[b"grant-vault key id"]));
        Ok(Self { id, bytes })
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Derives the key that the audit's hashes are made with: one block of SHA-256, the longest key that
    /// HMAC takes as it is.
    pub(crate) fn audit_key(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(expand(&self.bytes, &[b"grant-vault audit"]))
    }

    /// Derives the AES-256-GCM key for one owner's records.
    fn derive(&self, owner: Owner<'_>) -> Aes256Gcm {
        let (label, name): (&[u8], &str) = match owner {
            Owner::Developer(developer) => (b"grant-vault developer ", developer),
            Owner::Accounts => (b"grant-vault accounts", ""),
        };
        let key = Zeroizing::new(expand::<KEY_BYTES>(&self.bytes, &[label, name.as_bytes()]));
        Aes256Gcm::new((&*key).into())
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({})", self.id)
    }
}

/// HKDF-SHA-256 of a root key, without a salt: the root key is uniformly random already.
fn expand<const N: usize>(root: &[u8; KEY_BYTES], info: &[&[u8]]) -> [u8; N] {
    const { assert!(N <= 255 * 32, "HKDF-SHA-256 gives 255 hashes at most") };
    let mut output = [0; N];
    // Its only error is the length that is ruled out above.
    let _ = Hkdf::<Sha256>::new(None, root).expand_multi_info(info, &mut output);
    output
}

/// The root key in use and those before it.
pub struct Keyring {
    current: RootKey,
    previous: Vec<RootKey>,
    /// Keys that were derived before, so that a busy developer's isn't derived at every request.
    derived: RefCell<HashMap<(KeyId, String), Rc<Aes256Gcm>>>,
    /// What its keys opened before.
    opened: OpenedDetails,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({:?}, {:?})", self.current, self.previous)
    }
}

impl Keyring {
    /// A key ring that seals under `current` and opens what any of its keys sealed.
    pub fn new(current: RootKey, previous: Vec<RootKey>) -> Self {
        Self { current, previous, derived: RefCell::default(), opened: OpenedDetails::default() }
    }

    /// The key that seals.
    pub fn current(&self) -> &RootKey {
        &self.current
    }

    /// The key of that id, if the ring holds it.
    pub fn find(&self, id: KeyId) -> Option<&RootKey> {
        self.keys().find(|key| key.id == id)
    }

    /// All keys of the ring, the current one first.
    pub fn keys(&self) -> impl Iterator<Item = &RootKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Whether records may be under more than one key: a rotation is under way, for as long as there
    /// are previous keys.
    pub fn is_rotating(&self) -> bool {
        !self.previous.is_empty()
    }

    /// What its keys opened before.
    pub(crate) fn opened(&self) -> &OpenedDetails {
        &self.opened
    }

    /// The AES-256-GCM key for one owner's records, derived from one of the ring's keys.
    pub(crate) fn cipher(&self, root: &RootKey, owner: Owner<'_>) -> Rc<Aes256Gcm> {
        let name = match owner {
            Owner::Developer(developer) => developer,
            // No developer has this id: it holds a colon.
            Owner::Accounts => ":accounts",
        };
        let place = (root.id, name.to_owned());
        let mut derived = self.derived.borrow_mut();
        if let Some(cipher) = derived.get(&place) {
            return cipher.clone();
        }
        let cipher = Rc::new(root.derive(owner));
        bounded::keep(&mut derived, limits::DERIVED_KEYS, place, cipher.clone());
        cipher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn hexadecimal_and_base64_are_one_key() {
        let key = RootKey::parse(HEX).unwrap();
        assert_eq!(key.id(), RootKey::parse(BASE64).unwrap().id());
        assert_eq!(key.id(), RootKey::parse(&HEX.to_uppercase()).unwrap().id());
    }

    #[test]
    fn refuses_other_lengths_and_alphabets() {
        let url_alphabet = BASE64.replace('8', "_");
        for text in ["", "password", &HEX[1..], &BASE64[..43], &HEX.replace('a', "g"), &url_alphabet, &"é".repeat(22)]
        {
            assert!(RootKey::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn shows_its_id_and_nothing_else() {
        let shown = format!("{:?}", RootKey::parse(HEX).unwrap());
        assert_eq!(shown, format!("RootKey({})", RootKey::parse(HEX).unwrap().id()));
        assert_eq!(shown.len(), "RootKey()".len() + 16);
    }

    #[test]
    fn finds_current_and_previous_keys() {
        let old = RootKey::parse(&"11".repeat(32)).unwrap();
        let old_id = old.id();
        let ring = Keyring::new(RootKey::parse(HEX).unwrap(), vec![old]);
        assert_eq!(ring.find(old_id).unwrap().id(), old_id);
        assert_eq!(ring.find(ring.current().id()).unwrap().id(), ring.current().id());
        assert!(ring.find(RootKey::parse(&"22".repeat(32)).unwrap().id()).is_none());
    }
}
