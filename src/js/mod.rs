//! The JavaScript host seen from the core: a KV namespace as a store, WebCrypto, fetch, bodies,
//! the clock.
//!
//! Imports only: what JavaScript may call is exported elsewhere, and nothing is decided here.

#[cfg(feature = "worker")]
mod audit;
mod body;
mod crypto;
mod fetch;
mod kv;
#[cfg(feature = "worker")]
mod message;
#[cfg(feature = "worker")]
mod rate;

#[cfg(feature = "worker")]
pub use audit::{HostPost, enqueue};
pub use body::RequestBody;
pub use crypto::WebCrypto;
pub use fetch::HostFetch;
pub use kv::KvStore;
#[cfg(feature = "worker")]
pub use message::{from_js, keep_fixed_headers, to_js};
#[cfg(feature = "worker")]
pub use rate::Bindings;

use wasm_bindgen::{JsCast, JsValue};

use crate::timestamp::Timestamp;

/// The host's time. It stands still inside a request between I/O.
pub fn now() -> Timestamp {
    // The host's clock is within the years that a timestamp can hold.
    Timestamp::from_millis(js_sys::Date::now() as i64).unwrap_or(Timestamp::EPOCH)
}

/// What a thrown value says.
fn text(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => "something that is no Error was thrown".to_owned(),
    }
}

/// The name of a thrown error, like `TimeoutError`.
fn name(thrown: &JsValue) -> String {
    thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.name())).unwrap_or_default()
}
