//! What the core costs natively: seal, open, verify, exchange and list, without HTTP and without KV.
//!
//! `cargo bench`. Against other implementations and in workerd: `npm run bench`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, clippy::panic, reason = "as in tests")]

#[allow(dead_code, reason = "shared with the tests")]
#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::{By, EC_HEADER, KEYS, RSA_HEADER};
use criterion::{BatchSize, Criterion};
use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::credential::{NewCredential, PrincipalId, Service, Tokens};
use grant_vault::developer::DeveloperId;
use grant_vault::envelope::{self, Context, Part};
use grant_vault::json::Metadata;
use grant_vault::keyring::{Keyring, Owner, RootKey};
use grant_vault::store::memory::MemoryStore;
use grant_vault::timestamp::Timestamp;
use grant_vault::vault::{ListQuery, Vault};

const TOKEN: &str = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
const LISTED: usize = 1_000;

fn keyring() -> Keyring {
    Keyring::new(RootKey::parse(&"11".repeat(32)).unwrap(), Vec::new())
}

fn credential(principal: &str) -> NewCredential {
    NewCredential {
        principal: PrincipalId::parse(principal).unwrap(),
        service: Service::parse("github").unwrap(),
        credential_type: "oauth2".to_owned(),
        token_expires_at: Timestamp::from_millis(1_900_000_000_000),
        metadata: Metadata::parse(r#"{"scope":"repo,user"}"#, 16).unwrap(),
        tokens: Tokens { access: Secret::new(TOKEN.to_owned()), refresh: Some(Secret::new(TOKEN.to_owned())) },
    }
}

fn seal_and_open(criterion: &mut Criterion) {
    let keyring = keyring();
    let context = Context { owner: Owner::Developer("dev_A"), record: "vault_1", part: Part::Details };
    let sealed = envelope::seal(&keyring, &context, TOKEN.as_bytes()).unwrap();
    criterion.bench_function("seal", |bencher| {
        bencher.iter(|| envelope::seal(&keyring, &context, black_box(TOKEN.as_bytes())).unwrap());
    });
    criterion.bench_function("open", |bencher| {
        bencher.iter(|| envelope::open(&keyring, &context, black_box(&sealed)).unwrap());
    });
}

fn verify(criterion: &mut Criterion) {
    let claims = common::standard().to_string();
    for (name, by, header) in [("RS256", By::Rsa(&KEYS.rsa), RSA_HEADER), ("ES256", By::Ec(&KEYS.ec), EC_HEADER)] {
        let token = common::token(by, header, &claims);
        criterion.bench_function(&format!("verify a new token, {name}"), |bencher| {
            let verify = |issuer: common::Vault| issuer.verify(black_box(&token)).unwrap();
            bencher.iter_batched(common::Vault::two_keys, verify, BatchSize::SmallInput);
        });
        let issuer = common::Vault::two_keys();
        criterion.bench_function(&format!("verify a token seen before, {name}"), |bencher| {
            bencher.iter(|| issuer.verify(black_box(&token)).unwrap());
        });
    }
}

fn exchange_and_list(criterion: &mut Criterion) {
    let keyring = keyring();
    let store = MemoryStore::new(Timestamp::EPOCH);
    let vault = Vault::new(&keyring, &store);
    let grant = common::grant();
    let list = DeveloperId::parse("dev_list").unwrap();
    block_on(vault.store(&grant.developer, credential(grant.principal.as_str()), Timestamp::EPOCH)).unwrap();
    for i in 0..LISTED {
        block_on(vault.store(&list, credential(&format!("user_{i}")), Timestamp::EPOCH)).unwrap();
    }
    let service = Service::parse("github").unwrap();
    criterion.bench_function("exchange a verified grant", |bencher| {
        bencher.iter(|| block_on(vault.exchange(black_box(&grant), &service)).unwrap());
    });
    criterion.bench_function(&format!("list {LISTED}"), |bencher| {
        bencher.iter(|| block_on(vault.list(black_box(&list), &ListQuery::default())).unwrap());
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    seal_and_open(&mut criterion);
    verify(&mut criterion);
    exchange_and_list(&mut criterion);
    criterion.final_summary();
}
