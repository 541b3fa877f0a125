//! The primitives that the vault stands on, against the Wycheproof vectors.
//!
//! AES-256-GCM is called as `envelope.rs` calls it. Signatures are checked with the keys that
//! jwt-simple makes of a JWK's numbers and with the calls that its `verify_token` makes; the vectors'
//! messages are no tokens, so that they can't go through `verify_token` itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use base64ct::{Base64UrlUnpadded, Encoding};
use grant_vault::grant::jwks::{Algorithm, JwkSet};
use hmac_sha256::Hash;
use jwt_simple::prelude::*;
use p256::ecdsa::{Signature, signature::DigestVerifier};
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::Padding;
use superboring::sign::Verifier;
use wycheproof::{TestResult, aead, ecdsa, rsa_pkcs1_verify as rsa};

/// How many vectors went which way.
#[derive(Debug, Default, PartialEq)]
struct Count {
    valid: usize,
    invalid: usize,
    /// Vectors of keys that jwt-simple refuses, so that nothing is ever verified with them.
    refused_key: usize,
}

impl Count {
    /// Counts a vector, whose outcome must be `expected`.
    fn check(&mut self, name: &str, expected: bool, outcome: bool) {
        assert_eq!(outcome, expected, "{name}");
        if expected { self.valid += 1 } else { self.invalid += 1 }
    }
}

#[test]
fn aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut count = Count::default();
    let groups = set.test_groups.iter();
    for group in groups.filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)) {
        for test in &group.tests {
            let name = format!("{}: {}", test.tc_id, test.comment);
            let key: [u8; 32] = test.key.as_slice().try_into().unwrap();
            let nonce: [u8; 12] = test.nonce.as_slice().try_into().unwrap();
            let cipher = Aes256Gcm::new((&key).into());
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let opened = cipher.decrypt(&nonce.into(), Payload { msg: &sealed, aad: &test.aad });
            // No vector of this set is merely acceptable.
            count.check(&name, test.result == TestResult::Valid, opened.is_ok());
            if let Ok(opened) = opened {
                assert_eq!(opened, *test.pt, "{name}");
                let again = cipher.encrypt(&nonce.into(), Payload { msg: &test.pt, aad: &test.aad }).unwrap();
                assert_eq!(again, sealed, "{name}");
            }
        }
    }
    assert_eq!(count, Count { valid: 39, invalid: 27, refused_key: 0 });
}

/// `ES256PublicKey::verify_token`, from the signature on.
fn es256(key: &ES256PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = Signature::try_from(signature) else { return false };
    let hash = |digest: &mut Hash| {
        digest.update(message);
        Ok(())
    };
    key.public_key().as_ref().verify_digest(hash, &signature).is_ok()
}

/// `RS256PublicKey::verify_token`, from the signature on.
fn rs256(key: &RS256PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let key = PKey::from_rsa(key.public_key().as_ref().clone()).unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    verifier.set_rsa_padding(Padding::PKCS1).unwrap();
    verifier.update(message).unwrap();
    verifier.verify(signature).unwrap_or(false)
}

/// Whether a JWK Set of this one key has a key for the algorithm.
fn reads(algorithm: Algorithm, jwk: &str) -> bool {
    let set = JwkSet::parse(format!("{{\"keys\":[{jwk}]}}").as_bytes());
    set.is_ok_and(|set| set.select(algorithm, Some("k")).is_ok())
}

fn encoded(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn ecdsa(name: ecdsa::TestName) -> Count {
    let mut count = Count::default();
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        let jwk = group.jwk.unwrap();
        let (x, y) = (jwk.affine_x.as_slice(), jwk.affine_y.as_slice());
        let text = format!(r#"{{"kty":"EC","crv":"P-256","kid":"k","x":"{}","y":"{}"}}"#, encoded(x), encoded(y));
        assert!(reads(Algorithm::Es256, &text), "{text}");
        let key = ES256PublicKey::from_bytes(&[&[4], x, y].concat()).unwrap();
        for test in &group.tests {
            // No vector of these sets is merely acceptable. (Nor do they call it malleable that s and
            // n - s both verify: RFC 7518 section 3.4 has no rule about low s.)
            let name = format!("{}: {}", test.tc_id, test.comment);
            count.check(&name, test.result == TestResult::Valid, es256(&key, &test.msg, &test.sig));
        }
    }
    count
}

#[test]
fn ecdsa_with_p_256_and_sha_256() {
    let all = Count { valid: 169, invalid: 83, refused_key: 0 };
    assert_eq!(ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256P1363), all);
    assert_eq!(ecdsa(ecdsa::TestName::EcdsaSecp256r1Webcrypto), all);
}

fn rsa(name: rsa::TestName) -> Count {
    let mut count = Count::default();
    for group in rsa::TestSet::load(name).unwrap().test_groups {
        let (n, e) = (group.key.n.as_slice(), group.key.e.as_slice());
        let jwk = format!(r#"{{"kty":"RSA","alg":"RS256","kid":"k","n":"{}","e":"{}"}}"#, encoded(n), encoded(e));
        let key = RS256PublicKey::from_components(n, e);
        // jwt-simple takes keys of 2048 to 4096 bits whose exponent is 65537.
        let usable = (2_048..=4_096).contains(&group.key_size) && e == [1, 0, 1];
        assert_eq!((key.is_ok(), reads(Algorithm::Rs256, &jwk)), (usable, usable), "{jwk}");
        let Ok(key) = key else {
            count.refused_key += group.tests.len();
            continue;
        };
        for test in &group.tests {
            let name = format!("{}: {}", test.tc_id, test.comment);
            let expected = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => match test.flags[..] {
                    // The algorithm identifier without its NULL. The verifier compares with the one
                    // encoding that RFC 8017 section 9.2 has a signer make, and parses nothing.
                    [rsa::TestFlag::MissingNull] => false,
                    ref others => panic!("{name}: acceptable for {others:?}"),
                },
            };
            count.check(&name, expected, rs256(&key, &test.msg, &test.sig));
        }
    }
    count
}

#[test]
fn rsa_pkcs1_with_sha_256() {
    use rsa::TestName::*;
    assert_eq!(rsa(Rsa2048Sha256), Count { valid: 7, invalid: 250, refused_key: 2 });
    assert_eq!(rsa(Rsa3072Sha256), Count { valid: 7, invalid: 251, refused_key: 1 });
    assert_eq!(rsa(Rsa4096Sha256), Count { valid: 7, invalid: 251, refused_key: 0 });
    assert_eq!(rsa(Rsa8192Sha256), Count { valid: 0, invalid: 0, refused_key: 258 });
}
