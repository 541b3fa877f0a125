//! Beside Grantex: its API keys are good here, and what it says of a grant counts.
//!
//! Asks Grantex's API, within bounds, and remembers within bounds. [`developers`] resolves API keys that
//! this vault doesn't know, [`standing`] asks whether a grant token still stands. Whatever Grantex does
//! wrong ends in a refusal.

pub mod developers;
pub mod standing;

use zeroize::Zeroizing;

use crate::fetch::{Answer, Fetch, FetchError, Request};
use crate::limits;
use crate::secret::Secret;
use developers::KnownDevelopers;
use standing::{KnownStandings, StatusCheck};

/// Why Grantex can't be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantexError {
    /// It gave no answer that can be read.
    #[error("Grantex {0}")]
    Fetch(#[from] FetchError),
    /// It answers with something else than its contract.
    #[error("Grantex answered without a usable {0}")]
    Answer(&'static str),
    /// It refuses the API key that it is asked with.
    #[error("Grantex refuses GRANTEX_API_KEY")]
    OwnKey,
}

/// Grantex's API as this vault uses it.
#[derive(Debug)]
pub struct Grantex {
    /// Without a slash at its end.
    api_url: String,
    check: StatusCheck,
    /// Whom to ask as whether a grant stands; there is one unless nobody is asked.
    api_key: Option<Secret>,
    developers: KnownDevelopers,
    standings: KnownStandings,
}

impl Grantex {
    /// Grantex at a URL: how grants are checked there and with which API key, and for how many seconds it
    /// is remembered whose a key is.
    pub fn new(api_url: &str, check: StatusCheck, api_key: Option<Secret>, key_secs: i64) -> Self {
        Self {
            api_url: api_url.trim_end_matches('/').to_owned(),
            check,
            api_key,
            developers: KnownDevelopers::new(key_secs),
            standings: KnownStandings::default(),
        }
    }

    async fn get(&self, path: &str, bearer: &Secret, fetch: &impl Fetch) -> Result<Answer, FetchError> {
        self.ask(path, bearer, None, fetch).await
    }

    async fn post(
        &self,
        path: &str,
        bearer: &Secret,
        json: &Secret,
        fetch: &impl Fetch,
    ) -> Result<Zeroizing<Vec<u8>>, FetchError> {
        self.ask(path, bearer, Some(json), fetch).await?.json()
    }

    async fn ask(
        &self,
        path: &str,
        bearer: &Secret,
        json: Option<&Secret>,
        fetch: &impl Fetch,
    ) -> Result<Answer, FetchError> {
        let url = format!("{}{path}", self.api_url);
        let request = Request {
            url: &url,
            accept: "application/json",
            bearer: Some(bearer),
            json,
            most: limits::GRANTEX_ANSWER_BYTES,
            timeout_ms: limits::GRANTEX_TIMEOUT_MS,
        };
        fetch.fetch(&request).await
    }
}
