//! How often a caller may do what: the limits, whom each counts, and the host that counts.
//!
//! The host says yes or no and no more: how many are left, and when the count starts anew, nobody
//! knows. Who may do what is decided elsewhere; these only bound how often.

use std::fmt::Debug;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use crate::limits;

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Exchanges of one grant token.
    Exchange,
    /// Stores and deletions of one developer.
    Write,
    /// Failed authentication from one client address.
    Authentication,
    /// Sign-ups from one client address.
    SignUp,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Exchange, Self::Write, Self::Authentication, Self::SignUp];

    /// The binding that counts it.
    pub fn binding(self) -> &'static str {
        match self {
            Self::Exchange => "EXCHANGE_LIMIT",
            Self::Write => "WRITE_LIMIT",
            Self::Authentication => "AUTH_LIMIT",
            Self::SignUp => "SIGNUP_LIMIT",
        }
    }

    /// How many are within it in [`limits::RATE_PERIOD_SECS`]; `wrangler.toml` says the same.
    pub fn per_period(self) -> u32 {
        match self {
            Self::Exchange => limits::EXCHANGES_PER_PERIOD,
            Self::Write => limits::WRITES_PER_PERIOD,
            Self::Authentication => limits::FAILED_AUTHENTICATIONS_PER_PERIOD,
            Self::SignUp => limits::SIGN_UPS_PER_PERIOD,
        }
    }
}

/// The host's counters.
pub trait RateLimits: Debug {
    /// Counts one more for a key, and says whether it is within the limit. What isn't bound has none.
    fn count<'a>(&'a self, limit: Limit, key: &'a str) -> Pin<Box<dyn Future<Output = bool> + 'a>>;

    /// The address that the request came from, if the host knows it.
    fn client_address(&self) -> Option<String>;

    /// The limits that nothing counts.
    fn unbound(&self) -> &[&'static str];
}

/// No counters at all.
#[derive(Clone, Copy, Debug)]
pub struct Unlimited;

impl RateLimits for Unlimited {
    fn count<'a>(&'a self, _: Limit, _: &'a str) -> Pin<Box<dyn Future<Output = bool> + 'a>> {
        Box::pin(std::future::ready(true))
    }

    fn client_address(&self) -> Option<String> {
        None
    }

    fn unbound(&self) -> &[&'static str] {
        &[]
    }
}

/// What an address counts under: an IPv6 one with its /64, which one client has the whole of.
/// Callers without an address count as one.
pub fn client_key(address: Option<&str>) -> String {
    match address.and_then(|address| address.trim().parse().ok()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => format!("{:x}/64", address.to_bits() >> 64),
        },
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_one_key() {
        for (address, key) in [
            (Some("192.0.2.7"), "192.0.2.7"),
            (Some("::ffff:192.0.2.7"), "192.0.2.7"),
            (Some("2001:db8:1:2::1"), "20010db800010002/64"),
            (Some("2001:db8:1:2:ffff::9"), "20010db800010002/64"),
            (Some("2001:db8:1:3::1"), "20010db800010003/64"),
            (Some("nonsense"), "unknown"),
            (None, "unknown"),
        ] {
            assert_eq!(client_key(address), key, "{address:?}");
        }
    }

    /// `X-RateLimit-Limit` says what this file says; what counts is in wrangler.toml.
    #[test]
    fn wrangler_counts_the_same() {
        let wrangler = include_str!("../../wrangler.toml");
        for limit in Limit::ALL {
            let after = wrangler.split_once(&format!("name = \"{}\"", limit.binding())).unwrap().1;
            let block = after.split("[[").next().unwrap();
            let figures =
                format!("simple = {{ limit = {}, period = {} }}", limit.per_period(), limits::RATE_PERIOD_SECS);
            assert!(block.contains(&figures), "{figures} in {block}");
        }
    }
}
