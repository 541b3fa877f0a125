//! The calls that revoke grants and their tokens.

use super::Call;
use crate::grant::issuer::FetchJwks;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, params};
use crate::store::Store;
use crate::store::keys::Revocable;

impl<S: Store, F: FetchJwks, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn revoke_token(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let id = params::revoked_token(&self.json(body).await?)?;
        self.vault().revoke(&account.developer, Revocable::Token(&id)).await?;
        Ok(Response::empty(204))
    }

    pub(super) async fn revoke_grant(&self, id: String) -> Result<Response, ApiError> {
        let (account, _) = self.developer().await?;
        let id = params::revocable_id("grantId", id)?;
        self.vault().revoke(&account.developer, Revocable::Grant(&id)).await?;
        Ok(Response::empty(204))
    }
}
