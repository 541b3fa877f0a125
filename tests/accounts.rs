//! Accounts over a store that fails: what works afterwards, and what is left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use futures::executor::block_on;
use grant_vault::accounts::{AccountError, Accounts, KnownAccounts, NewAccount, Removal};
use grant_vault::developer::{Account, ApiKey, DeveloperId, Mode};
use grant_vault::keyring::{Keyring, RootKey};
use grant_vault::store::memory::{MemoryStore, Operations};
use grant_vault::store::{Entry, Store};
use grant_vault::timestamp::Timestamp;

struct Scene {
    keyring: Keyring,
    store: MemoryStore,
    known: KnownAccounts,
}

impl Scene {
    fn new() -> Self {
        let keyring = Keyring::new(RootKey::parse(&"11".repeat(32)).unwrap(), Vec::new());
        Self { keyring, store: MemoryStore::new(Timestamp::EPOCH), known: KnownAccounts::default() }
    }

    fn accounts(&self) -> Accounts<'_, MemoryStore> {
        Accounts::new(&self.keyring, &self.store, &self.known)
    }

    fn sign_up(&self) -> (Account, ApiKey) {
        block_on(self.accounts().sign_up(new("Acme"), Timestamp::EPOCH)).unwrap()
    }

    fn provision(&self, id: &str) -> Result<(Account, ApiKey), AccountError> {
        block_on(self.accounts().provision(developer(id), new("Acme"), Timestamp::EPOCH))
    }

    fn works(&self, api_key: &ApiKey) -> bool {
        match block_on(self.accounts().authenticate(api_key, Timestamp::EPOCH)) {
            Ok(_) => true,
            Err(AccountError::UnknownKey) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn developer(id: &str) -> DeveloperId {
    DeveloperId::parse(id).unwrap()
}

fn new(name: &str) -> NewAccount {
    NewAccount { name: name.to_owned(), email: Some("it@acme.example".to_owned()), mode: Mode::Live }
}

#[test]
fn a_key_finds_its_account_in_one_read() {
    let scene = Scene::new();
    let (account, api_key) = scene.sign_up();
    scene.store.take_operations();
    assert_eq!(block_on(scene.accounts().authenticate(&api_key, Timestamp::EPOCH)).unwrap(), account);
    assert_eq!(scene.store.take_operations(), Operations { gets: 1, ..Operations::default() });
    assert!(!scene.works(&ApiKey::generate(Mode::Live).unwrap()));
}

#[test]
fn an_account_is_remembered_for_half_a_minute_and_not_past_its_keys_end_here() {
    let scene = Scene::new();
    let (account, api_key) = scene.sign_up();
    let reads_at = |second: i64| {
        scene.store.take_operations();
        let now = Timestamp::from_millis(second * 1_000).unwrap();
        let found = block_on(scene.accounts().authenticate(&api_key, now)).is_ok();
        (found, scene.store.take_operations().gets)
    };
    assert_eq!([0, 1, 29, 30, 31].map(reads_at), [(true, 1), (true, 0), (true, 0), (true, 1), (true, 0)]);
    block_on(scene.accounts().rotate(&account, &api_key)).unwrap();
    assert_eq!(reads_at(32), (false, 1));
}

#[test]
fn rotation_replaces_the_key() {
    let scene = Scene::new();
    let (account, old) = scene.sign_up();
    let new = block_on(scene.accounts().rotate(&account, &old)).unwrap();
    assert!(!scene.works(&old) && scene.works(&new));
    assert_eq!(scene.store.dump().len(), 2, "nothing of the old key is left");
    assert_eq!(block_on(scene.accounts().find(&account.developer)).unwrap(), account);
}

#[test]
fn a_rotation_that_fails_halfway_leaves_a_key_that_works() {
    for operations in 0..3 {
        let scene = Scene::new();
        let (account, old) = scene.sign_up();
        scene.store.fail_after(Some(operations));
        assert!(block_on(scene.accounts().rotate(&account, &old)).is_err());
        scene.store.fail_after(None);
        assert!(scene.works(&old), "after {operations} operations");
        block_on(scene.accounts().remove(&account.developer, Timestamp::EPOCH)).unwrap();
        assert!(scene.store.dump().is_empty(), "{:?}", scene.store.dump());
    }
}

#[test]
fn a_new_key_reaches_its_owner_once_the_old_one_is_dead() {
    let scene = Scene::new();
    let (account, old) = scene.sign_up();
    scene.store.fail_after(Some(3));
    let new = block_on(scene.accounts().rotate(&account, &old)).unwrap();
    scene.store.fail_after(None);
    assert!(!scene.works(&old) && scene.works(&new));
}

#[test]
fn a_sign_up_that_fails_leaves_an_id_free() {
    let scene = Scene::new();
    // The list, the first write; then the second write fails, and so does taking the first back.
    scene.store.fail_after(Some(2));
    assert!(scene.provision("dev_A").is_err());
    scene.store.fail_after(None);
    assert!(matches!(scene.provision("dev_A"), Err(AccountError::Exists)), "the operator sees what is left");
    block_on(scene.accounts().remove(&developer("dev_A"), Timestamp::EPOCH)).unwrap();
    assert!(scene.provision("dev_A").is_ok());
}

#[test]
fn an_id_is_given_once() {
    let scene = Scene::new();
    scene.provision("dev_A").unwrap();
    assert!(matches!(scene.provision("dev_A"), Err(AccountError::Exists)));
    assert!(scene.provision("dev_").is_ok(), "a prefix is another id");
}

#[test]
fn the_list_pages_through_all_developers_once() {
    let scene = Scene::new();
    for number in 0..25 {
        let (account, key) = scene.provision(&format!("dev_{number:02}")).unwrap();
        if number % 3 == 0 {
            // A second entry of the same developer, as a rotation that failed halfway leaves it.
            scene.store.fail_after(Some(2));
            let _ = block_on(scene.accounts().rotate(&account, &key));
            scene.store.fail_after(None);
        }
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = block_on(scene.accounts().list(4, cursor.as_deref())).unwrap();
        seen.extend(page.accounts.into_iter().map(|account| account.developer.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..25).map(|number| format!("dev_{number:02}")).collect();
    assert_eq!(seen, expected);
    assert!(matches!(block_on(scene.accounts().list(4, Some("a:b"))), Err(AccountError::BadCursor)));
}

#[test]
fn removal_ends_the_keys_first_and_takes_the_credentials_in_steps() {
    let scene = Scene::new();
    let (account, api_key) = scene.provision("dev_A").unwrap();
    let (_, other) = scene.provision("dev_B").unwrap();
    for number in 0..1_000 {
        let key = format!("cred:dev_A:{number:04}");
        block_on(scene.store.put(&key, Entry { value: "x", metadata: None, ttl: None })).unwrap();
    }
    let remove = || block_on(scene.accounts().remove(&account.developer, Timestamp::EPOCH));
    assert_eq!(remove().unwrap(), Removal::Remaining);
    assert!(!scene.works(&api_key));
    assert_eq!(remove().unwrap(), Removal::Complete);
    assert!(matches!(remove(), Err(AccountError::NotFound)));
    assert!(scene.works(&other));
    assert_eq!(scene.store.dump().len(), 2, "dev_B's two entries");
}

#[test]
fn a_forged_or_moved_account_is_no_account() {
    let scene = Scene::new();
    let (_, api_key) = scene.sign_up();
    let mine = ApiKey::generate(Mode::Live).unwrap();
    let dump = scene.store.dump();
    let (_, account, _) = dump.iter().find(|(key, ..)| key.starts_with("key:")).unwrap();
    let (_, listed, _) = dump.iter().find(|(key, ..)| key.starts_with("dev:")).unwrap();
    for value in [account.as_str(), listed, "{\"developerId\":\"dev_A\"}", ""] {
        scene.store.tamper(&format!("key:{}", mine.hash()), value, None);
        let refused = block_on(scene.accounts().authenticate(&mine, Timestamp::EPOCH));
        assert!(matches!(refused, Err(AccountError::Damaged { .. })), "{value}");
    }
    assert!(scene.works(&api_key));
}

#[test]
fn a_dump_shows_no_name_address_or_key() {
    let scene = Scene::new();
    let (_, api_key) = scene.sign_up();
    let dump = format!("{:?}", scene.store.dump());
    for shown in ["Acme", "acme", api_key.expose(), &api_key.expose()[8..]] {
        assert!(!dump.contains(shown), "{shown} in {dump}");
    }
}
