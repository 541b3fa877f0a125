//! Signatures checked by the host's WebCrypto.

use std::cell::RefCell;
use std::collections::HashMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::bounded;
use crate::grant::jwks::{PublicKey, VerifyingKey};
use crate::grant::signature::{CheckSignature, SignatureError};
use crate::grant::token::UnverifiedToken;
use crate::limits::JWKS_KEYS;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    async fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &JsValue,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    async fn verify(algorithm: &JsValue, key: &JsValue, signature: &[u8], data: &[u8]) -> Result<JsValue, JsValue>;
}

/// The host's WebCrypto.
#[derive(Clone, Copy, Debug)]
pub struct WebCrypto;

/// A key that the host imported, and the parameters to use it with.
#[derive(Clone)]
struct Imported {
    key: JsValue,
    algorithm: JsValue,
}

thread_local! {
    /// Imported keys, by fingerprint: they belong to no request.
    static IMPORTED: RefCell<HashMap<[u8; 32], Imported>> = RefCell::default();
}

impl CheckSignature for WebCrypto {
    async fn check(&self, key: &VerifyingKey, token: &UnverifiedToken<'_>) -> Result<(), SignatureError> {
        self.check_bytes(&key.public_key, token.signing_input().as_bytes(), &token.signature).await
    }

    async fn check_bytes(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let imported = imported(key).await.map_err(|_| SignatureError::Unusable)?;
        // The host takes copies of both before it does anything else (WebCrypto, `verify`).
        match verify(&imported.algorithm, &imported.key, signature, message).await {
            Ok(verdict) if verdict.is_truthy() => Ok(()),
            Ok(_) | Err(_) => Err(SignatureError::Invalid),
        }
    }
}

/// The key as the host knows it, imported when it is first used.
async fn imported(key: &PublicKey) -> Result<Imported, JsValue> {
    let fingerprint = key.fingerprint();
    if let Some(imported) = IMPORTED.with_borrow(|keys| keys.get(&fingerprint).cloned()) {
        return Ok(imported);
    }
    let imported = import(key).await?;
    // No issuer has more; what is over is from keys that were rotated away.
    IMPORTED.with_borrow_mut(|keys| bounded::keep(keys, JWKS_KEYS, fingerprint, imported.clone()));
    Ok(imported)
}

async fn import(key: &PublicKey) -> Result<Imported, JsValue> {
    let usages = js_sys::Array::of1(&JsValue::from_str("verify"));
    let parameters = |name: &str, curve: Option<&'static str>| {
        serde_wasm_bindgen::to_value(&Parameters { name, hash: "SHA-256", named_curve: curve })
    };
    let algorithm = match key {
        PublicKey::Rsa { .. } => parameters("RSASSA-PKCS1-v1_5", None)?,
        PublicKey::P256 { .. } => parameters("ECDSA", Some("P-256"))?,
        PublicKey::Ed25519 { .. } => parameters("Ed25519", None)?,
    };
    let key = match key {
        PublicKey::Rsa { n, e } => {
            let encode = Base64UrlUnpadded::encode_string;
            let jwk = serde_wasm_bindgen::to_value(&RsaJwk { kty: "RSA", n: encode(n), e: encode(e) })?;
            import_key("jwk", &jwk, &algorithm, false, &usages).await?
        }
        PublicKey::P256 { point } => {
            import_key("raw", &Uint8Array::from(point.as_slice()), &algorithm, false, &usages).await?
        }
        PublicKey::Ed25519 { point } => {
            import_key("raw", &Uint8Array::from(point.as_slice()), &algorithm, false, &usages).await?
        }
    };
    Ok(Imported { key, algorithm })
}

/// What WebCrypto wants to know of an algorithm.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    name: &'a str,
    hash: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    named_curve: Option<&'static str>,
}

#[derive(Serialize)]
struct RsaJwk {
    kty: &'static str,
    n: String,
    e: String,
}
