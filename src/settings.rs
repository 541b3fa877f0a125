//! The settings, read once, each with a clear complaint.
//!
//! A complaint names its setting and what it must be, and never says what it was. The names and
//! defaults are in the README's table of settings; change both together.

use std::rc::Rc;

use crate::audit::pseudonyms::Pseudonyms;
use crate::audit::webhook::Webhook;
use crate::grant::claims::Expected;
use crate::grant::issuer::{IssuerKeys, RemoteKeys};
use crate::grant::jwks::JwkSet;
use crate::grant::verifier::GrantVerifier;
use crate::grantex::Grantex;
use crate::grantex::standing::StatusCheck;
use crate::keyring::{Keyring, RootKey};
use crate::limits;
use crate::secret::Secret;

const DEFAULT_ISSUER: &str = "https://grantex.dev";
/// Grantex publishes its keys beside its API, not beside its issuer name.
const DEFAULT_ISSUER_JWKS_URL: &str = "https://api.grantex.dev/.well-known/jwks.json";
const GRANTEX_API_URL: &str = "GRANTEX_API_URL";
const JWKS_PATH: &str = "/.well-known/jwks.json";

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The setting's name.
    pub setting: &'static str,
    /// What it must be.
    pub message: String,
}

/// Who may make an account without the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Nobody.
    Closed,
}

impl SignUp {
    /// The setting's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// The settings of one vault.
#[derive(Debug)]
pub struct Settings {
    /// `VAULT_ENCRYPTION_KEY` and `VAULT_PREVIOUS_KEYS`.
    pub keyring: Keyring,
    /// The audit's hashes, under the root key in use.
    pub pseudonyms: Pseudonyms,
    /// `GRANT_ISSUER`, `GRANT_AUDIENCE`, `GRANT_JWKS` and `GRANT_JWKS_URL`.
    pub verifier: GrantVerifier,
    /// `GRANTEX_API_URL`, `GRANTEX_API_KEY`, `GRANTEX_KEY_CACHE_SECONDS` and `GRANT_STATUS`.
    pub grantex: Option<Grantex>,
    /// `ADMIN_API_KEY`; without it there are no admin routes.
    pub admin_api_key: Option<Secret>,
    /// `SIGNUP`.
    pub sign_up: SignUp,
    /// `CORS_ALLOWED_ORIGINS`.
    pub allowed_origins: Vec<String>,
    /// `AUDIT_WEBHOOK_URL` and `AUDIT_WEBHOOK_SECRET`.
    pub audit_webhook: Option<Webhook>,
    /// `RATE_LIMITS`: whether there are any.
    pub has_rate_limits: bool,
}

impl Settings {
    /// Reads the settings that `get` knows by name; one that is empty or blank is absent.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { get, problems: Vec::new() };
        let keyring = reader.keyring();
        let verifier = reader.verifier();
        let grantex = reader.grantex();
        let admin_api_key = reader.admin_api_key();
        let sign_up = reader.sign_up();
        let allowed_origins = reader.allowed_origins();
        let audit_webhook = reader.audit_webhook();
        let has_rate_limits = reader.has_rate_limits();
        match (keyring, verifier) {
            (Some(keyring), Some(verifier)) if reader.problems.is_empty() => {
                let pseudonyms = Pseudonyms::of(keyring.current());
                Ok(Self {
                    keyring,
                    pseudonyms,
                    verifier,
                    grantex,
                    admin_api_key,
                    sign_up,
                    allowed_origins,
                    audit_webhook,
                    has_rate_limits,
                })
            }
            _ => Err(reader.problems),
        }
    }
}

/// Reads the settings of grant tokens alone: `GRANT_ISSUER`, `GRANT_AUDIENCE`, `GRANT_JWKS` and
/// `GRANT_JWKS_URL`.
pub fn read_verifier(get: impl Fn(&str) -> Option<String>) -> Result<GrantVerifier, Vec<Problem>> {
    let mut reader = Reader { get, problems: Vec::new() };
    reader.verifier().ok_or(reader.problems)
}

struct Reader<G> {
    get: G,
    problems: Vec<Problem>,
}

impl<G: Fn(&str) -> Option<String>> Reader<G> {
    fn text(&self, name: &str) -> Option<String> {
        let text = (self.get)(name)?;
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    fn complain(&mut self, setting: &'static str, message: impl Into<String>) {
        self.problems.push(Problem { setting, message: message.into() });
    }

    /// Complains about a setting that there is no going on without.
    fn refuse<T>(&mut self, setting: &'static str, message: impl Into<String>) -> Option<T> {
        self.complain(setting, message);
        None
    }

    fn keyring(&mut self) -> Option<Keyring> {
        const CURRENT: &str = "VAULT_ENCRYPTION_KEY";
        const PREVIOUS: &str = "VAULT_PREVIOUS_KEYS";
        let current = match self.text(CURRENT).map(Secret::new) {
            None => {
                self.refuse(CURRENT, "is missing: set it to 32 random bytes, as `openssl rand -base64 32` prints them")
            }
            Some(text) => match RootKey::parse(text.expose()) {
                Ok(key) => Some(key),
                Err(error) => self.refuse(CURRENT, error.to_string()),
            },
        };
        let previous = self.text(PREVIOUS).map(Secret::new);
        let mut keys = Vec::new();
        for (index, text) in previous.iter().flat_map(|list| list.expose().split(',')).enumerate() {
            match RootKey::parse(text.trim()) {
                Ok(key) => keys.push(key),
                Err(error) => self.complain(PREVIOUS, format!("key {} of the list {error}", index + 1)),
            }
        }
        Some(Keyring::new(current?, keys))
    }

    fn verifier(&mut self) -> Option<GrantVerifier> {
        let issuer = self.text("GRANT_ISSUER").unwrap_or_else(|| DEFAULT_ISSUER.to_owned());
        let keys = self.issuer_keys(&issuer)?;
        let audience = self.text("GRANT_AUDIENCE");
        Some(GrantVerifier::new(Expected { issuer, audience }, keys))
    }

    fn issuer_keys(&mut self, issuer: &str) -> Option<IssuerKeys> {
        const INLINE: &str = "GRANT_JWKS";
        const URL: &str = "GRANT_JWKS_URL";
        match (self.text(INLINE), self.text(URL)) {
            (Some(_), Some(_)) => self.refuse(URL, "is set beside GRANT_JWKS: set one of the two"),
            (Some(text), None) => match JwkSet::parse(text.as_bytes()) {
                Ok(set) => Some(IssuerKeys::Inline(Rc::new(set))),
                Err(error) => self.refuse(INLINE, error.to_string()),
            },
            (None, Some(url)) if is_fetchable(&url) => Some(IssuerKeys::Remote(RemoteKeys::new(url))),
            (None, Some(_)) => self.refuse(URL, "must be an https URL (http on localhost only)"),
            (None, None) if self.text(GRANTEX_API_URL).is_some() => {
                // Whether it is a URL, `grantex` says.
                let url = self.text(GRANTEX_API_URL).unwrap_or_default();
                Some(IssuerKeys::Remote(RemoteKeys::new(format!("{}{JWKS_PATH}", url.trim_end_matches('/')))))
            }
            (None, None) if issuer == DEFAULT_ISSUER => {
                Some(IssuerKeys::Remote(RemoteKeys::new(DEFAULT_ISSUER_JWKS_URL.to_owned())))
            }
            (None, None) if is_fetchable(issuer) => {
                let url = format!("{}{JWKS_PATH}", issuer.trim_end_matches('/'));
                Some(IssuerKeys::Remote(RemoteKeys::new(url)))
            }
            (None, None) => {
                self.refuse(URL, "is missing, as is GRANT_JWKS, and GRANT_ISSUER is no https URL to derive it from")
            }
        }
    }

    fn grantex(&mut self) -> Option<Grantex> {
        const API_KEY: &str = "GRANTEX_API_KEY";
        const CACHE: &str = "GRANTEX_KEY_CACHE_SECONDS";
        const STATUS: &str = "GRANT_STATUS";
        let url = self.text(GRANTEX_API_URL);
        let default = if url.is_some() { "online" } else { "offline" };
        let check = StatusCheck::parse(&self.text(STATUS).unwrap_or_else(|| default.to_owned()));
        let Some(check) = check else {
            return self.refuse(STATUS, "must be online, cached:N with N from 1 to 3600 seconds, or offline");
        };
        let Some(url) = url else {
            if check != StatusCheck::Offline {
                self.complain(STATUS, "must be offline unless GRANTEX_API_URL says whom to ask");
            }
            return None;
        };
        if !is_fetchable(&url) || url.contains('?') {
            return self.refuse(GRANTEX_API_URL, "must be an https URL without a query (http on localhost only)");
        }
        let api_key = self.text(API_KEY).map(Secret::new);
        if !api_key.as_ref().is_none_or(|key| key.expose().bytes().all(|byte| byte.is_ascii_graphic())) {
            return self.refuse(API_KEY, "must be printable ASCII without spaces");
        }
        if api_key.is_none() && check != StatusCheck::Offline {
            return self
                .refuse(API_KEY, "is missing: it is what Grantex is asked with, unless GRANT_STATUS is offline");
        }
        let secs = match self.text(CACHE) {
            None => Some(limits::GRANTEX_KEY_SECS),
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Some(_) => None,
        };
        let Some(secs) = secs.filter(|secs| (0..=limits::GRANTEX_KEY_SECS_MOST).contains(secs)) else {
            return self.refuse(CACHE, format!("must be from 0 to {} seconds", limits::GRANTEX_KEY_SECS_MOST));
        };
        Some(Grantex::new(&url, check, api_key, secs))
    }

    fn admin_api_key(&mut self) -> Option<Secret> {
        const NAME: &str = "ADMIN_API_KEY";
        let key = self.text(NAME).map(Secret::new)?;
        if key.expose().len() < limits::ADMIN_API_KEY_BYTES {
            return self.refuse(NAME, format!("must have at least {} characters", limits::ADMIN_API_KEY_BYTES));
        }
        Some(key)
    }

    fn sign_up(&mut self) -> SignUp {
        const NAME: &str = "SIGNUP";
        match self.text(NAME).as_deref() {
            Some("open") => SignUp::Open,
            None | Some("closed") => SignUp::Closed,
            Some(_) => {
                self.complain(NAME, "must be open or closed");
                SignUp::Closed
            }
        }
    }

    fn allowed_origins(&mut self) -> Vec<String> {
        const NAME: &str = "CORS_ALLOWED_ORIGINS";
        let list = self.text(NAME).unwrap_or_default();
        let origins: Vec<_> = list.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        if !origins.iter().all(|origin| is_origin(origin)) {
            self.complain(NAME, "must be a comma-separated list of origins like https://app.example.com");
        }
        origins.into_iter().map(str::to_owned).collect()
    }

    fn audit_webhook(&mut self) -> Option<Webhook> {
        const URL: &str = "AUDIT_WEBHOOK_URL";
        const SECRET: &str = "AUDIT_WEBHOOK_SECRET";
        match (self.text(URL), self.text(SECRET).map(Secret::new)) {
            (None, None) => None,
            (None, Some(_)) => self.refuse(URL, "is missing, where AUDIT_WEBHOOK_SECRET is set"),
            (Some(_), None) => self.refuse(SECRET, "is missing, where AUDIT_WEBHOOK_URL is set"),
            (Some(url), _) if !is_fetchable(&url) => self.refuse(URL, "must be an https URL (http on localhost only)"),
            (Some(url), Some(secret)) => match Webhook::new(url, secret) {
                Ok(webhook) => Some(webhook),
                Err(error) => self.refuse(SECRET, error.to_string()),
            },
        }
    }

    fn has_rate_limits(&mut self) -> bool {
        const NAME: &str = "RATE_LIMITS";
        match self.text(NAME).as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => {
                self.complain(NAME, "must be on or off");
                true
            }
        }
    }
}

/// What follows the scheme of an http or https URL, and whether the scheme is https.
fn after_scheme(url: &str) -> Option<(&str, bool)> {
    let https = url.strip_prefix("https://").map(|rest| (rest, true));
    https.or_else(|| url.strip_prefix("http://").map(|rest| (rest, false)))
}

fn host(authority: &str) -> &str {
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

/// Whether it may be asked, for keys or with events: over https, or on this machine.
fn is_fetchable(url: &str) -> bool {
    let Some((rest, is_https)) = after_scheme(url) else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let is_plain =
        url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['#', '\\']) && !authority.contains('@');
    let is_local = matches!(host(authority), "localhost" | "127.0.0.1");
    is_plain && !host(authority).is_empty() && (is_https || is_local)
}

/// Whether a text is an origin as browsers send it: scheme, host, perhaps a port, nothing more.
fn is_origin(text: &str) -> bool {
    after_scheme(text).is_some_and(|(authority, _)| {
        !host(authority).is_empty()
            && authority
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".:-[]".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn read(settings: &[(&str, &str)]) -> Result<Settings, Vec<&'static str>> {
        let get = |name: &str| {
            let set = settings.iter().find(|(set, _)| *set == name).map(|(_, text)| *text);
            set.or((name == "VAULT_ENCRYPTION_KEY").then_some(KEY)).map(str::to_owned)
        };
        Settings::read(get).map_err(|problems| {
            for problem in &problems {
                for (_, text) in settings.iter().filter(|(_, text)| text.len() > 6) {
                    assert!(!problem.message.contains(text), "{problem:?} tells a value");
                }
            }
            problems.into_iter().map(|problem| problem.setting).collect()
        })
    }

    #[test]
    fn an_encryption_key_is_all_it_needs() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.sign_up, SignUp::Closed);
        assert!(settings.admin_api_key.is_none());
        assert!(settings.allowed_origins.is_empty());
    }

    #[test]
    fn each_bad_setting_is_named() {
        for (name, texts) in [
            ("VAULT_ENCRYPTION_KEY", &["", "  ", "password", "0123"][..]),
            ("VAULT_PREVIOUS_KEYS", &["password", &format!("{KEY},"), &format!("{KEY},password")]),
            ("GRANT_JWKS", &["{", "{\"keys\":[]}"]),
            (
                "GRANT_JWKS_URL",
                &[
                    "issuer.example",
                    "http://issuer.example/jwks",
                    "https://?",
                    "ftp://localhost/",
                    "https://u:p@issuer.example/",
                    "https://issuer.example/a b",
                ],
            ),
            (
                "GRANTEX_API_URL",
                &["api.grantex.example", "http://api.grantex.example", "https://a.example/?x=1", "https://?"],
            ),
            ("GRANT_STATUS", &["always", "cached:0", "cached:99999", "online", "cached:60"]),
            ("ADMIN_API_KEY", &["short-secret"]),
            ("SIGNUP", &["yes", "OPEN"]),
            ("RATE_LIMITS", &["no", "ON"]),
            ("CORS_ALLOWED_ORIGINS", &["*", "app.example.org", "https://app.example.org/", "https://a.example, b"]),
        ] {
            for text in texts {
                assert_eq!(read(&[(name, text)]).unwrap_err(), [name], "{text:?}");
            }
        }
    }

    #[test]
    fn a_webhook_needs_a_url_and_a_secret() {
        const URL: (&str, &str) = ("AUDIT_WEBHOOK_URL", "https://siem.example/events?token=sesame");
        const SECRET: (&str, &str) = ("AUDIT_WEBHOOK_SECRET", "a webhook's secret of some length");
        assert!(read(&[URL, SECRET]).unwrap().audit_webhook.is_some());
        assert_eq!(read(&[URL]).unwrap_err(), ["AUDIT_WEBHOOK_SECRET"]);
        assert_eq!(read(&[URL, (SECRET.0, "short-secret")]).unwrap_err(), ["AUDIT_WEBHOOK_SECRET"]);
        assert_eq!(read(&[SECRET]).unwrap_err(), ["AUDIT_WEBHOOK_URL"]);
        for bad in ["siem.example", "http://siem.example/", "https://u:p@siem.example/"] {
            assert_eq!(read(&[(URL.0, bad), SECRET]).unwrap_err(), ["AUDIT_WEBHOOK_URL"]);
        }
    }

    #[test]
    fn grantex_is_asked_where_its_url_is_set_and_with_a_key() {
        let url = ("GRANTEX_API_URL", "https://api.grantex.example/");
        let key = ("GRANTEX_API_KEY", "gx_live_key");
        assert!(read(&[]).unwrap().grantex.is_none());
        assert_eq!(read(&[url]).unwrap_err(), ["GRANTEX_API_KEY"]);
        assert_eq!(read(&[url, ("GRANT_STATUS", "cached:60")]).unwrap_err(), ["GRANTEX_API_KEY"]);
        assert_eq!(read(&[url, ("GRANTEX_API_KEY", "two words")]).unwrap_err(), ["GRANTEX_API_KEY"]);
        for (status, is_asked) in [("", true), ("online", true), ("cached:60", true), ("offline", false)] {
            let grantex = read(&[url, key, ("GRANT_STATUS", status)]).unwrap().grantex.unwrap();
            assert_eq!(grantex.checks_grants(), is_asked, "{status}");
        }
        assert!(read(&[url, ("GRANT_STATUS", "offline")]).is_ok());
        for (secs, is_good) in
            [("0", true), ("3600", true), ("3601", false), ("-1", false), ("1.5", false), ("+5", false)]
        {
            assert_eq!(read(&[url, key, ("GRANTEX_KEY_CACHE_SECONDS", secs)]).is_ok(), is_good, "{secs}");
        }
    }

    #[test]
    fn all_complaints_come_at_once() {
        let problems = read(&[("VAULT_ENCRYPTION_KEY", "x"), ("SIGNUP", "maybe"), ("GRANT_JWKS", "{}")]).unwrap_err();
        assert_eq!(problems, ["VAULT_ENCRYPTION_KEY", "GRANT_JWKS", "SIGNUP"]);
    }

    #[test]
    fn two_key_sets_are_one_too_many() {
        let both = [("GRANT_JWKS", "{}"), ("GRANT_JWKS_URL", "https://issuer.example/jwks")];
        assert_eq!(read(&both).unwrap_err(), ["GRANT_JWKS_URL"]);
        assert_eq!(read(&[("GRANT_ISSUER", "urn:issuer")]).unwrap_err(), ["GRANT_JWKS_URL"]);
    }

    #[test]
    fn previous_keys_and_origins_are_lists() {
        let previous = format!("{}, {KEY}", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let origins = "https://app.example.com, http://localhost:5173";
        let settings = read(&[("VAULT_PREVIOUS_KEYS", &previous), ("CORS_ALLOWED_ORIGINS", origins)]).unwrap();
        assert_eq!(settings.allowed_origins, ["https://app.example.com", "http://localhost:5173"]);
    }
}
