//! A JWK Set: whatever is published, reading it, choosing from it and using a key of it ends well.

#![no_main]

use futures::executor::block_on;
use grant_vault::grant::jwks::{Algorithm, JwkSet};
use grant_vault::grant::signature::{CheckSignature, JwtSimple};
use grant_vault::grant::token::UnverifiedToken;
use grant_vault_fuzz::signed;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(set) = JwkSet::parse(data) else { return };
    // Half a surrogate pair in a key that is of no use is no reason to refuse the others.
    let Ok(published) = serde_json::from_slice::<Value>(data) else { return };
    let published = published["keys"].as_array().expect("a set has keys");
    assert!(data.len() <= 64 * 1024 && published.len() <= 128);

    let kids = published.iter().filter_map(|key| key["kid"].as_str()).map(Some).take(3).chain([None]);
    for kid in kids {
        for (algorithm, name) in [(Algorithm::Es256, "ES256"), (Algorithm::Rs256, "RS256")] {
            let Ok(key) = set.select(algorithm, kid) else { continue };
            assert_eq!(key.public_key.algorithm(), Some(algorithm));
            let fitting = published.iter().filter(|key| key["kid"].as_str() == kid || kid.is_none());
            let kind = if algorithm == Algorithm::Es256 { "EC" } else { "RSA" };
            assert!(fitting.filter(|key| key["kty"] == kind).count() >= 1, "{kid:?} is a published {kind} key");

            let token = signed(format!("{{\"alg\":\"{name}\"}}").as_bytes(), b"{}");
            let token = UnverifiedToken::parse(&token).expect("a token in form");
            assert!(block_on(JwtSimple.check(key, &token)).is_err(), "the signature is nobody's");
        }
    }
});
