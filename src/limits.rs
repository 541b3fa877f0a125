//! Every size, lifetime and skew of the vault, in one place.
//!
//! Numbers only: a limit is enforced where the value it bounds is parsed.

/// Longest principal id, in bytes of UTF-8.
pub const PRINCIPAL_ID_BYTES: usize = 256;
/// Longest service name, in bytes (service names are ASCII).
pub const SERVICE_BYTES: usize = 64;
/// Longest credential type, in bytes of UTF-8.
pub const CREDENTIAL_TYPE_BYTES: usize = 64;
/// Longest access or refresh token, in bytes of UTF-8.
pub const TOKEN_BYTES: usize = 64 * 1024;
/// Longest metadata, in bytes of its JSON text.
pub const METADATA_BYTES: usize = 16 * 1024;
/// Deepest nesting of metadata; the outermost object is level 1.
pub const METADATA_DEPTH: usize = 16;
/// Longest request body, in bytes.
pub const BODY_BYTES: usize = 256 * 1024;

/// Longest developer name, in bytes of UTF-8.
pub const DEVELOPER_NAME_BYTES: usize = 256;
/// Longest e-mail address, in bytes (RFC 5321 section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_BYTES: usize = 254;
/// Longest developer id, in bytes.
pub const DEVELOPER_ID_BYTES: usize = 64;
/// Longest token id (`jti`) or grant id that can be revoked, in bytes.
pub const REVOCABLE_ID_BYTES: usize = 512;

/// Most credentials in one page when the caller asks for a page.
pub const LIST_LIMIT: usize = 1_000;
/// Most credentials in one answer when the caller names no limit.
pub const LIST_UNLIMITED: usize = 10_000;
/// Most developers in one page of the admin list.
pub const DEVELOPERS_PAGE: usize = 100;
/// Most records that one request to remove a developer deletes; KV allows 1,000 operations a request.
pub const REMOVALS_PER_REQUEST: usize = 900;

/// Longest grant token, in bytes.
pub const GRANT_TOKEN_BYTES: usize = 16 * 1024;
/// Tolerated difference between the issuer's clock and this one, in seconds.
pub const CLOCK_SKEW_SECS: i64 = 60;
/// Longest lifetime of a grant token, in seconds: 400 days. A token that lives longer is refused,
/// so that a revocation need not be kept for ever.
pub const GRANT_LIFETIME_SECS: i64 = 400 * 24 * 60 * 60;
/// How long a revocation is kept, in seconds: the longest life of a token, with the skew at both ends.
pub const REVOCATION_SECS: u64 = (GRANT_LIFETIME_SECS + 2 * CLOCK_SKEW_SECS) as u64;

/// How long the guard of a record is kept, in seconds: 30 days. A rotation of root keys must come to
/// its end within that time of the last store or delete that raced it.
pub const GUARD_SECS: u64 = 30 * 24 * 60 * 60;
/// Most records that one call to reseal looks at when the caller names no limit: each takes a write, and
/// the free plan has 50 operations a request.
pub const REWRAP_DEFAULT: usize = 40;
/// Most records that one call to reseal looks at; KV allows 1,000 operations a request.
pub const REWRAP_LIMIT: usize = 900;
/// Most records in one page of an export: one bulk read.
pub const EXPORT_PAGE: usize = KV_BULK_KEYS;
/// Most records in one call that imports: each takes a write, in a rotation
/// two, and the free plan has 50 operations a request.
pub const IMPORT_PAGE: usize = 20;

/// Longest proof of possession, in bytes.
pub const PROOF_BYTES: usize = 8 * 1024;
/// How old a proof of possession may be, in seconds.
pub const PROOF_AGE_SECS: i64 = 60;
/// How far ahead of this clock a proof of possession may be, in seconds.
pub const PROOF_AHEAD_SECS: i64 = 5;
/// How long a proof that was used is remembered, in seconds: longer than it could be used again.
pub const PROOF_MARK_SECS: u64 = 120;
/// Most proofs that an isolate remembers.
pub const SEEN_PROOFS: usize = 4_096;

/// How long a reference to a credential lasts at most, in seconds.
pub const REFERENCE_SECS: i64 = 5 * 60;

/// Longest JWK Set, in bytes.
pub const JWKS_BYTES: usize = 64 * 1024;
/// Most keys in a JWK Set.
pub const JWKS_KEYS: usize = 128;
/// How long fetching a JWK Set may take, in milliseconds.
pub const JWKS_TIMEOUT_MS: u32 = 5_000;
/// How long a fetched JWK Set is used before it is fetched again, in seconds.
pub const JWKS_FRESH_SECS: i64 = 10 * 60;
/// How long the last good JWK Set serves while its issuer can't be reached, in seconds.
pub const JWKS_STALE_SECS: i64 = 60 * 60;
/// Least time between fetches that an unknown key id, or a failed fetch, sets off, in seconds.
pub const JWKS_REFETCH_SECS: i64 = 30;
/// Least time after a failed fetch before the next while there is no JWK Set at all, in seconds.
pub const JWKS_RETRY_SECS: i64 = 5;

/// Longest answer of Grantex's API that is read, in bytes.
pub const GRANTEX_ANSWER_BYTES: usize = 64 * 1024;
/// How long asking Grantex may take, in milliseconds.
pub const GRANTEX_TIMEOUT_MS: u32 = 5_000;
/// How long it is remembered whose an API key of Grantex's is, in seconds, unless set otherwise.
pub const GRANTEX_KEY_SECS: i64 = 60;
/// Longest that `GRANTEX_KEY_CACHE_SECONDS` may be.
pub const GRANTEX_KEY_SECS_MOST: i64 = 60 * 60;
/// How long it is remembered that Grantex refuses an API key, in seconds.
pub const GRANTEX_REFUSAL_SECS: i64 = 10;
/// Longest API key of Grantex's, in bytes.
pub const GRANTEX_KEY_BYTES: usize = 256;
/// Longest N of `GRANT_STATUS=cached:N`, in seconds.
pub const GRANT_STATUS_SECS: i64 = 60 * 60;

/// Most verified grant tokens that an isolate remembers by their hash.
pub const VERIFIED_TOKENS: usize = 1_024;
/// Most derived keys that an isolate keeps, one for each developer and root key.
pub const DERIVED_KEYS: usize = 256;
/// How much an isolate remembers of details that it opened, in bytes: some 7,000 records of ordinary
/// size, of the 128 MB that an isolate has.
pub const OPENED_BYTES: usize = 12 * 1024 * 1024;
/// Most API keys whose account an isolate remembers.
pub const KNOWN_ACCOUNTS: usize = 1_024;
/// How long an isolate remembers whose an API key is, in seconds: well below the minute that KV takes
/// to tell other locations of a key's end.
pub const KNOWN_ACCOUNT_SECS: i64 = 30;
/// Deepest nesting of a grant token's claims; the claims set itself is level 1.
pub const CLAIMS_DEPTH: usize = 32;

/// Over how many seconds the rate limits count.
pub const RATE_PERIOD_SECS: u32 = 60;
/// Exchanges of one grant token in that time.
pub const EXCHANGES_PER_PERIOD: u32 = 20;
/// Stores and deletions of one developer in that time.
pub const WRITES_PER_PERIOD: u32 = 600;
/// Failed authentications from one client address in that time.
pub const FAILED_AUTHENTICATIONS_PER_PERIOD: u32 = 30;
/// Sign-ups from one client address in that time.
pub const SIGN_UPS_PER_PERIOD: u32 = 5;

/// Least length of the webhook's secret, in bytes.
pub const WEBHOOK_SECRET_BYTES: usize = 32;
/// How long the webhook may take to answer, in milliseconds.
pub const WEBHOOK_TIMEOUT_MS: u32 = 5_000;
/// How long to wait before telling the webhook again, in milliseconds. With three times the timeout it is
/// within the 30 s that Workers give what goes on after an answer.
pub const WEBHOOK_PAUSES_MS: [u32; 2] = [1_000, 4_000];

/// Least length of the operator's admin key, in bytes.
pub const ADMIN_API_KEY_BYTES: usize = 32;

/// How long one operation of KV may take, in milliseconds; after that the caller hears to try again.
pub const KV_TIMEOUT_MS: u32 = 10_000;
/// Most keys in one bulk read of KV.
pub const KV_BULK_KEYS: usize = 100;
/// Most keys in one page of a KV list.
pub const KV_LIST_KEYS: usize = 1_000;
/// Longest KV key, in bytes.
pub const KV_KEY_BYTES: usize = 512;
/// Longest metadata of a KV key, in bytes of its JSON text.
pub const KV_METADATA_BYTES: usize = 1_024;
