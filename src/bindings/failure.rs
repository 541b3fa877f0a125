//! How a failure crosses into JavaScript, where it becomes a `VaultError`.

use std::fmt::Display;

use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::http::error::ApiError;
use crate::http::new_request_id;
use crate::settings::Problem;

/// A failure: what the HTTP contract would answer, and the reason, which the wire never learns but an
/// in-process caller may.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    message: String,
    code: &'static str,
    status: u16,
    request_id: Option<String>,
    reason: Option<String>,
}

impl Failure {
    /// An option that can't be, by the name that the package gives it.
    pub fn misconfigured(problems: &[Problem]) -> Self {
        let told: Vec<_> = problems.iter().map(|problem| format!("{} {}", problem.setting, problem.message)).collect();
        let error = ApiError::misconfigured();
        Self { message: told.join("; "), code: "MISCONFIGURED", reason: None, ..Self::of(&error) }
    }

    /// A sealed text that doesn't open.
    pub fn cannot_open(reason: impl Display) -> Self {
        Self {
            message: "The sealed text does not open: wrong key, wrong context, or changed".to_owned(),
            code: "CANNOT_OPEN",
            status: 0,
            request_id: None,
            reason: Some(reason.to_string()),
        }
    }

    /// What should never happen.
    pub fn internal(reason: &str) -> Self {
        Self::of(&ApiError::internal(reason))
    }

    fn of(error: &ApiError) -> Self {
        let reason = (error.log_reason() != error.message()).then(|| match error.record() {
            Some(record) => format!("record {record}: {}", error.log_reason()),
            None => error.log_reason().to_owned(),
        });
        Self {
            message: error.message().to_owned(),
            code: error.code(),
            status: error.status(),
            request_id: new_request_id().ok(),
            reason,
        }
    }
}

impl<E: Into<ApiError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(&error.into())
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        super::to_js(&failure)
    }
}
