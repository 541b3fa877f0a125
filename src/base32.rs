//! Crockford's base 32, the alphabet of every id that this vault makes.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The first `5 * length` bits of `bytes` as `length` characters; missing bits read as zero.
pub fn encode(bytes: &[u8], length: usize) -> String {
    let bit = |position: usize| {
        let byte = bytes.get(position / 8).copied().unwrap_or(0);
        usize::from(byte >> (7 - position % 8) & 1)
    };
    (0..length)
        .filter_map(|index| {
            let value = (0..5).fold(0, |value, offset| value << 1 | bit(index * 5 + offset));
            ALPHABET.get(value).map(|&character| char::from(character))
        })
        .collect()
}

/// Whether every byte of `text` is a character of the alphabet (upper case, as this vault writes it).
pub fn is_encoded(text: &str) -> bool {
    // By range: a list asks this of a thousand ids, and a search for each character takes longer than the rest.
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z') && !matches!(byte, b'I' | b'L' | b'O' | b'U'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_five_bits_a_character_from_the_front() {
        assert_eq!(encode(&[0xff, 0x00, 0x00, 0x00, 0x01], 8), "ZW000001");
        assert_eq!(encode(&[0b0000_1000, 0b1000_0000], 3), "120");
    }

    #[test]
    fn leaves_out_the_letters_that_look_like_digits() {
        assert!(is_encoded("0123456789ABCDEFGHJKMNPQRSTVWXYZ"));
        for byte in 0..=0x7f_u8 {
            assert_eq!(is_encoded(&char::from(byte).to_string()), ALPHABET.contains(&byte), "{byte}");
        }
        for letter in ["I", "L", "O", "U", "a", "-", "é"] {
            assert!(!is_encoded(letter), "{letter}");
        }
    }
}
