//! Bodies of requests and responses, read to a limit.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Request};
use zeroize::Zeroizing;

use crate::http::{BodyError, ReadBody};

/// The body of a request.
#[derive(Debug)]
pub struct RequestBody<'a>(pub &'a Request);

impl ReadBody for RequestBody<'_> {
    async fn read(self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        let length = self.0.headers().get("content-length").ok().flatten();
        let length = length.and_then(|text| text.parse::<usize>().ok());
        if length.is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge);
        }
        match self.0.body() {
            Some(stream) => read(&stream, limit, length).await,
            None => Ok(Zeroizing::default()),
        }
    }
}

/// Reads a stream to its end, or gives up on it where it exceeds the limit.
///
/// The length that was announced, if one was, is believed only as far as it saves memory.
pub(super) async fn read(
    stream: &ReadableStream,
    limit: usize,
    announced: Option<usize>,
) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let broken = |_: JsValue| BodyError::Broken;
    let reader = ReadableStreamDefaultReader::new(stream).map_err(broken)?;
    // One buffer of the right size: one that grew would leave copies behind that nothing erases.
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(limit).min(limit)));
    loop {
        let result = JsFuture::from(reader.read()).await.map_err(broken)?;
        let field = |name: &str| js_sys::Reflect::get(&result, &JsValue::from_str(name)).map_err(broken);
        if field("done")?.is_truthy() {
            return Ok(bytes);
        }
        let chunk: js_sys::Uint8Array = field("value")?.dyn_into().map_err(broken)?;
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
