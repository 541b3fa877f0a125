//! Time as a value: milliseconds since the Unix epoch, read from and written as RFC 3339.
//!
//! The core never asks a clock; whoever calls it brings the time.

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00.000Z.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z, the last moment that RFC 3339 can write.
    const LAST_MILLIS: i64 = 253_402_300_799_999;
    /// 0000-01-01T00:00:00.000Z, the first.
    const FIRST_MILLIS: i64 = -62_167_219_200_000;

    /// The moment `millis` milliseconds after the Unix epoch, or `None` outside the years 0 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (Self::FIRST_MILLIS..=Self::LAST_MILLIS).contains(&millis).then_some(Self(millis))
    }

    /// Reads an RFC 3339 timestamp with an offset; finer than a millisecond is cut off.
    pub fn parse(text: &str) -> Option<Self> {
        let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
        Self::from_millis(i64::try_from(nanos.div_euclid(1_000_000)).ok()?)
    }

    /// Milliseconds since the Unix epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds from `earlier` to this moment; negative when it is the later one.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(1_000)
    }

    /// The next millisecond, or this one at the end of time.
    pub fn next(self) -> Self {
        Self::from_millis(self.0 + 1).unwrap_or(self)
    }
}

impl Timestamp {
    /// `YYYY-MM-DDTHH:MM:SS.sssZ` in ASCII. Written by hand: a list writes thousands of them, and the
    /// standard library's formatter takes as long for one as AES-GCM does for a block.
    fn to_ascii(self) -> [u8; 24] {
        let at = OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let digits = |number: u32, divisor: u32| b'0' + (number / divisor % 10) as u8;
        let two = |number: u8| [digits(number.into(), 10), digits(number.into(), 1)];
        let (year, millis) = (at.year().unsigned_abs(), self.0.rem_euclid(1_000) as u32);
        let ([mo1, mo2], [d1, d2]) = (two(at.month().into()), two(at.day()));
        let ([h1, h2], [mi1, mi2], [s1, s2]) = (two(at.hour()), two(at.minute()), two(at.second()));
        let [y1, y2, y3, y4] = [1_000, 100, 10, 1].map(|divisor| digits(year, divisor));
        let [f1, f2, f3] = [100, 10, 1].map(|divisor| digits(millis, divisor));
        [
            y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2, b'.', f1, f2, f3,
            b'Z',
        ]
    }
}

impl fmt::Display for Timestamp {
    /// `YYYY-MM-DDTHH:MM:SS.sssZ`, the form of every timestamp in the contract.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_ascii()).map_err(|_| fmt::Error)?)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_ascii();
        serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<String> {
        Timestamp::parse(text).map(|at| at.to_string())
    }

    #[test]
    fn reads_any_offset_and_writes_utc() {
        assert_eq!(iso("2026-04-10T00:00:00Z").unwrap(), "2026-04-10T00:00:00.000Z");
        assert_eq!(iso("2026-04-10T02:30:00.5+02:30").unwrap(), "2026-04-10T00:00:00.500Z");
        assert_eq!(iso("1969-12-31T23:59:59.9994Z").unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(iso("0000-01-01T00:00:00Z").unwrap(), "0000-01-01T00:00:00.000Z");
        assert_eq!(iso("2024-02-29T13:05:09.007Z").unwrap(), "2024-02-29T13:05:09.007Z");
        assert_eq!(iso("9999-12-31T23:59:59.999Z").unwrap(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn refuses_what_is_no_rfc_3339() {
        for text in [
            "",
            "soon",
            "2026-04-10",
            "2026-04-10T00:00:00",
            "2026-13-10T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-04-10T24:00:00Z",
            "1775779200",
            "9999-12-31T23:59:59-01:00",
            "2026-04-10T00:00:00Z ",
        ] {
            assert_eq!(iso(text), None, "{text:?}");
        }
    }

    #[test]
    fn counts_seconds_downwards_before_the_epoch() {
        let before = Timestamp::from_millis(-1).unwrap();
        assert_eq!(before.seconds(), -1);
        assert_eq!(before.to_string(), "1969-12-31T23:59:59.999Z");
    }
}
