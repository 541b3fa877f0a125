//! Handing events on: to the webhook with the host's `fetch`, and to a Queue.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::message::lines;
use super::{name, now, text};
use crate::audit::webhook::{Post, PostError};
use crate::limits::WEBHOOK_TIMEOUT_MS;
use crate::timestamp::Timestamp;

#[wasm_bindgen(module = "/src/js/audit.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn post(url: &str, headers: &str, body: &str, timeout: u32) -> Result<JsValue, JsValue>;

    async fn pause(millis: u32);

    #[wasm_bindgen(catch, js_name = sendToQueue)]
    async fn send_to_queue(queue: &JsValue, event: &str) -> Result<JsValue, JsValue>;
}

/// The host's `fetch`, for the webhook.
#[derive(Clone, Copy, Debug)]
pub struct HostPost;

impl Post for HostPost {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<u16, PostError> {
        let status = post(url, &lines(headers.iter().copied()), body, WEBHOOK_TIMEOUT_MS).await;
        match status {
            // A status has three digits.
            Ok(status) => Ok(status.as_f64().unwrap_or_default() as u16),
            // What is thrown may quote the URL, which may hold a secret.
            Err(thrown) => match name(&thrown).as_str() {
                "TimeoutError" | "AbortError" => Err(PostError::Timeout),
                _ => Err(PostError::Network),
            },
        }
    }

    async fn wait(&self, millis: u32) {
        pause(millis).await;
    }
}

/// Puts an event, as JSON, into a Queue; says why if that can't be.
pub async fn enqueue(queue: &JsValue, event: &str) -> Result<(), String> {
    send_to_queue(queue, event).await.map(drop).map_err(|thrown| text(&thrown))
}
