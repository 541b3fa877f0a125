//! Developers: their ids, their API keys, and what an account says.
//!
//! Values only; how accounts are kept is the business of `accounts.rs`.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::limits;
use crate::random::{self, RandomError};
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// Names a developer: 1 to 64 of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeveloperId(String);

impl DeveloperId {
    /// Takes an id that another system gave, if it has the form.
    pub fn parse(text: &str) -> Option<Self> {
        let formed = (1..=limits::DEVELOPER_ID_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        formed.then(|| Self(text.to_owned()))
    }

    /// A new id: `dev_` and 26 characters of Crockford's base 32.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self(format!("dev_{}", random::id()?)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeveloperId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an account is for production or for trying things out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Production; its API keys start with `gx_live_`.
    Live,
    /// Trying out; its API keys start with `gx_test_`.
    Sandbox,
}

impl Mode {
    /// Reads `live` or `sandbox`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "live" => Some(Self::Live),
            "sandbox" => Some(Self::Sandbox),
            _ => None,
        }
    }

    /// The mode as the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }

    fn key_prefix(self) -> &'static str {
        match self {
            Self::Live => "gx_live_",
            Self::Sandbox => "gx_test_",
        }
    }
}

/// A developer's API key: `gx_live_` or `gx_test_` and 32 random bytes in base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// A new key.
    pub fn generate(mode: Mode) -> Result<Self, RandomError> {
        let random = Base64UrlUnpadded::encode_string(&random::bytes::<32>()?);
        Ok(Self(Secret::new(format!("{}{random}", mode.key_prefix()))))
    }

    /// Takes a key that has the form; whether it is anyone's, storage knows.
    pub fn parse(text: &str) -> Option<Self> {
        let random = [Mode::Live, Mode::Sandbox].into_iter().find_map(|mode| text.strip_prefix(mode.key_prefix()))?;
        let mut bytes = [0; 32];
        let decoded = Base64UrlUnpadded::decode(random, &mut bytes).ok()?;
        (decoded.len() == 32).then(|| Self(Secret::new(text.to_owned())))
    }

    /// Takes a key that Grantex may have given: `gx_`, then letters, digits, `_` and `-`. A grant token,
    /// which holds dots, isn't one, so that none is ever sent there as a key.
    pub fn parse_of_grantex(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("gx_")?;
        let formed = (8..=limits::GRANTEX_KEY_BYTES).contains(&text.len())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        formed.then(|| Self(Secret::new(text.to_owned())))
    }

    /// The key itself, for the service that gave it.
    pub(crate) fn secret(&self) -> &Secret {
        &self.0
    }

    /// The key's SHA-256 in base64url: what storage knows it by. A key holds 256 random bits, so
    /// its hash needs no salt and no stretching.
    pub fn hash(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(self.0.expose()))
    }

    /// The key as text, for its one showing.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What is known of a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The developer's id.
    pub developer: DeveloperId,
    /// The name they gave, 1 to 256 bytes.
    pub name: String,
    /// The e-mail address they gave, if any.
    pub email: Option<String>,
    /// Production or trying out.
    pub mode: Mode,
    /// When the account was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_narrow_form() {
        for text in ["dev_01HXYZ", "a", "A-b_9", &"x".repeat(64)] {
            assert_eq!(DeveloperId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a:b", "a b", "a/b", "é", "a\n", &"x".repeat(65)] {
            assert_eq!(DeveloperId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn generated_ids_are_parsed_and_differ() {
        let id = DeveloperId::generate().unwrap();
        assert_eq!(DeveloperId::parse(id.as_str()).unwrap(), id);
        assert_eq!(id.as_str().len(), 30);
        assert_ne!(id, DeveloperId::generate().unwrap());
    }

    #[test]
    fn keys_say_their_mode_and_are_parsed() {
        for (mode, prefix) in [(Mode::Live, "gx_live_"), (Mode::Sandbox, "gx_test_")] {
            let key = ApiKey::generate(mode).unwrap();
            assert!(key.expose().starts_with(prefix));
            assert_eq!(key.expose().len(), 51);
            assert_eq!(ApiKey::parse(key.expose()).unwrap(), key);
        }
    }

    #[test]
    fn refuses_what_is_no_key() {
        let random = "A".repeat(43);
        for text in [
            "",
            "gx_live_",
            &format!("gx_prod_{random}"),
            &format!("gx_live_{random}A"),
            &format!("gx_live_{}", &random[1..]),
            &format!("gx_live_{}", random.replace('A', "+")),
        ] {
            assert_eq!(ApiKey::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_grantex_may_have_given_is_wider_and_no_token() {
        for text in ["gx_live_0123", &format!("gx_live_{}", "A".repeat(43)), &format!("gx_test_{}", "f".repeat(64))] {
            assert!(ApiKey::parse_of_grantex(text).is_some(), "{text}");
        }
        for text in [
            "",
            "gx_",
            "gx_live",
            "live_0123456",
            "eyJh.eyJh.c2ln",
            "gx_live_a.b",
            "gx_live_a b",
            &format!("gx_{}", "A".repeat(300)),
        ] {
            assert_eq!(ApiKey::parse_of_grantex(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_known_by_its_hash() {
        let key = ApiKey::parse(&format!("gx_live_{}", "A".repeat(43))).unwrap();
        assert_eq!(key.hash().len(), 43);
        assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
    }
}
