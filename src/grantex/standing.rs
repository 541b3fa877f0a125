//! Whether a grant token still stands at Grantex: `POST /v1/tokens/verify` there.
//!
//! Only a yes that agrees with the token opens anything, and only a yes may be remembered. Where
//! Grantex can't be asked, nothing is known, and nothing opens.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Grantex, GrantexError};
use crate::bounded;
use crate::fetch::{Fetch, FetchError};
use crate::json::Object;
use crate::limits;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// When Grantex is asked whether a grant token stands: the setting `GRANT_STATUS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusCheck {
    /// At every exchange.
    Online,
    /// Unless it said yes within that many seconds.
    Cached(i64),
    /// Never: this vault's own revocations count alone.
    Offline,
}

impl StatusCheck {
    /// Reads `online`, `cached:N` with N from 1 to [`limits::GRANT_STATUS_SECS`], or `offline`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "online" => Some(Self::Online),
            "offline" => Some(Self::Offline),
            _ => {
                let secs = text.strip_prefix("cached:")?;
                let secs = secs.bytes().all(|byte| byte.is_ascii_digit()).then(|| secs.parse().ok())??;
                (1..=limits::GRANT_STATUS_SECS).contains(&secs).then_some(Self::Cached(secs))
            }
        }
    }
}

/// Why a grant token isn't known to stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// Grantex says no.
    #[error("Grantex says that it does not stand")]
    Fallen,
    /// Grantex says yes, but to another grant than the token's.
    #[error("Grantex speaks of another {0}")]
    Disagreement(&'static str),
    /// Grantex can't be asked.
    #[error(transparent)]
    Unknown(#[from] GrantexError),
}

/// What the token says, with which Grantex has to agree.
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    /// The grant's id.
    pub grant_id: &'a str,
    /// The principal.
    pub principal: &'a str,
    /// The agent.
    pub agent: &'a str,
}

/// When a token last was heard to stand, by its hash.
#[derive(Debug, Default)]
pub(super) struct KnownStandings(RefCell<HashMap<[u8; 32], Timestamp>>);

impl Grantex {
    /// Whether Grantex is asked about grants at all.
    pub fn checks_grants(&self) -> bool {
        self.check != StatusCheck::Offline
    }

    /// Checks that a token, whose signature and claims are good, stands.
    pub async fn must_stand(
        &self,
        token: &str,
        claimed: Claimed<'_>,
        fetch: &impl Fetch,
        now: Timestamp,
    ) -> Result<(), StandingError> {
        let secs = match self.check {
            StatusCheck::Offline => return Ok(()),
            StatusCheck::Online => return self.ask_standing(token, claimed, fetch).await,
            StatusCheck::Cached(secs) => secs,
        };
        let hash = Sha256::digest(token).into();
        let heard_at = self.standings.0.borrow().get(&hash).copied();
        if heard_at.is_some_and(|at| now.seconds_since(at) < secs) {
            return Ok(());
        }
        self.ask_standing(token, claimed, fetch).await?;
        bounded::keep(&mut self.standings.0.borrow_mut(), limits::VERIFIED_TOKENS, hash, now);
        Ok(())
    }

    async fn ask_standing(&self, token: &str, claimed: Claimed<'_>, fetch: &impl Fetch) -> Result<(), StandingError> {
        #[derive(Serialize)]
        struct Question<'a> {
            token: &'a str,
        }

        let api_key = self.api_key.as_ref().ok_or(GrantexError::OwnKey)?;
        let question = serde_json::to_string(&Question { token }).map_err(|_| GrantexError::Answer("question"))?;
        let answer = match self.post("/v1/tokens/verify", api_key, &Secret::new(question), fetch).await {
            Err(FetchError::Status(401 | 403)) => Err(GrantexError::OwnKey),
            other => other.map_err(GrantexError::Fetch),
        }?;
        judge(&answer, claimed)
    }
}

fn judge(answer: &[u8], claimed: Claimed<'_>) -> Result<(), StandingError> {
    let answer = Object::parse(answer).map_err(|_| GrantexError::Answer("JSON object"))?;
    match answer.required::<bool>("valid", "true or false") {
        Ok(true) => {}
        Ok(false) => return Err(StandingError::Fallen),
        Err(_) => return Err(GrantexError::Answer("valid").into()),
    }
    let Claimed { grant_id, principal, agent } = claimed;
    for (name, ours) in [("grantId", grant_id), ("principal", principal), ("agent", agent)] {
        let theirs: String = answer.required(name, "a string").map_err(|_| GrantexError::Answer(name))?;
        if theirs != ours {
            return Err(StandingError::Disagreement(name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_has_three_forms() {
        assert_eq!(StatusCheck::parse("online"), Some(StatusCheck::Online));
        assert_eq!(StatusCheck::parse("offline"), Some(StatusCheck::Offline));
        assert_eq!(StatusCheck::parse("cached:1"), Some(StatusCheck::Cached(1)));
        assert_eq!(StatusCheck::parse("cached:3600"), Some(StatusCheck::Cached(3_600)));
        for text in
            ["", "Online", "cached", "cached:", "cached:0", "cached:3601", "cached:-1", "cached:+5", "cached:5s"]
        {
            assert_eq!(StatusCheck::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_a_yes_that_agrees_is_one() {
        let claimed = Claimed { grant_id: "g", principal: "p", agent: "a" };
        let judged = |answer: &str| judge(answer.as_bytes(), claimed);
        let yes = r#"{"valid":true,"grantId":"g","principal":"p","agent":"a","scopes":[],"expiresAt":"x"}"#;
        assert_eq!(judged(yes), Ok(()));
        assert_eq!(judged(r#"{"valid":false}"#), Err(StandingError::Fallen));
        assert_eq!(judged(&yes.replace("true", "false")), Err(StandingError::Fallen));
        for name in ["grantId", "principal", "agent"] {
            let other = yes.replace(&format!("\"{name}\":\""), &format!("\"{name}\":\"x"));
            assert_eq!(judged(&other), Err(StandingError::Disagreement(name)));
            let without = yes.replace(name, "else");
            assert_eq!(judged(&without), Err(GrantexError::Answer(name).into()));
        }
        for answer in ["", "true", "[]", "{}", r#"{"valid":"true"}"#, r#"{"valid":1}"#, r#"{"valid":null}"#] {
            assert!(matches!(judged(answer), Err(StandingError::Unknown(_))), "{answer}");
        }
        let twice = yes.replacen('{', r#"{"valid":false,"#, 1);
        assert!(matches!(judged(&twice), Err(StandingError::Unknown(_))));
    }
}
