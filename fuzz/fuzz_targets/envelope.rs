//! A sealed value. The input is opened as it is and as the bytes of an envelope, which must fail, as
//! nobody here has the key (but for the one envelope that the corpus starts from); and is sealed, and
//! opens as itself, in its place, and not when changed.

#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use grant_vault::envelope::{Context, Part, open, seal};
use grant_vault::keyring::Owner;
use grant_vault_fuzz::keyring;
use libfuzzer_sys::fuzz_target;

const HERE: Context<'static> = Context { owner: Owner::Developer("dev_A"), record: "vault_1", part: Part::Details };
/// What the envelope in the corpus holds.
const KNOWN: &[u8] = b"hello";
const ELSEWHERE: Context<'static> = Context { record: "vault_2", ..HERE };

fuzz_target!(|data: &[u8]| {
    let keyring = keyring();
    let text = String::from_utf8_lossy(data);
    for forged in [text.as_ref(), &Base64UrlUnpadded::encode_string(data)] {
        let opened = open(&keyring, &HERE, forged);
        assert!(opened.is_err() || opened.is_ok_and(|text| *text == KNOWN), "{forged} opened");
    }

    let sealed = seal(&keyring, &HERE, data).expect("randomness");
    assert_eq!(*open(&keyring, &HERE, &sealed).expect("what was sealed opens"), data);
    assert!(open(&keyring, &ELSEWHERE, &sealed).is_err());
    let mut bytes = Base64UrlUnpadded::decode_vec(&sealed).expect("base64url");
    let place = data.first().map_or(0, |&byte| usize::from(byte)) % bytes.len();
    bytes[place] ^= data.last().copied().unwrap_or(1).max(1);
    assert!(open(&keyring, &HERE, &Base64UrlUnpadded::encode_string(&bytes)).is_err(), "byte {place} was changed");
});
