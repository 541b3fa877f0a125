//! Strict JSON: objects in which a name occurs once, fields of a known type.
//!
//! Request bodies, tokens and key sets all come through here. Lenient readers disagree about
//! duplicate names (RFC 8259 section 4), and two readers that disagree are a way round a check.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Why a text is not the JSON that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It isn't one JSON object, a name in it occurs twice, or it holds what can't be represented.
    #[error("not a JSON object with distinct names and values that can be represented")]
    NotAnObject,
    /// The field isn't there.
    #[error("{0} is required")]
    Missing(&'static str),
    /// The field is null.
    #[error("{0} must not be null")]
    Null(&'static str),
    /// The field has another type.
    #[error("{name} must be {expected}")]
    WrongType {
        /// The field's name.
        name: &'static str,
        /// What it must be, with its article.
        expected: &'static str,
    },
}

/// One JSON object, its values not yet read.
#[derive(Debug, Default)]
pub struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    /// Reads an object; trailing text and a name that occurs twice are errors.
    pub fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        serde_json::from_slice(text).map_err(|_| JsonError::NotAnObject)
    }

    /// The value of a field as it was written, null included.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// How many fields there are.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether any field is null.
    pub fn has_null(&self) -> bool {
        self.0.values().any(|value| value.get() == "null")
    }

    /// A field that may be absent but not null, and reads as `T`.
    pub fn optional<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, JsonError> {
        match self.raw(name) {
            None => Ok(None),
            Some("null") => Err(JsonError::Null(name)),
            Some(raw) => match serde_json::from_str(raw) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(JsonError::WrongType { name, expected }),
            },
        }
    }

    /// A field that may be absent or null, which mean the same, and reads as `T`.
    pub fn nullable<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, JsonError> {
        if self.raw(name) == Some("null") { Ok(None) } else { self.optional(name, expected) }
    }

    /// A field that must be there and read as `T`.
    pub fn required<T: Deserialize<'a>>(&self, name: &'static str, expected: &'static str) -> Result<T, JsonError> {
        self.optional(name, expected)?.ok_or(JsonError::Missing(name))
    }

    /// A field that may be absent but not null, and is a text that nothing may be left of.
    pub fn secret(&self, name: &'static str) -> Result<Option<Secret>, JsonError> {
        match self.raw(name) {
            None => Ok(None),
            Some("null") => Err(JsonError::Null(name)),
            Some(raw) => match secret_text(raw) {
                Some(secret) => Ok(Some(secret)),
                None => Err(JsonError::WrongType { name, expected: "a string" }),
            },
        }
    }

    /// A field that is an object itself.
    pub fn object(&self, name: &'static str) -> Result<Option<Object<'a>>, JsonError> {
        match self.raw(name) {
            None => Ok(None),
            Some("null") => Err(JsonError::Null(name)),
            Some(raw) => Object::parse(raw.as_bytes())
                .map(Some)
                .map_err(|_| JsonError::WrongType { name, expected: "an object" }),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = BTreeMap<String, &'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    if fields.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(ObjectVisitor).map(Object)
    }
}

/// A whole number that every reader of JSON holds exactly (RFC 8259 section 6). It may be written as `5.0`
/// or `5e0` as well: JSON has numbers and no integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(pub i64);

impl Whole {
    /// The greatest; the least is its opposite.
    pub const MOST: i64 = (1 << 53) - 1;
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Plain(i64),
            Otherwise(f64),
        }

        let number = match Written::deserialize(deserializer)? {
            Written::Plain(number) => Some(number),
            // Greater ones come out beyond the range, wherever they end up.
            Written::Otherwise(number) => (number.fract() == 0.0).then_some(number as i64),
        };
        let held = number.filter(|number| (-Self::MOST..=Self::MOST).contains(number));
        held.map(Self).ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

/// The text of a JSON string, read into one buffer that is large enough: reading one that has escapes,
/// serde_json leaves parts of it behind in buffers that it outgrew.
fn secret_text(raw: &str) -> Option<Secret> {
    let mut rest = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, after) = unescape(escape)?;
        text.push(character);
        rest = after;
    }
    text.push_str(rest);
    Some(Secret::new(std::mem::take(&mut *text)))
}

/// The character that an escape stands for, of which the backslash is gone, and what follows it (RFC 8259
/// section 7).
fn unescape(escape: &str) -> Option<(char, &str)> {
    let mut rest = escape.chars();
    let character = match rest.next()? {
        character @ ('"' | '\\' | '/') => character,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unescape_units(rest.as_str()),
        _ => return None,
    };
    Some((character, rest.as_str()))
}

/// The character that one UTF-16 code unit stands for, or a pair of surrogates.
fn unescape_units(text: &str) -> Option<(char, &str)> {
    let (first, rest) = code_unit(text)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, rest));
    }
    let (second, rest) = code_unit(rest.strip_prefix("\\u")?)?;
    Some((char::decode_utf16([first, second]).next()?.ok()?, rest))
}

/// Four hexadecimal digits, and what follows them.
fn code_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    // `from_str_radix` would take a sign.
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((u16::from_str_radix(digits, 16).ok().filter(|_| is_plain)?, rest))
}

/// A JSON object kept as it was written: a credential's metadata.
///
/// Names are distinct at every level, and the text is valid Unicode, so that every reader sees the
/// same object; numbers keep the digits they came with.
#[derive(Clone, Debug)]
pub struct Metadata(Box<RawValue>);

/// Metadata that isn't a JSON object with distinct names, or nests too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON object with distinct names, at most {0} levels deep")]
pub struct MetadataError(usize);

impl Metadata {
    /// Takes the text of a JSON object that nests at most `depth` levels, itself the first.
    pub fn parse(text: &str, depth: usize) -> Result<Self, MetadataError> {
        let refused = |_| MetadataError(depth);
        let raw: Box<RawValue> = serde_json::from_str(text).map_err(refused)?;
        if !raw.get().starts_with('{') || !is_distinct(raw.get().as_bytes(), depth) {
            return Err(MetadataError(depth));
        }
        Ok(Self(raw))
    }

    /// Takes an object that [`Metadata::parse`] accepted before.
    pub(crate) fn from_raw(raw: &RawValue) -> Option<Self> {
        raw.get().starts_with('{').then(|| Self(raw.to_owned()))
    }

    /// The empty object, which is what absent metadata means.
    pub fn empty() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default())
    }

    pub(crate) fn raw(&self) -> &RawValue {
        &self.0
    }

    /// The object's JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Metadata {}

impl Serialize for Metadata {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Whether a JSON value has distinct names in every object, nests at most `depth` levels, and holds
/// only texts and numbers that can be represented.
pub fn is_distinct(text: &[u8], depth: usize) -> bool {
    let mut reader = serde_json::Deserializer::from_slice(text);
    Distinct { depth }.deserialize(&mut reader).is_ok()
}

/// Walks a value and fails where a name occurs twice in an object or `depth` levels are exceeded.
#[derive(Clone, Copy)]
struct Distinct {
    depth: usize,
}

impl Distinct {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Distinct {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut names = BTreeSet::<String>::new();
        while let Some(name) = map.next_key()? {
            map.next_value_seed(inner)?;
            if !names.insert(name) {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_by_type() {
        let object = Object::parse(br#" {"a": "x", "n": 5, "z": null, "o": {"p": true}} "#).unwrap();
        assert_eq!(object.required::<String>("a", "a string").unwrap(), "x");
        assert_eq!(object.optional::<String>("b", "a string").unwrap(), None);
        assert_eq!(object.optional::<String>("z", "a string"), Err(JsonError::Null("z")));
        assert_eq!(object.required::<String>("b", "a string"), Err(JsonError::Missing("b")));
        assert_eq!(object.required::<String>("n", "a string").unwrap_err().to_string(), "n must be a string");
        assert!(object.object("o").unwrap().unwrap().required::<bool>("p", "a boolean").unwrap());
    }

    #[test]
    fn refuses_what_is_no_object_with_distinct_names() {
        let texts: [&[u8]; 10] = [
            b"",
            b"null",
            b"[]",
            b"\"a\"",
            b"{",
            b"{} {}",
            b"{\"a\":1,\"a\":2}",
            b"{\"a\":1,\"\\u0061\":2}",
            b"{\"a\":1,}",
            b"{\"a\":\"\xff\"}",
        ];
        for text in texts {
            assert_eq!(Object::parse(text).unwrap_err(), JsonError::NotAnObject, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_lone_surrogate_is_no_string() {
        let object = Object::parse(br#"{"a": "\ud800"}"#).unwrap();
        assert!(object.required::<String>("a", "a string").is_err());
    }

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        let read = |text: &str| serde_json::from_str::<Whole>(text).ok().map(|Whole(number)| number);
        for (text, number) in
            [("5", 5), ("-5.0", -5), ("5e2", 500), ("-9007199254740991", -Whole::MOST), ("1e9", 1_000_000_000)]
        {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["5.5", "9007199254740992", "-9223372036854775809", "1e19", "-1e300", "\"5\"", "null", "true"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn metadata_keeps_its_text() {
        for text in [r#"{}"#, r#"{"b":12345678901234567890123,"a":[1.0,{"c":"é"}]}"#] {
            assert_eq!(Metadata::parse(text, 16).unwrap().as_str(), text);
        }
        assert_eq!(Metadata::empty().as_str(), "{}");
    }

    #[test]
    fn metadata_is_an_object_with_distinct_names_at_every_level() {
        for text in
            ["[]", "null", "\"{}\"", "5", r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":"\ud800"}"#]
        {
            assert!(Metadata::parse(text, 16).is_err(), "{text}");
        }
    }

    #[test]
    fn metadata_nests_to_its_limit_and_no_further() {
        let nested = |levels: usize| format!("{}{}", "{\"a\":".repeat(levels - 1) + "{", "}".repeat(levels));
        assert!(Metadata::parse(&nested(16), 16).is_ok());
        assert!(Metadata::parse(&nested(17), 16).is_err());
        assert!(Metadata::parse(&nested(5_000), 16).is_err());
        assert!(Metadata::parse(&format!("{{\"a\":{}", "[".repeat(100_000)), 16).is_err());
    }

    #[test]
    fn secrets_read_as_serde_json_reads_texts() {
        let agree = |raw: &str| {
            let read = secret_text(raw).map(|secret| secret.expose().to_owned());
            assert_eq!(read, serde_json::from_str::<String>(raw).ok(), "{raw}");
        };
        for raw in [
            r#""""#,
            r#""gho_1""#,
            r#""a\/b\\\"\b\f\n\r\tc""#,
            r#""\u0041\u00fc\u20AC\ud83d\ude00""#,
            r#""\ud83d""#,
            r#""\ude00\ud83d""#,
            r#""\ud83dx""#,
            r#""\u+041""#,
            r#""\u004""#,
            r#""\x""#,
            "5",
            "{}",
        ] {
            agree(raw);
        }
        proptest::proptest!(|(text in ".*")| agree(&serde_json::to_string(&text).unwrap()));
    }
}
