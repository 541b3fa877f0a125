//! What OAuth clients send and get: token requests, token answers, and the metadata.
//!
//! Forms and names only; which credential a request gets is decided as in any exchange.

use std::collections::BTreeMap;

use form_urlencoded::parse;
use serde::Serialize;
use zeroize::Zeroizing;

use super::error::{ApiError, OauthError};
use crate::credential::Details;
use crate::grant::dpop;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

// The names of RFC 8693, sections 2.1 and 3.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A form (RFC 6749 appendix B), in which no name may occur twice; an empty value is none (section 3.2).
pub struct Form(BTreeMap<String, Secret>);

impl Form {
    /// Reads a form.
    pub fn parse(body: Zeroizing<Vec<u8>>) -> Result<Self, ApiError> {
        let mut fields = BTreeMap::new();
        for (name, value) in parse(&body) {
            if fields.insert(name.into_owned(), Secret::new(value.into_owned())).is_some() {
                return Err(ApiError::bad_request("No parameter may be given twice"));
            }
        }
        fields.retain(|_, value| !value.expose().is_empty());
        Ok(Self(fields))
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::expose)
    }

    fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.one(name).ok_or_else(|| ApiError::bad_request(format!("{name} is required")))
    }
}

/// What a client asks for that exchanges a token (RFC 8693 section 2.1).
pub struct TokenExchange<'a> {
    /// The grant token.
    pub subject_token: &'a str,
    /// The service, by name.
    pub audience: Option<&'a str>,
    /// The service, by URI.
    pub resource: Option<&'a str>,
    /// Those scopes of the grant that are to count.
    pub scope: Option<&'a str>,
}

impl<'a> TokenExchange<'a> {
    /// Reads a token request.
    pub fn read(form: &'a Form) -> Result<Self, ApiError> {
        if form.required("grant_type")? != TOKEN_EXCHANGE {
            let message = "grant_type must be urn:ietf:params:oauth:grant-type:token-exchange";
            return Err(ApiError::oauth(OauthError::UnsupportedGrantType, message));
        }
        let subject_token = form.required("subject_token")?;
        // A grant token is both.
        if ![JWT, ACCESS_TOKEN].contains(&form.required("subject_token_type")?) {
            return Err(ApiError::bad_request("subject_token_type must be urn:ietf:params:oauth:token-type:jwt"));
        }
        if form.one("actor_token").is_some() || form.one("actor_token_type").is_some() {
            return Err(ApiError::bad_request("No actor_token is taken: the grant token names the agent"));
        }
        if form.one("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
            let message = "requested_token_type must be urn:ietf:params:oauth:token-type:access_token";
            return Err(ApiError::bad_request(message));
        }
        let [audience, resource, scope] = ["audience", "resource", "scope"].map(|name| form.one(name));
        Ok(Self { subject_token, audience, resource, scope })
    }
}

/// The answer to a token exchange (RFC 8693 section 2.2.1).
#[derive(Serialize)]
pub struct IssuedToken<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl<'a> IssuedToken<'a> {
    /// Hands out an access token. When it expires is told where that is known and yet to come.
    pub fn new(details: &Details, access_token: &'a str, scope: Option<&'a str>, now: Timestamp) -> Self {
        let expires_in = details.token_expires_at.map(|at| at.seconds_since(now)).filter(|&seconds| seconds > 0);
        Self { access_token, issued_token_type: ACCESS_TOKEN, token_type: "Bearer", expires_in, scope }
    }
}

/// The metadata of the authorization server that the vault is to OAuth clients (RFC 8414 section 2).
#[derive(Serialize)]
pub struct OauthMetadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    grant_types_supported: [&'static str; 1],
    /// There is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 3],
}

impl<'a> OauthMetadata<'a> {
    /// The metadata of the vault at an origin.
    pub fn new(origin: &'a str) -> Self {
        Self {
            issuer: origin,
            token_endpoint: format!("{origin}/oauth/token"),
            grant_types_supported: [TOKEN_EXCHANGE],
            response_types_supported: [],
            token_endpoint_auth_methods_supported: ["none"],
            dpop_signing_alg_values_supported: dpop::ALGORITHMS,
        }
    }
}
