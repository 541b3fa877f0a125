//! JWK Sets (RFC 7517): the keys that grant tokens are signed with.
//!
//! Reads a set and finds the one key for a token. Where sets come from is in `issuer.rs`.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::json::Object;
use crate::limits;

/// The algorithms that a grant token may be signed with (RFC 7518 section 3.1). Each goes with one
/// type of key; there is no reading under which a public key becomes an HMAC secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// Reads an `alg`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// Why a text is no usable JWK Set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Longer than [`limits::JWKS_BYTES`].
    #[error("longer than 64 KiB")]
    TooLong,
    /// Not an object with a `keys` array of objects.
    #[error("not a JSON Web Key Set")]
    NotASet,
    /// More than [`limits::JWKS_KEYS`] keys.
    #[error("more than 128 keys")]
    TooManyKeys,
    /// None of its keys can check a grant token.
    #[error("holds no RS256 or ES256 signature key")]
    NoUsableKey,
}

/// Why a set has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No key has the token's `kid` (or, without one, fits its `alg`).
    #[error("no key of the issuer fits kid and alg")]
    Unknown,
    /// More than one key fits.
    #[error("more than one key of the issuer fits kid and alg")]
    Ambiguous,
}

/// One public key that can check signatures.
#[derive(Debug)]
pub struct VerifyingKey {
    id: Option<String>,
    /// The key itself.
    pub public_key: PublicKey,
}

/// A public key of a type that a grant token may be signed with.
#[derive(Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// An RSA key of 2,048 to 4,096 bits with the exponent 65,537.
    Rsa {
        /// The modulus, most significant byte first.
        n: Vec<u8>,
        /// The exponent, likewise.
        e: Vec<u8>,
    },
    /// A point on P-256.
    P256 {
        /// The point, uncompressed (SEC 1 section 2.3.3).
        point: [u8; PublicKey::POINT_BYTES],
    },
    /// An Ed25519 key, which proofs of possession may be signed with and grant tokens may not.
    Ed25519 {
        /// The point, compressed (RFC 8032 section 5.1.5).
        point: [u8; 32],
    },
}

impl VerifyingKey {
    /// Reads a JWK; `None` for one that can't check a grant token, which sets may hold
    /// (RFC 7517 section 5).
    fn parse(jwk: &Object<'_>) -> Option<Self> {
        let text = |name| jwk.optional::<String>(name, "a string").ok();
        let id = text("kid")?;
        let public_key = match text("kty")?.as_deref() {
            Some("RSA") => PublicKey::rsa(&text("n")??, &text("e")??)?,
            Some("EC") if text("crv")?.as_deref() == Some("P-256") => PublicKey::p256(&text("x")??, &text("y")??)?,
            _ => return None,
        };
        let operations = jwk.optional::<Vec<String>>("key_ops", "an array of strings").ok()?;
        let fits = text("alg")?.is_none_or(|name| public_key.algorithm().is_some_and(|own| name == own.name()))
            && text("use")?.is_none_or(|purpose| purpose == "sig")
            && operations.is_none_or(|names| names.iter().any(|name| name == "verify"));
        fits.then_some(Self { id, public_key })
    }
}

impl PublicKey {
    const POINT_BYTES: usize = 65;
    /// RFC 7518 section 3.3 wants 2,048 bits at least; WebCrypto and jwt-simple take 4,096 at most.
    const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=4_096;
    const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

    fn rsa(n: &str, e: &str) -> Option<Self> {
        let (n, e) = (integer(n)?, integer(e)?);
        let (&first, &last) = (n.first()?, n.last()?);
        let bits = n.len() * 8 - first.leading_zeros() as usize;
        let fits = last % 2 == 1 && Self::RSA_BITS.contains(&bits) && e == Self::RSA_EXPONENT;
        fits.then_some(Self::Rsa { n, e })
    }

    /// Reads the key that a proof of possession brings: one for a grant token, or an Ed25519 key
    /// (RFC 8037 section 2).
    pub fn of_proof(jwk: &Object<'_>) -> Option<Self> {
        let text = |name| jwk.optional::<String>(name, "a string").ok().flatten();
        match (text("kty")?.as_str(), text("crv").as_deref()) {
            ("RSA", _) => Self::rsa(&text("n")?, &text("e")?),
            ("EC", Some("P-256")) => Self::p256(&text("x")?, &text("y")?),
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519 { point: decode(&text("x")?)?.try_into().ok()? }),
            _ => None,
        }
    }

    /// The key's thumbprint (RFC 7638 section 3), as `cnf.jkt` has it.
    pub fn thumbprint(&self) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        let members = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
            Self::P256 { point } => {
                let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            Self::Ed25519 { point } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(point)),
        };
        encode(&Sha256::digest(members))
    }

    /// Whether the point is on the curve, the engine says when it uses the key.
    fn p256(x: &str, y: &str) -> Option<Self> {
        let (x, y) = (decode(x)?, decode(y)?);
        // RFC 7518 section 6.2.1.2: coordinates have the length of the curve's field.
        if x.len() != 32 || y.len() != 32 {
            return None;
        }
        let point = [&[4], x.as_slice(), &y].concat();
        Some(Self::P256 { point: point.try_into().ok()? })
    }

    /// The algorithm of grant tokens that the key is for, if any.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Rsa { .. } => Some(Algorithm::Rs256),
            Self::P256 { .. } => Some(Algorithm::Es256),
            Self::Ed25519 { .. } => None,
        }
    }

    /// What engines may keep a prepared key by.
    pub fn fingerprint(&self) -> [u8; 32] {
        match self {
            Self::Rsa { n, .. } => Sha256::digest(n).into(),
            Self::P256 { point } => Sha256::digest(point).into(),
            Self::Ed25519 { point } => Sha256::digest(point).into(),
        }
    }
}

/// A Base64urlUInt (RFC 7518 section 2). It should have no leading zeros; some libraries write them.
fn integer(member: &str) -> Option<Vec<u8>> {
    let bytes = decode(member)?;
    let start = bytes.iter().position(|&byte| byte != 0)?;
    bytes.get(start..).map(<[u8]>::to_vec)
}

fn decode(member: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(member).ok()
}

/// The keys of an issuer that can check grant tokens.
#[derive(Debug)]
pub struct JwkSet(Vec<VerifyingKey>);

impl JwkSet {
    /// Reads a JWK Set, leaving out keys of other types and uses.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        if text.len() > limits::JWKS_BYTES {
            return Err(JwksError::TooLong);
        }
        let set = Object::parse(text).map_err(|_| JwksError::NotASet)?;
        let keys: Vec<Object<'_>> = set.required("keys", "an array").map_err(|_| JwksError::NotASet)?;
        if keys.len() > limits::JWKS_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let usable: Vec<_> = keys.iter().filter_map(VerifyingKey::parse).collect();
        if usable.is_empty() {
            return Err(JwksError::NoUsableKey);
        }
        Ok(Self(usable))
    }

    /// The one key for a token's `alg` and `kid`; without a `kid`, the only one for its `alg`.
    pub fn select(&self, algorithm: Algorithm, key_id: Option<&str>) -> Result<&VerifyingKey, SelectError> {
        let mut fitting = self.0.iter().filter(|candidate| {
            candidate.public_key.algorithm() == Some(algorithm)
                && (key_id.is_none() || candidate.id.as_deref() == key_id)
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(SelectError::Unknown),
            (Some(_), Some(_)) => Err(SelectError::Ambiguous),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ec(extra: &str) -> String {
        // RFC 7517 appendix A.1, the P-256 key.
        format!(
            r#"{{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"{extra}}}"#
        )
    }

    fn rsa(extra: &str) -> String {
        // RFC 7517 appendix A.1, the RSA key.
        format!(
            r#"{{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"{extra}}}"#
        )
    }

    fn set(keys: &[String]) -> Result<JwkSet, JwksError> {
        JwkSet::parse(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes())
    }

    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let key = |jwk: &str| PublicKey::of_proof(&Object::parse(jwk.as_bytes()).unwrap()).unwrap();
        // RFC 7638 section 3.1 and RFC 8037 appendix A.3.
        assert_eq!(key(&rsa("")).thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let ed = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(key(ed).thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key(ed).algorithm(), None);
        assert_eq!(key(&ec("")).thumbprint(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    }

    #[test]
    fn a_kid_names_one_key_of_the_algorithms_type() {
        let set = set(&[ec(r#","kid":"a""#), rsa(r#","kid":"a""#), rsa(r#","kid":"b""#)]).unwrap();
        assert!(set.select(Algorithm::Es256, Some("a")).is_ok());
        assert!(set.select(Algorithm::Rs256, Some("b")).is_ok());
        assert_eq!(set.select(Algorithm::Es256, Some("b")).unwrap_err(), SelectError::Unknown);
        assert_eq!(set.select(Algorithm::Rs256, Some("c")).unwrap_err(), SelectError::Unknown);
    }

    #[test]
    fn without_a_kid_there_must_be_one_key_of_the_type() {
        let set = set(&[ec(""), rsa(r#","kid":"a""#), rsa(r#","kid":"b""#)]).unwrap();
        assert!(set.select(Algorithm::Es256, None).is_ok());
        assert_eq!(set.select(Algorithm::Rs256, None).unwrap_err(), SelectError::Ambiguous);
    }

    #[test]
    fn one_kid_twice_is_ambiguous() {
        let set = set(&[rsa(r#","kid":"a""#), rsa(r#","kid":"a""#)]).unwrap();
        assert_eq!(set.select(Algorithm::Rs256, Some("a")).unwrap_err(), SelectError::Ambiguous);
    }

    #[test]
    fn keys_for_other_things_are_left_out() {
        for extra in [
            r#","use":"enc""#,
            r#","alg":"ES384""#,
            r#","alg":"RS256""#,
            r#","key_ops":["sign"]"#,
            r#","kid":5"#,
            r#","alg":null"#,
        ] {
            assert_eq!(set(&[ec(extra)]).unwrap_err(), JwksError::NoUsableKey, "{extra}");
        }
        for extra in [r#","use":"sig","alg":"ES256","key_ops":["verify"]"#, r#","x5c":[],"new":1"#] {
            assert!(set(&[ec(extra)]).is_ok(), "{extra}");
        }
        for other in [
            r#"{"kty":"oct","k":"AAAA"}"#.to_owned(),
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#.to_owned(),
            r#"{}"#.to_owned(),
            ec("").replace("P-256", "P-384"),
            ec("").replace("7D4", "7D"),
            rsa("").replace("AQAB", "Aw"),
            rsa("").replace("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z", ""),
        ] {
            assert_eq!(set(std::slice::from_ref(&other)).unwrap_err(), JwksError::NoUsableKey, "{other}");
            assert!(set(&[other, ec("")]).is_ok());
        }
    }

    #[test]
    fn refuses_what_is_no_set() {
        for text in
            ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":null}"#, r#"{"keys":[],"keys":[]}"#]
        {
            assert_eq!(JwkSet::parse(text.as_bytes()).unwrap_err(), JwksError::NotASet, "{text}");
        }
        assert_eq!(set(&[]).unwrap_err(), JwksError::NoUsableKey);
        assert_eq!(set(&vec!["{}".to_owned(); 129]).unwrap_err(), JwksError::TooManyKeys);
        assert_eq!(JwkSet::parse(" ".repeat(65_537).as_bytes()).unwrap_err(), JwksError::TooLong);
    }
}
