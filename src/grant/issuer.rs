//! Where an issuer's keys come from: inline, or fetched and kept for a while.
//!
//! A set that was fetched is used for ten minutes. A `kid` that it lacks has it fetched again, but
//! at most every 30 seconds, so that a flood of made-up kids is no flood on the issuer. While the
//! issuer can't be reached the last good set serves for up to an hour. Nothing is locked and no
//! other request is waited for: each request that needs a set fetches it itself.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::GrantError;
use super::jwks::{Algorithm, JwkSet, JwksError, SelectError};
use crate::fetch::{Fetch, FetchError, Request};
use crate::limits::{
    JWKS_BYTES, JWKS_FRESH_SECS, JWKS_REFETCH_SECS, JWKS_RETRY_SECS, JWKS_STALE_SECS, JWKS_TIMEOUT_MS,
};
use crate::timestamp::Timestamp;

/// Why a key set couldn't be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The issuer gave no answer that can be read.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The answer is no key set.
    #[error("answered with a key set that can't be used: {0}")]
    Set(#[from] JwksError),
    /// An attempt failed a moment ago, so none was made.
    #[error("failed a moment ago")]
    Recent,
}

/// The keys of the issuer.
#[derive(Debug)]
pub enum IssuerKeys {
    /// A set that the settings hold.
    Inline(Rc<JwkSet>),
    /// A set that the issuer publishes.
    Remote(RemoteKeys),
}

impl IssuerKeys {
    /// The set to verify a token with: one that has the token's key, wherever that can be had.
    pub async fn set_for(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        fetch: &impl Fetch,
        now: Timestamp,
    ) -> Result<Rc<JwkSet>, GrantError> {
        match self {
            Self::Inline(set) => Ok(set.clone()),
            Self::Remote(keys) => keys.set_for(algorithm, key_id, fetch, now).await.map_err(GrantError::NoKeys),
        }
    }
}

/// A set that is fetched from a URL and kept.
#[derive(Debug)]
pub struct RemoteKeys {
    url: String,
    kept: RefCell<Option<Kept>>,
    /// When the last fetch was begun.
    tried_at: Cell<Option<Timestamp>>,
    /// When the last fetch failed, if it did.
    failed_at: Cell<Option<Timestamp>>,
}

#[derive(Clone, Debug)]
struct Kept {
    set: Rc<JwkSet>,
    fetched_at: Timestamp,
}

impl RemoteKeys {
    /// Keys that are fetched from `url` when they are first needed.
    pub fn new(url: String) -> Self {
        Self { url, kept: RefCell::default(), tried_at: Cell::default(), failed_at: Cell::default() }
    }

    async fn set_for(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
        fetch: &impl Fetch,
        now: Timestamp,
    ) -> Result<Rc<JwkSet>, KeysError> {
        let kept = self.kept.borrow().clone();
        let Some(kept) = kept.filter(|kept| now.seconds_since(kept.fetched_at) < JWKS_STALE_SECS) else {
            return self.first(fetch, now).await;
        };
        let is_fresh = now.seconds_since(kept.fetched_at) < JWKS_FRESH_SECS;
        let is_known = !matches!(kept.set.select(algorithm, key_id), Err(SelectError::Unknown));
        if (is_fresh && is_known) || self.is_recent(&self.tried_at, JWKS_REFETCH_SECS, now) {
            return Ok(kept.set);
        }
        Ok(self.fetch(fetch, now).await.unwrap_or(kept.set))
    }

    /// Fetches a set where there is none to fall back on.
    async fn first(&self, fetch: &impl Fetch, now: Timestamp) -> Result<Rc<JwkSet>, KeysError> {
        if self.is_recent(&self.failed_at, JWKS_RETRY_SECS, now) {
            return Err(KeysError::Recent);
        }
        self.fetch(fetch, now).await
    }

    async fn fetch(&self, fetch: &impl Fetch, now: Timestamp) -> Result<Rc<JwkSet>, KeysError> {
        self.tried_at.set(Some(now));
        match self.download(fetch).await {
            Ok(set) => {
                self.failed_at.set(None);
                *self.kept.borrow_mut() = Some(Kept { set: set.clone(), fetched_at: now });
                Ok(set)
            }
            Err(error) => {
                self.failed_at.set(Some(now));
                Err(error)
            }
        }
    }

    async fn download(&self, fetch: &impl Fetch) -> Result<Rc<JwkSet>, KeysError> {
        let request = Request {
            url: &self.url,
            accept: "application/jwk-set+json, application/json",
            bearer: None,
            json: None,
            most: JWKS_BYTES,
            timeout_ms: JWKS_TIMEOUT_MS,
        };
        let body = fetch.fetch(&request).await?.json()?;
        Ok(Rc::new(JwkSet::parse(&body)?))
    }

    fn is_recent(&self, moment: &Cell<Option<Timestamp>>, seconds: i64, now: Timestamp) -> bool {
        moment.get().is_some_and(|moment| now.seconds_since(moment) < seconds)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::fetch::Answer;

    /// An issuer with one key, which can be down.
    struct Issuer {
        key_id: Cell<&'static str>,
        is_down: Cell<bool>,
        fetches: Cell<usize>,
    }

    impl Fetch for Issuer {
        async fn fetch(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
            assert_eq!(request.url, "https://issuer.example/jwks.json");
            assert!(request.bearer.is_none() && request.json.is_none());
            self.fetches.set(self.fetches.get() + 1);
            if self.is_down.get() {
                return Err(FetchError::Timeout);
            }
            let key_id = self.key_id.get();
            let body = format!(
                r#"{{"keys":[{{"kid":"{key_id}","kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}}]}}"#
            );
            let content_type = "application/jwk-set+json".to_owned();
            Ok(Answer { status: 200, content_type, body: body.into_bytes().into() })
        }
    }

    struct Scene {
        issuer: Issuer,
        keys: RemoteKeys,
    }

    impl Scene {
        fn new() -> Self {
            let issuer = Issuer { key_id: Cell::new("a"), is_down: Cell::new(false), fetches: Cell::new(0) };
            Self { issuer, keys: RemoteKeys::new("https://issuer.example/jwks.json".to_owned()) }
        }

        /// Whether the key is in the set that serves at that second.
        fn has(&self, key_id: &str, second: i64) -> Result<bool, KeysError> {
            let now = Timestamp::from_millis(second * 1_000).unwrap();
            let set = block_on(self.keys.set_for(Algorithm::Es256, Some(key_id), &self.issuer, now))?;
            Ok(set.select(Algorithm::Es256, Some(key_id)).is_ok())
        }

        fn fetches(&self) -> usize {
            self.issuer.fetches.take()
        }
    }

    #[test]
    fn a_set_is_fetched_once_in_ten_minutes() {
        let scene = Scene::new();
        for second in [0, 1, 599] {
            assert_eq!(scene.has("a", second), Ok(true));
        }
        assert_eq!(scene.fetches(), 1);
        assert_eq!(scene.has("a", 600), Ok(true));
        assert_eq!(scene.fetches(), 1);
    }

    #[test]
    fn an_unknown_kid_fetches_at_most_every_30_seconds() {
        let scene = Scene::new();
        assert_eq!(scene.has("a", 0), Ok(true));
        scene.issuer.key_id.set("b");
        assert_eq!(scene.has("b", 29), Ok(false));
        assert_eq!(scene.has("b", 30), Ok(true));
        for second in 31..59 {
            assert_eq!(scene.has("made up", second), Ok(false));
        }
        assert_eq!(scene.fetches(), 2);
    }

    #[test]
    fn the_last_good_set_serves_for_an_hour() {
        let scene = Scene::new();
        assert_eq!(scene.has("a", 0), Ok(true));
        scene.issuer.is_down.set(true);
        assert_eq!(scene.has("a", 600), Ok(true));
        assert_eq!(scene.has("a", 601), Ok(true));
        assert_eq!(scene.fetches(), 2);
        assert_eq!(scene.has("a", 3_599), Ok(true));
        assert_eq!(scene.has("a", 3_600), Err(KeysError::Recent));
        assert_eq!(scene.has("a", 3_605), Err(KeysError::Fetch(FetchError::Timeout)));
        scene.issuer.is_down.set(false);
        assert_eq!(scene.has("a", 3_610), Ok(true));
    }

    #[test]
    fn without_any_set_it_tries_again_after_a_pause() {
        let scene = Scene::new();
        scene.issuer.is_down.set(true);
        assert_eq!(scene.has("a", 0), Err(KeysError::Fetch(FetchError::Timeout)));
        assert_eq!(scene.has("a", 4), Err(KeysError::Recent));
        assert_eq!(scene.fetches(), 1);
        scene.issuer.is_down.set(false);
        assert_eq!(scene.has("a", 5), Ok(true));
    }
}
