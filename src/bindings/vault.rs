//! The vault of one JavaScript program: a method for each operation, and the whole HTTP contract.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;

use super::signatures::HostSignatures;
use super::verifier::GrantOptions;
use super::{Failure, JsResult, from_js, to_js, to_json, to_secret_json};
use crate::audit::Event;
use crate::credential::CredentialId;
use crate::developer::DeveloperId;
use crate::http::error::ApiError;
use crate::http::params::Delivery;
use crate::http::rate::Unlimited;
use crate::http::{self, Head, Host, Reply, Service, params, view};
use crate::js::{self, HostFetch, KvStore, RequestBody};
use crate::secret::Secret;
use crate::settings::{Problem, Settings};
use crate::store::keys::Revocable;
use crate::vault::{Vault, VaultError};

/// The options of `new Vault`, less the namespace.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    encryption_key: Secret,
    previous_keys: Option<Secret>,
    grants: GrantOptions,
    signup: Option<String>,
    admin_api_key: Option<Secret>,
    cors_allowed_origins: Option<String>,
}

impl Options {
    /// Reads the settings through the Worker's own checks, and names the options in what is wrong.
    fn settings(&self) -> Result<Settings, Vec<Problem>> {
        let exposed = |secret: Option<&Secret>| secret.map(|secret| secret.expose().to_owned());
        Settings::read(|name| match name {
            "VAULT_ENCRYPTION_KEY" => exposed(Some(&self.encryption_key)),
            "VAULT_PREVIOUS_KEYS" => exposed(self.previous_keys.as_ref()),
            "ADMIN_API_KEY" => exposed(self.admin_api_key.as_ref()),
            "SIGNUP" => self.signup.clone(),
            "CORS_ALLOWED_ORIGINS" => self.cors_allowed_origins.clone(),
            // A program bounds its callers itself.
            "RATE_LIMITS" => Some("off".to_owned()),
            grants => self.grants.setting(grants),
        })
        .map_err(|problems| problems.into_iter().map(by_option_name).collect())
    }
}

/// A complaint about a setting as one about the option that it came from.
pub(super) fn by_option_name(problem: Problem) -> Problem {
    let setting = match problem.setting {
        "VAULT_ENCRYPTION_KEY" => "encryptionKey",
        "VAULT_PREVIOUS_KEYS" => "previousKeys",
        "GRANT_JWKS" => "grants.jwks",
        "GRANT_JWKS_URL" => "grants.jwksUrl",
        "ADMIN_API_KEY" => "adminApiKey",
        "SIGNUP" => "signup",
        "CORS_ALLOWED_ORIGINS" => "corsAllowedOrigins",
        other => other,
    };
    Problem { setting, ..problem }
}

/// The head of a request, as the JavaScript layer takes it from a `Request`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestHead {
    method: String,
    path: String,
    query: String,
    authorization: Option<Secret>,
    content_type: Option<String>,
    origin: Option<String>,
    dpop: Option<String>,
    base: String,
}

impl From<RequestHead> for Head {
    fn from(head: RequestHead) -> Self {
        let RequestHead { method, path, query, authorization, content_type, origin, dpop, base } = head;
        Self { method, path, query, authorization, content_type, origin, dpop, base }
    }
}

/// An answer, of which the JavaScript layer makes a `Response`.
#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    headers: Vec<(&'a str, &'a str)>,
    /// JSON text, or none.
    body: Option<&'a str>,
    log: Option<Box<Event>>,
}

/// The vault over a KV namespace.
#[wasm_bindgen]
pub struct VaultCore {
    service: Service,
    store: KvStore,
}

#[wasm_bindgen]
impl VaultCore {
    /// A vault over `kv`. Options of the wrong value don't fail here but in the calls that follow, as a
    /// misconfigured Worker's do.
    #[wasm_bindgen(constructor)]
    pub fn new(kv: JsValue, options: JsValue) -> JsResult<VaultCore> {
        let options: Options = from_js(options)?;
        Ok(Self { service: Service::new(options.settings()), store: KvStore::new(kv) })
    }

    /// Stores a credential, given as the body of the HTTP call.
    pub async fn store(&self, developer: String, credential: String) -> JsResult<String> {
        let developer = developer_id(&developer)?;
        let credential = Secret::new(credential);
        let new = params::new_credential(credential.expose().as_bytes()).map_err(Failure::from)?;
        let (id, details) = self.vault()?.store(&developer, new, js::now()).await.map_err(Failure::from)?;
        Ok(to_json(&view::Stored::new(&id, &details)))
    }

    /// Lists credentials; the query is the HTTP call's.
    pub async fn list(&self, developer: String, query: String) -> JsResult<String> {
        let developer = developer_id(&developer)?;
        let query = params::list_query(&query).map_err(Failure::from)?;
        let page = self.vault()?.list(&developer, &query).await.map_err(Failure::from)?;
        Ok(to_json(&view::Credentials::new(&page)))
    }

    /// Shows a credential.
    pub async fn get(&self, developer: String, id: String) -> JsResult<String> {
        let (developer, id) = (developer_id(&developer)?, credential_id(&id)?);
        let details = self.vault()?.get(&developer, &id).await.map_err(Failure::from)?;
        Ok(to_json(&view::Credential::show(&id, &details)))
    }

    /// Removes a credential.
    pub async fn delete(&self, developer: String, id: String) -> JsResult<()> {
        let (developer, id) = (developer_id(&developer)?, credential_id(&id)?);
        Ok(self.vault()?.delete(&developer, &id, js::now()).await.map_err(Failure::from)?)
    }

    /// Exchanges a grant token; the request is the body of the HTTP call.
    pub async fn exchange(&self, grant_token: String, request: String) -> JsResult<JsValue> {
        let grant_token = Secret::new(grant_token);
        let verifier = &self.settings()?.verifier;
        let grant = verifier
            .verify(grant_token.expose(), &HostFetch, &HostSignatures, js::now())
            .await
            .map_err(Failure::from)?;
        let (service, delivery) = params::exchange(request.as_bytes()).map_err(Failure::from)?;
        let vault = self.vault()?;
        if delivery == Delivery::Reference {
            let (details, reference) = vault.refer(&grant, &service, None, js::now()).await.map_err(Failure::from)?;
            let text = reference.seal(&self.settings()?.keyring).map_err(VaultError::Seal).map_err(Failure::from)?;
            return Ok(to_secret_json(&view::Referred::new(&details, text.expose(), reference.expires_at)));
        }
        let (details, tokens) = vault.exchange(&grant, &service).await.map_err(Failure::from)?;
        Ok(to_secret_json(&view::Exchanged::new(&details, tokens.access.expose())))
    }

    /// Gives the credential that a reference stands for; the request is the body of the HTTP call.
    #[wasm_bindgen(js_name = resolveReference)]
    pub async fn resolve_reference(&self, developer: String, request: String) -> JsResult<JsValue> {
        let developer = developer_id(&developer)?;
        let request = Secret::new(request);
        let text = params::reference(request.expose().as_bytes()).map_err(Failure::from)?;
        let vault = self.vault()?;
        let reference = vault.open_reference(&developer, text.expose(), js::now()).map_err(Failure::from)?;
        let resolved = vault.resolve(&reference).await;
        let (details, tokens) = resolved.map_err(ApiError::of_reference).map_err(Failure::from)?;
        Ok(to_secret_json(&view::Exchanged::new(&details, tokens.access.expose())))
    }

    /// Revokes a grant token.
    #[wasm_bindgen(js_name = revokeToken)]
    pub async fn revoke_token(&self, developer: String, jti: String) -> JsResult<()> {
        let id = params::revocable_id("jti", jti).map_err(Failure::from)?;
        self.revoke(&developer, Revocable::Token(&id)).await
    }

    /// Revokes a grant.
    #[wasm_bindgen(js_name = revokeGrant)]
    pub async fn revoke_grant(&self, developer: String, grant_id: String) -> JsResult<()> {
        let id = params::revocable_id("grantId", grant_id).map_err(Failure::from)?;
        self.revoke(&developer, Revocable::Grant(&id)).await
    }

    /// Answers a request of the HTTP contract.
    pub async fn handle(&self, head: JsValue, request: Request) -> JsResult<JsValue> {
        let head = from_js::<RequestHead>(head)?.into();
        let host = Host {
            store: &self.store,
            fetch: &HostFetch,
            signatures: &HostSignatures,
            rate_limits: &Unlimited,
            now: js::now(),
        };
        // A length that JavaScript made up binds nobody.
        let body = RequestBody { request: &request, announced: None };
        let (response, log) = match self.service.handle(host, &head, body).await {
            Reply::Answer { response, event } => (response, event),
            Reply::Static { request_id } => (http::no_such_path(&request_id), None),
        };
        let body = std::str::from_utf8(&response.body).ok().filter(|text| !text.is_empty());
        Ok(to_js(&Answer { status: response.status, headers: response.all_headers().collect(), body, log }))
    }
}

impl VaultCore {
    fn settings(&self) -> JsResult<&Settings> {
        self.service.settings().map_err(|problems| Failure::misconfigured(problems).into())
    }

    fn vault(&self) -> JsResult<Vault<'_, KvStore>> {
        Ok(Vault::new(&self.settings()?.keyring, &self.store))
    }

    async fn revoke(&self, developer: &str, revoked: Revocable<'_>) -> JsResult<()> {
        let developer = developer_id(developer)?;
        Ok(self.vault()?.revoke(&developer, revoked).await.map_err(Failure::from)?)
    }
}

fn developer_id(text: &str) -> JsResult<DeveloperId> {
    const FORM: &str = "developerId must have 1 to 64 of A-Z a-z 0-9 _ -";
    DeveloperId::parse(text).ok_or_else(|| Failure::from(ApiError::bad_request(FORM)).into())
}

fn credential_id(text: &str) -> JsResult<CredentialId> {
    CredentialId::parse(text).ok_or_else(|| Failure::from(VaultError::NotFound).into())
}
