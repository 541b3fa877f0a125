//! What the npm package is made of: the core as WebAssembly exports, for the package's own JavaScript.
//!
//! Exports only, and thin ones: options come in as one object, credentials as JSON, through the same
//! readers as over HTTP; answers leave as the JSON of the contract. Types of arguments, lazy loading
//! and the public names are the JavaScript layer's business, in `npm/`. Every method takes `&self`, so
//! that any number of calls can be under way at once.

mod failure;
mod sealer;
mod signatures;
mod vault;
mod verifier;

use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::secret;
use failure::Failure;

type JsResult<T> = Result<T, JsValue>;

/// A value as plain JavaScript: objects, never `Map`; numbers, never `BigInt`.
fn to_js(value: &impl Serialize) -> JsValue {
    // Texts, numbers and objects with text names: nothing that the serializer refuses.
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or_default()
}

/// A value as the JSON text of an answer.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The same of an answer that holds a secret, of which nothing stays in this memory.
fn to_secret_json(value: &impl Serialize) -> JsValue {
    let text = secret::json(value);
    secret::scrub_stack();
    JsValue::from_str(std::str::from_utf8(&text).unwrap_or_default())
}

/// Reads the options that the JavaScript layer has checked.
fn from_js<T: serde::de::DeserializeOwned>(options: JsValue) -> JsResult<T> {
    serde_wasm_bindgen::from_value(options).map_err(|error| Failure::internal(&error.to_string()).into())
}
