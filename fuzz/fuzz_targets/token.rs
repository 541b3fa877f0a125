//! A grant token's header and claims. The input is a whole token, or, with a line feed in it, a header
//! and claims that are then signed: what is taken must be what any other reader of JSON reads there.

#![no_main]

use futures::executor::block_on;
use grant_vault::grant::Grant;
use grant_vault::grant::signature::JwtSimple;
use grant_vault_fuzz::{ISSUER, NOW, NoFetch, Signed, now, settings, signed};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const YEAR: i64 = 366 * 24 * 60 * 60;

fuzz_target!(|data: &[u8]| {
    let verifier = settings().verifier;
    let Some(split) = data.iter().position(|&byte| byte == b'\n') else {
        let token = String::from_utf8_lossy(data);
        let verdict = block_on(verifier.verify(&token, &NoFetch, &JwtSimple, now()));
        assert!(verdict.is_err(), "nobody here can sign: {verdict:?}");
        return;
    };
    let (header, claims) = (&data[..split], &data[split + 1..]);
    let token = signed(header, claims);
    let verdict = block_on(verifier.verify(&token, &NoFetch, &Signed, now()));
    let again = block_on(verifier.verify(&token, &NoFetch, &Signed, now()));
    assert_eq!(verdict, again, "a token that was seen before is judged like a new one");
    if let Ok(grant) = verdict {
        check(&grant, header, claims);
    }
});

fn check(grant: &Grant, header: &[u8], claims: &[u8]) {
    // Half a surrogate pair in a field that nobody reads is no fault.
    if let Ok(header) = serde_json::from_slice::<Value>(header) {
        assert_eq!(header["alg"], "ES256", "the key set holds no other key");
        assert!(header.get("kid").is_none_or(|kid| kid == "ec"));
        assert!(["crit", "b64", "jwk"].iter().all(|name| header.get(name).is_none()));
    }

    let claims: Value = serde_json::from_slice(claims).expect("claims that were taken are JSON");
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["sub"], grant.principal.as_str());
    assert_eq!(claims["jti"], grant.token_id.as_str());
    assert!(claims.get("cnf").is_none());
    assert!(claims.as_object().expect("an object").values().all(|claim| !claim.is_null()));
    let developers = [claims.pointer("/urn:grantex:grant/developer_id"), claims.get("dev")];
    assert!(developers.iter().any(Option::is_some));
    assert!(developers.iter().flatten().all(|developer| *developer == grant.developer.as_str()));
    let seconds = |name: &str| claims[name].as_f64().expect("a number");
    assert!(seconds("exp") > (NOW - 61) as f64 && seconds("exp") < (NOW + 2 * YEAR) as f64);
    assert!(seconds("iat") < (NOW + 61) as f64);
}
