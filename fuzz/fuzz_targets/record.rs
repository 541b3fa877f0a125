//! A KV record: value and summary. The input is two lines, and they are tried as they are, as a
//! whoever writes to storage could put them there; and sealed, as a release with other ideas of a
//! record's form could have left them. Reading ends in a record or an error, and a list with them in
//! it shows nothing else.

#![no_main]

use futures::executor::block_on;
use grant_vault::credential::{CredentialId, PrincipalId, Service};
use grant_vault::developer::DeveloperId;
use grant_vault::envelope::{Context, Part, seal};
use grant_vault::keyring::Owner;
use grant_vault::record::{Place, Summary};
use grant_vault::store::{keys, memory::MemoryStore};
use grant_vault::vault::{ListQuery, Vault};
use grant_vault_fuzz::{keyring, now};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let keyring = keyring();
    let developer = DeveloperId::parse("dev_A").expect("an id");
    let principal = PrincipalId::parse("user_0").expect("an id");
    let id = CredentialId::derive(&developer, &principal, &Service::parse("github").expect("a name"));
    let place = Place { keyring: &keyring, developer: &developer, id: &id };
    let split = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (first, second) = (&data[..split], data.get(split + 1..).unwrap_or_default());

    let (value, summary) = (String::from_utf8_lossy(first), String::from_utf8_lossy(second));
    assert!(place.open(&value).is_err() && place.open_details(&value).is_err(), "nobody here can seal");
    let _ = Summary::parse(Some(summary.to_string()));

    let context = |part| Context { owner: Owner::Developer("dev_A"), record: id.as_str(), part };
    let details = seal(&keyring, &context(Part::Details), first).expect("randomness");
    let tokens = seal(&keyring, &context(Part::Tokens { details: &details }), second).expect("randomness");
    let value = format!("{details}.{tokens}");
    if let Ok((details, tokens)) = place.open(&value) {
        assert_eq!(place.open_details(&value).expect("part of what opens"), details);
        let again = place.seal(&details, &tokens).expect("what was a record is one");
        assert_eq!(place.open(&again.value).expect("what was sealed opens"), (details, tokens));
    }

    let store = MemoryStore::new(now());
    store.tamper(&keys::credential(&developer, &id), &value, Some(&summary));
    if let Ok(page) = block_on(Vault::new(&keyring, &store).list(&developer, &ListQuery::default())) {
        for (listed, shown) in page.credentials {
            assert_eq!(listed, id);
            assert_eq!(shown, place.open_sealed_details(&details).expect("only what opens is shown"));
        }
    }
});
