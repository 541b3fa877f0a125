//! The operator's calls that move records out of this namespace, and into it.

use super::Call;
use crate::audit::Kind;
use crate::fetch::Fetch;
use crate::grant::signature::CheckSignature;
use crate::http::error::ApiError;
use crate::http::response::Response;
use crate::http::{ReadBody, operator};
use crate::store::Store;
use crate::transfer::{Arrival, Transfer};

impl<S: Store, F: Fetch, C: CheckSignature> Call<'_, S, F, C> {
    pub(super) async fn export_records(&self) -> Result<Response, ApiError> {
        self.operator()?;
        let (limit, cursor) = operator::export_query(&self.head.query)?;
        let page = self.transfer().export(cursor.as_deref(), limit).await?;
        self.note(|event| event.done(Kind::RecordsExported));
        Ok(Response::json(200, &operator::Records::new(&page)))
    }

    pub(super) async fn import_records(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.operator()?;
        let records = operator::imported_records(&self.json(body).await?)?;
        let arrivals = self.transfer().import(&records, self.host.now).await?;
        self.note(|event| event.done(Kind::RecordsImported));
        let results = records.iter().zip(&arrivals);
        let results =
            results.map(|(record, arrival)| operator::Arrived::new(Some(&record.key), None, arrival)).collect();
        Ok(Response::json(200, &operator::Arrivals { results }))
    }

    pub(super) async fn import_credentials(&self, body: impl ReadBody) -> Result<Response, ApiError> {
        self.operator()?;
        let body = self.json(body).await?;
        let mut arrived = Vec::new();
        for credential in operator::imported_credentials(&body)? {
            arrived.push(match credential {
                Ok(operator::ImportedCredential { developer, new, created_at, updated_at }) => {
                    let (id, arrival) = self.transfer().move_in(&developer, new, created_at, updated_at).await?;
                    (Some(id), arrival)
                }
                // One that can't be doesn't keep the others out.
                Err(error) => (None, Arrival::Refused(error.message().to_owned())),
            });
        }
        self.note(|event| event.done(Kind::RecordsImported));
        let results = arrived.iter().map(|(id, arrival)| operator::Arrived::new(None, id.as_ref(), arrival)).collect();
        Ok(Response::json(200, &operator::Arrivals { results }))
    }

    fn transfer(&self) -> Transfer<'_, S> {
        Transfer::new(&self.settings.keyring, self.host.store)
    }
}
