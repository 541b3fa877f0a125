//! Requests to other services with the host's `fetch`.

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};
use zeroize::Zeroizing;

use super::{body, name, text};
use crate::fetch::{Answer, Fetch, FetchError, Request};
use crate::http::BodyError;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    async fn host_fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;
}

/// The host's `fetch`.
#[derive(Clone, Copy, Debug)]
pub struct HostFetch;

impl Fetch for HostFetch {
    async fn fetch(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        let init = RequestInit::new();
        // Followed by nobody: a redirect is an answer with another status than 200.
        init.set_redirect(RequestRedirect::Manual);
        // Runs on while the body is read.
        init.set_signal(Some(&AbortSignal::timeout_with_u32(request.timeout_ms)));
        let headers = Headers::new().map_err(failed)?;
        headers.set("Accept", request.accept).map_err(failed)?;
        if let Some(bearer) = request.bearer {
            headers.set("Authorization", &format!("Bearer {}", bearer.expose())).map_err(failed)?;
        }
        if let Some(json) = request.json {
            init.set_method("POST");
            headers.set("Content-Type", "application/json").map_err(failed)?;
            init.set_body(&JsValue::from_str(json.expose()));
        }
        init.set_headers(&headers);

        let response: Response = host_fetch(request.url, &init).await.map_err(failed)?.dyn_into().map_err(failed)?;
        let status = response.status();
        let content_type = response.headers().get("content-type").ok().flatten().unwrap_or_default();
        let body = match response.body() {
            Some(stream) if status == 200 => body::read(&stream, request.most).await.map_err(|error| match error {
                BodyError::TooLarge => FetchError::TooLong,
                BodyError::Broken => FetchError::Network("the answer broke off".to_owned()),
            })?,
            _ => Zeroizing::default(),
        };
        Ok(Answer { status, content_type, body })
    }
}

fn failed(thrown: JsValue) -> FetchError {
    match name(&thrown).as_str() {
        "TimeoutError" | "AbortError" => FetchError::Timeout,
        _ => FetchError::Network(text(&thrown)),
    }
}
