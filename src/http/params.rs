//! What callers send, checked: bodies and queries become values of the core, or a 400 that names
//! the field.

use form_urlencoded::parse;

use super::error::ApiError;
use crate::accounts::NewAccount;
use crate::credential::{NewCredential, PrincipalId, Service, Tokens, is_name};
use crate::developer::{DeveloperId, Mode};
use crate::json::{JsonError, Metadata, Object};
use crate::limits;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::vault::ListQuery;

pub(super) const A_STRING: &str = "a string";
const PRINCIPAL_FORM: &str = "principalId must have 1 to 256 bytes and no control characters";
const SERVICE_FORM: &str = "service must start with a letter or digit and have 1 to 64 of A-Z a-z 0-9 . _ -";
const DEVELOPER_FORM: &str = "developerId must have 1 to 64 of A-Z a-z 0-9 _ -";
const DEFAULT_CREDENTIAL_TYPE: &str = "oauth2";

/// The body of a call to store a credential.
pub fn new_credential(body: &[u8]) -> Result<NewCredential, ApiError> {
    let body = Object::parse(body)?;
    let principal: String = body.required("principalId", A_STRING)?;
    let service: String = body.required("service", A_STRING)?;
    Ok(NewCredential {
        principal: principal_id(&principal)?,
        service: service_name(&service)?,
        credential_type: credential_type(&body)?,
        token_expires_at: token_expires_at(&body)?,
        metadata: metadata(&body)?,
        tokens: tokens(&body)?,
    })
}

/// What an agent wants to be handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The credential itself.
    Credential,
    /// A reference, which others resolve.
    Reference,
}

/// The body of an exchange: the service, and how its credential is to be delivered.
///
/// A delivery that isn't known is refused, lest the caller be handed the secret that it meant never to
/// hold.
pub fn exchange(body: &[u8]) -> Result<(Service, Delivery), ApiError> {
    let body = Object::parse(body)?;
    let service: String = body.required("service", A_STRING)?;
    let delivery = match body.nullable::<String>("delivery", A_STRING)?.as_deref() {
        // Grantex calls it token.
        None | Some("credential" | "token") => Delivery::Credential,
        Some("reference") => Delivery::Reference,
        Some(_) => return Err(ApiError::bad_request("delivery must be credential or reference")),
    };
    Ok((service_name(&service)?, delivery))
}

/// The body of a call to resolve a reference.
pub fn reference(body: &[u8]) -> Result<Secret, ApiError> {
    Ok(Object::parse(body)?.secret("credentialRef")?.ok_or(JsonError::Missing("credentialRef"))?)
}

/// The body of a token's revocation: its `jti`.
pub fn revoked_token(body: &[u8]) -> Result<String, ApiError> {
    revocable_id("jti", Object::parse(body)?.required("jti", A_STRING)?)
}

/// The id of a token or grant to revoke.
pub fn revocable_id(name: &str, id: String) -> Result<String, ApiError> {
    if (1..=limits::REVOCABLE_ID_BYTES).contains(&id.len()) {
        Ok(id)
    } else {
        Err(ApiError::bad_request(format!("{name} must have 1 to {} bytes", limits::REVOCABLE_ID_BYTES)))
    }
}

/// The body of a sign-up.
pub fn new_account(body: &[u8]) -> Result<NewAccount, ApiError> {
    account_fields(&Object::parse(body)?)
}

/// The body of the operator's provisioning: a sign-up, perhaps with an id.
pub fn provisioned_account(body: &[u8]) -> Result<(Option<DeveloperId>, NewAccount), ApiError> {
    let body = Object::parse(body)?;
    let developer = match body.nullable::<String>("developerId", A_STRING)? {
        None => None,
        Some(id) => Some(developer_id(&id)?),
    };
    Ok((developer, account_fields(&body)?))
}

/// Names that the audit has hashes for, all of one developer's.
pub struct AuditNames {
    /// The developer.
    pub developer: DeveloperId,
    /// A principal.
    pub principal: Option<PrincipalId>,
    /// The id of a grant token.
    pub token: Option<String>,
    /// A grant.
    pub grant: Option<String>,
}

/// The body of the operator's call for hashes.
pub fn audit_names(body: &[u8]) -> Result<AuditNames, ApiError> {
    let body = Object::parse(body)?;
    let developer: String = body.required("developerId", A_STRING)?;
    let principal: Option<String> = body.nullable("principalId", A_STRING)?;
    let id = |name| body.nullable(name, A_STRING)?.map(|id| revocable_id(name, id)).transpose();
    Ok(AuditNames {
        developer: developer_id(&developer)?,
        principal: principal.as_deref().map(principal_id).transpose()?,
        token: id("jti")?,
        grant: id("grantId")?,
    })
}

/// The query of a list of credentials.
pub fn list_query(query: &str) -> Result<ListQuery, ApiError> {
    let query = Query(query);
    Ok(ListQuery {
        principal: query.one("principalId")?.as_deref().map(principal_id).transpose()?,
        service: query.one("service")?.as_deref().map(service_name).transpose()?,
        limit: query.limit(limits::LIST_LIMIT)?,
        cursor: query.one("cursor")?,
    })
}

/// The query of the operator's list: limit and cursor.
pub fn page_query(query: &str) -> Result<(usize, Option<String>), ApiError> {
    let query = Query(query);
    Ok((query.limit(limits::DEVELOPERS_PAGE)?.unwrap_or(limits::DEVELOPERS_PAGE), query.one("cursor")?))
}

pub(super) fn developer_id(text: &str) -> Result<DeveloperId, ApiError> {
    DeveloperId::parse(text).ok_or_else(|| ApiError::bad_request(DEVELOPER_FORM))
}

fn principal_id(text: &str) -> Result<PrincipalId, ApiError> {
    PrincipalId::parse(text).ok_or_else(|| ApiError::bad_request(PRINCIPAL_FORM))
}

fn service_name(text: &str) -> Result<Service, ApiError> {
    Service::parse(text).ok_or_else(|| ApiError::bad_request(SERVICE_FORM))
}

fn credential_type(body: &Object<'_>) -> Result<String, ApiError> {
    let given = body.nullable("credentialType", A_STRING)?;
    let text: String = given.unwrap_or_else(|| DEFAULT_CREDENTIAL_TYPE.to_owned());
    if is_name(&text, limits::CREDENTIAL_TYPE_BYTES) {
        Ok(text)
    } else {
        Err(ApiError::bad_request("credentialType must have 1 to 64 bytes and no control characters"))
    }
}

fn token_expires_at(body: &Object<'_>) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = body.nullable::<String>("tokenExpiresAt", A_STRING)? else { return Ok(None) };
    let bad = || {
        ApiError::bad_request("tokenExpiresAt must be an RFC 3339 timestamp with an offset, like 2026-04-10T00:00:00Z")
    };
    Timestamp::parse(&text).map(Some).ok_or_else(bad)
}

fn metadata(body: &Object<'_>) -> Result<Metadata, ApiError> {
    let text = match body.raw("metadata") {
        None | Some("null") => return Ok(Metadata::empty()),
        Some(text) => text,
    };
    if !text.starts_with('{') {
        return Err(ApiError::bad_request("metadata must be a JSON object"));
    }
    if text.len() > limits::METADATA_BYTES {
        return Err(ApiError::bad_request("metadata must have at most 16 KiB of JSON"));
    }
    Metadata::parse(text, limits::METADATA_DEPTH).map_err(|_| {
        ApiError::bad_request("metadata must be a JSON object of at most 16 levels in which no name occurs twice")
    })
}

fn tokens(body: &Object<'_>) -> Result<Tokens, ApiError> {
    let access = token(body, "accessToken")?.ok_or(JsonError::Missing("accessToken"))?;
    let refresh = match body.raw("refreshToken") {
        Some("null") => None,
        _ => token(body, "refreshToken")?,
    };
    Ok(Tokens { access, refresh })
}

fn token(body: &Object<'_>, name: &'static str) -> Result<Option<Secret>, ApiError> {
    let Some(token) = body.secret(name)? else { return Ok(None) };
    if (1..=limits::TOKEN_BYTES).contains(&token.expose().len()) {
        Ok(Some(token))
    } else {
        Err(ApiError::bad_request(format!("{name} must have 1 byte to 64 KiB")))
    }
}

fn account_fields(body: &Object<'_>) -> Result<NewAccount, ApiError> {
    let name: String = body.required("name", A_STRING)?;
    if !is_name(&name, limits::DEVELOPER_NAME_BYTES) {
        return Err(ApiError::bad_request("name must have 1 to 256 bytes and no control characters"));
    }
    let email: Option<String> = body.nullable("email", A_STRING)?;
    if email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(ApiError::bad_request("email must be an e-mail address of at most 254 bytes"));
    }
    let mode = match body.nullable::<String>("mode", A_STRING)? {
        None => Mode::Live,
        Some(mode) => Mode::parse(&mode).ok_or_else(|| ApiError::bad_request("mode must be live or sandbox"))?,
    };
    Ok(NewAccount { name, email, mode })
}

/// Whether a text could be an address; only a message sent there could tell more.
fn is_email(text: &str) -> bool {
    let (local, domain) = text.rsplit_once('@').unwrap_or_default();
    is_name(text, limits::EMAIL_BYTES) && !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
}

/// A query string; names that no call knows are passed over.
pub(super) struct Query<'a>(pub(super) &'a str);

impl Query<'_> {
    pub(super) fn one(&self, name: &str) -> Result<Option<String>, ApiError> {
        let mut values = parse(self.0.as_bytes()).filter(|(given, _)| given == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(std::borrow::Cow::into_owned)),
            (_, Some(_)) => Err(ApiError::bad_request(format!("{name} must be given once"))),
        }
    }

    pub(super) fn limit(&self, most: usize) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.one("limit")? else { return Ok(None) };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| is_plain && (1..=most).contains(limit));
        limit.map(Some).ok_or_else(|| ApiError::bad_request(format!("limit must be a whole number from 1 to {most}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> String {
        let error = new_credential(body.as_bytes()).unwrap_err();
        assert_eq!(error.status(), 400);
        error.log_reason().to_owned()
    }

    fn body(extra: &str) -> String {
        format!(r#"{{"principalId":"user","service":"github","accessToken":"gho_1"{extra}}}"#)
    }

    #[test]
    fn what_is_omitted_has_its_default() {
        for extra in
            ["", r#","credentialType":null,"refreshToken":null,"tokenExpiresAt":null,"metadata":null,"new":[1]"#]
        {
            let new = new_credential(body(extra).as_bytes()).unwrap();
            assert_eq!(new.credential_type, "oauth2");
            assert_eq!(new.metadata.as_str(), "{}");
            assert!(new.token_expires_at.is_none() && new.tokens.refresh.is_none());
        }
    }

    #[test]
    fn a_400_names_the_field() {
        for (field, wrong) in [
            ("credentialType", r#","credentialType":5"#),
            ("credentialType", r#","credentialType":"""#),
            ("refreshToken", r#","refreshToken":"""#),
            ("refreshToken", r#","refreshToken":{}"#),
            ("tokenExpiresAt", r#","tokenExpiresAt":"soon""#),
            ("tokenExpiresAt", r#","tokenExpiresAt":1775779200"#),
            ("metadata", r#","metadata":[]"#),
            ("metadata", r#","metadata":"{}""#),
            ("metadata", r#","metadata":{"a":1,"a":2}"#),
        ] {
            assert!(message(&body(wrong)).starts_with(field), "{wrong}");
        }
        for field in ["principalId", "service", "accessToken"] {
            let renamed = body("").replace(field, "x");
            assert_eq!(message(&renamed), format!("{field} is required"));
            let null = body("").replace(&format!("\"{field}\":\""), &format!("\"{field}\":null,\"y\":\""));
            assert_eq!(message(&null), format!("{field} must not be null"));
            let empty = body("").replace(&format!("\"{field}\":\""), &format!("\"{field}\":\"\",\"y\":\""));
            assert!(message(&empty).starts_with(&format!("{field} must ")), "{empty}");
        }
        assert!(message(&body(r#","service":"slack""#)).starts_with("The body must"));
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let token = |length| format!(r#","refreshToken":"{}""#, "x".repeat(length));
        assert!(new_credential(body(&token(limits::TOKEN_BYTES)).as_bytes()).is_ok());
        assert!(message(&body(&token(limits::TOKEN_BYTES + 1))).starts_with("refreshToken"));
        let metadata = |length: usize| format!(r#","metadata":{{"a":"{}"}}"#, "x".repeat(length - 8));
        assert!(new_credential(body(&metadata(limits::METADATA_BYTES)).as_bytes()).is_ok());
        assert!(message(&body(&metadata(limits::METADATA_BYTES + 1))).starts_with("metadata"));
    }

    #[test]
    fn references_are_not_mistaken_for_credentials() {
        let delivery = |extra: &str| {
            let body = format!(r#"{{"service":"github"{extra}}}"#);
            exchange(body.as_bytes()).ok().map(|(_, delivery)| delivery)
        };
        for extra in ["", r#","delivery":null"#, r#","delivery":"credential""#, r#","delivery":"token""#] {
            assert_eq!(delivery(extra), Some(Delivery::Credential), "{extra}");
        }
        assert_eq!(delivery(r#","delivery":"reference""#), Some(Delivery::Reference));
        for extra in [r#","delivery":"Reference""#, r#","delivery":"""#, r#","delivery":true"#] {
            assert_eq!(delivery(extra), None, "{extra}");
        }
    }

    #[test]
    fn queries_are_read_by_name() {
        let query = list_query("principalId=a%20b&service=GitHub&limit=10&cursor=1-x&new=1").unwrap();
        assert_eq!(query.principal.unwrap().as_str(), "a b");
        assert_eq!(query.limit, Some(10));
        for wrong in [
            "limit=0",
            "limit=1001",
            "limit=x",
            "limit=",
            "limit=-1",
            "limit=1&limit=1",
            "principalId=",
            "service=a%2Fb",
            "service=a&service=a",
        ] {
            assert_eq!(list_query(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn accounts_need_a_name_and_a_known_mode() {
        let account = new_account(br#"{"name":"Acme"}"#).unwrap();
        assert_eq!((account.name.as_str(), account.email, account.mode), ("Acme", None, Mode::Live));
        for wrong in [
            r#"{}"#,
            r#"{"name":""}"#,
            r#"{"name":"a","mode":"test"}"#,
            r#"{"name":"a","email":"a"}"#,
            r#"{"name":"a","email":"@"}"#,
            r#"{"name":"a","email":"a b@c"}"#,
        ] {
            assert!(new_account(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(provisioned_account(br#"{"name":"a","developerId":"dev:1"}"#).is_err());
    }
}
