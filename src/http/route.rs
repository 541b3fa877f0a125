//! Which path and method is which call.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::error::ApiError;

/// A call of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /health`
    Health,
    /// `POST /v1/vault/credentials`
    StoreCredential,
    /// `GET /v1/vault/credentials`
    ListCredentials,
    /// `GET /v1/vault/credentials/{id}`
    GetCredential(String),
    /// `DELETE /v1/vault/credentials/{id}`
    DeleteCredential(String),
    /// `POST /v1/vault/credentials/exchange`
    Exchange,
    /// `POST /oauth/token`
    ExchangeToken,
    /// `GET /.well-known/oauth-authorization-server`
    OauthMetadata,
    /// `POST /v1/vault/references/resolve`
    ResolveReference,
    /// `POST /v1/signup`
    SignUp,
    /// `POST /v1/keys/rotate`
    RotateKey,
    /// `GET /v1/me`
    Me,
    /// `POST /v1/tokens/revoke`
    RevokeToken,
    /// `DELETE /v1/grants/{grantId}`
    RevokeGrant(String),
    /// `POST /v1/admin/developers`
    ProvisionDeveloper,
    /// `GET /v1/admin/developers`
    ListDevelopers,
    /// `GET /v1/admin/developers/{id}`
    GetDeveloper(String),
    /// `DELETE /v1/admin/developers/{id}`
    RemoveDeveloper(String),
    /// `POST /v1/admin/audit/hashes`
    AuditHashes,
    /// `GET /v1/admin/keys`
    CountKeys,
    /// `POST /v1/admin/rewrap`
    Rewrap,
    /// `GET /v1/admin/records`
    ExportRecords,
    /// `POST /v1/admin/records`
    ImportRecords,
    /// `POST /v1/admin/credentials`
    ImportCredentials,
}

impl Route {
    /// The call as its method and the form of its path, as the audit names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Health => "GET /health",
            Self::StoreCredential => "POST /v1/vault/credentials",
            Self::ListCredentials => "GET /v1/vault/credentials",
            Self::GetCredential(_) => "GET /v1/vault/credentials/{id}",
            Self::DeleteCredential(_) => "DELETE /v1/vault/credentials/{id}",
            Self::Exchange => "POST /v1/vault/credentials/exchange",
            Self::ExchangeToken => "POST /oauth/token",
            Self::OauthMetadata => "GET /.well-known/oauth-authorization-server",
            Self::ResolveReference => "POST /v1/vault/references/resolve",
            Self::SignUp => "POST /v1/signup",
            Self::RotateKey => "POST /v1/keys/rotate",
            Self::Me => "GET /v1/me",
            Self::RevokeToken => "POST /v1/tokens/revoke",
            Self::RevokeGrant(_) => "DELETE /v1/grants/{grantId}",
            Self::ProvisionDeveloper => "POST /v1/admin/developers",
            Self::ListDevelopers => "GET /v1/admin/developers",
            Self::GetDeveloper(_) => "GET /v1/admin/developers/{id}",
            Self::RemoveDeveloper(_) => "DELETE /v1/admin/developers/{id}",
            Self::AuditHashes => "POST /v1/admin/audit/hashes",
            Self::CountKeys => "GET /v1/admin/keys",
            Self::Rewrap => "POST /v1/admin/rewrap",
            Self::ExportRecords => "GET /v1/admin/records",
            Self::ImportRecords => "POST /v1/admin/records",
            Self::ImportCredentials => "POST /v1/admin/credentials",
        }
    }
}

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const DELETE: &str = "DELETE";
const GET_POST: &str = "GET, HEAD, POST";
const GET_DELETE: &str = "GET, HEAD, DELETE";

/// Finds the call; `None` for a path that isn't the API's, which may be a static file's.
///
/// The path is as it was sent: it is split before it is percent-decoded, so that an encoded slash
/// stays inside its segment. Without an operator there are no admin paths.
pub fn find(method: &str, path: &str, has_operator: bool) -> Option<Result<Route, ApiError>> {
    // HEAD is GET without the body (RFC 9110 section 9.3.2).
    let method = if method == "HEAD" { "GET" } else { method };
    let segments: Vec<&str> = path.strip_prefix('/')?.splitn(6, '/').collect();
    let on = |only: &str, route: Route| (method == only).then_some(route);
    // The one segment that is free text; every path with an id ends with it.
    let id = match decode(segments.last().copied().unwrap_or_default()) {
        Some(id) => id,
        None => return segments.starts_with(&["v1"]).then_some(Err(ApiError::no_such_path())),
    };
    let (route, allow) = match *segments.as_slice() {
        ["v1", "admin", ..] if !has_operator => return Some(Err(ApiError::no_such_path())),
        ["health"] => (on("GET", Route::Health), GET),
        ["v1", "vault", "credentials"] => {
            (on("POST", Route::StoreCredential).or(on("GET", Route::ListCredentials)), GET_POST)
        }
        ["v1", "vault", "credentials", "exchange"] => (on("POST", Route::Exchange), POST),
        ["v1", "vault", "credentials", _] if !id.is_empty() => {
            (on("GET", Route::GetCredential(id.clone())).or(on("DELETE", Route::DeleteCredential(id))), GET_DELETE)
        }
        ["oauth", "token"] => (on("POST", Route::ExchangeToken), POST),
        [".well-known", "oauth-authorization-server"] => (on("GET", Route::OauthMetadata), GET),
        ["v1", "vault", "references", "resolve"] => (on("POST", Route::ResolveReference), POST),
        ["v1", "signup"] => (on("POST", Route::SignUp), POST),
        ["v1", "keys", "rotate"] => (on("POST", Route::RotateKey), POST),
        ["v1", "me"] => (on("GET", Route::Me), GET),
        ["v1", "tokens", "revoke"] => (on("POST", Route::RevokeToken), POST),
        ["v1", "grants", _] if !id.is_empty() => (on("DELETE", Route::RevokeGrant(id)), DELETE),
        ["v1", "admin", "developers"] => {
            (on("POST", Route::ProvisionDeveloper).or(on("GET", Route::ListDevelopers)), GET_POST)
        }
        ["v1", "admin", "developers", _] if !id.is_empty() => {
            (on("GET", Route::GetDeveloper(id.clone())).or(on("DELETE", Route::RemoveDeveloper(id))), GET_DELETE)
        }
        ["v1", "admin", "audit", "hashes"] => (on("POST", Route::AuditHashes), POST),
        ["v1", "admin", "keys"] => (on("GET", Route::CountKeys), GET),
        ["v1", "admin", "rewrap"] => (on("POST", Route::Rewrap), POST),
        ["v1", "admin", "records"] => (on("POST", Route::ImportRecords).or(on("GET", Route::ExportRecords)), GET_POST),
        ["v1", "admin", "credentials"] => (on("POST", Route::ImportCredentials), POST),
        ["v1", ..] => return Some(Err(ApiError::no_such_path())),
        _ => return None,
    };
    Some(route.ok_or_else(|| ApiError::method_not_allowed(allow)))
}

/// A segment as text; `None` where its bytes are no UTF-8, so that no two ids read alike.
fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, path: &str) -> Option<u16> {
        find(method, path, true).map(|found| found.map_or_else(|error| error.status(), |_| 200))
    }

    #[test]
    fn every_call_is_found_by_its_method() {
        for (methods, path) in [
            ("GET HEAD", "/health"),
            ("GET HEAD POST", "/v1/vault/credentials"),
            ("POST", "/v1/vault/credentials/exchange"),
            ("GET HEAD DELETE", "/v1/vault/credentials/vault_1"),
            ("POST", "/oauth/token"),
            ("GET HEAD", "/.well-known/oauth-authorization-server"),
            ("POST", "/v1/vault/references/resolve"),
            ("POST", "/v1/signup"),
            ("POST", "/v1/keys/rotate"),
            ("GET HEAD", "/v1/me"),
            ("POST", "/v1/tokens/revoke"),
            ("DELETE", "/v1/grants/grnt_1"),
            ("GET HEAD POST", "/v1/admin/developers"),
            ("GET HEAD DELETE", "/v1/admin/developers/dev_1"),
            ("POST", "/v1/admin/audit/hashes"),
            ("GET HEAD", "/v1/admin/keys"),
            ("POST", "/v1/admin/rewrap"),
            ("GET HEAD POST", "/v1/admin/records"),
            ("POST", "/v1/admin/credentials"),
        ] {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", ""] {
                let expected = if methods.split(' ').any(|allowed| allowed == method) { 200 } else { 405 };
                assert_eq!(status(method, path), Some(expected), "{method} {path}");
            }
        }
    }

    #[test]
    fn other_paths_under_v1_are_nothing_and_the_rest_may_be_files() {
        for path in [
            "/v1",
            "/v1/",
            "/v1/vault",
            "/v1/vault/credentials/",
            "/v1/vault/credentials/a/b",
            "/v1/grants/",
            "/v1/me/",
        ] {
            assert_eq!(status("GET", path), Some(404), "{path}");
        }
        for path in ["", "/", "health", "//health", "/health/", "/index.html", "/V1/me", "/v2/me"] {
            assert_eq!(status("GET", path), None, "{path}");
        }
    }

    #[test]
    fn segments_are_split_before_they_are_decoded() {
        let found = find("DELETE", "/v1/grants/a%2Fb%20%C3%BC", true).unwrap().unwrap();
        assert_eq!(found, Route::RevokeGrant("a/b ü".to_owned()));
        assert_eq!(status("GET", "/v1%2Fme"), None);
        assert_eq!(status("DELETE", "/v1/grants/%ff"), Some(404));
    }
}
