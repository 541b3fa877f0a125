//! Workers' rate-limit bindings as [`RateLimits`].

use std::future::Future;
use std::pin::Pin;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::console_error;

use super::text;
use crate::http::rate::{Limit, RateLimits};

#[wasm_bindgen(module = "/src/js/rate.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn count(env: &JsValue, binding: &str, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = clientAddress)]
    fn client_address(request: &Request) -> Option<String>;
}

/// The bindings that `env` has, for one request.
#[derive(Debug)]
pub struct Bindings<'a> {
    /// The Worker's environment.
    pub env: &'a JsValue,
    /// The request.
    pub request: &'a Request,
    /// The names of the limits that are not bound.
    pub unbound: &'a [&'static str],
}

impl RateLimits for Bindings<'_> {
    fn count<'a>(&'a self, limit: Limit, key: &'a str) -> Pin<Box<dyn Future<Output = bool> + 'a>> {
        Box::pin(async move {
            let binding = limit.binding();
            if self.unbound.contains(&binding) {
                return true;
            }
            match count(self.env, binding, key).await {
                Ok(verdict) => verdict.is_truthy(),
                // A counter that fails must not stop the vault; that it does must not go unseen.
                Err(thrown) => {
                    let line = serde_json::json!({"level": "error", "limit": binding, "reason": text(&thrown)});
                    console_error!("{line}");
                    true
                }
            }
        })
    }

    fn client_address(&self) -> Option<String> {
        client_address(self.request)
    }

    fn unbound(&self) -> &[&'static str] {
        self.unbound
    }
}
