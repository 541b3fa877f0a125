//! One call of the contract: who asks, what they sent, what the core does, what is answered.
//!
//! This module dispatches and holds what several calls need; each file below holds the calls on one
//! resource, each a few lines that decide nothing: that is the core's.

mod admin;
mod audit;
mod credentials;
mod developers;
mod grants;
mod keys;
mod oauth;
mod proof;
mod records;
mod references;

use std::cell::RefCell;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::error::ApiError;
use super::rate::{self, Limit};
use super::response::Response;
use super::route::Route;
use super::{BodyError, Head, Host, ReadBody, view};
use crate::accounts::{AccountError, Accounts, KnownAccounts};
use crate::audit::{Actor, Event};
use crate::developer::{Account, ApiKey, DeveloperId};
use crate::fetch::Fetch;
use crate::grant::Grant;
use crate::grant::dpop::SeenProofs;
use crate::grant::signature::CheckSignature;
use crate::grantex::Grantex;
use crate::grantex::developers::Profile;
use crate::grantex::standing::Claimed;
use crate::limits;
use crate::settings::Settings;
use crate::store::Store;
use crate::vault::Vault;

/// Who calls with an API key.
pub(super) enum Caller {
    /// A developer whose account this vault keeps, and the key.
    Here(Account, ApiKey),
    /// A developer whose account Grantex keeps.
    OfGrantex(Rc<Profile>),
}

impl Caller {
    fn developer(&self) -> &DeveloperId {
        match self {
            Self::Here(account, _) => &account.developer,
            Self::OfGrantex(profile) => &profile.developer,
        }
    }
}

/// One call, with everything that it needs but its body.
pub(super) struct Call<'a, S, F, C> {
    pub(super) settings: &'a Settings,
    pub(super) known: &'a KnownAccounts,
    pub(super) proofs: &'a SeenProofs,
    pub(super) host: &'a Host<'a, S, F, C>,
    pub(super) head: &'a Head,
    /// What the log will say of it, filled in as the call learns it.
    pub(super) event: &'a RefCell<Event>,
}

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    /// Makes the call. Of those that fail to say who they are, each is counted for where it came from, and
    /// told so when it is one too many; a good key or token from there is answered all the same.
    pub(super) async fn make(&self, route: Route, body: impl ReadBody) -> Result<Response, ApiError> {
        let outcome = self.dispatch(route, body).await;
        if outcome.as_ref().is_err_and(|error| error.status() == 401) {
            self.count_client(Limit::Authentication).await?;
        }
        outcome
    }

    async fn dispatch(&self, route: Route, body: impl ReadBody) -> Result<Response, ApiError> {
        match route {
            Route::Health => {
                let (settings, unbound) = (self.settings, self.host.rate_limits.unbound());
                Ok(Response::json(200, &view::Health::well(settings.sign_up, settings.has_rate_limits, unbound)))
            }
            Route::StoreCredential => self.store_credential(body).await,
            Route::ListCredentials => self.list_credentials().await,
            Route::GetCredential(id) => self.get_credential(&id).await,
            Route::DeleteCredential(id) => self.delete_credential(&id).await,
            Route::Exchange => self.exchange(body).await,
            Route::ExchangeToken => self.exchange_token(body).await,
            Route::OauthMetadata => Ok(self.oauth_metadata()),
            Route::ResolveReference => self.resolve_reference(body).await,
            Route::SignUp => self.sign_up(body).await,
            Route::RotateKey => self.rotate_key().await,
            Route::Me => self.me().await,
            Route::RevokeToken => self.revoke_token(body).await,
            Route::RevokeGrant(id) => self.revoke_grant(id).await,
            Route::ProvisionDeveloper => self.provision_developer(body).await,
            Route::ListDevelopers => self.list_developers().await,
            Route::GetDeveloper(id) => self.get_developer(&id).await,
            Route::RemoveDeveloper(id) => self.remove_developer(&id).await,
            Route::AuditHashes => self.audit_hashes(body).await,
            Route::CountKeys => self.count_keys().await,
            Route::Rewrap => self.rewrap(body).await,
            Route::ExportRecords => self.export_records().await,
            Route::ImportRecords => self.import_records(body).await,
            Route::ImportCredentials => self.import_credentials(body).await,
        }
    }

    fn vault(&self) -> Vault<'_, S> {
        Vault::new(&self.settings.keyring, self.host.store)
    }

    fn accounts(&self) -> Accounts<'_, S> {
        Accounts::new(&self.settings.keyring, self.host.store, self.known)
    }

    /// Adds to what the log will say.
    fn note(&self, fill: impl FnOnce(&mut Event)) {
        fill(&mut self.event.borrow_mut());
    }

    /// Counts one more of what is limited, and refuses it if it is one too many.
    async fn count(&self, limit: Limit, key: &str) -> Result<(), ApiError> {
        if !self.settings.has_rate_limits || self.host.rate_limits.count(limit, key).await {
            return Ok(());
        }
        Err(ApiError::too_many_requests(limit, self.host.now))
    }

    /// The same for the address that the request came from.
    async fn count_client(&self, limit: Limit) -> Result<(), ApiError> {
        if !self.settings.has_rate_limits {
            return Ok(());
        }
        let address = self.host.rate_limits.client_address();
        self.count(limit, &rate::client_key(address.as_deref())).await
    }

    /// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
    fn bearer(&self) -> Option<&str> {
        self.token_of("Bearer")
    }

    /// The token of `Authorization` under a scheme.
    fn token_of(&self, wanted: &str) -> Option<&str> {
        let (scheme, token) = self.head.authorization.as_ref()?.expose().split_once(' ')?;
        let token = token.trim_start_matches(' ');
        (scheme.eq_ignore_ascii_case(wanted) && !token.is_empty()).then_some(token)
    }

    /// The developer whose API key the caller has: one that this vault knows, else one that Grantex does.
    async fn developer(&self) -> Result<Caller, ApiError> {
        let token = self.bearer().ok_or_else(|| ApiError::bad_api_key("no bearer token"))?;
        let caller = match &self.settings.grantex {
            None => {
                let api_key = ApiKey::parse(token).ok_or_else(|| ApiError::bad_api_key("not an API key"))?;
                Caller::Here(self.accounts().authenticate(&api_key, self.host.now).await?, api_key)
            }
            Some(grantex) => self.developer_beside(grantex, token).await?,
        };
        self.note(|event| event.by(Actor::Developer, caller.developer()));
        Ok(caller)
    }

    async fn developer_beside(&self, grantex: &Grantex, token: &str) -> Result<Caller, ApiError> {
        let theirs = ApiKey::parse_of_grantex(token).ok_or_else(|| ApiError::bad_api_key("not an API key"))?;
        if let Some(profile) = grantex.known_developer(&theirs, self.host.now) {
            return Ok(Caller::OfGrantex(profile));
        }
        if let Some(api_key) = ApiKey::parse(token) {
            match self.accounts().authenticate(&api_key, self.host.now).await {
                Err(AccountError::UnknownKey) => {}
                known => return Ok(Caller::Here(known?, api_key)),
            }
        }
        let profile = grantex.developer(&theirs, self.host.fetch, self.host.now).await?;
        profile.map(Caller::OfGrantex).ok_or_else(|| ApiError::bad_api_key("Grantex refuses the API key"))
    }

    /// Checks with Grantex, where it is asked, that a grant token stands.
    async fn must_stand(&self, token: &str, grant: &Grant) -> Result<(), ApiError> {
        let Some(grantex) = &self.settings.grantex else { return Ok(()) };
        let claimed = Claimed { grant_id: &grant.grant_id, principal: grant.principal.as_str(), agent: &grant.agent };
        Ok(grantex.must_stand(token, claimed, self.host.fetch, self.host.now).await?)
    }

    /// Checks that the caller is the operator. Without an admin key the admin routes don't exist.
    fn operator(&self) -> Result<(), ApiError> {
        let expected = self.settings.admin_api_key.as_ref().ok_or_else(ApiError::no_such_path)?;
        let given = self.bearer().ok_or_else(|| ApiError::bad_api_key("no bearer token"))?;
        // Hashes have one length, so that comparing them tells nothing of the key's.
        let is_same: bool = Sha256::digest(given).ct_eq(&Sha256::digest(expected.expose())).into();
        if !is_same {
            return Err(ApiError::bad_api_key("not the admin key"));
        }
        self.note(|event| event.actor = Some(Actor::Operator));
        Ok(())
    }

    /// The body of a call that takes JSON.
    async fn json(&self, body: impl ReadBody) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        if !self.has_type("application/json") {
            return Err(ApiError::not_json_type());
        }
        self.body(body).await
    }

    /// Whether the body is said to be of that media type.
    fn has_type(&self, wanted: &str) -> bool {
        let media_type = self.head.content_type.as_deref().unwrap_or_default().split(';').next();
        media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case(wanted))
    }

    async fn body(&self, body: impl ReadBody) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        body.read(limits::BODY_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge => ApiError::body_too_large(),
            BodyError::Broken => ApiError::bad_request("The request body could not be read to its end"),
        })
    }
}
