//! The operator's calls, which exist where there is an admin key.

use super::Call;
use crate::accounts::{AccountError, Removal};
use crate::audit::{Actor, Kind};
use crate::developer::DeveloperId;
use crate::fetch::Fetch;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, params, view};
use crate::store::Store;

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn provision_developer(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.operator()?;
        let (developer, new) = params::provisioned_account(&self.json(body).await?)?;
        let (account, api_key) = match developer {
            Some(developer) => self.accounts().provision(developer, new, self.host.now).await?,
            None => self.accounts().sign_up(new, self.host.now).await?,
        };
        self.note(|event| {
            event.by(Actor::Operator, &account.developer);
            event.done(Kind::AccountCreated);
        });
        Ok(Response::secret_json(201, &view::Developer::with_key(&account, &api_key)))
    }

    pub(super) async fn list_developers(&self) -> Result<Response, ApiError> {
        self.operator()?;
        let (limit, cursor) = params::page_query(&self.head.query)?;
        let page = self.accounts().list(limit, cursor.as_deref()).await?;
        self.note(|event| event.done(Kind::AdminRead));
        Ok(Response::json(200, &view::Developers::new(&page)))
    }

    pub(super) async fn get_developer(&self, id: &str) -> Result<Response, ApiError> {
        self.operator()?;
        let developer = developer_id(id)?;
        let account = self.accounts().find(&developer).await?;
        self.note(|event| {
            event.by(Actor::Operator, &developer);
            event.done(Kind::AdminRead);
        });
        Ok(Response::json(200, &view::Developer::new(&account)))
    }

    pub(super) async fn remove_developer(&self, id: &str) -> Result<Response, ApiError> {
        self.operator()?;
        let developer = developer_id(id)?;
        let removal = self.accounts().remove(&developer, self.host.now).await?;
        self.note(|event| {
            event.by(Actor::Operator, &developer);
            event.done(Kind::AccountRemoved);
        });
        Ok(match removal {
            Removal::Complete => Response::empty(204),
            Removal::Remaining => Response::json(202, &view::Remaining { remaining: true }),
        })
    }
}

fn developer_id(id: &str) -> Result<DeveloperId, ApiError> {
    DeveloperId::parse(id).ok_or_else(|| AccountError::NotFound.into())
}
