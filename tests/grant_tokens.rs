//! Grant tokens as an attacker would write them, and every legal form of them.
//!
//! Each row of a table is a token with its name and the reason that it must be refused for: a
//! refusal for another reason would leave the check in question untested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod common;

use base64ct::{Base64UrlUnpadded, Encoding};
use common::*;
use grant_vault::grant::GrantError::{
    self, Algorithm, Audience, Bound, Claims, Confirmation, Critical, Disagreement, EmbeddedKey, Expired, Header,
    Issuer, Key, Lifetime, NotCompact, NotYetValid, NullClaim, Signature, TooLong, Type, Value,
};
use grant_vault::grant::claims;
use grant_vault::grant::jwks::SelectError::{Ambiguous, Unknown};
use grant_vault::grant::signature::SignatureError;
use grant_vault::json::JsonError::{self, Missing, NotAnObject, Null, WrongType};
use grant_vault::limits::GRANT_LIFETIME_SECS;
use jwt_simple::prelude::ES256KeyPair;
use proptest::prelude::*;
use serde_json::json;
use superboring::hash::MessageDigest;
use superboring::rsa::Padding;

fn bad_signature() -> GrantError {
    Signature(SignatureError::Invalid)
}

fn wrong_type(name: &'static str, expected: &'static str) -> JsonError {
    WrongType { name, expected }
}

fn no_string(name: &'static str) -> JsonError {
    wrong_type(name, "a string")
}

#[test]
fn every_legal_form_is_taken() {
    let mut rows = Vec::new();
    for (spelling, claims) in [("standard", standard()), ("legacy", legacy()), ("both", both())] {
        for kid in ["", r#","kid":"K""#] {
            for typ in ["", r#","typ":"JWT""#, r#","typ":"jwt""#, r#","typ":"at+jwt""#] {
                let header = |alg, key| format!(r#"{{"alg":"{alg}"{}{typ}}}"#, kid.replace('K', key));
                let claims = claims.to_string();
                let (ec, rsa) = (header("ES256", "ec"), header("RS256", "rsa"));
                rows.push((format!("{spelling} {ec}"), token(By::Ec(&KEYS.ec), ec, &claims)));
                rows.push((format!("{spelling} {rsa}"), token(By::Rsa(&KEYS.rsa), rsa, &claims)));
            }
        }
    }
    Vault::two_keys().takes(rows);
}

/// RFC 7515 section 4: what is not understood is ignored, unless `crit` names it.
#[test]
fn other_headers_and_claims_are_ignored() {
    let header = |more: &str| token(By::Ec(&KEYS.ec), format!("{{{more},{}", &EC_HEADER[1..]), standard().to_string());
    Vault::two_keys().takes([
        ("cty", header(r#""cty":"JWT""#)),
        ("jku", header(r#""jku":"https://evil.example/jwks.json""#)),
        ("x5u", header(r#""x5u":"https://evil.example/cert.pem""#)),
        ("x5c", header(r#""x5c":["MIIB"]"#)),
        ("zip", header(r#""zip":"DEF""#)),
        ("a long one", header(&format!(r#""x":"{}""#, "x".repeat(9_000)))),
        ("white space", token(By::Ec(&KEYS.ec), format!(" {EC_HEADER}\n"), format!("\t{} ", standard()))),
        ("an unknown claim", ec_token(with(standard(), "new", r#"{"a":[1.5,null,{"a":1}]}"#))),
        ("an audience where none is set", ec_token(with(standard(), "aud", r#""anything""#))),
        ("a legacy token's scope", ec_token(with(legacy(), "scope", r#""*""#))),
    ]);
}

#[test]
fn the_header_does_not_choose_the_algorithm() {
    let claims = standard().to_string();
    let keys = &*KEYS;
    let public = keys.rsa.public_key();
    let (pem, der) = (public.to_pem().unwrap(), public.to_der().unwrap());
    let (n, n_text) = (public.to_components().n, encode(public.to_components().n));
    let jwk = rsa_jwk("rsa", &keys.rsa).to_string();
    let secrets = [
        ("PEM", pem.as_bytes()),
        ("PEM without its last newline", pem.trim_end().as_bytes()),
        ("DER", &der),
        ("modulus", &n),
        ("modulus as text", n_text.as_bytes()),
        ("JWK", jwk.as_bytes()),
        ("nothing", b""),
    ];
    let mut rows = Vec::new();
    for (name, secret) in secrets {
        let sign = |header: &str| token(By::Hmac(secret), header, &claims);
        rows.push((format!("HS256, {name}"), sign(r#"{"alg":"HS256","kid":"rsa"}"#), Algorithm));
        rows.push((format!("RS256, HMAC by {name}"), sign(RSA_HEADER), bad_signature()));
        rows.push((format!("ES256, HMAC by {name}"), sign(EC_HEADER), bad_signature()));
    }
    let others =
        ["HS256", "HS384", "RS384", "RS512", "PS256", "ES384", "ES256K", "EdDSA", "rs256", "RS256 ", "", "dir"];
    for alg in ["none", "None", "NONE", "nOnE"].into_iter().chain(others) {
        let header = json!({"alg": alg, "kid": "rsa"}).to_string();
        rows.push((format!("{alg}, signed"), token(By::Rsa(&keys.rsa), &header, &claims), Algorithm));
        rows.push((format!("{alg}, unsigned"), token(By::Bytes(b""), &header, &claims), NotCompact));
    }
    for (raw, error) in [("null", Null("alg")), ("5", no_string("alg")), (r#"["RS256"]"#, no_string("alg"))] {
        let header = format!(r#"{{"alg":{raw},"kid":"rsa"}}"#);
        rows.push((header.clone(), token(By::Rsa(&keys.rsa), header, &claims), Header(error)));
    }
    rows.push(("no alg".into(), token(By::Rsa(&keys.rsa), r#"{"kid":"rsa"}"#, &claims), Header(Missing("alg"))));
    Vault::two_keys().refuses(rows);
}

#[test]
fn a_kid_names_exactly_one_key() {
    let claims = standard().to_string();
    let keys = &*KEYS;
    let (ec, rsa, ec2, rsa2) = (By::Ec(&keys.ec), By::Rsa(&keys.rsa), By::Ec(&keys.ec2), By::Rsa(&keys.rsa2));
    let header = |by, header: &str| token(by, header, &claims);
    let mut rows = vec![
        ("another key's kid, RSA", header(rsa, r#"{"alg":"RS256","kid":"rsa2"}"#), bad_signature()),
        ("another key's kid, EC", header(ec, r#"{"alg":"ES256","kid":"ec2"}"#), bad_signature()),
        ("an RSA token under the EC key's kid", header(rsa, r#"{"alg":"RS256","kid":"ec"}"#), Key(Unknown)),
        ("an EC token under the RSA key's kid", header(ec, r#"{"alg":"ES256","kid":"rsa"}"#), Key(Unknown)),
        ("an RSA signature as ES256", header(rsa, EC_HEADER), bad_signature()),
        ("an EC signature as RS256", header(ec, RSA_HEADER), bad_signature()),
        ("two keys of the type, RSA", header(rsa, r#"{"alg":"RS256"}"#), Key(Ambiguous)),
        ("two keys of the type, EC", header(ec, r#"{"alg":"ES256"}"#), Key(Ambiguous)),
        ("kid null", header(ec, r#"{"alg":"ES256","kid":null}"#), Header(Null("kid"))),
        ("kid a number", header(ec, r#"{"alg":"ES256","kid":5}"#), Header(no_string("kid"))),
        ("kid an array", header(ec, r#"{"alg":"ES256","kid":["ec"]}"#), Header(no_string("kid"))),
    ];
    for kid in ["", "EC", "ec ", "e", "ec\\u0000", "../ec", "ec' OR '1'='1", "unknown"] {
        rows.push((kid, header(ec, &format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#)), Key(Unknown)));
    }
    Vault::four_keys().refuses(rows);
    Vault::two_keys().refuses([
        ("another's key without a kid, EC", header(ec2, r#"{"alg":"ES256"}"#), bad_signature()),
        ("another's key without a kid, RSA", header(rsa2, r#"{"alg":"RS256"}"#), bad_signature()),
        ("a kid that left the set", header(ec2, r#"{"alg":"ES256","kid":"ec2"}"#), Key(Unknown)),
    ]);
}

#[test]
fn a_header_brings_no_key_and_no_extension() {
    let attacker = ES256KeyPair::generate();
    let sign = |by, more: &str| token(by, format!(r#"{{"alg":"ES256","kid":"ec",{more}}}"#), standard().to_string());
    let (mine, theirs) = (By::Ec(&KEYS.ec), By::Ec(&attacker));
    let jwk = ec_jwk("ec", &attacker);
    let rows = [
        (theirs, format!(r#""jwk":{jwk}"#), EmbeddedKey),
        (theirs, format!(r#""jwk":{}"#, json!(jwk.to_string())), EmbeddedKey),
        (theirs, r#""jku":"https://evil.example/jwks.json""#.into(), bad_signature()),
        (theirs, r#""x5u":"https://evil.example/cert.pem""#.into(), bad_signature()),
        (theirs, r#""x5c":["MIIB"],"x5t":"AAAA""#.into(), bad_signature()),
        (mine, r#""crit":[]"#.into(), Critical),
        (mine, r#""crit":null"#.into(), Critical),
        (mine, r#""crit":"b64""#.into(), Critical),
        (mine, r#""crit":["exp"],"exp":1"#.into(), Critical),
        (mine, r#""crit":["b64"],"b64":false"#.into(), Critical),
        (mine, r#""b64":false"#.into(), Critical),
        (mine, r#""b64":true"#.into(), Critical),
        (mine, r#""typ":"JOSE""#.into(), Type),
        (mine, r#""typ":"""#.into(), Type),
        (mine, r#""typ":"JWT ""#.into(), Type),
        (mine, r#""typ":"dpop+jwt""#.into(), Type),
        (mine, r#""typ":"logout+jwt""#.into(), Type),
        (mine, r#""typ":5"#.into(), Header(no_string("typ"))),
        (mine, r#""typ":null"#.into(), Header(Null("typ"))),
        (mine, r#""cty":5"#.into(), Header(no_string("cty"))),
        (mine, r#""x5c":"MIIB""#.into(), Header(wrong_type("x5c", "an array of strings"))),
        (mine, r#""alg":"none""#.into(), Header(NotAnObject)),
        (mine, r#""alg":"ES256""#.into(), Header(NotAnObject)),
        (mine, r#""\u0061lg":"none""#.into(), Header(NotAnObject)),
        (mine, r#""kid":"ec2""#.into(), Header(NotAnObject)),
        (mine, r#""x":1,"x":2"#.into(), Header(NotAnObject)),
    ];
    Vault::two_keys().refuses(rows.map(|(by, more, error)| (more.clone(), sign(by, &more), error)));
    let headers: [&[u8]; 9] = [
        b"null",
        b"[]",
        b"\"a\"",
        b"{",
        b"{}{}",
        b"x",
        b"{\"alg\":\"ES256\"}x",
        b"\xef\xbb\xbf{\"alg\":\"ES256\"}",
        b"\xff",
    ];
    Vault::two_keys().refuses(headers.map(|header| {
        (header.escape_ascii().to_string(), token(mine, header, standard().to_string()), Header(NotAnObject))
    }));
}

#[test]
fn a_token_is_three_parts_of_canonical_base64url() {
    // Lengths of which none is a multiple of three bytes, so that every part has unused last bits.
    let claims = standard().to_string();
    let claims = format!("{claims}{}", " ".repeat(1 + usize::from(claims.len() % 3 == 2)));
    let good = token(By::Ec(&KEYS.ec), format!("{EC_HEADER}{}", " ".repeat(2)), &claims);
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("{good}") };
    let mut rows = Vec::new();
    for index in 0..3 {
        let part = parts[index];
        let (head, last) = part.split_at(part.len() - 1);
        let next = char::from(last.as_bytes()[0] + 1);
        let forms = [
            format!("{part}="),
            format!("{part}=="),
            format!("{head}{next}"), // One of the last character's unused bits is set.
            format!("{part}{}", "A".repeat((5 - part.len() % 4) % 4)),
            format!(" {part}"),
            format!("{part}\n"),
            format!("{part}\0"),
            format!("{}+{}", &part[..8], &part[9..]),
            format!("{}/{}", &part[..8], &part[9..]),
            format!("{}é{}", &part[..8], &part[10..]),
            format!("{}%2B{}", &part[..8], &part[9..]),
        ];
        for form in forms {
            let mut changed = parts.clone();
            changed[index] = &form;
            rows.push((format!("part {index} is {form:?}"), changed.join("."), NotCompact));
        }
    }
    Vault::two_keys().takes([("unchanged", good.clone())]);
    Vault::two_keys().refuses(rows);
    Vault::two_keys().refuses([
        ("no part", String::new(), NotCompact),
        ("empty parts", "..".into(), NotCompact),
        ("one part", header.into(), NotCompact),
        ("two parts", format!("{header}.{claims}"), NotCompact),
        ("four parts", format!("{good}.{claims}"), NotCompact),
        ("five parts", format!("{good}.{claims}.{signature}"), NotCompact),
        ("trailing dot", format!("{good}."), NotCompact),
        ("two dots in a row", format!("{header}..{claims}.{signature}"), NotCompact),
        ("leading dot", format!(".{good}"), NotCompact),
        ("no header", format!(".{claims}.{signature}"), Header(NotAnObject)),
        ("no claims", format!("{header}..{signature}"), bad_signature()),
        ("no signature", format!("{header}.{claims}."), NotCompact),
        ("a scheme before it", format!("Bearer {good}"), NotCompact),
        (
            "JSON serialization",
            json!({"protected": header, "payload": claims, "signature": signature}).to_string(),
            NotCompact,
        ),
    ]);
}

#[test]
fn a_signature_is_of_this_token_and_key() {
    let claims = standard().to_string();
    let other = with(standard(), "sub", r#""user_2""#);
    let bytes = |token: &str| -> Vec<u8> { Base64UrlUnpadded::decode_vec(token.rsplit('.').next().unwrap()).unwrap() };
    let flip = |bytes: &[u8], at: usize| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        flipped
    };
    // n, the order of P-256 (FIPS 186-4 section D.1.2.3).
    let mut order = vec![0xff; 4];
    order.extend([0, 0, 0, 0]);
    order.extend([0xff; 8]);
    order.extend(0xbce6_faad_a717_9e84_u64.to_be_bytes());
    order.extend(0xf3b9_cac2_fc63_2551_u64.to_be_bytes());
    let ec = bytes(&token(By::Ec(&KEYS.ec), EC_HEADER, &claims));
    let rsa = bytes(&token(By::Rsa(&KEYS.rsa), RSA_HEADER, &claims));
    let (r, s) = ec.split_at(32);
    let modulus = KEYS.rsa.public_key().to_components().n;
    let as_ec = [
        ("truncated", ec[..63].to_vec()),
        ("extended", [&ec[..], &[0]].concat()),
        ("after a zero", [&[0], &ec[..]].concat()),
        ("first bit", flip(&ec, 0)),
        ("last bit", flip(&ec, 63)),
        ("of another token", bytes(&ec_token(&other))),
        ("half", r.to_vec()),
        ("swapped", [s, r].concat()),
        ("zeros", vec![0; 64]),
        ("r = 0", [&[0; 32], s].concat()),
        ("s = 0", [r, &[0; 32]].concat()),
        ("r = n", [&order, s].concat()),
        ("s = n", [r, &order].concat()),
        ("r = s = n", order.repeat(2)),
        ("ones", vec![0xff; 64]),
        ("one byte", vec![0]),
        ("4 KiB", vec![1; 4_096]),
    ];
    let as_rsa = [
        ("RSA: truncated", rsa[..255].to_vec()),
        ("RSA: extended", [&rsa[..], &[0]].concat()),
        ("RSA: after a zero", [&[0], &rsa[..]].concat()),
        ("RSA: first bit", flip(&rsa, 0)),
        ("RSA: last bit", flip(&rsa, 255)),
        ("RSA: of another token", bytes(&token(By::Rsa(&KEYS.rsa), RSA_HEADER, &other))),
        ("RSA: zeros", vec![0; 256]),
        ("RSA: one", [&[0; 255][..], &[1]].concat()),
        ("RSA: the modulus", modulus),
        ("RSA: ones", vec![0xff; 256]),
    ];
    let forge = |header, bytes: &[u8]| token(By::Bytes(bytes), header, &claims);
    let vault = Vault::two_keys();
    vault.refuses(as_ec.map(|(name, bytes)| (name, forge(EC_HEADER, &bytes), bad_signature())));
    vault.refuses(as_rsa.map(|(name, bytes)| (name, forge(RSA_HEADER, &bytes), bad_signature())));
    let scheme = |padding, digest| token(By::RsaAs(&KEYS.rsa, padding, digest), RSA_HEADER, &claims);
    vault.refuses([
        ("DER", token(By::EcDer(&KEYS.ec), EC_HEADER, &claims), bad_signature()),
        ("RSA-PSS", scheme(Padding::PKCS1_PSS, MessageDigest::sha256), bad_signature()),
        ("SHA-384", scheme(Padding::PKCS1, MessageDigest::sha384), bad_signature()),
        ("SHA-512", scheme(Padding::PKCS1, MessageDigest::sha512), bad_signature()),
    ]);
    // n - s is as good as s (RFC 7518 section 3.4 has no rule about it): one token has two texts, so
    // that whatever is kept about a token goes by its jti.
    let (r, s) = p256::ecdsa::Signature::try_from(&ec[..]).unwrap().split_scalars();
    let other_s = p256::ecdsa::Signature::from_scalars(r, -s).unwrap().to_vec();
    vault.takes([
        ("EC, unchanged", forge(EC_HEADER, &ec)),
        ("EC, n - s", forge(EC_HEADER, &other_s)),
        ("RSA, unchanged", forge(RSA_HEADER, &rsa)),
    ]);
}

#[test]
fn a_token_has_16_kib_at_most() {
    let of_length = |length: usize| {
        let signature = vec![0; 64];
        let padded = |pad: usize, spaces: usize, by| {
            let header = format!("{EC_HEADER}{}", " ".repeat(spaces));
            token(by, header, with(standard(), "pad", &format!("\"{}\"", "x".repeat(pad))))
        };
        let sizes = (11_000..12_300).flat_map(|pad| [(pad, 0), (pad, 1), (pad, 2)]);
        let mut fitting = sizes.filter(|&(pad, spaces)| padded(pad, spaces, By::Bytes(&signature)).len() == length);
        let (pad, spaces) = fitting.next().unwrap();
        padded(pad, spaces, By::Ec(&KEYS.ec))
    };
    Vault::two_keys().takes([("16 KiB", of_length(16_384))]);
    Vault::two_keys().refuses([("one byte more", of_length(16_385), TooLong)]);
}

#[test]
fn times_are_numbers_and_the_skew_is_a_minute() {
    let at = |name: &str, raw: &str| ec_token(with(standard(), name, raw));
    // Whole seconds from now, then a fraction that is added: "-60.001" is 59.999 s ago.
    let near = |name: &str, offset: &str| {
        let (seconds, fraction) = offset.split_once('.').unwrap_or((offset, "0"));
        at(name, &format!("{}.{fraction}", NOW + seconds.parse::<i64>().unwrap()))
    };
    let vault = Vault::two_keys();
    for (name, offset) in [
        ("exp", "-59"),
        ("exp", "-60.001"),
        ("exp", "0.5"),
        ("nbf", "60"),
        ("nbf", "-1000000"),
        ("iat", "60"),
        ("iat", "-0.5"),
    ] {
        assert!(vault.verify(&near(name, offset)).is_ok(), "{name} at {offset}");
    }
    for (name, raw) in
        [("exp", "1.7000000e9"), ("exp", "17000000000e-1"), ("iat", "0.17E+10"), ("nbf", "0"), ("nbf", "-0")]
    {
        assert!(vault.verify(&at(name, raw)).is_ok(), "{name}: {raw}");
    }
    let lifetime = |iat: i64, exp: &str| ec_token(with(json_with(standard(), "iat", iat), "exp", exp));
    for iat in [NOW, NOW + 60, NOW - GRANT_LIFETIME_SECS] {
        let exp = iat + GRANT_LIFETIME_SECS;
        assert!(vault.verify(&lifetime(iat, &exp.to_string())).is_ok(), "400 days from {iat}");
        for exp in [format!("{exp}.001"), format!("{}", exp + 1)] {
            assert_eq!(vault.verify(&lifetime(iat, &exp)), Err(Lifetime), "from {iat} to {exp}");
        }
    }
    let mut rows = vec![
        ("exp: the skew".to_owned(), near("exp", "-60"), Expired),
        ("exp: more than the skew".into(), near("exp", "-61"), Expired),
        ("exp: 0".into(), at("exp", "0"), Expired),
        ("exp: -1.5".into(), at("exp", "-1.5"), Value("exp")),
        ("exp: 2^32".into(), at("exp", "4294967296"), Lifetime),
        ("exp: 2^64".into(), at("exp", "18446744073709551616"), Value("exp")),
        ("exp: 1e300".into(), at("exp", "1e300"), Value("exp")),
        ("nbf: 1e300".into(), at("nbf", "1e300"), Value("nbf")),
        ("nbf: -1.5".into(), at("nbf", "-1.5"), Value("nbf")),
        ("nbf: a moment more than the skew".into(), near("nbf", "60.001"), NotYetValid),
        ("nbf: more than the skew".into(), near("nbf", "61"), NotYetValid),
        ("iat: a moment more than the skew".into(), near("iat", "60.001"), NotYetValid),
        ("iat: more than the skew".into(), near("iat", "61"), NotYetValid),
        ("iat: -1.5".into(), at("iat", "-1.5"), Value("iat")),
        ("no exp".into(), ec_token(without(standard(), "exp")), Claims(Missing("exp"))),
        ("no iat".into(), ec_token(without(standard(), "iat")), Claims(Missing("iat"))),
    ];
    for name in ["exp", "nbf", "iat"] {
        for raw in [r#""1700003600""#, "true", "[1700003600]", "{}"] {
            rows.push((format!("{name}: {raw}"), at(name, raw), Claims(wrong_type(name, "a number"))));
        }
        for raw in ["NaN", "Infinity", "01700003600", "1e400"] {
            rows.push((format!("{name}: {raw}"), at(name, raw), Claims(NotAnObject)));
        }
        rows.push((format!("{name}: null"), at(name, "null"), NullClaim));
        rows.push((format!("{name}: -1"), at(name, "-1"), Value(name)));
    }
    vault.refuses(rows);
}

fn json_with(mut claims: serde_json::Value, name: &str, value: i64) -> serde_json::Value {
    claims[name] = json!(value);
    claims
}

/// jwt-simple reads times, too, but must leave it to `claims.rs` to decide about them.
#[test]
fn the_claims_reader_alone_decides_about_times() {
    let vault = Vault::two_keys();
    let (mut taken, mut refused) = (0, 0);
    for name in ["exp", "nbf", "iat"] {
        for around in [-60_000, 60_000] {
            for offset in [-1_001, -1_000, -999, -1, 0, 1, 499, 999, 1_000, 1_001] {
                let millis = NOW * 1_000 + around + offset;
                let text = with(standard(), name, &format!("{}.{:03}", millis / 1_000, millis % 1_000));
                let token = ec_token(&text);
                for now in [0, 1, 500, 999].map(|millis| at(NOW * 1_000 + millis)) {
                    let read = claims::read(text.as_bytes(), &expected(None), now);
                    let verified = vault.verify_at(&token, now);
                    assert_eq!(verified.as_ref().ok(), read.as_ref().ok(), "{text} at {now}: {verified:?}, {read:?}");
                    if read.is_ok() { taken += 1 } else { refused += 1 }
                }
            }
        }
    }
    assert!(taken > 50 && refused > 50, "{taken} taken, {refused} refused");
}

#[test]
fn claims_say_one_thing() {
    let claim = |name: &str, raw: &str| ec_token(with(standard(), name, raw));
    let inner = |name: &str, raw: &str| ec_token(with_inner(standard(), name, raw));
    let twice = |pair: &str| ec_token(standard().to_string().replacen('{', &format!("{{{pair},"), 1));
    let no_object = || Claims(wrong_type(GRANT, "an object"));
    let mut rows = vec![
        ("cnf".to_owned(), claim("cnf", r#"{"jkt":"x"}"#), Bound),
        ("cnf empty".into(), claim("cnf", "{}"), Confirmation),
        ("cnf of a certificate".into(), claim("cnf", r#"{"x5t#S256":"x"}"#), Confirmation),
        ("cnf of both".into(), claim("cnf", r#"{"jkt":"x","x5t#S256":"y"}"#), Confirmation),
        (
            "cnf of a number".into(),
            claim("cnf", r#"{"jkt":5}"#),
            Claims(WrongType { name: "jkt", expected: "a string" }),
        ),
        ("cnf null".into(), claim("cnf", "null"), NullClaim),
        ("iss".into(), claim("iss", r#""https://grantex.dev/""#), Issuer),
        ("iss in another case".into(), claim("iss", r#""https://Grantex.dev""#), Issuer),
        ("iss an array".into(), claim("iss", r#"["https://grantex.dev"]"#), Claims(no_string("iss"))),
        ("sub a number".into(), claim("sub", "5"), Claims(no_string("sub"))),
        ("sub empty".into(), claim("sub", r#""""#), Value("sub")),
        ("sub with NUL".into(), claim("sub", r#""user_1\u0000""#), Value("sub")),
        ("a lone surrogate".into(), claim("sub", r#""\ud800""#), Claims(NotAnObject)),
        ("jti empty".into(), claim("jti", r#""""#), Value("jti")),
        ("scope an array".into(), claim("scope", r#"["*"]"#), Claims(no_string("scope"))),
        (
            "scp a string".into(),
            ec_token(with(legacy(), "scp", r#""*""#)),
            Claims(wrong_type("scp", "an array of strings")),
        ),
        ("grant an array".into(), claim(GRANT, "[]"), no_object()),
        ("grant a string".into(), claim(GRANT, r#""{}""#), no_object()),
        ("grant empty".into(), claim(GRANT, "{}"), Claims(Missing("developer_id"))),
        ("developer of another form".into(), inner("developer_id", r#""dev_A:dev_B""#), Value("developer_id")),
        (
            "depth negative".into(),
            inner("delegation_depth", "-1"),
            Claims(wrong_type("delegation_depth", "a whole number")),
        ),
        (
            "depth fractional".into(),
            inner("delegation_depth", "1.5"),
            Claims(wrong_type("delegation_depth", "a whole number")),
        ),
        ("sub twice".into(), twice(r#""sub":"user_2""#), Claims(NotAnObject)),
        ("sub twice, escaped".into(), twice(r#""\u0073ub":"user_2""#), Claims(NotAnObject)),
        ("exp twice".into(), twice(r#""exp":1"#), Claims(NotAnObject)),
        ("scope twice".into(), twice(r#""scope":"*""#), Claims(NotAnObject)),
        ("grant twice".into(), twice(&format!(r#""{GRANT}":{{}}"#)), Claims(NotAnObject)),
        ("an unknown claim twice".into(), twice(r#""x":1,"x":1"#), Claims(NotAnObject)),
        (
            "developer twice".into(),
            claim(GRANT, r#"{"developer_id":"dev_A","developer_id":"dev_B"}"#),
            Claims(NotAnObject),
        ),
        (
            "deep nesting".into(),
            claim("x", &format!("{}{}", "[".repeat(5_000), "]".repeat(5_000))),
            Claims(NotAnObject),
        ),
        ("too large a number in an unknown claim".into(), claim("x", "1e400"), Claims(NotAnObject)),
        ("a number as nonce".into(), claim("nonce", "5"), Claims(no_string("nonce"))),
        ("an unknown claim with a name twice".into(), claim("x", r#"[{"a":1,"a":2}]"#), Claims(NotAnObject)),
    ];
    for name in ["exp", "nbf", "iat", "aud"] {
        rows.push((format!("{name} null"), claim(name, "null"), NullClaim));
    }
    for name in
        ["iss", "sub", "jti", "scope", "scp", "dev", "agt", "grnt", "parentGrnt", "delegationDepth", "new", GRANT]
    {
        rows.push((format!("{name} null"), claim(name, "null"), NullClaim));
    }
    for name in ["agent_did", "developer_id", "grant_id", "parent_grant_id", "delegation_depth", "new"] {
        rows.push((format!("{name} null"), inner(name, "null"), NullClaim));
    }
    for name in ["iss", "sub", "jti", "scope"] {
        rows.push((format!("no {name}"), ec_token(without(standard(), name)), Claims(Missing(name))));
    }
    for (name, raw, standard) in [
        ("dev", r#""dev_B""#, "developer_id"),
        ("dev", r#""DEV_A""#, "developer_id"),
        ("agt", r#""did:grantex:ag_2""#, "agent_did"),
        ("grnt", r#""grnt_2""#, "grant_id"),
        ("parentGrnt", r#""grnt_1""#, "parent_grant_id"),
        ("delegationDepth", "0", "delegation_depth"),
        ("scp", r#"["github:read"]"#, "scope"),
        ("scp", r#"["slack:*","github:read"]"#, "scope"),
        ("scp", r#"["github:read","slack:*","*"]"#, "scope"),
        ("scope", r#""*""#, "scope"),
    ] {
        rows.push((format!("{name} disagrees: {raw}"), ec_token(with(both(), name, raw)), Disagreement(standard)));
    }
    let texts: [&[u8]; 10] =
        [b"", b"null", b"[]", b"5", b"\"a\"", b"{", b"not JSON", b"{\"iss\":\"\xff\"}", b"\xef\xbb\xbf{}", b"{}\0"];
    for text in texts {
        rows.push((format!("claims {}", text.escape_ascii()), ec_token(text), Claims(NotAnObject)));
    }
    rows.push(("trailing text".into(), ec_token(format!("{}x", standard())), Claims(NotAnObject)));
    rows.push(("two objects".into(), ec_token(format!("{}{}", standard(), standard())), Claims(NotAnObject)));
    Vault::two_keys().refuses(rows);
}

#[test]
fn a_vault_with_an_audience_takes_its_own_tokens_only() {
    let vault = Vault::of_audience("vault");
    let of = |raw: &str| ec_token(with(standard(), "aud", raw));
    vault.takes([r#""vault""#, r#"["vault"]"#, r#"["x","vault"]"#].map(|raw| (raw, of(raw))));
    let others = [r#""Vault""#, r#""vault ""#, r#""""#, r#""x vault""#, "[]", r#"["x"]"#, r#"["x","vault2"]"#];
    vault.refuses(others.map(|raw| (raw, of(raw), Audience)));
    let no_audiences = ["5", "{}", r#"{"vault":1}"#, r#"["vault",5]"#, r#"["vault",null]"#, r#"[["vault"]]"#];
    let no_audience = || Claims(wrong_type("aud", "a string or an array of strings"));
    vault.refuses(no_audiences.map(|raw| (raw, of(raw), no_audience())));
    vault.refuses([("null", of("null"), NullClaim)]);
    vault.refuses([("none", ec_token(standard().to_string()), Audience)]);
}

/// One valid token of each algorithm and spelling.
fn valid() -> [String; 4] {
    let rsa = |claims: serde_json::Value| token(By::Rsa(&KEYS.rsa), RSA_HEADER, claims.to_string());
    [ec_token(standard().to_string()), ec_token(legacy().to_string()), rsa(standard()), rsa(legacy())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_with_one_character_changed_is_refused(
        index in any::<prop::sample::Index>(),
        position in any::<prop::sample::Index>(),
        edit in 0..3,
        character in prop_oneof![4 => "[A-Za-z0-9_-]", 1 => "[.=+/ ]", 1 => any::<char>().prop_map(String::from)],
    ) {
        static VALID: std::sync::LazyLock<[String; 4]> = std::sync::LazyLock::new(valid);
        let token = index.get(&VALID[..]);
        let position = position.index(token.len());
        let (range, text) = match edit {
            0 => (position..position + 1, character.as_str()),
            1 => (position..position, character.as_str()),
            _ => (position..position + 1, ""),
        };
        let mut changed = token.clone();
        changed.replace_range(range, text);
        let outcome = Vault::two_keys().verify(&changed);
        prop_assert_eq!(outcome.is_ok(), &changed == token, "{}", changed);
    }

    #[test]
    fn no_text_makes_the_verifier_panic(
        text in prop_oneof![any::<String>(), "[A-Za-z0-9_.-]{0,200}", "e[A-Za-z0-9_-]{0,40}[.]e[A-Za-z0-9_-]{0,80}[.][A-Za-z0-9_-]{0,90}"],
    ) {
        prop_assert!(Vault::two_keys().verify(&text).is_err());
    }

    /// Nor do claims of any JSON value, whoever signed them.
    #[test]
    fn no_claim_makes_the_reader_panic(
        name in prop::sample::select(vec!["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scp", "dev", "cnf", GRANT]),
        raw in prop_oneof![
            "-?[0-9]{1,30}([.][0-9]{1,10})?([eE][+-]?[0-9]{1,3})?",
            any::<String>().prop_map(|text| json!(text).to_string()),
            prop::collection::vec(any::<String>(), 0..3).prop_map(|texts| json!(texts).to_string()),
            any::<String>(),
        ],
    ) {
        let text = with(both(), name, &raw);
        let read = claims::read(text.as_bytes(), &expected(None), at(NOW * 1_000));
        if let Ok(read) = read {
            prop_assert_eq!(read.principal.as_str() == "user_1", name != "sub" || raw == r#""user_1""#);
        }
    }
}
