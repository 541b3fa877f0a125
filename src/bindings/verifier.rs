//! Verifying grant tokens without a vault.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::signatures::HostSignatures;
use super::vault::by_option_name;
use super::{Failure, JsResult, from_js, to_js};
use crate::grant::verifier::GrantVerifier;
use crate::grant::{Grant, scope};
use crate::js::{self, HostFetch};
use crate::settings::{self, Problem};
use crate::timestamp::Timestamp;

/// Whose grant tokens are accepted: the option `grants`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantOptions {
    issuer: String,
    audience: Option<String>,
    /// A JWK Set as JSON text.
    jwks: Option<String>,
    jwks_url: Option<String>,
}

impl GrantOptions {
    /// What the Worker has as the setting of that name.
    pub fn setting(&self, name: &str) -> Option<String> {
        match name {
            "GRANT_ISSUER" => Some(self.issuer.clone()),
            "GRANT_AUDIENCE" => self.audience.clone(),
            "GRANT_JWKS" => self.jwks.clone(),
            "GRANT_JWKS_URL" => self.jwks_url.clone(),
            _ => None,
        }
    }
}

/// What a grant token says, in the package's names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    token_id: &'a str,
    grant_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_grant_id: Option<&'a str>,
    delegation_depth: u64,
    developer_id: &'a str,
    principal_id: &'a str,
    agent_did: &'a str,
    scopes: &'a [String],
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl<'a> Claims<'a> {
    fn new(grant: &'a Grant) -> Self {
        Self {
            token_id: &grant.token_id,
            grant_id: &grant.grant_id,
            parent_grant_id: grant.parent_grant_id.as_deref(),
            delegation_depth: grant.delegation_depth,
            developer_id: grant.developer.as_str(),
            principal_id: grant.principal.as_str(),
            agent_did: &grant.agent,
            scopes: &grant.scopes,
            issued_at: grant.issued_at,
            expires_at: grant.expires_at,
        }
    }
}

/// Verifies the grant tokens of one issuer.
#[wasm_bindgen]
pub struct VerifierCore(Result<GrantVerifier, Vec<Problem>>);

#[wasm_bindgen]
impl VerifierCore {
    /// A verifier; options of the wrong value fail in `verify`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> JsResult<VerifierCore> {
        let options: GrantOptions = from_js(options)?;
        let verifier = settings::read_verifier(|name| options.setting(name));
        Ok(Self(verifier.map_err(|problems| problems.into_iter().map(by_option_name).collect())))
    }

    /// What a token says, once it is verified. Whether it was revoked only a vault knows.
    pub async fn verify(&self, grant_token: String) -> JsResult<JsValue> {
        let verifier = self.0.as_ref().map_err(|problems| Failure::misconfigured(problems))?;
        let grant =
            verifier.verify(&grant_token, &HostFetch, &HostSignatures, js::now()).await.map_err(Failure::from)?;
        Ok(to_js(&Claims::new(&grant)))
    }
}

/// Those of `scopes` that permit an exchange for the service.
#[wasm_bindgen(js_name = permittingScopes)]
pub fn permitting_scopes(scopes: Vec<String>, service: &str) -> Vec<String> {
    scopes.into_iter().filter(|text| scope::permits([text], service)).collect()
}

/// The scopes that would permit an exchange for the service.
#[wasm_bindgen(js_name = scopesFor)]
pub fn scopes_for(service: &str) -> Vec<String> {
    scope::permitting(service).into()
}
