//! Credentials by reference: the agent's half of it is an exchange, the developer's is to resolve.

use super::Call;
use super::proof::Agent;
use crate::audit::Kind;
use crate::credential::Service;
use crate::fetch::Fetch;
use crate::grant::scope;
use crate::grant::signature::CheckSignature;
use crate::grantex::Grantex;
use crate::grantex::standing::{Claimed, StandingError};
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, params, view};
use crate::reference::Reference;
use crate::secret::Secret;
use crate::store::Store;
use crate::vault::VaultError;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    /// The end of an exchange that asked for a reference.
    pub(super) async fn refer(&self, agent: &Agent<'_>, service: &Service) -> Result<Response, ApiError> {
        let grant = &agent.grant;
        let is_asked_again = self.settings.grantex.as_ref().is_some_and(Grantex::checks_grants);
        let grant_token = is_asked_again.then(|| Secret::new(agent.token.to_owned()));
        let (details, reference) = self.vault_for(agent).refer(grant, service, grant_token, self.host.now).await?;
        let text = reference.seal(&self.settings.keyring).map_err(VaultError::Seal)?;
        self.note(|event| {
            event.rule = scope::rule(&grant.scopes, service.as_str()).map(str::to_owned);
            event.done(Kind::ReferenceIssued);
        });
        Ok(Response::secret_json(200, &view::Referred::new(&details, text.expose(), reference.expires_at)))
    }

    pub(super) async fn resolve_reference(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        let text = params::reference(&self.json(body).await?)?;
        let reference = self.vault().open_reference(caller.developer(), text.expose(), self.host.now)?;
        self.note(|event| event.with_reference(&reference, &self.settings.pseudonyms));
        self.reference_must_stand(&reference).await?;
        let (details, tokens) = self.vault().resolve(&reference).await.map_err(ApiError::of_reference)?;
        self.note(|event| event.done(Kind::ReferenceResolved));
        Ok(Response::secret_json(200, &view::Exchanged::new(&details, tokens.access.expose())))
    }

    /// Checks with Grantex, where it is asked, that the grant behind a reference stands.
    async fn reference_must_stand(&self, reference: &Reference) -> Result<(), ApiError> {
        let Some(grantex) = self.settings.grantex.as_ref().filter(|grantex| grantex.checks_grants()) else {
            return Ok(());
        };
        // Given while Grantex wasn't asked, and of no use now that it is.
        let token = reference.grant_token.as_ref().ok_or(VaultError::NoReference)?;
        let Reference { grant_id, principal, agent, .. } = reference;
        let claimed = Claimed { grant_id, principal: principal.as_str(), agent };
        match grantex.must_stand(token.expose(), claimed, self.host.fetch, self.host.now).await {
            Err(StandingError::Unknown(error)) => Err(error.into()),
            Err(fallen) => Err(ApiError::fallen_reference(fallen)),
            Ok(()) => Ok(()),
        }
    }
}
