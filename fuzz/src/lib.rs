//! What the fuzz targets share: a vault over storage in memory, with marked secrets, that can be asked
//! over HTTP. Every run of a target starts from the same world, so that a finding can be run again.

use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::accounts::{Accounts, KnownAccounts, NewAccount};
use grant_vault::audit::Event;
use grant_vault::credential::{NewCredential, PrincipalId, Service as Upstream, Tokens};
use grant_vault::developer::{DeveloperId, Mode};
use grant_vault::fetch::{Answer, Fetch, FetchError, Request};
use grant_vault::grant::jwks::{PublicKey, VerifyingKey};
use grant_vault::grant::signature::{CheckSignature, SignatureError};
use grant_vault::grant::token::UnverifiedToken;
use grant_vault::http::rate::Unlimited;
use grant_vault::http::{BodyError, Head, Host, ReadBody, Reply, Response, Service};
use grant_vault::json::Metadata;
use grant_vault::keyring::{Keyring, RootKey};
use grant_vault::settings::Settings;
use grant_vault::store::memory::MemoryStore;
use grant_vault::timestamp::Timestamp;
use grant_vault::vault::Vault;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The time of every request, in seconds since the epoch.
pub const NOW: i64 = 1_700_000_000;
/// Where the vault is.
pub const BASE: &str = "https://vault.test";
/// Whose tokens are taken.
pub const ISSUER: &str = "https://issuer.test";
/// What every secret of the world holds, so that it is recognised wherever it turns up.
pub const MARK: &str = "mArKeD-sEcReT";
/// The developer whose credentials are listed and exchanged, and the other one.
pub const DEVELOPERS: [&str; 2] = ["dev_A", "dev_B"];
/// How many credentials each of them has.
pub const CREDENTIALS: usize = 5;

const ROOT_KEY: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const ADMIN_KEY: &str = "mArKeD-sEcReT of the operator, who has one key";
const JWKS: &str = r#"{"keys":[
    {"kid":"ec","kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}
]}"#;
/// The key that a bound grant is bound to, as its thumbprint is made of (RFC 7638).
const HOLDER: &str = r#"{"crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;

/// The time of every request.
pub fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1_000).expect("a time that is long past")
}

/// The world's key ring.
pub fn keyring() -> Keyring {
    Keyring::new(RootKey::parse(ROOT_KEY).expect("64 digits"), Vec::new())
}

/// A token that [`Signed`] takes, of this header and these claims.
pub fn signed(header: &[u8], claims: &[u8]) -> String {
    [header, claims, SIGNATURE].map(Base64UrlUnpadded::encode_string).join(".")
}

const SIGNATURE: &[u8] = b"signed";

/// Takes one fixed signature for any key's, so that what comes after a good signature is reached.
pub struct Signed;

impl CheckSignature for Signed {
    async fn check(&self, key: &VerifyingKey, token: &UnverifiedToken<'_>) -> Result<(), SignatureError> {
        self.check_bytes(&key.public_key, token.signing_input().as_bytes(), &token.signature).await
    }

    async fn check_bytes(&self, _: &PublicKey, _: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if signature == SIGNATURE { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

/// The key set is inline.
pub struct NoFetch;

impl Fetch for NoFetch {
    async fn fetch(&self, _: &Request<'_>) -> Result<Answer, FetchError> {
        Err(FetchError::Timeout)
    }
}

/// The settings of the world's vault.
pub fn settings() -> Settings {
    let read = |name: &str| {
        let value = match name {
            "VAULT_ENCRYPTION_KEY" => ROOT_KEY,
            "ADMIN_API_KEY" => ADMIN_KEY,
            "GRANT_ISSUER" => ISSUER,
            "GRANT_JWKS" => JWKS,
            "SIGNUP" => "open",
            "CORS_ALLOWED_ORIGINS" => "https://app.example.com",
            _ => return None,
        };
        Some(value.to_owned())
    };
    Settings::read(read).expect("settings without a fault")
}

/// What storage holds at first, the developers' API keys, a grant, and one with a proof.
struct Beginning {
    entries: Vec<(String, String, Option<String>)>,
    api_keys: [String; 2],
    grant: String,
    bound: (String, String),
}

fn beginning() -> &'static Beginning {
    static BEGINNING: OnceLock<Beginning> = OnceLock::new();
    BEGINNING.get_or_init(|| {
        let (keyring, store, known) = (keyring(), MemoryStore::new(now()), KnownAccounts::default());
        let api_keys = DEVELOPERS.map(|id| {
            let developer = DeveloperId::parse(id).expect("an id");
            let account = NewAccount { name: "Acme".to_owned(), email: None, mode: Mode::Live };
            let made = block_on(Accounts::new(&keyring, &store, &known).provision(developer.clone(), account, now()));
            for index in 0..CREDENTIALS {
                let vault = Vault::new(&keyring, &store);
                block_on(vault.store(&developer, credential(id, index), now())).expect("storage works");
            }
            made.expect("storage works").1.expose().to_owned()
        });
        let grant = signed(HEADER, GRANT.as_bytes());
        Beginning { entries: store.dump(), api_keys, grant, bound: bound_grant() }
    })
}

fn credential(developer: &str, index: usize) -> NewCredential {
    let secret = |what: &str| Secret::new(format!("{MARK}: {what} token {index} of {developer}"));
    // Every other one has details that don't fit KV's metadata.
    let note = "x".repeat(index % 2 * 900);
    NewCredential {
        principal: PrincipalId::parse(&format!("user_{}", index / 2)).expect("an id"),
        service: Upstream::parse(["github", "slack"][index % 2]).expect("a name"),
        credential_type: "oauth2".to_owned(),
        token_expires_at: None,
        metadata: Metadata::parse(&format!("{{\"of\":\"{developer}\",\"note\":\"{note}\"}}"), 16).expect("an object"),
        tokens: Tokens { access: secret("access"), refresh: Some(secret("refresh")) },
    }
}

/// A vault and its storage.
pub struct World {
    /// Storage, which can be told to fail.
    pub store: MemoryStore,
    service: Service,
}

/// A body as it was sent.
struct Body(Vec<u8>);

impl ReadBody for Body {
    async fn read(self, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        if self.0.len() > limit { Err(BodyError::TooLarge) } else { Ok(Zeroizing::new(self.0)) }
    }
}

impl Default for World {
    fn default() -> Self {
        let store = MemoryStore::new(now());
        for (key, value, metadata) in &beginning().entries {
            store.tamper(key, value, metadata.as_deref());
        }
        Self { store, service: Service::new(Ok(settings())) }
    }
}

impl World {
    /// Makes a request; `None` when the path isn't the API's.
    pub fn send(&self, head: &Head, body: Vec<u8>) -> Option<(Response, Option<Box<Event>>)> {
        let host =
            Host { store: &self.store, fetch: &NoFetch, signatures: &Signed, rate_limits: &Unlimited, now: now() };
        match block_on(self.service.handle(host, head, Body(body))) {
            Reply::Answer { response, event } => Some((response, event)),
            Reply::Static { .. } => None,
        }
    }

    /// What stands for `$key`, `$other`, `$admin`, `$grant`, `$bound` (a grant that is bound to a key) and
    /// `$proof` (that an exchange's sender holds it) in a text.
    pub fn fill_in(&self, text: &str) -> String {
        let Beginning { api_keys: [key, other], grant, bound: (bound, proof), .. } = beginning();
        let filled = text.replace("$key", key).replace("$other", other).replace("$admin", ADMIN_KEY);
        filled.replace("$grant", grant).replace("$bound", bound).replace("$proof", proof)
    }

    /// Whether a text gives away a secret of the world's.
    pub fn gives_away(&self, text: &[u8]) -> bool {
        let secrets = beginning().api_keys.iter().map(String::as_str).chain([MARK, ROOT_KEY]);
        secrets.map(str::as_bytes).any(|secret| text.windows(secret.len()).any(|part| part == secret))
    }
}

const HEADER: &[u8] = br#"{"alg":"ES256","kid":"ec"}"#;

/// The same grant bound to a key (RFC 9449), and the proof of an exchange.
fn bound_grant() -> (String, String) {
    let hash = |text: &str| Base64UrlUnpadded::encode_string(&Sha256::digest(text));
    let confirmation = format!(r#"{{"cnf":{{"jkt":"{}"}},"#, hash(HOLDER));
    let grant = signed(HEADER, GRANT.replacen('{', &confirmation, 1).as_bytes());
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{HOLDER}}}"#);
    let url = format!("{BASE}/v1/vault/credentials/exchange");
    let claims = format!(r#"{{"htm":"POST","htu":"{url}","iat":{NOW},"jti":"1","ath":"{}"}}"#, hash(&grant));
    (grant, signed(header.as_bytes(), claims.as_bytes()))
}

/// A grant for one user of `dev_A`.
pub const GRANT: &str = r#"{"iss":"https://issuer.test","sub":"user_0","jti":"tok_1","iat":1700000000,"exp":1700003600,"scope":"github:read vault:slack:*","urn:grantex:grant":{"agent_did":"did:grantex:ag_1","developer_id":"dev_A","grant_id":"grnt_1"}}"#;

/// The head of a request with a bearer token.
pub fn head(method: &str, path: &str, query: &str, bearer: &str) -> Head {
    Head {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: Some(Secret::new(format!("Bearer {bearer}"))),
        content_type: Some("application/json".to_owned()),
        base: BASE.to_owned(),
        ..Head::default()
    }
}
