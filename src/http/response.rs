//! An answer as a plain value, and the headers that every answer has.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::secret;

/// Headers of every answer, static files' included.
pub const SECURITY_HEADERS: [(&str, &str); 4] = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("Referrer-Policy", "no-referrer"),
];
/// What a browser may do with an answer of the API: nothing.
const API_POLICY: (&str, &str) = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
/// What a page of the console may do: load its own files and speak to this vault.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The header that says what every body is.
pub const BODY_TYPE: (&str, &str) = ("Content-Type", "application/json");

/// The headers that every answer of the API has, whatever it says.
pub fn api_headers() -> impl Iterator<Item = (&'static str, &'static str)> {
    SECURITY_HEADERS.into_iter().chain([API_POLICY])
}

/// An answer of the API.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers of this answer, each name once; those of [`api_headers`] go with them.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty for none.
    pub body: Body,
}

/// The bytes of a body.
pub enum Body {
    /// What holds no secret, and can be long: erasing a list would take as long as opening it.
    Plain(Vec<u8>),
    /// What holds one, and is erased when it is dropped.
    Secret(Zeroizing<Vec<u8>>),
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.len())
    }
}

impl Response {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Plain(Vec::new()) }
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        // Texts, numbers and objects with text names: nothing that serde_json refuses.
        Self::of_json(status, Body::Plain(serde_json::to_vec(body).unwrap_or_default()))
    }

    /// An answer with a JSON body that holds a secret.
    pub fn secret_json(status: u16, body: &impl Serialize) -> Self {
        Self::of_json(status, Body::Secret(secret::json(body)))
    }

    fn of_json(status: u16, body: Body) -> Self {
        let (name, value) = BODY_TYPE;
        Self { status, headers: vec![(name, value.into())], body }
    }

    /// The answer with one more header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer under the id of its request.
    pub fn for_request(self, request_id: &str) -> Self {
        self.with_header("X-Request-Id", request_id.to_owned())
    }

    /// All headers, those that every answer has first.
    pub fn all_headers<'a>(&'a self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_ref()));
        api_headers().map(|(name, value)| -> (&'a str, &'a str) { (name, value) }).chain(own)
    }

    /// The answer to a HEAD request.
    pub fn without_body(mut self) -> Self {
        self.body = Body::Plain(Vec::new());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_prints_as_its_length() {
        assert_eq!(format!("{:?}", Response::secret_json(200, &"gho_1").body), "[7 bytes]");
    }
}
