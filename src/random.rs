//! The one door to randomness.

use crate::base32;

/// The host's source of randomness gave none.
#[derive(Debug, thiserror::Error)]
#[error("the host gave no randomness: {0}")]
pub struct RandomError(getrandom::Error);

/// `N` random bytes from the host.
pub fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}

/// 26 random characters in Crockford's base 32, as the random part of an id.
pub fn id() -> Result<String, RandomError> {
    Ok(base32::encode(&bytes::<17>()?, 26))
}
