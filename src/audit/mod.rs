//! The audit: one line for each thing that was done or refused, as a value.
//!
//! An event is begun with the request and filled in as the call learns who asks and for what. The host
//! writes it to the log before it gives the answer, and so before a secret leaves. It holds ids that a
//! signature, a login or this vault vouches for, and keyed hashes for what names a person or a token:
//! never a secret, and nothing raw that a caller chose freely. The README's table has every event.

pub mod pseudonyms;
pub mod webhook;

use serde::Serialize;

use crate::credential::CredentialId;
use crate::developer::DeveloperId;
use crate::grant::Grant;
use crate::limits;
use crate::reference::Reference;
use crate::timestamp::Timestamp;
use pseudonyms::Pseudonyms;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A credential was stored where there was none.
    #[serde(rename = "credential.stored")]
    CredentialStored,
    /// A credential was stored in place of another.
    #[serde(rename = "credential.replaced")]
    CredentialReplaced,
    /// A credential was removed.
    #[serde(rename = "credential.deleted")]
    CredentialDeleted,
    /// A grant was exchanged for a credential.
    #[serde(rename = "credential.exchanged")]
    CredentialExchanged,
    /// An exchange was refused.
    #[serde(rename = "exchange.refused")]
    ExchangeRefused,
    /// An exchange went wrong here.
    #[serde(rename = "exchange.failed")]
    ExchangeFailed,
    /// A grant was exchanged for a reference to a credential.
    #[serde(rename = "reference.issued")]
    ReferenceIssued,
    /// A reference was resolved to its credential.
    #[serde(rename = "reference.resolved")]
    ReferenceResolved,
    /// A developer got a new API key, and the old one ended.
    #[serde(rename = "key.rotated")]
    KeyRotated,
    /// A developer's account was made.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// A developer's account was removed, or is being removed (status 202).
    #[serde(rename = "account.removed")]
    AccountRemoved,
    /// A grant was revoked.
    #[serde(rename = "grant.revoked")]
    GrantRevoked,
    /// A grant token was revoked.
    #[serde(rename = "token.revoked")]
    TokenRevoked,
    /// The operator looked at something.
    #[serde(rename = "admin.read")]
    AdminRead,
    /// Records were brought under the current root key.
    #[serde(rename = "records.resealed")]
    RecordsResealed,
    /// Records were taken out, still sealed.
    #[serde(rename = "records.exported")]
    RecordsExported,
    /// Records or credentials came in from elsewhere.
    #[serde(rename = "records.imported")]
    RecordsImported,
    /// A caller wasn't who they must be.
    #[serde(rename = "auth.failed")]
    AuthFailed,
    /// A caller was over a limit, other than that of exchanges.
    #[serde(rename = "limit.exceeded")]
    LimitExceeded,
    /// Another request was refused.
    #[serde(rename = "request.refused")]
    RequestRefused,
    /// Another request went wrong here.
    #[serde(rename = "request.failed")]
    RequestFailed,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As the caller asked.
    Done,
    /// Not at all, for what the caller did.
    Refused,
    /// Not as asked, for what went wrong here.
    Failed,
}

/// Who asked, once that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// The developer, by an API key.
    Developer,
    /// An agent, by a grant token.
    Agent,
    /// The operator, by the admin key.
    Operator,
}

/// One event, and one line of the log.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `info` for what was done, `warn` for what a caller did, `error` for what went wrong here.
    pub level: &'static str,
    /// The time of the request.
    pub time: Timestamp,
    /// The request's id.
    pub request_id: String,
    /// What happened; nothing for what was only looked at, which is no line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Kind>,
    /// How it ended.
    pub outcome: Outcome,
    /// The status that was answered.
    pub status: u16,
    /// The call, as its method and the form of its path; absent where the request was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<&'static str>,
    /// The scope that permitted an exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why it was refused, or what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The damaged record, where it failed for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Whose vault it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer: Option<String>,
    /// The agent, as the verified grant token names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The grant, as the verified grant token names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The grant that was revoked, as a keyed hash of what the developer named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_hash: Option<String>,
    /// The credential's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The principal, as a keyed hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_hash: Option<String>,
    /// The grant token's id, as a keyed hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_hash: Option<String>,
}

impl Event {
    /// The event of a request of which nothing is known yet.
    pub fn of(request_id: &str, time: Timestamp) -> Self {
        Self {
            level: "info",
            time,
            request_id: request_id.to_owned(),
            event: None,
            outcome: Outcome::Done,
            status: 0,
            call: None,
            rule: None,
            reason: None,
            record: None,
            actor: None,
            developer: None,
            agent: None,
            grant: None,
            grant_hash: None,
            credential: None,
            principal_hash: None,
            token_hash: None,
        }
    }

    /// Notes that it was done.
    pub fn done(&mut self, kind: Kind) {
        self.event = Some(kind);
    }

    /// Whether the event is handed on beyond the log. What is about no call isn't, and neither is what an
    /// address is refused for being too many, or whoever sends a flood could turn it on a webhook.
    pub fn is_handed_on(&self) -> bool {
        self.call.is_some() && !(self.status == 429 && self.actor.is_none())
    }

    /// Notes who asked, and whose vault it is about.
    pub fn by(&mut self, actor: Actor, developer: &DeveloperId) {
        self.actor = Some(actor);
        self.developer = Some(developer.as_str().to_owned());
    }

    /// Notes the credential that it is about.
    pub fn about(&mut self, credential: &CredentialId) {
        self.credential = Some(credential.as_str().to_owned());
    }

    /// Notes what a reference of the developer who asks says.
    pub fn with_reference(&mut self, reference: &Reference, pseudonyms: &Pseudonyms) {
        self.about(&reference.credential);
        self.agent = Some(bounded(&reference.agent));
        self.grant = (reference.grant_id != reference.token_id).then(|| bounded(&reference.grant_id));
        self.principal_hash = Some(pseudonyms.principal(&reference.developer, &reference.principal));
        self.token_hash = Some(pseudonyms.token(&reference.developer, &reference.token_id));
    }

    /// Notes what a verified grant token says.
    pub fn with_grant(&mut self, grant: &Grant, pseudonyms: &Pseudonyms) {
        self.by(Actor::Agent, &grant.developer);
        self.agent = Some(bounded(&grant.agent));
        // A grant without an id of its own is known by its token's, which is told as a hash alone.
        self.grant = (grant.grant_id != grant.token_id).then(|| bounded(&grant.grant_id));
        self.principal_hash = Some(pseudonyms.principal(&grant.developer, &grant.principal));
        self.token_hash = Some(pseudonyms.token(&grant.developer, &grant.token_id));
    }
}

/// An id of any length, cut to what can be revoked.
fn bounded(id: &str) -> String {
    let end = id.floor_char_boundary(limits::REVOCABLE_ID_BYTES);
    id.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_cut_between_characters() {
        assert_eq!(bounded("did:grantex:ag_1"), "did:grantex:ag_1");
        let cut = bounded(&format!("x{}", "é".repeat(limits::REVOCABLE_ID_BYTES)));
        assert_eq!(cut.len(), limits::REVOCABLE_ID_BYTES - 1);
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let text = serde_json::to_string(&Event::of("req_1", Timestamp::EPOCH)).unwrap();
        assert_eq!(
            text,
            r#"{"level":"info","time":"1970-01-01T00:00:00.000Z","requestId":"req_1","outcome":"done","status":0}"#
        );
    }
}
