//! Cross-origin requests from browsers (the Fetch standard's CORS protocol), for the origins that
//! `CORS_ALLOWED_ORIGINS` names and no others. Credentials travel in a header that the page sets,
//! never in a cookie.

use super::{Head, Response};

const MAX_AGE_SECS: &str = "7200";

/// The origin of a request, if it is an allowed one.
fn allowed_origin<'a>(head: &'a Head, allowed: &[String]) -> Option<&'a str> {
    head.origin.as_deref().filter(|origin| allowed.iter().any(|allowed| allowed == origin))
}

/// The answer to a preflight request from an allowed origin.
pub fn preflight(head: &Head, allowed: &[String]) -> Option<Response> {
    (head.method == "OPTIONS" && allowed_origin(head, allowed).is_some()).then(|| {
        Response::empty(204)
            .with_header("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE")
            .with_header("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
            .with_header("Access-Control-Max-Age", MAX_AGE_SECS)
    })
}

/// The answer with what lets a page of an allowed origin read it.
pub fn allow(response: Response, head: &Head, allowed: &[String]) -> Response {
    if allowed.is_empty() {
        return response;
    }
    let response = response.with_header("Vary", "Origin");
    match allowed_origin(head, allowed) {
        Some(origin) => response.with_header("Access-Control-Allow-Origin", origin.to_owned()).with_header(
            "Access-Control-Expose-Headers",
            "X-Request-Id, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
        ),
        None => response,
    }
}
