//! The calls of a developer on their own account: sign-up, a new API key, who am I.

use super::{Call, Caller};
use crate::audit::{Actor, Kind};
use crate::fetch::Fetch;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::rate::Limit;
use crate::http::response::Response;
use crate::http::{ReadBody, params, view};
use crate::settings::SignUp;
use crate::store::Store;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn sign_up(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.count_client(Limit::SignUp).await?;
        if self.settings.sign_up == SignUp::Closed {
            return Err(ApiError::forbidden("Sign-up is closed here; ask the operator for an API key"));
        }
        let new = params::new_account(&self.json(body).await?)?;
        let (account, api_key) = self.accounts().sign_up(new, self.host.now).await?;
        self.note(|event| {
            event.by(Actor::Developer, &account.developer);
            event.done(Kind::AccountCreated);
        });
        Ok(Response::secret_json(201, &view::Developer::with_key(&account, &api_key)))
    }

    pub(super) async fn rotate_key(&self) -> Result<Response, ApiError> {
        let (account, old) = match self.developer().await? {
            Caller::Here(account, api_key) => (account, api_key),
            Caller::OfGrantex(_) => return Err(ApiError::forbidden("This API key is Grantex's: rotate it there")),
        };
        let new = self.accounts().rotate(&account, &old).await?;
        self.note(|event| event.done(Kind::KeyRotated));
        Ok(Response::secret_json(200, &view::RotatedKey::new(&new, self.host.now)))
    }

    pub(super) async fn me(&self) -> Result<Response, ApiError> {
        Ok(match self.developer().await? {
            Caller::Here(account, _) => Response::json(200, &view::Developer::new(&account)),
            Caller::OfGrantex(profile) => Response::json(200, &view::GrantexDeveloper::new(&profile)),
        })
    }
}
