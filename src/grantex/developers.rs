//! Whose an API key of Grantex's is: `GET /v1/me` there, remembered for a while by the key's hash.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Grantex, GrantexError};
use crate::bounded;
use crate::developer::{ApiKey, DeveloperId, Mode};
use crate::fetch::{Fetch, FetchError};
use crate::json::Object;
use crate::limits;
use crate::timestamp::Timestamp;

/// What Grantex says of a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Their id there, and here.
    pub developer: DeveloperId,
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Production or trying out.
    pub mode: Option<Mode>,
    /// When the account was made.
    pub created_at: Option<Timestamp>,
}

/// What was heard a moment ago, by the hash of an API key.
#[derive(Debug)]
pub(super) struct KnownDevelopers {
    secs: i64,
    heard: RefCell<HashMap<String, Heard>>,
}

#[derive(Clone, Debug)]
struct Heard {
    /// `None` for a key that Grantex refuses.
    profile: Option<Rc<Profile>>,
    at: Timestamp,
}

impl KnownDevelopers {
    pub(super) fn new(secs: i64) -> Self {
        Self { secs, heard: RefCell::default() }
    }

    fn find(&self, hash: &str, now: Timestamp) -> Option<Heard> {
        let heard = self.heard.borrow().get(hash).cloned()?;
        let longest = if heard.profile.is_some() { self.secs } else { limits::GRANTEX_REFUSAL_SECS };
        (now.seconds_since(heard.at) < longest).then_some(heard)
    }

    fn keep(&self, hash: String, profile: Option<Rc<Profile>>, at: Timestamp) {
        bounded::keep(&mut self.heard.borrow_mut(), limits::KNOWN_ACCOUNTS, hash, Heard { profile, at });
    }
}

impl Grantex {
    /// The developer of an API key that Grantex was asked about a moment ago and took.
    pub fn known_developer(&self, api_key: &ApiKey, now: Timestamp) -> Option<Rc<Profile>> {
        self.developers.find(&api_key.hash(), now)?.profile
    }

    /// The developer whose API key it is; `None` where Grantex refuses it.
    pub async fn developer(
        &self,
        api_key: &ApiKey,
        fetch: &impl Fetch,
        now: Timestamp,
    ) -> Result<Option<Rc<Profile>>, GrantexError> {
        let hash = api_key.hash();
        if let Some(heard) = self.developers.find(&hash, now) {
            return Ok(heard.profile);
        }
        let answer = self.get("/v1/me", api_key.secret(), fetch).await?;
        let profile = match answer.json() {
            Ok(body) => Some(Rc::new(read(&body)?)),
            Err(FetchError::Status(401 | 403)) => None,
            Err(error) => return Err(error.into()),
        };
        self.developers.keep(hash, profile.clone(), now);
        Ok(profile)
    }
}

/// Only the id has to be there; the rest is for showing.
fn read(body: &[u8]) -> Result<Profile, GrantexError> {
    let body = Object::parse(body).map_err(|_| GrantexError::Answer("JSON object"))?;
    let text = |name| body.nullable::<String>(name, "a string").ok().flatten();
    let developer = text("developerId").and_then(|id| DeveloperId::parse(&id));
    Ok(Profile {
        developer: developer.ok_or(GrantexError::Answer("developerId"))?,
        name: text("name"),
        email: text("email"),
        mode: text("mode").and_then(|mode| Mode::parse(&mode)),
        created_at: text("createdAt").and_then(|at| Timestamp::parse(&at)),
    })
}
