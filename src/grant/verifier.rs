//! Verifying a grant token, from text to [`Grant`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::claims::{self, Expected};
use super::dpop::{self, ProofError, ProofId, Sent};
use super::issuer::IssuerKeys;
use super::jwks::{Algorithm, JwkSet};
use super::signature::{CheckSignature, SignatureError};
use super::token::UnverifiedToken;
use super::{Grant, GrantError};
use crate::bounded;
use crate::fetch::Fetch;
use crate::limits::VERIFIED_TOKENS;
use crate::timestamp::Timestamp;

/// Verifies the grant tokens of one issuer.
#[derive(Debug)]
pub struct GrantVerifier {
    expected: Expected,
    keys: IssuerKeys,
    verified: RefCell<HashMap<[u8; 32], Verified>>,
}

/// A token that was verified, kept by its hash: verifying it again would say the same for as long as
/// it hasn't expired and the issuer's keys are the same.
#[derive(Debug)]
struct Verified {
    grant: Rc<Grant>,
    algorithm: Algorithm,
    key_id: Option<String>,
    set: Rc<JwkSet>,
}

impl GrantVerifier {
    /// A verifier for tokens that say what is expected and are signed with these keys.
    pub fn new(expected: Expected, keys: IssuerKeys) -> Self {
        Self { expected, keys, verified: RefCell::default() }
    }

    /// Verifies a token:
    ///
    /// 1. its form and header, before any work is spent on it;
    /// 2. that the issuer has one key for it, fetching the keys if need be;
    /// 3. its signature;
    /// 4. its claims.
    ///
    /// A token that was verified before is recognised by its hash; its expiry and the issuer's keys
    /// are looked at again. Whether it was revoked is not asked here. [`GrantError::NoKeys`] is the
    /// one error that says nothing of the token. A token that is bound to a key is refused.
    pub async fn verify(
        &self,
        token: &str,
        fetch: &impl Fetch,
        signatures: &impl CheckSignature,
        now: Timestamp,
    ) -> Result<Rc<Grant>, GrantError> {
        let grant = self.read(token, fetch, signatures, now).await?;
        if grant.confirmation.is_some() { Err(GrantError::Bound) } else { Ok(grant) }
    }

    /// Verifies a token that is bound to a key, with the proof that its sender holds the key. Whether the
    /// proof was used before is not asked here: its id comes along.
    pub async fn verify_bound(
        &self,
        token: &str,
        sent: Option<Sent<'_>>,
        fetch: &impl Fetch,
        signatures: &impl CheckSignature,
        now: Timestamp,
    ) -> Result<(Rc<Grant>, ProofId), GrantError> {
        let grant = self.read(token, fetch, signatures, now).await?;
        let thumbprint = grant.confirmation.as_deref().ok_or(GrantError::Unbound)?;
        let sent = sent.ok_or(ProofError::Missing)?;
        let id = dpop::check(sent, token, thumbprint, signatures, now).await?;
        Ok((grant, id))
    }

    /// Verifies a token as far as it goes by itself, bound or not.
    async fn read(
        &self,
        token: &str,
        fetch: &impl Fetch,
        signatures: &impl CheckSignature,
        now: Timestamp,
    ) -> Result<Rc<Grant>, GrantError> {
        let hash = Sha256::digest(token).into();
        if let Some(grant) = self.recognise(&hash, fetch, now).await? {
            return Ok(grant);
        }
        let token = UnverifiedToken::parse(token)?; // 1
        let set = self.keys.set_for(token.algorithm, token.key_id.as_deref(), fetch, now).await?; // 2
        let key = set.select(token.algorithm, token.key_id.as_deref()).map_err(GrantError::Key)?;
        let signature = signatures.check(key, &token).await; // 3
        if signature == Err(SignatureError::Invalid) {
            return Err(GrantError::Signature(SignatureError::Invalid));
        }
        // Where an engine can't use the token it is refused, too; claims that are at fault say it better.
        let grant = Rc::new(claims::read(&token.claims, &self.expected, now)?); // 4
        signature.map_err(GrantError::Signature)?;
        self.keep(hash, Verified { grant: grant.clone(), algorithm: token.algorithm, key_id: token.key_id, set });
        Ok(grant)
    }

    async fn recognise(
        &self,
        hash: &[u8; 32],
        fetch: &impl Fetch,
        now: Timestamp,
    ) -> Result<Option<Rc<Grant>>, GrantError> {
        let known = self
            .verified
            .borrow()
            .get(hash)
            .map(|known| (known.grant.clone(), known.algorithm, known.key_id.clone(), known.set.clone()));
        let Some((grant, algorithm, key_id, set)) = known else { return Ok(None) };
        let current = self.keys.set_for(algorithm, key_id.as_deref(), fetch, now).await?;
        if !claims::has_expired(grant.expires_at, now) && Rc::ptr_eq(&current, &set) {
            return Ok(Some(grant));
        }
        self.verified.borrow_mut().remove(hash);
        Ok(None)
    }

    fn keep(&self, hash: [u8; 32], verified: Verified) {
        bounded::keep(&mut self.verified.borrow_mut(), VERIFIED_TOKENS, hash, verified);
    }
}
