//! A credential vault for AI agents.
//!
//! A developer stores a user's upstream credential once; an agent that holds a signed grant token
//! exchanges it for the one credential that the grant covers, for as long as the grant stands.
//!
//! The crate has two faces. Feature `worker` (the default) is a Cloudflare Workers handler that
//! serves the vault over HTTP on Workers KV. Feature `js` is what the npm package is made of. They are
//! separate builds: every export of the crate would be callable on the Worker. Everything below them is
//! the core, which knows neither Workers nor JavaScript: it takes a clock value, a store and keys.

#![cfg_attr(not(target_arch = "wasm32"), forbid(unsafe_code))]

pub mod accounts;
pub mod audit;
mod base32;
#[cfg(all(feature = "js", target_arch = "wasm32"))]
mod bindings;
mod bounded;
pub mod credential;
pub mod developer;
pub mod envelope;
pub mod fetch;
pub mod grant;
pub mod grantex;
pub mod guard;
pub mod http;
#[cfg(target_arch = "wasm32")]
mod js;
pub mod json;
pub mod keyring;
pub mod limits;
mod opened;
pub mod random;
pub mod record;
pub mod reference;
pub mod rotation;
mod secret;
pub mod settings;
pub mod store;
pub mod timestamp;
pub mod transfer;
pub mod vault;
#[cfg(all(feature = "worker", target_arch = "wasm32"))]
mod worker;

#[cfg(all(feature = "js", feature = "worker", target_arch = "wasm32"))]
compile_error!("features js and worker are two builds: build the npm package with --no-default-features");

pub use secret::Secret;
