//! Handing events to the operator's webhook, signed as [Standard Webhooks](https://www.standardwebhooks.com)
//! says, so that a receiver verifies them with any of its libraries.
//!
//! An event is told a few times, with pauses, and then given up: the log has it in any case.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::limits;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// What stands before a secret in base64.
const BASE64_PREFIX: &str = "whsec_";

/// A secret is neither long enough text nor long enough base64 behind `whsec_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have at least 32 characters, and be base64 behind whsec_ if it starts so")]
pub struct WebhookSecretError;

/// Why an event didn't reach the webhook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// It answered with this status.
    #[error("status {0}")]
    Status(u16),
    /// It didn't answer within [`limits::WEBHOOK_TIMEOUT_MS`].
    #[error("no answer in time")]
    Timeout,
    /// It can't be reached, or the connection broke off.
    #[error("no connection")]
    Network,
}

/// What the host does for a delivery.
#[allow(async_fn_in_trait, reason = "JavaScript's promises are not Send, and nothing here needs Send")]
pub trait Post {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Sends a body with headers once, following no redirect; gives the status of the answer.
    async fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<u16, PostError>;

    /// Waits so many milliseconds.
    async fn wait(&self, millis: u32);
}

/// Where events are sent, and what signs them.
#[derive(Debug)]
pub struct Webhook {
    url: String,
    secret: Secret,
}

impl Webhook {
    /// A webhook at `url`. A secret that starts with `whsec_` goes on in base64; any other is used as it is.
    pub fn new(url: String, secret: Secret) -> Result<Self, WebhookSecretError> {
        let webhook = Self { url, secret };
        if webhook.secret.expose().len() < limits::WEBHOOK_SECRET_BYTES || webhook.key().is_none() {
            return Err(WebhookSecretError);
        }
        Ok(webhook)
    }

    fn key(&self) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.secret.expose();
        match text.strip_prefix(BASE64_PREFIX) {
            Some(base64) => Base64::decode_vec(base64).ok().map(Zeroizing::new),
            None => Some(Zeroizing::new(text.as_bytes().to_vec())),
        }
    }

    /// The signature of a message: `v1,` and the HMAC-SHA-256 of `{id}.{seconds}.{body}` in base64.
    fn signature(&self, id: &str, seconds: &str, body: &str) -> String {
        let key = self.key().unwrap_or_default();
        // Its only error is a key of no length that HMAC takes, and it takes every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
        for part in [id, ".", seconds, ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()))
    }

    /// Tells an event, as JSON, under an id that is the same at each try; gives up after
    /// [`limits::WEBHOOK_PAUSES_MS`].
    pub async fn deliver(&self, id: &str, event: &str, host: &impl Post) -> Result<(), PostError> {
        let mut pauses = limits::WEBHOOK_PAUSES_MS.into_iter();
        loop {
            let outcome = self.try_once(id, event, host).await;
            if outcome.is_ok() {
                return Ok(());
            }
            let Some(pause) = pauses.next() else { return outcome };
            host.wait(pause).await;
        }
    }

    async fn try_once(&self, id: &str, event: &str, host: &impl Post) -> Result<(), PostError> {
        let seconds = host.now().seconds().to_string();
        let signature = self.signature(id, &seconds, event);
        let headers = [
            ("Content-Type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", &seconds),
            ("webhook-signature", &signature),
        ];
        match host.post(&self.url, &headers, event).await? {
            200..300 => Ok(()),
            status => Err(PostError::Status(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::executor::block_on;

    use super::*;

    /// A receiver that answers as it is told, and remembers.
    struct Receiver {
        answers: RefCell<Vec<Result<u16, PostError>>>,
        heard: RefCell<Vec<String>>,
    }

    impl Receiver {
        fn answering(answers: impl IntoIterator<Item = Result<u16, PostError>>) -> Self {
            Self { answers: RefCell::new(answers.into_iter().collect()), heard: RefCell::default() }
        }
    }

    impl Post for Receiver {
        fn now(&self) -> Timestamp {
            let waits = self.heard.borrow().iter().filter(|heard| heard.starts_with("wait")).count();
            Timestamp::from_millis(1_674_087_231_000 + waits as i64 * 1_000).unwrap()
        }

        async fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<u16, PostError> {
            let headers: Vec<_> = headers[1..3].iter().map(|(name, value)| format!("{name}={value}")).collect();
            self.heard.borrow_mut().push(format!("{url} {} {body}", headers.join(" ")));
            self.answers.borrow_mut().remove(0)
        }

        async fn wait(&self, millis: u32) {
            self.heard.borrow_mut().push(format!("wait {millis}"));
        }
    }

    fn webhook(secret: &str) -> Result<Webhook, WebhookSecretError> {
        Webhook::new("https://siem.example".to_owned(), Secret::new(secret.to_owned()))
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// The example of the specification's own libraries.
    #[test]
    fn signs_as_the_standard_does() {
        let signature =
            webhook(SECRET).unwrap().signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_text_or_base64_of_some_length() {
        assert!(webhook(&"x".repeat(32)).is_ok());
        for bad in ["", "short", &"x".repeat(31), "whsec_MfKQ9r8GKYqrTwjUPD8I!PZIo2LaLaSw"] {
            assert_eq!(webhook(bad).unwrap_err(), WebhookSecretError, "{bad}");
        }
    }

    #[test]
    fn tries_again_under_the_same_id_and_a_new_time() {
        let receiver = Receiver::answering([Ok(500), Err(PostError::Timeout), Ok(204)]);
        assert_eq!(block_on(webhook(SECRET).unwrap().deliver("req_1", "{}", &receiver)), Ok(()));
        assert_eq!(
            receiver.heard.into_inner(),
            [
                "https://siem.example webhook-id=req_1 webhook-timestamp=1674087231 {}",
                "wait 1000",
                "https://siem.example webhook-id=req_1 webhook-timestamp=1674087232 {}",
                "wait 4000",
                "https://siem.example webhook-id=req_1 webhook-timestamp=1674087233 {}",
            ]
        );
    }

    #[test]
    fn gives_up_and_says_why() {
        for (last, error) in [(Ok(302), PostError::Status(302)), (Err(PostError::Network), PostError::Network)] {
            let receiver = Receiver::answering([Ok(503), Ok(429), last]);
            assert_eq!(block_on(webhook(SECRET).unwrap().deliver("req_1", "{}", &receiver)), Err(error));
            assert_eq!(receiver.heard.into_inner().len(), 5);
        }
    }
}
