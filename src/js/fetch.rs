//! Fetching key sets with the host's `fetch`.

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};

use super::{body, name, text};
use crate::grant::issuer::{FetchError, FetchJwks};
use crate::http::BodyError;
use crate::limits::{JWKS_BYTES, JWKS_TIMEOUT_MS};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    async fn host_fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;
}

/// The host's `fetch`.
#[derive(Clone, Copy, Debug)]
pub struct HostFetch;

impl FetchJwks for HostFetch {
    async fn fetch_jwks(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let init = RequestInit::new();
        // Followed by nobody: a redirect is an answer with another status than 200.
        init.set_redirect(RequestRedirect::Manual);
        // Runs on while the body is read.
        init.set_signal(Some(&AbortSignal::timeout_with_u32(JWKS_TIMEOUT_MS)));
        let headers = Headers::new().map_err(failed)?;
        headers.set("Accept", "application/jwk-set+json, application/json").map_err(failed)?;
        init.set_headers(&headers);

        let response: Response = host_fetch(url, &init).await.map_err(failed)?.dyn_into().map_err(failed)?;
        if response.status() != 200 {
            return Err(FetchError::Status(response.status()));
        }
        if !is_json(&response.headers().get("content-type").ok().flatten().unwrap_or_default()) {
            return Err(FetchError::ContentType);
        }
        let Some(stream) = response.body() else { return Ok(Vec::new()) };
        match body::read(&stream, JWKS_BYTES).await {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(BodyError::TooLarge) => Err(FetchError::TooLong),
            Err(BodyError::Broken) => Err(FetchError::Network("the answer broke off".to_owned())),
        }
    }
}

/// The registered types of a JWK Set (RFC 7517 section 8.5) and of JSON.
fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    ["application/json", "application/jwk-set+json"].iter().any(|json| media_type.eq_ignore_ascii_case(json))
}

fn failed(thrown: JsValue) -> FetchError {
    match name(&thrown).as_str() {
        "TimeoutError" | "AbortError" => FetchError::Timeout,
        _ => FetchError::Network(text(&thrown)),
    }
}
