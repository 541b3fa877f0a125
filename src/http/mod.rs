//! HTTP as plain values: a request's head and body in, an answer and an event for the log out.
//!
//! Nothing here knows Workers. [`route`] says which call it is, [`params`] what was sent, [`call`]
//! makes it, [`rate`] bounds how often, [`view`] is what is answered, [`error`] what goes wrong and how it is told.
//! What the calls do is in `vault/` and `accounts.rs`.

mod call;
mod cors;
pub mod error;
mod oauth;
mod operator;
pub(crate) mod params;
pub mod rate;
mod response;
mod route;
pub(crate) mod view;

use std::borrow::Cow;
use std::cell::RefCell;

use zeroize::Zeroizing;

use crate::accounts::KnownAccounts;
use crate::audit::{Event, Kind, Outcome};
use crate::fetch::Fetch;
use crate::grant::dpop::SeenProofs;
use crate::grant::signature::CheckSignature;
use crate::random::{self, RandomError};
use crate::secret::{self, Secret};
use crate::settings::{Problem, Settings};
use crate::store::Store;
use crate::timestamp::Timestamp;
use call::Call;
use error::ApiError;
use rate::RateLimits;
pub use response::{BODY_TYPE, Body, Response, api_headers};
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
    /// The `DPoP` header; hosts need tell it only where no `Authorization` of another scheme is there.
    pub dpop: Option<String>,
    /// Scheme and authority of the request's URL, like `https://vault.example.com`.
    pub base: String,
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
    /// What counts how often a caller does what.
    pub rate_limits: &'a dyn RateLimits,
    /// The time of the request.
    pub now: Timestamp,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Reply {
    /// An answer, and the event to write to the log before it is given.
    Answer {
        /// The answer, complete with its headers.
        response: Response,
        /// The event, unless it was nothing but a look at something.
        event: Option<Box<Event>>,
    },
    /// The path isn't the API's: serve a static file, or answer with [`no_such_path`].
    Static {
        /// The id to answer with.
        request_id: String,
    },
}

/// The vault as it serves HTTP: its settings, and what it remembers between requests.
#[derive(Debug)]
pub struct Service {
    settings: Result<Settings, Vec<Problem>>,
    known: KnownAccounts,
    proofs: SeenProofs,
}

impl Service {
    /// A service with these settings; with problems it says so and does nothing else.
    pub fn new(settings: Result<Settings, Vec<Problem>>) -> Self {
        Self { settings, known: KnownAccounts::default(), proofs: SeenProofs::default() }
    }

    /// The settings, or what is wrong with them.
    pub fn settings(&self) -> Result<&Settings, &[Problem]> {
        self.settings.as_ref().map_err(Vec::as_slice)
    }

    /// Answers a request: finds the call, makes it, and puts the headers on that every answer has.
    pub async fn handle<S: Store, F: Fetch, C: CheckSignature>(
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
        let mut event = Event::of(&request_id, host.now);
        event.call = found.as_ref().ok().map(Route::name);
        let event = RefCell::new(event);
        let outcome = match cors::preflight(head, allowed_origins) {
            Some(response) => Ok(response),
            None => match found {
                Ok(route) => self.answer(&host, head, route, body, &event).await,
                Err(error) => Err(error),
            },
        };
        let mut event = event.into_inner();
        let response = outcome.unwrap_or_else(|error| {
            end(&mut event, &error);
            error.response(&request_id)
        });
        event.status = response.status;
        let response = cors::allow(response, head, allowed_origins).for_request(&request_id);
        let response = if head.method == "HEAD" { response.without_body() } else { response };
        secret::scrub_stack();
        Reply::Answer { response, event: event.event.is_some().then(|| Box::new(event)) }
    }

    async fn answer<S: Store, F: Fetch, C: CheckSignature>(
        &self,
        host: &Host<'_, S, F, C>,
        head: &Head,
        route: Route,
        body: impl ReadBody,
        event: &RefCell<Event>,
    ) -> Result<Response, ApiError> {
        match (&self.settings, route) {
            (Err(problems), Route::Health) => {
                let response = Response::json(503, &view::Health::misconfigured(problems));
                Ok(response.with_header("Retry-After", error::RETRY_AFTER_SECS.to_string()))
            }
            (Err(_), Route::ExchangeToken) => Err(ApiError::misconfigured().for_oauth()),
            (Err(_), _) => Err(ApiError::misconfigured()),
            (Ok(settings), route) => {
                let Self { known, proofs, .. } = self;
                Call { settings, known, proofs, host, head, event }.make(route, body).await
            }
        }
    }
}

/// Ends an event with an error: whatever was to be done wasn't.
fn end(event: &mut Event, error: &ApiError) {
    let is_exchange = [Route::Exchange, Route::ExchangeToken].iter().any(|route| event.call == Some(route.name()));
    let failed = error.status() >= 500;
    event.event = Some(match (is_exchange, failed) {
        (true, true) => Kind::ExchangeFailed,
        (true, false) => Kind::ExchangeRefused,
        (false, true) => Kind::RequestFailed,
        (false, false) if error.status() == 401 => Kind::AuthFailed,
        (false, false) if error.status() == 429 => Kind::LimitExceeded,
        (false, false) => Kind::RequestRefused,
    });
    (event.level, event.outcome) = if failed { ("error", Outcome::Failed) } else { ("warn", Outcome::Refused) };
    event.rule = None;
    event.reason = Some(error.log_reason().to_owned());
    event.record = error.record().map(str::to_owned);
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
