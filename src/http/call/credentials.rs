//! The calls on credentials: store, list, get, delete and exchange.

use std::rc::Rc;

use super::Call;
use super::proof::Agent;
use crate::audit::Kind;
use crate::credential::{CredentialId, Details, Service, Tokens};
use crate::fetch::Fetch;
use crate::grant::scope;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::params::Delivery;
use crate::http::rate::Limit;
use crate::http::response::Response;
use crate::http::{ReadBody, params, view};
use crate::store::Store;
use crate::vault::VaultError;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn store_credential(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        self.count(Limit::Write, caller.developer().as_str()).await?;
        let new = params::new_credential(&self.json(body).await?)?;
        let principal = self.settings.pseudonyms.principal(caller.developer(), &new.principal);
        self.note(|event| event.principal_hash = Some(principal));
        let (id, details) = self.vault().store(caller.developer(), new, self.host.now).await?;
        let is_new = details.created_at == details.updated_at;
        self.note(|event| {
            event.about(&id);
            event.done(if is_new { Kind::CredentialStored } else { Kind::CredentialReplaced });
        });
        Ok(Response::json(201, &view::Stored::new(&id, &details)))
    }

    pub(super) async fn list_credentials(&self) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        let query = params::list_query(&self.head.query)?;
        let page = self.vault().list(caller.developer(), &query).await?;
        Ok(Response::json(200, &view::Credentials::new(&page)))
    }

    pub(super) async fn get_credential(&self, id: &str) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        let id = CredentialId::parse(id).ok_or(VaultError::NotFound)?;
        self.note(|event| event.about(&id));
        let details = self.vault().get(caller.developer(), &id).await?;
        Ok(Response::json(200, &view::Credential::show(&id, &details)))
    }

    pub(super) async fn delete_credential(&self, id: &str) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        let id = CredentialId::parse(id).ok_or(VaultError::NotFound)?;
        self.note(|event| event.about(&id));
        self.count(Limit::Write, caller.developer().as_str()).await?;
        self.vault().delete(caller.developer(), &id, self.host.now).await?;
        self.note(|event| event.done(Kind::CredentialDeleted));
        Ok(Response::empty(204))
    }

    pub(super) async fn exchange(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let agent = self.agent().await?;
        self.begin_exchange(&agent).await?;
        let (service, delivery) = params::exchange(&self.json(body).await?)?;
        self.must_be_granted(&agent, &service).await?;
        if delivery == Delivery::Reference {
            return self.refer(&agent, &service).await;
        }
        let (details, tokens) = self.hand_out(&agent, &service).await?;
        Ok(Response::secret_json(200, &view::Exchanged::new(&details, tokens.access.expose())))
    }

    /// Notes which agent asks for an exchange, and counts one more of its token, under the hash that it has
    /// in the log.
    pub(super) async fn begin_exchange(&self, agent: &Agent<'_>) -> Result<(), ApiError> {
        self.note(|event| event.with_grant(&agent.grant, &self.settings.pseudonyms));
        let token = self.event.borrow().token_hash.clone().unwrap_or_default();
        self.count(Limit::Exchange, &token).await
    }

    /// Notes which credential an agent asks for, and checks that its grant stands.
    pub(super) async fn must_be_granted(&self, agent: &Agent<'_>, service: &Service) -> Result<(), ApiError> {
        let grant = &agent.grant;
        self.note(|event| event.about(&CredentialId::derive(&grant.developer, &grant.principal, service)));
        self.must_stand(agent.token, grant).await
    }

    /// Exchanges an agent's grant for the credential.
    pub(super) async fn hand_out(
        &self,
        agent: &Agent<'_>,
        service: &Service,
    ) -> Result<(Rc<Details>, Tokens), ApiError> {
        let handed_out = self.vault_for(agent).exchange(&agent.grant, service).await?;
        self.note(|event| {
            event.rule = scope::rule(&agent.grant.scopes, service.as_str()).map(str::to_owned);
            event.done(Kind::CredentialExchanged);
        });
        Ok(handed_out)
    }
}
