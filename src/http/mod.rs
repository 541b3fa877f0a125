//! HTTP as plain values: a request's head and body in, an answer and a log line out.
//!
//! Nothing here knows Workers. [`route`] says which call it is, [`params`] what was sent, [`view`]
//! what is answered, [`error`] what goes wrong and how it is told; this module puts them together.
//! What the calls do is in `vault.rs` and `accounts.rs`.

mod cors;
pub mod error;
pub(crate) mod params;
mod response;
mod route;
pub(crate) mod view;

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::accounts::{Accounts, KnownAccounts, Removal};
use crate::credential::CredentialId;
use crate::developer::{Account, ApiKey, DeveloperId};
use crate::grant::issuer::FetchJwks;
use crate::grant::signature::CheckSignature;
use crate::limits;
use crate::random::{self, RandomError};
use crate::secret::Secret;
use crate::settings::{Problem, Settings, SignUp};
use crate::store::Store;
use crate::store::keys::Revocable;
use crate::timestamp::Timestamp;
use crate::vault::{Vault, VaultError};
use error::ApiError;
pub use response::{Response, api_headers};
use route::Route;

/// What a request says before its body.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The method, in capitals.
    pub method: String,
    /// The path, percent-encoded as it was sent.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<Secret>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Origin` header.
    pub origin: Option<String>,
}

/// Why a body couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than it may be.
    TooLarge,
    /// It broke off.
    Broken,
}

/// A body that is read only when a call wants it.
#[allow(async_fn_in_trait, reason = "JavaScript's promises are not Send, and nothing here needs Send")]
pub trait ReadBody {
    /// The whole body, if it has at most `limit` bytes.
    async fn read(self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError>;
}

/// What the world around the vault gives for one request.
#[derive(Debug)]
pub struct Host<'a, S, F, C> {
    /// Where records are kept.
    pub store: &'a S,
    /// How key sets are fetched.
    pub fetch: &'a F,
    /// How signatures are checked.
    pub signatures: &'a C,
    /// The time of the request.
    pub now: Timestamp,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// An answer, and what to log of it.
    Answer {
        /// The answer, complete with its headers.
        response: Response,
        /// What to log, if anything.
        log: Option<LogLine>,
    },
    /// The path isn't the API's: serve a static file, or answer with [`no_such_path`].
    Static {
        /// The id to answer with.
        request_id: String,
    },
}

/// One line of the log, as JSON. It holds no secret and nothing that a caller chose freely.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// `warn` for what a caller did, `error` for what went wrong here.
    pub level: &'static str,
    /// The request's id.
    pub request_id: String,
    /// The status that was answered.
    pub status: u16,
    /// Why.
    pub reason: String,
    /// The record that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

impl LogLine {
    fn of(error: &ApiError, request_id: &str) -> Self {
        Self {
            level: if error.status() >= 500 { "error" } else { "warn" },
            request_id: request_id.to_owned(),
            status: error.status(),
            reason: error.log_reason().to_owned(),
            record: error.record().map(str::to_owned),
        }
    }
}

/// The vault as it serves HTTP: its settings, and what it remembers between requests.
#[derive(Debug)]
pub struct Service {
    settings: Result<Settings, Vec<Problem>>,
    known: KnownAccounts,
}

impl Service {
    /// A service with these settings; with problems it says so and does nothing else.
    pub fn new(settings: Result<Settings, Vec<Problem>>) -> Self {
        Self { settings, known: KnownAccounts::default() }
    }

    /// The settings, or what is wrong with them.
    pub fn settings(&self) -> Result<&Settings, &[Problem]> {
        self.settings.as_ref().map_err(Vec::as_slice)
    }

    /// Answers a request: finds the call, makes it, and puts the headers on that every answer has.
    pub async fn handle<S: Store, F: FetchJwks, C: CheckSignature>(
        &self,
        host: Host<'_, S, F, C>,
        head: &Head,
        body: impl ReadBody,
    ) -> Reply {
        let request_id = new_request_id().unwrap_or_else(|_| "req_none".to_owned());
        let settings = self.settings.as_ref();
        let allowed_origins = settings.map_or(&[][..], |settings| &settings.allowed_origins);
        let has_operator = settings.map_or(true, |settings| settings.admin_api_key.is_some());
        let Some(found) = route::find(&head.method, &head.path, has_operator) else {
            return Reply::Static { request_id };
        };
        let outcome = match cors::preflight(head, allowed_origins) {
            Some(response) => Ok(response),
            None => match found {
                Ok(route) => self.answer(&host, head, route, body).await,
                Err(error) => Err(error),
            },
        };
        let (response, log) = match outcome {
            Ok(response) => (response, None),
            Err(error) => (error.response(&request_id), Some(LogLine::of(&error, &request_id))),
        };
        let response = cors::allow(response, head, allowed_origins).for_request(&request_id);
        let response = if head.method == "HEAD" { response.without_body() } else { response };
        Reply::Answer { response, log }
    }

    async fn answer<S: Store, F: FetchJwks, C: CheckSignature>(
        &self,
        host: &Host<'_, S, F, C>,
        head: &Head,
        route: Route,
        body: impl ReadBody,
    ) -> Result<Response, ApiError> {
        match (&self.settings, route) {
            (Err(problems), Route::Health) => {
                let response = Response::json(503, &view::Health::new(problems));
                Ok(response.with_header("Retry-After", error::RETRY_AFTER_SECS.to_string()))
            }
            (Err(_), _) => Err(ApiError::misconfigured()),
            (Ok(settings), route) => Call { settings, known: &self.known, host, head }.make(route, body).await,
        }
    }
}

/// An id for a request or, in process, a call.
pub(crate) fn new_request_id() -> Result<String, RandomError> {
    Ok(format!("req_{}", random::id()?))
}

/// The answer for a path that is neither the API's nor a static file's.
pub fn no_such_path(request_id: &str) -> Response {
    ApiError::no_such_path().response(request_id).for_request(request_id)
}

/// The answer for a static file that was asked for with another method than GET or HEAD.
pub fn static_file_method(request_id: &str) -> Response {
    ApiError::method_not_allowed("GET, HEAD").response(request_id).for_request(request_id)
}

/// The headers that a static file is served with.
pub fn page_headers(request_id: &str) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
    let policy = ("Content-Security-Policy", response::PAGE_POLICY);
    let fixed = response::SECURITY_HEADERS.into_iter().chain([policy]);
    fixed.map(|(name, value)| (name, Cow::from(value))).chain([("X-Request-Id", Cow::from(request_id))])
}

/// One call, with everything that it needs but its body.
struct Call<'a, S, F, C> {
    settings: &'a Settings,
    known: &'a KnownAccounts,
    host: &'a Host<'a, S, F, C>,
    head: &'a Head,
}

impl<S: Store, F: FetchJwks, C: CheckSignature> Call<'_, S, F, C> {
    async fn make(&self, route: Route, body: impl ReadBody) -> Result<Response, ApiError> {
        match route {
            Route::Health => Ok(Response::json(200, &view::Health::new(&[]))),
            Route::StoreCredential => self.store_credential(body).await,
            Route::ListCredentials => self.list_credentials().await,
            Route::GetCredential(id) => self.get_credential(&id).await,
            Route::DeleteCredential(id) => self.delete_credential(&id).await,
            Route::Exchange => self.exchange(body).await,
            Route::SignUp => self.sign_up(body).await,
            Route::RotateKey => self.rotate_key().await,
            Route::Me => self.me().await,
            Route::RevokeToken => self.revoke_token(body).await,
            Route::RevokeGrant(id) => self.revoke_grant(id).await,
            Route::ProvisionDeveloper => self.provision_developer(body).await,
            Route::ListDevelopers => self.list_developers().await,
            Route::GetDeveloper(id) => self.get_developer(&id).await,
            Route::RemoveDeveloper(id) => self.remove_developer(&id).await,
        }
    }

    async fn store_credential(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let new = params::new_credential(&self.json(body).await?)?;
        let (id, details) = self.vault().store(&account.developer, new, self.host.now).await?;
        Ok(Response::json(201, &view::Stored::new(&id, &details)))
    }

    async fn list_credentials(&self) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let query = params::list_query(&self.head.query)?;
        let page = self.vault().list(&account.developer, &query).await?;
        Ok(Response::json(200, &view::Credentials::new(&page)))
    }

    async fn get_credential(&self, id: &str) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let id = CredentialId::parse(id).ok_or(VaultError::NotFound)?;
        let details = self.vault().get(&account.developer, &id).await?;
        Ok(Response::json(200, &view::Credential::new(&id, &details)))
    }

    async fn delete_credential(&self, id: &str) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let id = CredentialId::parse(id).ok_or(VaultError::NotFound)?;
        self.vault().delete(&account.developer, &id).await?;
        Ok(Response::empty(204))
    }

    async fn exchange(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let token = self.bearer().ok_or_else(|| ApiError::bad_grant("no bearer token"))?;
        let Host { fetch, signatures, now, .. } = *self.host;
        let grant = self.settings.verifier.verify(token, fetch, signatures, now).await?;
        let service = params::exchange(&self.json(body).await?)?;
        let (details, tokens) = self.vault().exchange(&grant, &service).await?;
        Ok(Response::secret_json(200, &view::Exchanged::new(&details, tokens.access.expose())))
    }

    async fn sign_up(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        if self.settings.sign_up == SignUp::Closed {
            return Err(ApiError::forbidden("Sign-up is closed here; ask the operator for an API key"));
        }
        let new = params::new_account(&self.json(body).await?)?;
        let (account, api_key) = self.accounts().sign_up(new, self.host.now).await?;
        Ok(Response::secret_json(201, &view::Developer::with_key(&account, &api_key)))
    }

    async fn rotate_key(&self) -> Result<Response, ApiError> {
        let (account, old) = self.developer().await?;
        let new = self.accounts().rotate(&account, &old).await?;
        Ok(Response::secret_json(200, &view::RotatedKey::new(&new, self.host.now)))
    }

    async fn me(&self) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        Ok(Response::json(200, &view::Developer::new(&account)))
    }

    async fn revoke_token(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let id = params::revoked_token(&self.json(body).await?)?;
        self.vault().revoke(&account.developer, Revocable::Token(&id)).await?;
        Ok(Response::empty(204))
    }

    async fn revoke_grant(&self, id: String) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let id = params::revocable_id("grantId", id)?;
        self.vault().revoke(&account.developer, Revocable::Grant(&id)).await?;
        Ok(Response::empty(204))
    }

    async fn provision_developer(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.operator()?;
        let (developer, new) = params::provisioned_account(&self.json(body).await?)?;
        let (account, api_key) = match developer {
            Some(developer) => self.accounts().provision(developer, new, self.host.now).await?,
            None => self.accounts().sign_up(new, self.host.now).await?,
        };
        Ok(Response::secret_json(201, &view::Developer::with_key(&account, &api_key)))
    }

    async fn list_developers(&self) -> Result<Response, ApiError> {
        self.operator()?;
        let (limit, cursor) = params::page_query(&self.head.query)?;
        let page = self.accounts().list(limit, cursor.as_deref()).await?;
        Ok(Response::json(200, &view::Developers::new(&page)))
    }

    async fn get_developer(&self, id: &str) -> Result<Response, ApiError> {
        self.operator()?;
        let account = self.accounts().find(&developer_id(id)?).await?;
        Ok(Response::json(200, &view::Developer::new(&account)))
    }

    async fn remove_developer(&self, id: &str) -> Result<Response, ApiError> {
        self.operator()?;
        Ok(match self.accounts().remove(&developer_id(id)?).await? {
            Removal::Complete => Response::empty(204),
            Removal::Remaining => Response::json(202, &view::Remaining { remaining: true }),
        })
    }

    fn vault(&self) -> Vault<'_, S> {
        Vault::new(&self.settings.keyring, self.host.store)
    }

    fn accounts(&self) -> Accounts<'_, S> {
        Accounts::new(&self.settings.keyring, self.host.store, self.known)
    }

    /// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
    fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.head.authorization.as_ref()?.expose().split_once(' ')?;
        let token = token.trim_start_matches(' ');
        (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
    }

    /// The account that the caller's API key belongs to.
    async fn developer(&self) -> Result<(Account, ApiKey), ApiError> {
        let token = self.bearer().ok_or_else(|| ApiError::bad_api_key("no bearer token"))?;
        let api_key = ApiKey::parse(token).ok_or_else(|| ApiError::bad_api_key("not an API key"))?;
        Ok((self.accounts().authenticate(&api_key, self.host.now).await?, api_key))
    }

    /// Checks that the caller is the operator. Without an admin key the admin routes don't exist.
    fn operator(&self) -> Result<(), ApiError> {
        let expected = self.settings.admin_api_key.as_ref().ok_or_else(ApiError::no_such_path)?;
        let given = self.bearer().ok_or_else(|| ApiError::bad_api_key("no bearer token"))?;
        // Hashes have one length, so that comparing them tells nothing of the key's.
        let is_same: bool = Sha256::digest(given).ct_eq(&Sha256::digest(expected.expose())).into();
        if is_same { Ok(()) } else { Err(ApiError::bad_api_key("not the admin key")) }
    }

    /// The body of a call that takes JSON.
    async fn json(&self, body: impl ReadBody) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        let media_type = self.head.content_type.as_deref().unwrap_or_default().split(';').next();
        if !media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::not_json_type());
        }
        body.read(limits::BODY_BYTES).await.map_err(|error| match error {
            BodyError::TooLarge => ApiError::body_too_large(),
            BodyError::Broken => ApiError::bad_request("The request body could not be read to its end"),
        })
    }
}

fn developer_id(id: &str) -> Result<DeveloperId, ApiError> {
    DeveloperId::parse(id).ok_or_else(|| crate::accounts::AccountError::NotFound.into())
}
