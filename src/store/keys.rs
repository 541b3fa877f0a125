//! The storage schema: every key there is. The same table, told at length, is in
//! `storage-schema.md` beside this file; change both together.
//!
//! | key | value | KV metadata | lifetime |
//! |---|---|---|---|
//! | `cred:{developer}:{credential id}` | sealed details `.` sealed tokens | creation time in ms `.` sealed details, these only where they fit | until deleted |
//! | `key:{SHA-256 of an API key}` | sealed account | | until rotated or removed |
//! | `dev:{developer}:{SHA-256 of an API key}` | sealed account | | as `key:` |
//! | `guard:` and one of the keys above | last change in ms `.` what is above, or nothing when it was deleted | last change in ms `.` creation time in ms, or nothing | 30 days |
//! | `revoked:{developer}:token:{SHA-256 of a jti}` | `1` | | 400 days and 2 minutes |
//! | `revoked:{developer}:grant:{SHA-256 of a grant id}` | `1` | | 400 days and 2 minutes |
//! | `proof:{developer}:{SHA-256 of a key's thumbprint and a jti}` | `1` | | 2 minutes |
//!
//! A developer's id holds no colon, so no key of one developer starts like another's.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::credential::CredentialId;
use crate::developer::DeveloperId;
use crate::grant::dpop::ProofId;
use crate::limits;

/// Where a credential is.
pub fn credential(developer: &DeveloperId, id: &CredentialId) -> String {
    credentials(developer, id.as_str())
}

/// What the keys of a developer's credentials start with, down to a prefix of their ids.
pub fn credentials(developer: &DeveloperId, id_prefix: &str) -> String {
    format!("{CREDENTIALS}{developer}:{id_prefix}")
}

/// Whose credential is under a key, and which; `None` for a key of another form.
pub fn parse_credential(key: &str) -> Option<(DeveloperId, CredentialId)> {
    let (developer, id) = key.strip_prefix(CREDENTIALS)?.split_once(':')?;
    Some((DeveloperId::parse(developer)?, CredentialId::parse(id)?))
}

/// What the keys of all credentials start with.
pub const CREDENTIALS: &str = "cred:";

/// Where the account that an API key belongs to is.
pub fn api_key(key_hash: &str) -> String {
    format!("{API_KEYS}{key_hash}")
}

/// What the keys of all API keys start with.
pub const API_KEYS: &str = "key:";

/// Where a developer's account is, once for each API key (of which rotation leaves one).
pub fn account(developer: &DeveloperId, key_hash: &str) -> String {
    format!("{}{key_hash}", accounts_of(developer))
}

/// What the keys of one developer's account start with.
pub fn accounts_of(developer: &DeveloperId) -> String {
    format!("{ACCOUNTS}{developer}:")
}

/// What the keys of all accounts start with.
pub const ACCOUNTS: &str = "dev:";

/// Where the guard of a record is: what `guard.rs` keeps beside it while root keys change.
pub fn guard(key: &str) -> String {
    format!("{GUARDS}{key}")
}

/// What the keys of all guards start with.
pub const GUARDS: &str = "guard:";

/// What the keys of all revocations start with.
pub const REVOCATIONS: &str = "revoked:";

/// What can be revoked.
#[derive(Clone, Copy, Debug)]
pub enum Revocable<'a> {
    /// One token, by its `jti`.
    Token(&'a str),
    /// Every token of a grant, by the grant's id.
    Grant(&'a str),
}

/// Where a revocation is. The ids are hashed: they may be long, and a dump needn't show them.
pub fn revocation(developer: &DeveloperId, revoked: Revocable<'_>) -> String {
    let (kind, id) = match revoked {
        Revocable::Token(id) => ("token", id),
        Revocable::Grant(id) => ("grant", id),
    };
    let hash = Base64UrlUnpadded::encode_string(&Sha256::digest(id));
    format!("{REVOCATIONS}{developer}:{kind}:{hash}")
}

/// Whether a text could be a key of this schema, and so is one that KV takes.
pub fn may_be(key: &str) -> bool {
    let kinds = [CREDENTIALS, API_KEYS, ACCOUNTS, GUARDS, REVOCATIONS];
    // A guard's key is longer than that of its record.
    guard(key).len() <= limits::KV_KEY_BYTES
        && kinds.iter().any(|kind| key.starts_with(kind))
        && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a key is one of a revocation.
pub fn is_revocation(key: &str) -> bool {
    let parts: Vec<_> = key.strip_prefix(REVOCATIONS).into_iter().flat_map(|rest| rest.split(':')).collect();
    let [developer, "token" | "grant", hash] = *parts else { return false };
    let mut bytes = [0; 32];
    DeveloperId::parse(developer).is_some()
        && Base64UrlUnpadded::decode(hash, &mut bytes).is_ok_and(|hash| hash.len() == 32)
}

/// Where it is marked that a proof of possession was used.
pub fn proof(developer: &DeveloperId, id: &ProofId) -> String {
    format!("proof:{developer}:{}", Base64UrlUnpadded::encode_string(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_keys_fit_kv() {
        let developer = DeveloperId::parse(&"d".repeat(64)).unwrap();
        let id = CredentialId::parse(&format!("vault_{}", "0".repeat(26))).unwrap();
        let hash = "h".repeat(43);
        for key in [
            guard(&credential(&developer, &id)),
            api_key(&hash),
            account(&developer, &hash),
            revocation(&developer, Revocable::Grant(&"g".repeat(512))),
            proof(&developer, &[7; 32]),
        ] {
            assert!(key.len() < limits::KV_KEY_BYTES, "{key}");
        }
    }

    #[test]
    fn keys_are_known_by_their_form() {
        let developer = DeveloperId::parse("dev_A").unwrap();
        let key = revocation(&developer, Revocable::Token("x"));
        assert!(is_revocation(&key));
        for other in
            ["", "revoked:", "revoked:dev_A:token:", &key[1..], &format!("{key}A"), &key.replace("token", "user")]
        {
            assert!(!is_revocation(other), "{other}");
        }
        let id = CredentialId::parse(&format!("vault_{}", "0".repeat(26))).unwrap();
        assert_eq!(parse_credential(&credential(&developer, &id)), Some((developer.clone(), id.clone())));
        for other in [
            "cred:dev_A",
            "cred:dev_A:",
            "cred:a b:vault_00000000000000000000000000",
            &guard(&credential(&developer, &id)),
        ] {
            assert_eq!(parse_credential(other), None, "{other}");
        }
    }

    #[test]
    fn a_token_and_a_grant_of_one_name_are_two() {
        let developer = DeveloperId::parse("dev_A").unwrap();
        assert_ne!(revocation(&developer, Revocable::Token("x")), revocation(&developer, Revocable::Grant("x")));
    }
}
