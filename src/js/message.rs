//! Requests from the host and responses to it, each in one crossing.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use zeroize::Zeroizing;

use super::RequestBody;
use crate::http::{self, Head, Response};
use crate::secret::Secret;

#[wasm_bindgen(module = "/src/js/glue.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = requestHead)]
    fn request_head(request: &Request) -> Result<String, JsValue>;

    #[wasm_bindgen(js_name = fixedHeaders)]
    fn fixed_headers(headers: &str, with_body: &str);

    #[wasm_bindgen(catch, js_name = makeResponse)]
    fn make_response(status: u16, headers: &str, body: Option<&[u8]>) -> Result<web_sys::Response, JsValue>;
}

/// What a request says before its body, and its body, not yet read.
pub fn from_js(request: &Request) -> Result<(Head, RequestBody<'_>), JsValue> {
    // It holds the bearer token.
    let text = Zeroizing::new(request_head(request)?);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, url) = (line(), line());
    let (path, query) = path_and_query(url);
    let mut header = || Some(line()).filter(|value| !value.is_empty()).map(str::to_owned);
    let mut head = Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: header().map(Secret::new),
        content_type: header(),
        origin: header(),
        dpop: None,
        base: base(url).to_owned(),
    };
    let announced = header().and_then(|length| length.parse().ok());
    head.dpop = header();
    Ok((head, RequestBody { request, announced }))
}

/// Tells the host the headers that every response has, once, so that it needn't hear them each time.
pub fn keep_fixed_headers() {
    fixed_headers(&lines(http::api_headers()), &lines([http::BODY_TYPE].into_iter()));
}

/// A response for the host; [`keep_fixed_headers`] comes first.
pub fn to_js(response: &Response) -> Result<web_sys::Response, JsValue> {
    let body = (!response.body.is_empty()).then_some(&*response.body);
    let own = response.headers.iter().map(|(name, value)| (*name, value.as_ref()));
    let headers = lines(own.filter(|header| body.is_none() || *header != http::BODY_TYPE));
    make_response(response.status, &headers, body)
}

/// Names and values in turn, a line each; none of them holds a line feed.
pub(super) fn lines<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut lines = String::with_capacity(256);
    for (name, value) in headers {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(name);
        lines.push('\n');
        lines.push_str(value);
    }
    lines
}

/// Scheme and authority of an absolute URL.
fn base(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(start..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| start + at);
    url.get(..end).unwrap_or_default()
}

/// The path and the query of an absolute URL.
fn path_and_query(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap_or_default();
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let start = after_scheme.find(['/', '?']).unwrap_or(after_scheme.len());
    let target = after_scheme.get(start..).unwrap_or_default();
    target.split_once('?').unwrap_or((target, ""))
}
