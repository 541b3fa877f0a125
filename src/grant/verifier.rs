//! Verifying a grant token, from text to [`Grant`].

use super::claims::{self, Expected};
use super::issuer::{FetchJwks, IssuerKeys};
use super::jwks::SignatureError;
use super::token::UnverifiedToken;
use super::{Grant, GrantError};
use crate::timestamp::Timestamp;

/// Verifies the grant tokens of one issuer.
#[derive(Debug)]
pub struct GrantVerifier {
    expected: Expected,
    keys: IssuerKeys,
}

impl GrantVerifier {
    /// A verifier for tokens that say what is expected and are signed with these keys.
    pub fn new(expected: Expected, keys: IssuerKeys) -> Self {
        Self { expected, keys }
    }

    /// Verifies a token:
    ///
    /// 1. its form and header, before any work is spent on it;
    /// 2. that the issuer has one key for it, fetching the keys if need be;
    /// 3. its signature;
    /// 4. its claims.
    ///
    /// Whether it was revoked is not asked here. [`GrantError::NoKeys`] is the one error that
    /// says nothing of the token.
    pub async fn verify(&self, token: &str, fetch: &impl FetchJwks, now: Timestamp) -> Result<Grant, GrantError> {
        let token = UnverifiedToken::parse(token)?; // 1
        let set = self.keys.set_for(&token, fetch, now).await?; // 2
        let key = set.select(token.algorithm, token.key_id.as_deref()).map_err(GrantError::Key)?;
        let signature = key.verify(token.text); // 3
        let grant = claims::read(&token.claims, &self.expected, now); // 4
        match signature {
            Ok(()) => grant,
            // Refused either way; where the claims are at fault, they say it better.
            Err(SignatureError::Unreadable) => {
                Err(grant.err().unwrap_or(GrantError::Signature(SignatureError::Unreadable)))
            }
            Err(SignatureError::Invalid) => Err(GrantError::Signature(SignatureError::Invalid)),
        }
    }
}
