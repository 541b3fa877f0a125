//! The operator's call on the audit: which hash stands for a name that they know.

use super::Call;
use crate::audit::{Actor, Kind};
use crate::fetch::Fetch;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, params, view};
use crate::store::Store;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn audit_hashes(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.operator()?;
        let names = params::audit_names(&self.json(body).await?)?;
        let (pseudonyms, developer) = (&self.settings.pseudonyms, &names.developer);
        let hashes = view::AuditHashes {
            principal_hash: names.principal.map(|name| pseudonyms.principal(developer, &name)),
            token_hash: names.token.map(|name| pseudonyms.token(developer, &name)),
            grant_hash: names.grant.map(|name| pseudonyms.grant(developer, &name)),
        };
        self.note(|event| {
            event.actor = Some(Actor::Operator);
            event.done(Kind::AdminRead);
        });
        Ok(Response::json(200, &hashes))
    }
}
