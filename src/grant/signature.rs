//! Checking a token's signature, by whichever engine the host has.
//!
//! [`JwtSimple`] is the native one, and what the tests hold the others against; on Workers the host's
//! WebCrypto does the work, twenty times as fast as WebAssembly can (`js/crypto.rs`).

use jwt_simple::JWTError;
use jwt_simple::prelude::*;
use p256::ecdsa::signature::Verifier as _;
use superboring::bn::BigNum;
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::{Padding, Rsa};
use superboring::sign::Verifier;

use super::jwks::{PublicKey, VerifyingKey};
use super::token::UnverifiedToken;
use crate::limits;

/// Why a token isn't signed by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature isn't the key's.
    #[error("not the key's")]
    Invalid,
    /// The engine can't use the key, or doesn't read the token.
    #[error("not to be checked with this key")]
    Unusable,
}

/// Checks signatures.
#[allow(async_fn_in_trait, reason = "JavaScript's promises are not Send, and nothing here needs Send")]
pub trait CheckSignature {
    /// Whether the key signed the token; the key is of the token's algorithm.
    async fn check(&self, key: &VerifyingKey, token: &UnverifiedToken<'_>) -> Result<(), SignatureError>;

    /// Whether the key signed these bytes, in the one algorithm that it is for, as a JWS has it.
    async fn check_bytes(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError>;
}

/// Checks signatures with the crate jwt-simple.
#[derive(Clone, Copy, Debug)]
pub struct JwtSimple;

impl CheckSignature for JwtSimple {
    /// jwt-simple checks times, too, but not with this vault's skew: it is asked as if at the epoch,
    /// when nothing has expired, and told to take what is yet to come. `claims.rs` decides about times.
    async fn check(&self, key: &VerifyingKey, token: &UnverifiedToken<'_>) -> Result<(), SignatureError> {
        let options = VerificationOptions {
            artificial_time: Some(UnixTimeStamp::from_secs(0)),
            time_tolerance: None,
            accept_future: true,
            max_token_length: Some(limits::GRANT_TOKEN_BYTES),
            max_header_length: Some(limits::GRANT_TOKEN_BYTES),
            ..VerificationOptions::default()
        };
        let verified = match &key.public_key {
            PublicKey::Rsa { n, e } => RS256PublicKey::from_components(n, e)
                .and_then(|key| key.verify_token::<NoCustomClaims>(token.text, Some(options))),
            PublicKey::P256 { point } => ES256PublicKey::from_bytes(point)
                .and_then(|key| key.verify_token::<NoCustomClaims>(token.text, Some(options))),
            PublicKey::Ed25519 { .. } => return Err(SignatureError::Unusable),
        };
        verified.map(drop).map_err(|error| match error.downcast_ref::<JWTError>() {
            Some(JWTError::InvalidSignature) => SignatureError::Invalid,
            _ => SignatureError::Unusable,
        })
    }

    /// jwt-simple takes no token that brings its own key: what it is made of is asked itself.
    async fn check_bytes(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let is_good = match key {
            PublicKey::Rsa { n, e } => rsa_signed(n, e, message, signature).map_err(|_| SignatureError::Unusable)?,
            PublicKey::P256 { point } => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| SignatureError::Unusable)?;
                let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| SignatureError::Invalid)?;
                key.verify(message, &signature).is_ok()
            }
            PublicKey::Ed25519 { point } => {
                let signature =
                    ed25519_compact::Signature::from_slice(signature).map_err(|_| SignatureError::Invalid)?;
                ed25519_compact::PublicKey::new(*point).verify(message, &signature).is_ok()
            }
        };
        if is_good { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

fn rsa_signed(n: &[u8], e: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, superboring::error::ErrorStack> {
    let key = PKey::from_rsa(Rsa::from_public_components(BigNum::from_slice(n)?, BigNum::from_slice(e)?)?)?;
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key)?;
    verifier.set_rsa_padding(Padding::PKCS1)?;
    verifier.update(message)?;
    verifier.verify(signature)
}
