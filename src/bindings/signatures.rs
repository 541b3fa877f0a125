//! Signatures checked by whatever the host has.

use wasm_bindgen::JsValue;

use crate::grant::jwks::{PublicKey, VerifyingKey};
use crate::grant::signature::{CheckSignature, JwtSimple, SignatureError};
use crate::grant::token::UnverifiedToken;
use crate::js::WebCrypto;

/// WebCrypto, or jwt-simple where there is none: a page that wasn't served over https has no
/// `crypto.subtle`.
#[derive(Clone, Copy, Debug)]
pub struct HostSignatures;

impl CheckSignature for HostSignatures {
    async fn check(&self, key: &VerifyingKey, token: &UnverifiedToken<'_>) -> Result<(), SignatureError> {
        if has_web_crypto() { WebCrypto.check(key, token).await } else { JwtSimple.check(key, token).await }
    }

    /// Proofs of possession are for who serves requests, and no page does that: WebCrypto alone, for what
    /// else Ed25519 would add to the package.
    async fn check_bytes(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        WebCrypto.check_bytes(key, message, signature).await
    }
}

fn has_web_crypto() -> bool {
    let member = |object: &JsValue, name: &str| js_sys::Reflect::get(object, &JsValue::from_str(name));
    member(&js_sys::global(), "crypto")
        .and_then(|crypto| member(&crypto, "subtle"))
        .is_ok_and(|subtle| subtle.is_object())
}
