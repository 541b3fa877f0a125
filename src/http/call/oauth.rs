//! Token exchange for any OAuth client (RFC 8693), and the metadata that leads it here (RFC 8414).
//!
//! The subject token is a grant token, the audience or resource names the service, and what is issued is
//! the credential's access token. Clients are public: the grant token says who may have what.

use std::rc::Rc;

use zeroize::Zeroizing;

use super::Call;
use super::proof::Agent;
use crate::credential::Service;
use crate::fetch::Fetch;
use crate::grant::dpop::split_url;
use crate::grant::signature::CheckSignature;
use crate::grant::{Grant, GrantError};
use crate::http::error::{ApiError, OauthError};
use crate::http::oauth::{self, Form, TokenExchange};
use crate::http::response::Response;
use crate::http::{Host, ReadBody};
use crate::store::Store;

/// What a service's URI is under the vault's own (RFC 8707 wants an absolute URI for a resource).
const SERVICES: &str = "/services/";

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) fn oauth_metadata(&self) -> Response {
        Response::json(200, &oauth::OauthMetadata::new(&self.head.base))
    }

    pub(super) async fn exchange_token(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.issue_token(body).await.map_err(ApiError::for_oauth)
    }

    async fn issue_token(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let form = Form::parse(self.form(body).await?)?;
        let asked = TokenExchange::read(&form)?;
        let mut agent = self.subject(asked.subject_token).await?;
        self.begin_exchange(&agent).await?;
        let service = self.target(&asked)?;
        if let Some(scope) = asked.scope {
            agent.grant = Rc::new(narrowed(&agent.grant, scope)?);
        }
        self.must_be_granted(&agent, &service).await?;
        let (details, tokens) = self.hand_out(&agent, &service).await?;
        let issued = oauth::IssuedToken::new(&details, tokens.access.expose(), asked.scope, self.host.now);
        Ok(Response::secret_json(200, &issued).with_header("Pragma", "no-cache"))
    }

    /// The agent of a subject token, with a proof where the token is bound to a key. That proof is one for a
    /// token request, which needn't name the token (RFC 9449 section 5).
    async fn subject<'t>(&self, token: &'t str) -> Result<Agent<'t>, ApiError> {
        let Host { fetch, signatures, now, .. } = *self.host;
        match self.settings.verifier.verify(token, fetch, signatures, now).await {
            Ok(grant) => Ok(Agent { token, grant, proof: None }),
            Err(GrantError::Bound) => self.bound_agent(token, false).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The service that audience and resource name, which are one where both are there.
    fn target(&self, asked: &TokenExchange<'_>) -> Result<Service, ApiError> {
        let invalid = |message| ApiError::oauth(OauthError::InvalidTarget, message);
        let by_name = asked.audience.map(|name| {
            Service::parse(name).ok_or_else(|| invalid("audience must be the name of a service, like github"))
        });
        let by_uri = asked.resource.map(|uri| {
            self.service_of(uri)
                .ok_or_else(|| invalid("resource must be the URI of this vault followed by /services/ and a service"))
        });
        match (by_name.transpose()?, by_uri.transpose()?) {
            (Some(name), Some(uri)) if name != uri => Err(invalid("audience and resource name two services")),
            (Some(service), _) | (None, Some(service)) => Ok(service),
            (None, None) => Err(ApiError::bad_request("audience or resource must name a service")),
        }
    }

    fn service_of(&self, uri: &str) -> Option<Service> {
        let (scheme, authority, path) = split_url(uri).filter(|_| !uri.contains(['?', '#']))?;
        let own = split_url(&self.head.base)?;
        let is_own = scheme == own.0 && authority == own.1;
        Service::parse(path.strip_prefix(SERVICES)?).filter(|_| is_own)
    }

    /// The body of a call that takes a form.
    async fn form(&self, body: impl ReadBody) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if !self.has_type(FORM) {
            return Err(ApiError::bad_request("Send the body as Content-Type: application/x-www-form-urlencoded"));
        }
        self.body(body).await
    }
}

/// The grant with those of its scopes alone that are asked for.
fn narrowed(grant: &Grant, scope: &str) -> Result<Grant, ApiError> {
    let scopes: Vec<String> = scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    if scopes.iter().all(|scope| grant.scopes.contains(scope)) {
        Ok(Grant { scopes, ..grant.clone() })
    } else {
        Err(ApiError::oauth(OauthError::InvalidScope, "The grant has not all of these scopes"))
    }
}
