//! Sealing texts on the caller's side, before anybody else sees them.
//!
//! A sealed text is base64url without padding of
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 12 | nonce, random |
//! | n + 16 | AES-256-GCM ciphertext, then tag, as WebCrypto lays them out |
//!
//! The key is the caller's own 32 bytes. The additional data is the text `grant-vault sealer 1`, a zero
//! byte, and the context. `npm/README.md` opens it with `crypto.subtle` alone.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use base64ct::{Base64UrlUnpadded, Encoding};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use super::{Failure, JsResult};
use crate::random;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"grant-vault sealer 1\0";
const NONCE_BYTES: usize = 12;

/// Seals a text under a key of 32 bytes, for one context.
#[wasm_bindgen]
pub fn seal(key: Vec<u8>, context: &str, text: String) -> JsResult<String> {
    let text = Zeroizing::new(text);
    let nonce = random::bytes::<NONCE_BYTES>().map_err(Failure::from)?;
    let payload = Payload { msg: text.as_bytes(), aad: &additional_data(context) };
    let sealed = cipher(key)?.encrypt(&nonce.into(), payload);
    let sealed = sealed.map_err(|_| Failure::internal("too long to be sealed"))?;
    Ok(Base64UrlUnpadded::encode_string(&[&[VERSION], nonce.as_slice(), &sealed].concat()))
}

/// Opens what [`seal`] made under the same key for the same context.
#[wasm_bindgen]
pub fn open(key: Vec<u8>, context: &str, sealed: &str) -> JsResult<JsValue> {
    let bytes = Base64UrlUnpadded::decode_vec(sealed).map_err(|_| Failure::cannot_open("not base64url"))?;
    let (&version, rest) = bytes.split_first().ok_or_else(|| Failure::cannot_open("empty"))?;
    if version != VERSION {
        return Err(Failure::cannot_open(format_args!("version {version} is not known")).into());
    }
    let (&nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| Failure::cannot_open("too short"))?;
    let payload = Payload { msg: sealed, aad: &additional_data(context) };
    let text = cipher(key)?.decrypt(&nonce.into(), payload);
    let text = Zeroizing::new(text.map_err(|_| Failure::cannot_open("another key or context, or changed"))?);
    let text = std::str::from_utf8(&text).map_err(|_| Failure::cannot_open("not a text"))?;
    Ok(JsValue::from_str(text))
}

fn cipher(key: Vec<u8>) -> JsResult<Aes256Gcm> {
    let key = Zeroizing::new(key);
    Aes256Gcm::new_from_slice(&key).map_err(|_| Failure::internal("the key must have 32 bytes").into())
}

fn additional_data(context: &str) -> Vec<u8> {
    [LABEL, context.as_bytes()].concat()
}
