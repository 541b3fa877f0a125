//! The grant token that an agent calls with, and the proof of a token that is bound to a key.

use std::rc::Rc;

use super::Call;
use crate::fetch::Fetch;
use crate::grant::dpop::{ProofId, Sent};
use crate::grant::signature::CheckSignature;
use crate::grant::{Grant, GrantError};
use crate::http::Host;
use crate::http::error::ApiError;
use crate::store::Store;
use crate::vault::Vault;

/// An agent's grant token, verified.
pub(super) struct Agent<'a> {
    /// The token itself.
    pub token: &'a str,
    /// What it says.
    pub grant: Rc<Grant>,
    /// What the proof is remembered by, where the token is bound to a key.
    pub proof: Option<ProofId>,
}

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    /// The agent that calls with `Authorization: Bearer`, or with `DPoP` (RFC 9449 section 7.1), each for its
    /// own kind of token.
    pub(super) async fn agent(&self) -> Result<Agent<'_>, ApiError> {
        let Host { fetch, signatures, now, .. } = *self.host;
        if let Some(token) = self.bearer() {
            let grant = self.settings.verifier.verify(token, fetch, signatures, now).await?;
            return Ok(Agent { token, grant, proof: None });
        }
        let token = self.token_of("DPoP").ok_or_else(|| ApiError::bad_grant("no bearer token"))?;
        self.bound_agent(token, true).await
    }

    /// The agent whose token is bound to a key, with the proof that the request brings.
    pub(super) async fn bound_agent<'t>(&self, token: &'t str, names_token: bool) -> Result<Agent<'t>, ApiError> {
        let Host { fetch, signatures, now, .. } = *self.host;
        let head = self.head;
        let sent = head.dpop.as_deref().map(|proof| Sent {
            proof,
            method: &head.method,
            base: &head.base,
            path: &head.path,
            names_token,
        });
        let verifier = &self.settings.verifier;
        let (grant, proof) = verifier.verify_bound(token, sent, fetch, signatures, now).await?;
        self.proofs.note(proof, now).map_err(GrantError::Proof)?;
        Ok(Agent { token, grant, proof: Some(proof) })
    }

    /// The vault, which spends the agent's proof with what it hands out.
    pub(super) fn vault_for(&self, agent: &Agent<'_>) -> Vault<'_, S> {
        self.vault().spending(agent.proof)
    }
}
