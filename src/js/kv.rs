//! A KV namespace as a [`Store`].
//!
//! Declared by hand, as it takes fewer crossings into JavaScript than `worker::kv` does, and as the
//! bulk read is missing there. What has many parts comes as one text, in one crossing.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::text;
use crate::limits::KV_TIMEOUT_MS;
use crate::store::{Entry, KeyPage, ListedKey, Store, StoreError};

#[wasm_bindgen]
extern "C" {
    /// Anything with the methods of a Workers KV namespace.
    #[derive(Clone, Debug)]
    pub type KvNamespace;
}

#[wasm_bindgen(module = "/src/js/glue.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn get(namespace: &KvNamespace, key: &str, patience: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = bulkGet)]
    async fn bulk_get(namespace: &KvNamespace, keys: &str, patience: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    async fn put(
        namespace: &KvNamespace,
        key: &str,
        value: &str,
        metadata: Option<&str>,
        ttl: Option<f64>,
        patience: u32,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch)]
    async fn remove(namespace: &KvNamespace, key: &str, patience: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = listKeys)]
    async fn list_keys(
        namespace: &KvNamespace,
        prefix: &str,
        limit: usize,
        cursor: Option<&str>,
        patience: u32,
    ) -> Result<JsValue, JsValue>;
}

/// A store in a KV namespace.
#[derive(Debug)]
pub struct KvStore(KvNamespace);

impl KvStore {
    /// Takes what is bound as the namespace.
    pub fn new(binding: JsValue) -> Self {
        Self(binding.unchecked_into())
    }
}

impl Store for KvStore {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(get(&self.0, key, KV_TIMEOUT_MS).await.map_err(failed)?.as_string())
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, StoreError> {
        // No key of the schema holds a line feed.
        let values = bulk_get(&self.0, &keys.join("\n"), KV_TIMEOUT_MS).await.map_err(failed)?;
        serde_json::from_str(&values.as_string().unwrap_or_default()).map_err(|_| odd("a bulk read"))
    }

    async fn put(&self, key: &str, entry: Entry<'_>) -> Result<(), StoreError> {
        let ttl = entry.ttl.map(|seconds| seconds as f64);
        put(&self.0, key, entry.value, entry.metadata, ttl, KV_TIMEOUT_MS).await.map_err(failed).map(drop)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        remove(&self.0, key, KV_TIMEOUT_MS).await.map_err(failed).map(drop)
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<KeyPage, StoreError> {
        let refused = |thrown| match failed(thrown) {
            // The one thing in it that isn't this vault's own.
            StoreError::Unavailable(message) if cursor.is_some() && message.contains("400") => {
                StoreError::Cursor(message)
            }
            error => error,
        };
        let page = list_keys(&self.0, prefix, limit, cursor, KV_TIMEOUT_MS).await.map_err(refused)?;
        let page: Uint8Array = page.unchecked_into();
        key_page(&page.to_vec()).ok_or_else(|| odd("a list"))
    }
}

/// Reads what `listKeys` wrote.
fn key_page(page: &[u8]) -> Option<KeyPage> {
    let (lengths, mut rest) = std::str::from_utf8(page).ok()?.split_once('\n')?;
    let mut texts = lengths.split(',').map_while(|length| {
        let (text, after) = rest.split_at_checked(length.parse().ok()?)?;
        rest = after;
        Some(text)
    });
    let cursor = texts.next()?;
    let mut keys = Vec::new();
    while let (Some(name), Some(metadata), Some(expiration)) = (texts.next(), texts.next(), texts.next()) {
        let metadata = (!metadata.is_empty()).then(|| metadata.to_owned());
        keys.push(ListedKey { name: name.to_owned(), metadata, expiration: expiration.parse().ok() });
    }
    Some(KeyPage { keys, cursor: (!cursor.is_empty()).then(|| cursor.to_owned()) })
}

/// What KV throws says the status that it answered with.
fn failed(thrown: JsValue) -> StoreError {
    let message = text(&thrown);
    if message.contains("429") { StoreError::Busy(message) } else { StoreError::Unavailable(message) }
}

fn odd(what: &str) -> StoreError {
    StoreError::Unavailable(format!("KV gave {what} of an unknown form"))
}
