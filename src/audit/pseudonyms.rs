//! Keyed hashes that stand for principals, token ids and revoked grants in the audit.
//!
//! Whoever reads the log can tell that two events are about the same principal of a developer's, and
//! not who it is, not even by trying names: that takes the key, which is derived from the root key in
//! use. The operator asks the vault for the hash of a name that they know. Under a new root key the
//! hashes are others.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::credential::PrincipalId;
use crate::developer::DeveloperId;
use crate::keyring::RootKey;

/// Bytes of a hash that are kept: enough that no two names of a log share one.
const HASH_BYTES: usize = 16;

/// Makes the hashes.
pub struct Pseudonyms(Hmac<Sha256>);

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// Hashes under a key of this root key's.
    pub fn of(root: &RootKey) -> Self {
        Self(Hmac::new((&*root.audit_key()).into()))
    }

    /// What stands for a developer's principal: 22 characters of base64url.
    pub fn principal(&self, developer: &DeveloperId, principal: &PrincipalId) -> String {
        self.hash("principal", developer, principal.as_str())
    }

    /// What stands for the id of a grant token (`jti`).
    pub fn token(&self, developer: &DeveloperId, id: &str) -> String {
        self.hash("token", developer, id)
    }

    /// What stands for a grant that a developer revoked.
    pub fn grant(&self, developer: &DeveloperId, id: &str) -> String {
        self.hash("grant", developer, id)
    }

    fn hash(&self, what: &str, developer: &DeveloperId, name: &str) -> String {
        let mut mac = self.0.clone();
        // Neither of the first two holds a line feed, so that no two triples are one text.
        for part in [what, "\n", developer.as_str(), "\n", name] {
            mac.update(part.as_bytes());
        }
        let hash = mac.finalize().into_bytes();
        Base64UrlUnpadded::encode_string(hash.get(..HASH_BYTES).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str) -> Pseudonyms {
        Pseudonyms::of(&RootKey::parse(&key.repeat(32)).unwrap())
    }

    fn developer(id: &str) -> DeveloperId {
        DeveloperId::parse(id).unwrap()
    }

    #[test]
    fn a_hash_depends_on_all_that_it_is_of() {
        let principal = |name| PrincipalId::parse(name).unwrap();
        let pseudonyms = of("11");
        let hash = pseudonyms.principal(&developer("dev_A"), &principal("user_1"));
        assert_eq!(hash.len(), 22);
        assert_eq!(hash, of("11").principal(&developer("dev_A"), &principal("user_1")));
        for other in [
            of("12").principal(&developer("dev_A"), &principal("user_1")),
            pseudonyms.principal(&developer("dev_B"), &principal("user_1")),
            pseudonyms.principal(&developer("dev_A"), &principal("user_2")),
            pseudonyms.token(&developer("dev_A"), "user_1"),
            pseudonyms.grant(&developer("dev_A"), "user_1"),
        ] {
            assert_ne!(other, hash);
        }
    }

    /// So that the hashes in a log mean the same in later releases.
    #[test]
    fn the_hash_of_a_known_name() {
        let hash = of("11").token(&developer("dev_A"), "tok_1");
        assert_eq!(hash, "diAm717BoE9FlRXnywU9mg");
    }
}
