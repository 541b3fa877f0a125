//! The one type that holds a secret: an upstream token, an API key, a grant token.
//!
//! It is erased when dropped, prints as `[redacted]`, compares in constant time, and gives its
//! text away through [`Secret::expose`] alone, so that every exposure can be found by name.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Deserializer, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A secret text.
///
/// ```
/// use grant_vault::Secret;
///
/// let token = Secret::new("gho_16C7e42F292c6912E7".to_owned());
/// assert_eq!(format!("{token:?}"), "[redacted]");
/// assert_eq!(token.expose(), "gho_16C7e42F292c6912E7");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller keeps no copy of it.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Call it only to seal, hash, check or hand out the secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Secret {
    /// Takes the same time wherever two texts of one length differ.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// Erases what calls that have returned left on the stack: hashing, for one, copies what it hashes to
/// where no destructor reaches, and the next request could find it there.
#[inline(never)]
pub(crate) fn scrub_stack() {
    /// Deeper than anything here that handles a secret goes.
    const BYTES: usize = 16 * 1024;
    let mut left = [0_u64; BYTES / size_of::<u64>()];
    left.zeroize();
}

/// The JSON of what holds a secret: written into one buffer of the right size, as a buffer that grows leaves
/// copies behind that nothing erases.
pub(crate) fn json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut length = Length(0);
    let _ = serde_json::to_writer(&mut length, value);
    let mut text = Zeroizing::new(Vec::with_capacity(length.0));
    let _ = serde_json::to_writer(&mut *text, value);
    text
}

/// Counts the bytes written to it.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_redacted() {
        let secret = Secret::new("xoxb-1".to_owned());
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "[redacted] Some(\n    [redacted],\n)");
    }

    #[test]
    fn json_is_written_into_one_buffer() {
        let value = vec!["line\n\"quoted\""; 100];
        let text = json(&value);
        assert_eq!(*text, serde_json::to_vec(&value).unwrap());
        assert_eq!(text.capacity(), text.len());
    }

    #[test]
    fn compares_by_text() {
        let secret = |text: &str| Secret::new(text.to_owned());
        assert_eq!(secret("a"), secret("a"));
        assert_ne!(secret("a"), secret("b"));
        assert_ne!(secret("a"), secret("ab"));
    }
}
