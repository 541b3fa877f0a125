//! Bodies of requests and responses, read to a limit.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Request};
use zeroize::Zeroizing;

use crate::http::{BodyError, ReadBody};

#[wasm_bindgen(module = "/src/js/glue.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = requestBytes)]
    async fn request_bytes(request: &Request) -> Result<JsValue, JsValue>;
}

/// The body of a request.
#[derive(Debug)]
pub struct RequestBody<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its `Content-Length`, which the host's HTTP parser holds it to.
    pub announced: Option<usize>,
}

impl ReadBody for RequestBody<'_> {
    async fn read(self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        match self.announced {
            Some(length) if length > limit => Err(BodyError::TooLarge),
            Some(0) => Ok(Zeroizing::default()),
            // Read whole: asking for the stream would make one.
            Some(_) => {
                let bytes = request_bytes(self.request).await.map_err(|_| BodyError::Broken)?;
                let bytes: Uint8Array = bytes.dyn_into().map_err(|_| BodyError::Broken)?;
                if bytes.length() as usize > limit {
                    return Err(BodyError::TooLarge);
                }
                Ok(Zeroizing::new(bytes.to_vec()))
            }
            None => match self.request.body() {
                Some(stream) => read(&stream, limit).await,
                None => Ok(Zeroizing::default()),
            },
        }
    }
}

/// Reads a stream to its end, or gives up on it where it exceeds the limit.
pub(super) async fn read(stream: &ReadableStream, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let broken = |_: JsValue| BodyError::Broken;
    let reader = ReadableStreamDefaultReader::new(stream).map_err(broken)?;
    // One buffer of the limit's size: one that grew would leave copies behind that nothing erases.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
    loop {
        let result = JsFuture::from(reader.read()).await.map_err(broken)?;
        let field = |name: &str| js_sys::Reflect::get(&result, &JsValue::from_str(name)).map_err(broken);
        if field("done")?.is_truthy() {
            return Ok(bytes);
        }
        let chunk: Uint8Array = field("value")?.dyn_into().map_err(broken)?;
        let start = bytes.len();
        let end = start + chunk.length() as usize;
        if end > limit {
            // What the sender still has is of no interest, nor is whether it heard so.
            let _ = reader.cancel();
            return Err(BodyError::TooLarge);
        }
        bytes.resize(end, 0);
        if let Some(place) = bytes.get_mut(start..) {
            chunk.copy_to(place);
        }
    }
}
