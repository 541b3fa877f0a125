//! Errors as the wire sees them, and as the log does.
//!
//! An [`ApiError`] has two sides: status, code and message for the caller, a reason for the log.
//! The wire learns what the caller can do something about; the log learns everything but secrets.

use std::borrow::Cow;

use super::Response;
use super::rate::Limit;
use crate::accounts::AccountError;
use crate::grant::GrantError;
use crate::grant::dpop::{self, ProofError};
use crate::grantex::GrantexError;
use crate::grantex::standing::StandingError;
use crate::json::JsonError;
use crate::limits::RATE_PERIOD_SECS;
use crate::random::RandomError;
use crate::rotation::RotationError;
use crate::store::StoreError;
use crate::timestamp::Timestamp;
use crate::transfer::TransferError;
use crate::vault::VaultError;

/// Seconds until a caller should try again when storage or the issuer is out of order.
pub(super) const RETRY_AFTER_SECS: u32 = 5;
/// The errors of `WWW-Authenticate: DPoP` (RFC 6750 section 3.1, RFC 9449 section 7.1).
const INVALID_TOKEN: &str = "invalid_token";
const INVALID_PROOF: &str = "invalid_dpop_proof";
/// Seconds until KV takes the next write of a key.
const RETRY_WRITE_SECS: u32 = 1;

/// A refusal or a failure.
#[derive(Clone, Debug)]
pub struct ApiError {
    kind: Kind,
    message: Cow<'static, str>,
    /// What the log says beside the message.
    reason: Option<String>,
    /// The record that the failure is about.
    record: Option<String>,
    /// What an OAuth client is told instead of the code.
    oauth: Option<OauthError>,
}

/// The errors of a token request (RFC 6749 section 5.2, RFC 8693 section 2.2.2, RFC 9449 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OauthError {
    /// A parameter is missing, repeated or unusable, the subject token included.
    InvalidRequest,
    /// The grant covers no such service.
    InvalidTarget,
    /// The grant lacks a scope.
    InvalidScope,
    /// Another grant type.
    UnsupportedGrantType,
    /// No good proof of possession.
    InvalidDpopProof,
    /// Something that is needed can't be reached.
    TemporarilyUnavailable,
    /// Something went wrong here.
    ServerError,
}

impl OauthError {
    fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// What kind of error it is; each has its status and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BadRequest,
    Unauthorized,
    /// 401 for a grant token that is bound to a key, or sent as if it were; with the error of RFC 9449 section 7.1.
    Unproven {
        error: &'static str,
    },
    Forbidden,
    NotFound,
    MethodNotAllowed {
        allow: &'static str,
    },
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    TooManyRequests {
        limit: Limit,
        reset: i64,
    },
    Internal,
    Unavailable {
        retry_after: u32,
    },
}

impl Kind {
    fn status_and_code(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "BAD_REQUEST"),
            Self::Unauthorized | Self::Unproven { .. } => (401, "UNAUTHORIZED"),
            Self::Forbidden => (403, "FORBIDDEN"),
            Self::NotFound => (404, "NOT_FOUND"),
            Self::MethodNotAllowed { .. } => (405, "METHOD_NOT_ALLOWED"),
            Self::Conflict => (409, "CONFLICT"),
            Self::PayloadTooLarge => (413, "PAYLOAD_TOO_LARGE"),
            Self::UnsupportedMediaType => (415, "UNSUPPORTED_MEDIA_TYPE"),
            Self::TooManyRequests { .. } => (429, "TOO_MANY_REQUESTS"),
            Self::Internal => (500, "INTERNAL_ERROR"),
            Self::Unavailable { .. } => (503, "SERVICE_UNAVAILABLE"),
        }
    }
}

impl ApiError {
    fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), reason: None, record: None, oauth: None }
    }

    fn because(mut self, reason: impl ToString) -> Self {
        self.reason = Some(reason.to_string());
        self
    }

    /// 400: the caller sent something that can't be; the message names it.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::BadRequest, message)
    }

    fn bad_cursor() -> Self {
        Self::bad_request("cursor must be one that an earlier page gave as nextCursor")
    }

    /// 400: an error that only OAuth knows.
    pub fn oauth(error: OauthError, message: &'static str) -> Self {
        Self { oauth: Some(error), ..Self::bad_request(message) }
    }

    /// The error as an OAuth client is told it. A subject token that is refused is an invalid request
    /// (RFC 8693 section 2.2.2).
    pub fn for_oauth(self) -> Self {
        let error = self.oauth.unwrap_or(match self.kind {
            Kind::Forbidden | Kind::NotFound => OauthError::InvalidTarget,
            Kind::Unproven { error: INVALID_PROOF } => OauthError::InvalidDpopProof,
            Kind::Internal => OauthError::ServerError,
            Kind::Unavailable { .. } | Kind::TooManyRequests { .. } => OauthError::TemporarilyUnavailable,
            _ => OauthError::InvalidRequest,
        });
        Self { oauth: Some(error), ..self }
    }

    /// 401 for a missing or malformed `Authorization`, or an API key that is nobody's.
    pub fn bad_api_key(reason: &'static str) -> Self {
        Self::new(Kind::Unauthorized, "Send a valid API key as Authorization: Bearer").because(reason)
    }

    /// 401 for a grant token, the same whatever is wrong with it.
    pub fn bad_grant(reason: impl ToString) -> Self {
        Self::new(Kind::Unauthorized, "The grant token is missing, invalid, expired or revoked").because(reason)
    }

    /// 403: understood, and not permitted.
    pub fn forbidden(message: &'static str) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// Why a reference doesn't resolve. The caller's own key is good: what was revoked is the grant that
    /// the reference was given for, and that is a 403.
    pub fn of_reference(error: VaultError) -> Self {
        match error {
            VaultError::Revoked => Self::fallen_reference(error),
            other => other.into(),
        }
    }

    /// 403: the grant that a reference was given for doesn't stand any more.
    pub fn fallen_reference(reason: impl ToString) -> Self {
        Self::forbidden("The grant that this reference was given for was revoked").because(reason)
    }

    /// 404 for a path.
    pub fn no_such_path() -> Self {
        Self::new(Kind::NotFound, "There is nothing at this path")
    }

    /// 405: the path takes the methods of `allow`.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(Kind::MethodNotAllowed { allow }, format!("This path takes {allow}"))
    }

    /// 413: the body is longer than [`crate::limits::BODY_BYTES`].
    pub fn body_too_large() -> Self {
        Self::new(Kind::PayloadTooLarge, "The request body must be at most 256 KiB")
    }

    /// 415: the body isn't said to be JSON.
    pub fn not_json_type() -> Self {
        Self::new(Kind::UnsupportedMediaType, "Send the body as Content-Type: application/json")
    }

    /// 429: over a limit. The host doesn't say when it counts anew; a whole period from now it will have.
    pub fn too_many_requests(limit: Limit, now: Timestamp) -> Self {
        let message = match limit {
            Limit::Exchange => "This grant token was exchanged too often; try again later",
            Limit::Write => "Too many stores and deletions; try again later",
            Limit::Authentication => "Too many failed authentications from this address; try again later",
            Limit::SignUp => "Too many sign-ups from this address; try again later",
        };
        let reset = now.seconds() + i64::from(RATE_PERIOD_SECS);
        Self::new(Kind::TooManyRequests { limit, reset }, message)
    }

    /// 503: a setting is missing or bad; `/health` says which.
    pub fn misconfigured() -> Self {
        let kind = Kind::Unavailable { retry_after: RETRY_AFTER_SECS };
        Self::new(kind, "The vault is not configured; /health says which setting is at fault").because("misconfigured")
    }

    pub(crate) fn internal(reason: impl ToString) -> Self {
        Self::new(Kind::Internal, "Something went wrong here; quote requestId to the operator").because(reason)
    }

    fn not_found(message: &'static str) -> Self {
        Self::new(Kind::NotFound, message)
    }

    fn damaged(record: String, reason: impl ToString) -> Self {
        Self { record: Some(record), ..Self::internal(reason) }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.status_and_code().0
    }

    /// What the caller is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The code of the status, like `NOT_FOUND`.
    pub fn code(&self) -> &'static str {
        self.kind.status_and_code().1
    }

    /// What the log says: the reason where there is one, else what the caller was told.
    pub fn log_reason(&self) -> &str {
        self.reason.as_deref().unwrap_or(&self.message)
    }

    /// The record that the failure is about, if it is about one.
    pub fn record(&self) -> Option<&str> {
        self.record.as_deref()
    }

    /// The answer: `{message, code, requestId}` with the headers that go with the status.
    pub fn response(&self, request_id: &str) -> Response {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            message: &'a str,
            code: &'a str,
            request_id: &'a str,
        }

        if let Some(error) = self.oauth {
            return self.oauth_response(error);
        }
        let (status, code) = self.kind.status_and_code();
        self.with_headers(Response::json(status, &Body { message: &self.message, code, request_id }))
    }

    /// The answer with the headers that go with the status.
    fn with_headers(&self, response: Response) -> Response {
        match self.kind {
            Kind::Unauthorized => response.with_header("WWW-Authenticate", "Bearer"),
            Kind::Unproven { error } => {
                let algorithms = dpop::ALGORITHMS.join(" ");
                response.with_header("WWW-Authenticate", format!("DPoP error=\"{error}\", algs=\"{algorithms}\""))
            }
            Kind::MethodNotAllowed { allow } => response.with_header("Allow", allow),
            Kind::Unavailable { retry_after } => response.with_header("Retry-After", retry_after.to_string()),
            Kind::TooManyRequests { limit, reset } => response
                .with_header("Retry-After", RATE_PERIOD_SECS.to_string())
                .with_header("X-RateLimit-Limit", limit.per_period().to_string())
                .with_header("X-RateLimit-Remaining", "0")
                .with_header("X-RateLimit-Reset", reset.to_string()),
            _ => response,
        }
    }
}

impl ApiError {
    /// The answer to a token request: 400, unless it is about size or what went wrong here.
    fn oauth_response(&self, error: OauthError) -> Response {
        #[derive(serde::Serialize)]
        struct Body<'a> {
            error: &'static str,
            error_description: &'a str,
        }

        let status = match self.status() {
            status @ (413 | 429 | 500..) => status,
            _ => 400,
        };
        let body = Body { error: error.name(), error_description: &self.message };
        let response = Response::json(status, &body).with_header("Pragma", "no-cache");
        // A challenge goes with a 401, which a token request doesn't get.
        if status == 400 { response } else { self.with_headers(response) }
    }
}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::NotAnObject => Self::bad_request("The body must be a JSON object in which no name occurs twice"),
            field => Self::bad_request(field.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let retry_after = match &error {
            StoreError::Busy(_) => RETRY_WRITE_SECS,
            StoreError::Unavailable(_) => RETRY_AFTER_SECS,
            StoreError::Cursor(_) => return Self::bad_cursor().because(error),
        };
        Self::new(Kind::Unavailable { retry_after }, "Storage can't take the request now; try again").because(error)
    }
}

impl From<GrantError> for ApiError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::NoKeys(_) => {
                let kind = Kind::Unavailable { retry_after: RETRY_AFTER_SECS };
                Self::new(kind, "The issuer's keys can't be had now; try again").because(error)
            }
            GrantError::Bound => {
                let message = "The grant token is bound to a key: send it as Authorization: DPoP with a proof";
                Self::new(Kind::Unproven { error: INVALID_TOKEN }, message).because(error)
            }
            GrantError::Unbound => {
                let message = "The grant token is not bound to a key: send it as Authorization: Bearer";
                Self::new(Kind::Unproven { error: INVALID_TOKEN }, message).because(error)
            }
            GrantError::Proof(_) => {
                let message = "The DPoP proof is missing, not for this request, too old, or was used before";
                Self::new(Kind::Unproven { error: INVALID_PROOF }, message).because(error)
            }
            refused => Self::bad_grant(refused),
        }
    }
}

impl From<GrantexError> for ApiError {
    fn from(error: GrantexError) -> Self {
        let kind = Kind::Unavailable { retry_after: RETRY_AFTER_SECS };
        Self::new(kind, "Grantex can't be asked now; try again").because(error)
    }
}

impl From<StandingError> for ApiError {
    fn from(error: StandingError) -> Self {
        match error {
            StandingError::Unknown(error) => error.into(),
            refused => Self::bad_grant(refused),
        }
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NotFound => Self::not_found("There is no such credential"),
            VaultError::OutOfScope => Self::forbidden("No scope of the grant permits this service"),
            VaultError::Revoked => GrantError::Revoked.into(),
            VaultError::Replayed => GrantError::Proof(ProofError::Replayed).into(),
            VaultError::GrantEnded => GrantError::Expired.into(),
            VaultError::NoReference => Self::not_found("There is no such reference, or it has ended"),
            VaultError::BadCursor => Self::bad_cursor(),
            VaultError::Damaged { record, reason } => Self::damaged(record, reason),
            VaultError::Collision(_) | VaultError::Seal(_) => Self::internal(error),
            VaultError::Store(error) => error.into(),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::UnknownKey => Self::bad_api_key("unknown API key"),
            AccountError::NotFound => Self::not_found("There is no such developer"),
            AccountError::Exists => Self::new(Kind::Conflict, "There is a developer with this developerId already"),
            AccountError::BadCursor => Self::bad_cursor(),
            AccountError::Damaged { record, reason } => Self::damaged(record, reason),
            AccountError::Seal(_) | AccountError::Random(_) => Self::internal(error),
            AccountError::Store(error) => error.into(),
        }
    }
}

impl From<RotationError> for ApiError {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::BadCursor => Self::bad_cursor(),
            RotationError::Seal(_) => Self::internal(error),
            RotationError::Store(error) => error.into(),
        }
    }
}

impl From<TransferError> for ApiError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Seal(_) => Self::internal(error),
            TransferError::Store(error) => error.into(),
        }
    }
}

impl From<RandomError> for ApiError {
    fn from(error: RandomError) -> Self {
        Self::internal(error)
    }
}
