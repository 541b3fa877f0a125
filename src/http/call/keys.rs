//! The operator's calls on root keys: how many records are under which, and resealing the rest.

use super::Call;
use crate::audit::Kind;
use crate::fetch::Fetch;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, operator};
use crate::rotation::Rotation;
use crate::store::Store;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn count_keys(&self) -> Result<Response, ApiError> {
        self.operator()?;
        let cursor = operator::cursor_query(&self.head.query)?;
        let counts = self.rotation().count(cursor.as_deref()).await?;
        self.note(|event| event.done(Kind::AdminRead));
        Ok(Response::json(200, &operator::KeyCounts::new(&self.settings.keyring, &counts)))
    }

    pub(super) async fn rewrap(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.operator()?;
        let (cursor, limit) = operator::rewrap(&self.json(body).await?)?;
        let done = self.rotation().rewrap(cursor.as_deref(), limit).await?;
        self.note(|event| event.done(Kind::RecordsResealed));
        Ok(Response::json(200, &operator::Rewrapped::new(&done)))
    }

    fn rotation(&self) -> Rotation<'_, S> {
        Rotation::new(&self.settings.keyring, self.host.store)
    }
}
