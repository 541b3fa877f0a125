//! The query of a list, its cursor above all: it is answered or refused, shows the caller's own
//! credentials and each of them once, however the pages are asked for.

#![no_main]

use std::collections::BTreeSet;

use grant_vault_fuzz::{CREDENTIALS, World, head};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const PATH: &str = "/v1/vault/credentials";

fuzz_target!(|data: &[u8]| {
    let world = World::default();
    let key = world.fill_in("$key");
    let mut query = String::from_utf8_lossy(data).into_owned();
    let rest: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("cursor=")).map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    for _ in 0..=CREDENTIALS {
        let (response, _) = world.send(&head("GET", PATH, &query, &key), Vec::new()).expect("a call");
        if response.status != 200 {
            assert_eq!(response.status, 400, "{query}");
            return;
        }
        let page: Value = serde_json::from_slice(&response.body).expect("JSON");
        for credential in page["credentials"].as_array().expect("credentials") {
            assert_eq!(credential["metadata"]["of"], "dev_A", "another developer's");
            assert!(seen.insert(credential["id"].as_str().expect("an id").to_owned()), "listed twice");
        }
        let Some(cursor) = page["nextCursor"].as_str() else { return };
        query = [rest.as_slice(), &[format!("cursor={cursor}")]].concat().join("&");
    }
    panic!("the pages of {CREDENTIALS} credentials don't end");
});
