//! Requests to other services, within bounds: a time, a size, and no redirects.
//!
//! What the core asks of a host's `fetch`, and what makes an answer one that can be read.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// A request to another service.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a str,
    /// What kind of answer is wanted.
    pub accept: &'static str,
    /// The token of `Authorization: Bearer`, if any.
    pub bearer: Option<&'a Secret>,
    /// A body of JSON, which makes it a POST; a GET without.
    pub json: Option<&'a Secret>,
    /// How many bytes of the answer are read at most; a longer one is an error.
    pub most: usize,
    /// How long it may take in all, in milliseconds.
    pub timeout_ms: u32,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its `Content-Type`, empty where there is none.
    pub content_type: String,
    /// Its body; not read, and empty, where the status is another than 200.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The host didn't answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The host can't be reached.
    #[error("not reachable: {0}")]
    Network(String),
    /// The host answered with another status than 200; redirects are not followed.
    #[error("answered with status {0}")]
    Status(u16),
    /// The answer's content type isn't JSON's.
    #[error("answered with a content type that is not JSON's")]
    ContentType,
    /// The answer is longer than it may be.
    #[error("answered with more than is read")]
    TooLong,
}

/// Sends requests.
#[allow(async_fn_in_trait, reason = "JavaScript's promises are not Send, and nothing here needs Send")]
pub trait Fetch {
    /// The answer, whatever its status; redirects are not followed.
    async fn fetch(&self, request: &Request<'_>) -> Result<Answer, FetchError>;
}

impl Answer {
    /// The body of a 200 answer of JSON's type, or of a JWK Set's (RFC 7517 section 8.5).
    pub fn json(self) -> Result<Zeroizing<Vec<u8>>, FetchError> {
        if self.status != 200 {
            return Err(FetchError::Status(self.status));
        }
        let media_type = self.content_type.split(';').next().unwrap_or_default().trim();
        let is_json = |name: &str| media_type.eq_ignore_ascii_case(name);
        if !is_json("application/json") && !is_json("application/jwk-set+json") {
            return Err(FetchError::ContentType);
        }
        Ok(self.body)
    }
}
