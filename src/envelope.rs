//! Sealing: AES-256-GCM with everything that a value belongs to as additional data.
//!
//! A sealed value is text, base64url without padding, of
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 8 | id of the root key |
//! | 12 | nonce, random |
//! | n + 16 | ciphertext, then tag, as WebCrypto lays them out |
//!
//! The additional data is the version and the key id, then owner, record and part, each with its
//! length: a value that was moved to another record, developer or field does not open. Versions
//! that come later are told apart by the first byte, so version 1 stays readable.

use aes_gcm::aead::{Aead, Payload};
use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::keyring::{KeyId, Keyring, Owner};
use crate::random::{self, RandomError};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// What a sealed value is: it opens as this and as nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Whose key seals it.
    pub owner: Owner<'a>,
    /// The record it is part of: a credential's id, or the hash that an account is stored under.
    pub record: &'a str,
    /// Which part of the record it is.
    pub part: Part<'a>,
}

/// The parts of records.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// What a developer may see of a credential.
    Details,
    /// A credential's tokens, bound to the sealed details beside them: tokens and details of two
    /// versions of a record don't open together.
    Tokens {
        /// The sealed details.
        details: &'a str,
    },
    /// An account, found by the hash of its API key.
    ApiKey,
    /// An account, found by its developer id.
    Account,
    /// A reference to a credential, which travels and is part of no record.
    Reference,
}

impl Part<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Details => "details",
            Self::Tokens { .. } => "tokens",
            Self::ApiKey => "api key",
            Self::Account => "account",
            Self::Reference => "reference",
        }
    }
}

/// Why a sealed value doesn't open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It isn't base64url, or too short to be an envelope.
    #[error("not an envelope")]
    Malformed,
    /// It starts with a version byte that this release doesn't know.
    #[error("envelope version {0} is not known")]
    UnknownVersion(u8),
    /// The key ring lacks the key that sealed it.
    #[error("sealed by key {0}, which is neither the current nor a previous key")]
    UnknownKey(KeyId),
    /// The bytes, or what they belong to, were changed after sealing.
    #[error("changed, or moved here from elsewhere")]
    Forged,
}

/// Why a value can't be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There was no nonce to be had.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// It can't be encoded, or is longer than the 64 GiB that AES-GCM takes.
    #[error("can't be encoded or is too long to be sealed")]
    Refused,
}

/// Seals `plaintext` under the current key.
pub fn seal(keyring: &Keyring, context: &Context<'_>, plaintext: &[u8]) -> Result<String, SealError> {
    seal_with(keyring, random::bytes()?, context, plaintext)
}

fn seal_with(
    keyring: &Keyring,
    nonce: [u8; NONCE_BYTES],
    context: &Context<'_>,
    plaintext: &[u8],
) -> Result<String, SealError> {
    let key = keyring.current();
    let aad = additional_data(key.id(), context);
    let payload = Payload { msg: plaintext, aad: &aad };
    let cipher = keyring.cipher(key, context.owner);
    let ciphertext = cipher.encrypt(&nonce.into(), payload).map_err(|_| SealError::Refused)?;
    let envelope = [&[VERSION], key.id().as_bytes().as_slice(), &nonce, &ciphertext].concat();
    Ok(Base64UrlUnpadded::encode_string(&envelope))
}

/// Opens what [`seal`] made for the same context, under whichever key of the ring sealed it.
pub fn open(keyring: &Keyring, context: &Context<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let envelope = Base64UrlUnpadded::decode_vec(sealed).map_err(|_| OpenError::Malformed)?;
    let (&version, rest) = envelope.split_first().ok_or(OpenError::Malformed)?;
    if version != VERSION {
        return Err(OpenError::UnknownVersion(version));
    }
    let (&key_id, rest) = rest.split_first_chunk::<{ KeyId::BYTES }>().ok_or(OpenError::Malformed)?;
    let (&nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Malformed)?;
    if ciphertext.len() < TAG_BYTES {
        return Err(OpenError::Malformed);
    }
    let key_id = KeyId::from_bytes(key_id);
    let key = keyring.find(key_id).ok_or(OpenError::UnknownKey(key_id))?;
    let aad = additional_data(key_id, context);
    let payload = Payload { msg: ciphertext, aad: &aad };
    let plaintext =
        keyring.cipher(key, context.owner).decrypt(&nonce.into(), payload).map_err(|_| OpenError::Forged)?;
    Ok(Zeroizing::new(plaintext))
}

/// Characters that version and key id take at the start of a sealed value: 9 bytes, so they end where a
/// group of base64url does.
pub const HEADER_CHARS: usize = (1 + KeyId::BYTES) / 3 * 4;

/// The id of the key that sealed a value, from the value or its first [`HEADER_CHARS`] characters. It is
/// not to be trusted until the value is opened.
pub fn key_id(sealed: &str) -> Result<KeyId, OpenError> {
    let header = sealed.get(..HEADER_CHARS).ok_or(OpenError::Malformed)?;
    let mut bytes = [0; 1 + KeyId::BYTES];
    Base64UrlUnpadded::decode(header, &mut bytes).map_err(|_| OpenError::Malformed)?;
    match bytes {
        [VERSION, id @ ..] => Ok(KeyId::from_bytes(id)),
        [version, ..] => Err(OpenError::UnknownVersion(version)),
    }
}

/// Version and key id, then each field after its length as four bytes, most significant first.
fn additional_data(key_id: KeyId, context: &Context<'_>) -> Vec<u8> {
    let owner = match context.owner {
        Owner::Developer(developer) => developer,
        Owner::Accounts => "",
    };
    let bound_to = match context.part {
        Part::Tokens { details } => details,
        Part::Details | Part::ApiKey | Part::Account | Part::Reference => "",
    };
    let mut data = vec![VERSION];
    data.extend_from_slice(key_id.as_bytes());
    for field in [owner, context.record, context.part.name(), bound_to] {
        data.extend_from_slice(&(field.len() as u32).to_be_bytes());
        data.extend_from_slice(field.as_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::RootKey;

    const SECRET: &[u8] = b"gho_16C7e42F292c6912E7710c838347Ae178B4a";
    const CONTEXT: Context<'static> =
        Context { owner: Owner::Developer("dev_A"), record: "vault_1", part: Part::Details };

    fn keyring(byte: &str) -> Keyring {
        Keyring::new(RootKey::parse(&byte.repeat(32)).unwrap(), Vec::new())
    }

    fn sealed() -> String {
        seal(&keyring("11"), &CONTEXT, SECRET).unwrap()
    }

    fn change(sealed: &str, edit: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut bytes = Base64UrlUnpadded::decode_vec(sealed).unwrap();
        edit(&mut bytes);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    #[test]
    fn opens_what_it_sealed() {
        assert_eq!(*open(&keyring("11"), &CONTEXT, &sealed()).unwrap(), SECRET);
    }

    #[test]
    fn its_key_is_known_without_opening() {
        const { assert!((1 + KeyId::BYTES).is_multiple_of(3)) };
        let (sealed, id) = (sealed(), keyring("11").current().id());
        assert_eq!((key_id(&sealed), key_id(&sealed[..HEADER_CHARS])), (Ok(id), Ok(id)));
        for (text, reason) in [
            ("", OpenError::Malformed),
            (&sealed[..HEADER_CHARS - 1], OpenError::Malformed),
            ("================", OpenError::Malformed),
            ("AgAAAAAAAAAA", OpenError::UnknownVersion(2)),
        ] {
            assert_eq!(key_id(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn seals_under_a_fresh_nonce_each_time() {
        assert_ne!(sealed(), sealed());
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let sealed = sealed();
        let length = Base64UrlUnpadded::decode_vec(&sealed).unwrap().len();
        for position in 0..length {
            for bit in 0..8 {
                let forged = change(&sealed, |bytes| bytes[position] ^= 1 << bit);
                assert!(open(&keyring("11"), &CONTEXT, &forged).is_err(), "bit {bit} of byte {position}");
            }
        }
    }

    #[test]
    fn a_cut_envelope_does_not_open() {
        let sealed = sealed();
        let length = Base64UrlUnpadded::decode_vec(&sealed).unwrap().len();
        for kept in 0..length {
            let cut = change(&sealed, |bytes| bytes.truncate(kept));
            assert!(open(&keyring("11"), &CONTEXT, &cut).is_err(), "{kept} bytes");
        }
        assert!(open(&keyring("11"), &CONTEXT, &format!("{sealed}=")).is_err());
    }

    #[test]
    fn a_moved_value_does_not_open() {
        let elsewhere = [
            Context { owner: Owner::Developer("dev_B"), ..CONTEXT },
            Context { owner: Owner::Accounts, ..CONTEXT },
            Context { record: "vault_2", ..CONTEXT },
            Context { part: Part::Account, ..CONTEXT },
            Context { part: Part::Reference, ..CONTEXT },
            Context { part: Part::Tokens { details: "" }, ..CONTEXT },
        ];
        for context in elsewhere {
            assert_eq!(open(&keyring("11"), &context, &sealed()), Err(OpenError::Forged), "{context:?}");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let one = Context { owner: Owner::Developer("ab"), record: "c", ..CONTEXT };
        let other = Context { owner: Owner::Developer("a"), record: "bc", ..CONTEXT };
        let id = keyring("11").current().id();
        assert_ne!(additional_data(id, &one), additional_data(id, &other));
    }

    #[test]
    fn tokens_open_beside_their_own_details_only() {
        let context = |details| Context { part: Part::Tokens { details }, ..CONTEXT };
        let sealed = seal(&keyring("11"), &context("v1"), SECRET).unwrap();
        assert!(open(&keyring("11"), &context("v1"), &sealed).is_ok());
        assert_eq!(open(&keyring("11"), &context("v2"), &sealed), Err(OpenError::Forged));
    }

    #[test]
    fn another_key_is_named_not_tried() {
        let old_id = keyring("11").current().id();
        assert_eq!(open(&keyring("22"), &CONTEXT, &sealed()), Err(OpenError::UnknownKey(old_id)));
        let forged = change(&sealed(), |bytes| {
            bytes[1..9].copy_from_slice(keyring("22").current().id().as_bytes());
        });
        assert_eq!(open(&keyring("22"), &CONTEXT, &forged), Err(OpenError::Forged));
    }

    #[test]
    fn a_previous_key_still_opens() {
        let ring =
            Keyring::new(RootKey::parse(&"22".repeat(32)).unwrap(), vec![RootKey::parse(&"11".repeat(32)).unwrap()]);
        assert_eq!(*open(&ring, &CONTEXT, &sealed()).unwrap(), SECRET);
    }

    #[test]
    fn other_versions_are_told_apart() {
        for version in [0, 2, 255] {
            let other = change(&sealed(), |bytes| bytes[0] = version);
            assert_eq!(open(&keyring("11"), &CONTEXT, &other), Err(OpenError::UnknownVersion(version)));
        }
        assert_eq!(open(&keyring("11"), &CONTEXT, ""), Err(OpenError::Malformed));
    }

    /// A record of the first release opens in every later one.
    #[test]
    fn version_1_stays_readable() {
        let sealed = seal_with(&keyring("11"), [7; NONCE_BYTES], &CONTEXT, b"hello").unwrap();
        assert_eq!(sealed, "AZg-fBznhtK1BwcHBwcHBwcHBwcHNEL3ZUksWetXg3sMjDrMfX4v-Q19");
        assert_eq!(*open(&keyring("11"), &CONTEXT, &sealed).unwrap(), b"hello");
    }
}
