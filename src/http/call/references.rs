//! Credentials by reference: the agent's half of it is an exchange, the developer's is to resolve.

use super::Call;
use crate::audit::Kind;
use crate::credential::Service;
use crate::grant::Grant;
use crate::grant::issuer::FetchJwks;
use crate::grant::scope;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, params, view};
use crate::store::Store;
use crate::vault::VaultError;

impl<S: Store, F: FetchJwks, C: CheckSignature> Call<'_, S, F, C> {
    /// The end of an exchange that asked for a reference.
    pub(super) async fn refer(&self, grant: &Grant, service: &Service) -> Result<Response, ApiError> {
        let (details, reference) = self.vault().refer(grant, service, None, self.host.now).await?;
        let text = reference.seal(&self.settings.keyring).map_err(VaultError::Seal)?;
        self.note(|event| {
            event.rule = scope::rule(&grant.scopes, service.as_str()).map(str::to_owned);
            event.done(Kind::ReferenceIssued);
        });
        Ok(Response::secret_json(200, &view::Referred::new(&details, &text, reference.expires_at)))
    }

    pub(super) async fn resolve_reference(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let text = params::reference(&self.json(body).await?)?;
        let reference = self.vault().open_reference(&account.developer, &text, self.host.now)?;
        self.note(|event| event.with_reference(&reference, &self.settings.pseudonyms));
        let (details, tokens) = self.vault().resolve(&reference).await.map_err(ApiError::of_reference)?;
        self.note(|event| event.done(Kind::ReferenceResolved));
        Ok(Response::secret_json(200, &view::Exchanged::new(&details, tokens.access.expose())))
    }
}
