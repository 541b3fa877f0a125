//! A compact JWS taken apart (RFC 7515 section 3.1), before any key is known.
//!
//! Nothing in here is trusted: the header only says which key to try.

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::GrantError;
use super::jwks::Algorithm;
use crate::json::Object;
use crate::limits;

/// A token whose header was read and whose signature was not checked.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    /// The whole token.
    pub text: &'a str,
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, if the header has it.
    pub key_id: Option<String>,
    /// The bytes of the claims set.
    pub claims: Zeroizing<Vec<u8>>,
    /// The signature, without which nobody else can use the token.
    pub signature: Zeroizing<Vec<u8>>,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart and checks its header.
    pub fn parse(text: &'a str) -> Result<Self, GrantError> {
        if text.len() > limits::GRANT_TOKEN_BYTES {
            return Err(GrantError::TooLong);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(GrantError::NotCompact);
        };
        let header = decode(header)?;
        let claims = decode(claims)?;
        let signature = decode(signature)?;
        if signature.is_empty() {
            return Err(GrantError::NotCompact);
        }
        let header = Object::parse(&header).map_err(GrantError::Header)?;
        let algorithm: String = header.required("alg", "a string").map_err(GrantError::Header)?;
        let algorithm = Algorithm::parse(&algorithm).ok_or(GrantError::Algorithm)?;
        if header.raw("crit").is_some() || header.raw("b64").is_some() {
            return Err(GrantError::Critical);
        }
        if header.raw("jwk").is_some() {
            return Err(GrantError::EmbeddedKey);
        }
        // Read by nobody; but a header that no two libraries agree on is no header.
        for name in ["cty", "jku", "x5u", "x5t", "x5t#S256", "salt"] {
            header.optional::<String>(name, "a string").map_err(GrantError::Header)?;
        }
        header.optional::<Vec<String>>("x5c", "an array of strings").map_err(GrantError::Header)?;
        let kind: Option<String> = header.optional("typ", "a string").map_err(GrantError::Header)?;
        if !kind.is_none_or(|kind| ["JWT", "at+jwt"].iter().any(|known| kind.eq_ignore_ascii_case(known))) {
            return Err(GrantError::Type);
        }
        let key_id = header.optional("kid", "a string").map_err(GrantError::Header)?;
        Ok(Self { text, algorithm, key_id, claims, signature })
    }

    /// What is signed: header and claims as they were sent (RFC 7515 section 5.1).
    pub fn signing_input(&self) -> &'a str {
        self.text.rsplit_once('.').map_or("", |(input, _)| input)
    }
}

fn decode(part: &str) -> Result<Zeroizing<Vec<u8>>, GrantError> {
    Base64UrlUnpadded::decode_vec(part).map(Zeroizing::new).map_err(|_| GrantError::NotCompact)
}
