//! The calls that revoke grants and their tokens.

use super::Call;
use crate::audit::Kind;
use crate::fetch::Fetch;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, params};
use crate::store::Store;
use crate::store::keys::Revocable;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn revoke_token(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        let id = params::revoked_token(&self.json(body).await?)?;
        let hash = self.settings.pseudonyms.token(caller.developer(), &id);
        self.note(|event| event.token_hash = Some(hash));
        self.vault().revoke(caller.developer(), Revocable::Token(&id)).await?;
        self.note(|event| event.done(Kind::TokenRevoked));
        Ok(Response::empty(204))
    }

    pub(super) async fn revoke_grant(&self, id: String) -> Result<Response, ApiError> {
        let caller = self.developer().await?;
        let id = params::revocable_id("grantId", id)?;
        let hash = self.settings.pseudonyms.grant(caller.developer(), &id);
        self.note(|event| event.grant_hash = Some(hash));
        self.vault().revoke(caller.developer(), Revocable::Grant(&id)).await?;
        self.note(|event| event.done(Kind::GrantRevoked));
        Ok(Response::empty(204))
    }
}
