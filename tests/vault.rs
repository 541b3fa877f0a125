//! The vault over a store that fails, lags and refuses writes, as Workers KV may.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::credential::{CredentialId, Details, NewCredential, PrincipalId, Service, Tokens};
use grant_vault::developer::DeveloperId;
use grant_vault::grant::Grant;
use grant_vault::json::Metadata;
use grant_vault::keyring::{Keyring, RootKey};
use grant_vault::store::StoreError;
use grant_vault::store::keys::{self, Revocable};
use grant_vault::store::memory::{MemoryStore, Operations};
use grant_vault::timestamp::Timestamp;
use grant_vault::vault::{ListQuery, Vault, VaultError};

const START: i64 = 1_700_000_000_000;

/// A vault, its storage, and a clock.
struct Scene {
    keyring: Keyring,
    store: MemoryStore,
}

impl Scene {
    fn new() -> Self {
        Self { keyring: keyring("11"), store: MemoryStore::new(at(0)) }
    }

    fn vault(&self) -> Vault<'_, MemoryStore> {
        Vault::new(&self.keyring, &self.store)
    }

    fn put(&self, principal: &str, service: &str, second: i64) -> (CredentialId, Details) {
        self.try_put(&developer("dev_A"), new(principal, service), second).unwrap()
    }

    fn try_put(
        &self,
        developer: &DeveloperId,
        new: NewCredential,
        second: i64,
    ) -> Result<(CredentialId, Details), VaultError> {
        self.store.set_time(at(second));
        block_on(self.vault().store(developer, new, at(second)))
    }

    fn exchange(&self, grant: &Grant, service: &str) -> Result<String, VaultError> {
        let (_, tokens) = block_on(self.vault().exchange(grant, &Service::parse(service).unwrap()))?;
        Ok(tokens.access.expose().to_owned())
    }

    fn list(&self, query: &ListQuery) -> Vec<String> {
        let page = block_on(self.vault().list(&developer("dev_A"), query)).unwrap();
        page.credentials.iter().map(|(_, details)| label(details)).collect()
    }

    /// The only entry of a store with one credential.
    fn entry(&self) -> (String, String, Option<String>) {
        let mut dump = self.store.dump();
        assert_eq!(dump.len(), 1);
        dump.pop().unwrap()
    }
}

fn keyring(byte: &str) -> Keyring {
    Keyring::new(RootKey::parse(&byte.repeat(32)).unwrap(), Vec::new())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(START + second * 1_000).unwrap()
}

fn developer(id: &str) -> DeveloperId {
    DeveloperId::parse(id).unwrap()
}

fn principal(id: &str) -> Option<PrincipalId> {
    PrincipalId::parse(id)
}

fn label(details: &Details) -> String {
    format!("{}/{}", details.principal.as_str(), details.service.as_str())
}

fn new(principal: &str, service: &str) -> NewCredential {
    NewCredential {
        principal: PrincipalId::parse(principal).unwrap(),
        service: Service::parse(service).unwrap(),
        credential_type: "oauth2".to_owned(),
        token_expires_at: None,
        metadata: Metadata::empty(),
        tokens: Tokens { access: Secret::new(format!("token of {principal} for {service}")), refresh: None },
    }
}

/// Details that don't fit KV's metadata.
fn new_large(principal: &str, service: &str) -> NewCredential {
    let text = format!("{{\"note\":\"{}\"}}", "x".repeat(2_000));
    NewCredential { metadata: Metadata::parse(&text, 16).unwrap(), ..new(principal, service) }
}

fn grant(scopes: &[&str]) -> Grant {
    Grant {
        token_id: "tok_1".to_owned(),
        grant_id: "grnt_1".to_owned(),
        parent_grant_id: Some("grnt_0".to_owned()),
        delegation_depth: 1,
        developer: developer("dev_A"),
        principal: principal("user").unwrap(),
        agent: "did:grantex:ag_1".to_owned(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        issued_at: at(0),
        expires_at: at(3_600),
        confirmation: None,
    }
}

#[test]
fn an_upsert_keeps_id_and_creation_and_replaces_the_rest() {
    let scene = Scene::new();
    let first = NewCredential {
        token_expires_at: Some(at(60)),
        metadata: Metadata::parse(r#"{"scope":"repo"}"#, 16).unwrap(),
        tokens: Tokens { access: Secret::new("a".to_owned()), refresh: Some(Secret::new("r".to_owned())) },
        ..new("user", "github")
    };
    let (id, _) = scene.try_put(&developer("dev_A"), first, 0).unwrap();
    let (again, _) = scene.put("user", "GitHub", 5);
    assert_eq!(again, id);
    let details = block_on(scene.vault().get(&developer("dev_A"), &id)).unwrap();
    assert_eq!((details.created_at, details.updated_at), (at(0), at(5)));
    assert_eq!(details.service.as_str(), "GitHub");
    assert_eq!((details.metadata.as_str(), details.token_expires_at), ("{}", None));
    let (_, tokens) = block_on(scene.vault().exchange(&grant(&["*"]), &Service::parse("github").unwrap())).unwrap();
    assert!(tokens.refresh.is_none());
    assert_eq!(scene.store.dump().len(), 1);
}

#[test]
fn updated_at_moves_even_within_a_millisecond() {
    let scene = Scene::new();
    let (_, first) = scene.put("user", "github", 0);
    let (_, second) = scene.put("user", "github", 0);
    assert!(second.updated_at > first.updated_at);
}

#[test]
fn each_call_costs_what_it_should() {
    let scene = Scene::new();
    let (id, _) = scene.put("user", "github", 0);
    assert_eq!(scene.store.take_operations(), Operations { gets: 1, puts: 1, ..Operations::default() });
    scene.exchange(&grant(&["*"]), "github").unwrap();
    assert_eq!(scene.store.take_operations(), Operations { bulk_gets: 1, ..Operations::default() });
    block_on(scene.vault().get(&developer("dev_A"), &id)).unwrap();
    assert_eq!(scene.store.take_operations(), Operations { gets: 1, ..Operations::default() });
    scene.list(&ListQuery::default());
    assert_eq!(scene.store.take_operations(), Operations { lists: 1, ..Operations::default() });
    block_on(scene.vault().delete(&developer("dev_A"), &id, at(1))).unwrap();
    assert_eq!(scene.store.take_operations(), Operations { bulk_gets: 1, deletes: 1, ..Operations::default() });
}

#[test]
fn a_long_list_reads_no_record_of_its_own() {
    let scene = Scene::new();
    for number in 0..2_500 {
        scene.put(&format!("user{number}"), "github", number);
    }
    for number in 0..150 {
        scene.try_put(&developer("dev_A"), new_large(&format!("user{number}"), "slack"), number).unwrap();
    }
    scene.store.take_operations();
    assert_eq!(scene.list(&ListQuery::default()).len(), 2_650);
    assert_eq!(scene.store.take_operations(), Operations { lists: 3, bulk_gets: 2, ..Operations::default() });
    let github = ListQuery { service: Service::parse("GITHUB"), ..ListQuery::default() };
    assert_eq!(scene.list(&github).len(), 2_500);
    assert_eq!(scene.store.take_operations(), Operations { lists: 3, ..Operations::default() });
    let one = ListQuery { principal: principal("user7"), ..ListQuery::default() };
    assert_eq!(scene.list(&one), ["user7/github", "user7/slack"]);
    assert_eq!(scene.store.take_operations(), Operations { lists: 1, bulk_gets: 1, ..Operations::default() });
}

#[test]
fn pages_are_newest_first_and_miss_nothing() {
    let scene = Scene::new();
    for number in 0..25 {
        // Two at a time are of one moment.
        scene.put(&format!("user{number}"), "github", number / 2);
    }
    let all = scene.list(&ListQuery::default());
    let mut paged = Vec::new();
    let mut query = ListQuery { limit: Some(4), ..ListQuery::default() };
    loop {
        let page = block_on(scene.vault().list(&developer("dev_A"), &query)).unwrap();
        assert!(page.credentials.windows(2).all(|pair| pair[0].1.created_at >= pair[1].1.created_at));
        paged.extend(page.credentials.iter().map(|(_, details)| label(details)));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
        // What is stored meanwhile is newer than the cursor and moves nothing.
        scene.put(&format!("late{}", paged.len()), "github", 100);
    }
    assert_eq!(paged, all);
    assert_eq!(all[0], "user24/github");
}

#[test]
fn a_list_without_a_limit_ends_at_10_000_with_a_cursor() {
    let scene = Scene::new();
    for number in 0..10_001 {
        scene.put(&format!("user{number}"), "github", number);
    }
    let first = block_on(scene.vault().list(&developer("dev_A"), &ListQuery::default())).unwrap();
    assert_eq!(first.credentials.len(), 10_000);
    let query = ListQuery { cursor: first.next_cursor, ..ListQuery::default() };
    assert_eq!(scene.list(&query), ["user0/github"]);
}

#[test]
fn cursors_are_checked() {
    let scene = Scene::new();
    for cursor in
        ["", "x", "1-", "1-vault_x", "-vault_00000000000000000000000000", "soon-vault_00000000000000000000000000"]
    {
        let query = ListQuery { cursor: Some(cursor.to_owned()), ..ListQuery::default() };
        let listed = block_on(scene.vault().list(&developer("dev_A"), &query));
        assert!(matches!(listed, Err(VaultError::BadCursor)), "{cursor}");
    }
}

#[test]
fn developers_do_not_meet() {
    let scene = Scene::new();
    let (id, _) = scene.put("user", "github", 0);
    let other = developer("dev_B");
    assert!(matches!(block_on(scene.vault().get(&other, &id)), Err(VaultError::NotFound)));
    assert!(matches!(block_on(scene.vault().delete(&other, &id, at(1))), Err(VaultError::NotFound)));
    assert!(block_on(scene.vault().list(&other, &ListQuery::default())).unwrap().credentials.is_empty());
    let theirs = Grant { developer: other.clone(), ..grant(&["*"]) };
    assert!(matches!(scene.exchange(&theirs, "github"), Err(VaultError::NotFound)));
    let (their_id, _) = scene.try_put(&other, new("user", "github"), 0).unwrap();
    assert_ne!(their_id, id);
    // A developer whose id starts like another's sees nothing of theirs either.
    assert!(block_on(scene.vault().list(&developer("dev_"), &ListQuery::default())).unwrap().credentials.is_empty());
}

#[test]
fn an_exchange_out_of_scope_asks_storage_nothing() {
    let scene = Scene::new();
    scene.put("user", "github", 0);
    scene.store.take_operations();
    assert!(matches!(scene.exchange(&grant(&["slack:*"]), "github"), Err(VaultError::OutOfScope)));
    assert_eq!(scene.store.take_operations(), Operations::default());
}

#[test]
fn a_revocation_refuses_until_no_such_token_can_live() {
    for revoked in [Revocable::Token("tok_1"), Revocable::Grant("grnt_1"), Revocable::Grant("grnt_0")] {
        let scene = Scene::new();
        scene.put("user", "github", 0);
        block_on(scene.vault().revoke(&developer("dev_B"), revoked)).unwrap();
        assert!(scene.exchange(&grant(&["*"]), "github").is_ok(), "another developer's {revoked:?}");
        block_on(scene.vault().revoke(&developer("dev_A"), revoked)).unwrap();
        assert!(matches!(scene.exchange(&grant(&["*"]), "github"), Err(VaultError::Revoked)), "{revoked:?}");
        let longest = 400 * 24 * 60 * 60;
        scene.store.set_time(at(longest + 60));
        assert!(matches!(scene.exchange(&grant(&["*"]), "github"), Err(VaultError::Revoked)));
        scene.store.set_time(at(longest + 121));
        assert!(scene.exchange(&grant(&["*"]), "github").is_ok(), "kept for ever: {revoked:?}");
    }
}

#[test]
fn an_expired_upstream_token_is_handed_out() {
    let scene = Scene::new();
    let expired = NewCredential { token_expires_at: Some(at(-60)), ..new("user", "github") };
    scene.try_put(&developer("dev_A"), expired, 0).unwrap();
    assert_eq!(scene.exchange(&grant(&["github:read"]), "github").unwrap(), "token of user for github");
}

#[test]
fn storage_is_not_trusted() {
    let scene = Scene::new();
    scene.put("user", "github", 0);
    let (key, value, summary) = scene.entry();
    let flipped = |text: &str, position: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let expect_damaged = |why: &str| {
        let refused = scene.exchange(&grant(&["*"]), "github");
        assert!(
            matches!(&refused, Err(VaultError::Damaged { record, .. }) if key.ends_with(record.as_str())),
            "{why}: {refused:?}"
        );
    };
    for position in (0..value.len()).step_by(7) {
        scene.store.tamper(&key, &flipped(&value, position), summary.as_deref());
        expect_damaged("a flipped character");
    }
    for broken in ["", "{}", ".", &value[1..], &value[..value.len() - 1], &format!("{value}.{value}")] {
        scene.store.tamper(&key, broken, summary.as_deref());
        expect_damaged("another form");
        scene.store.tamper(&key, &value, summary.as_deref());
    }
    // The summary alone: lists notice, the rest doesn't need it.
    let list = || block_on(scene.vault().list(&developer("dev_A"), &ListQuery::default()));
    let summary = summary.unwrap();
    let redated = summary.replacen(&START.to_string(), &(START + 1).to_string(), 1);
    for broken in [None, Some("{}"), Some(redated.as_str()), Some(&flipped(&summary, 40))] {
        scene.store.tamper(&key, &value, broken);
        assert!(matches!(list(), Err(VaultError::Damaged { .. })), "{broken:?}");
        assert!(scene.exchange(&grant(&["*"]), "github").is_ok());
    }
    scene.store.tamper(&key, &value, Some(&summary));
    assert_eq!(list().unwrap().credentials.len(), 1);
}

#[test]
fn a_moved_record_does_not_open() {
    let scene = Scene::new();
    scene.put("user", "github", 0);
    let (_, value, summary) = scene.entry();
    let elsewhere = [("dev_A", "user", "slack"), ("dev_A", "other", "github"), ("dev_B", "user", "github")];
    for (owner, whose, service) in elsewhere {
        let owner = developer(owner);
        let id = CredentialId::derive(&owner, &principal(whose).unwrap(), &Service::parse(service).unwrap());
        scene.store.tamper(&keys::credential(&owner, &id), &value, summary.as_deref());
        let moved = Grant { developer: owner, principal: principal(whose).unwrap(), ..grant(&["*"]) };
        assert!(matches!(scene.exchange(&moved, service), Err(VaultError::Damaged { .. })));
    }
}

#[test]
fn a_damaged_record_can_be_deleted_and_stored_anew() {
    let scene = Scene::new();
    let (id, _) = scene.put("user", "github", 0);
    scene.store.tamper(&scene.entry().0, "broken", None);
    let again = scene.try_put(&developer("dev_A"), new("user", "github"), 1);
    assert!(matches!(again, Err(VaultError::Damaged { .. })));
    block_on(scene.vault().delete(&developer("dev_A"), &id, at(1))).unwrap();
    scene.put("user", "github", 2);
    assert!(scene.exchange(&grant(&["*"]), "github").is_ok());
}

#[test]
fn an_unknown_key_is_named_and_a_previous_one_opens() {
    let mut scene = Scene::new();
    scene.put("user", "github", 0);
    let old = scene.keyring.current().id();
    scene.keyring = keyring("22");
    let refused = scene.exchange(&grant(&["*"]), "github").unwrap_err().to_string();
    assert!(refused.contains(&old.to_string()), "{refused}");
    let previous = vec![RootKey::parse(&"11".repeat(32)).unwrap()];
    scene.keyring = Keyring::new(RootKey::parse(&"22".repeat(32)).unwrap(), previous);
    assert_eq!(scene.exchange(&grant(&["*"]), "github").unwrap(), "token of user for github");
    scene.put("user", "github", 1);
    scene.keyring = keyring("22");
    assert!(scene.exchange(&grant(&["*"]), "github").is_ok(), "a new write uses the new key");
}

#[test]
fn lagging_reads_see_an_older_state_and_never_a_mixture() {
    let scene = Scene::new();
    scene.put("user", "github", 0);
    scene.store.lag();
    let newer = NewCredential {
        tokens: Tokens { access: Secret::new("new".to_owned()), refresh: None },
        ..new("user", "github")
    };
    scene.try_put(&developer("dev_A"), newer, 5).unwrap();
    assert_eq!(scene.exchange(&grant(&["*"]), "github").unwrap(), "token of user for github");
    scene.store.catch_up();
    assert_eq!(scene.exchange(&grant(&["*"]), "github").unwrap(), "new");
    assert_eq!(scene.list(&ListQuery::default()).len(), 1);
}

#[test]
fn two_stores_that_race_make_one_record() {
    let scene = Scene::new();
    // Neither sees the other's write before its own.
    scene.store.lag();
    let (one, _) = scene.put("user", "github", 0);
    let (other, _) = scene.put("user", "github", 1);
    scene.store.catch_up();
    assert_eq!(one, other);
    assert_eq!(scene.list(&ListQuery::default()), ["user/github"]);
}

#[test]
fn a_second_write_within_a_second_is_refused_and_changes_nothing() {
    let scene = Scene::new();
    scene.store.limit_writes();
    scene.put("user", "github", 0);
    let newer = NewCredential {
        tokens: Tokens { access: Secret::new("new".to_owned()), refresh: None },
        ..new("user", "github")
    };
    let refused = scene.try_put(&developer("dev_A"), newer, 0);
    assert!(matches!(refused, Err(VaultError::Store(StoreError::Busy(_)))));
    assert_eq!(scene.exchange(&grant(&["*"]), "github").unwrap(), "token of user for github");
}

#[test]
fn a_failure_at_any_operation_leaves_nothing_half_done() {
    for operations in 0..2 {
        let scene = Scene::new();
        scene.put("user", "github", 0);
        let before = scene.store.dump();
        scene.store.fail_after(Some(operations));
        let failed = scene.try_put(&developer("dev_A"), new("user", "github"), 5);
        assert!(matches!(failed, Err(VaultError::Store(StoreError::Unavailable(_)))));
        assert_eq!(scene.store.dump(), before);
    }
}

#[test]
fn a_dump_shows_nothing_of_what_was_stored() {
    let scene = Scene::new();
    let secretive = NewCredential {
        metadata: Metadata::parse(r#"{"scope":"repo-and-user"}"#, 16).unwrap(),
        tokens: Tokens {
            access: Secret::new("gho_accesstoken".to_owned()),
            refresh: Some(Secret::new("ghr_refreshtoken".to_owned())),
        },
        ..new("user_abc123", "github")
    };
    scene.try_put(&developer("dev_A"), secretive, 0).unwrap();
    block_on(scene.vault().revoke(&developer("dev_A"), Revocable::Token("tok_marked"))).unwrap();
    let dump = format!("{:?}", scene.store.dump());
    for shown in ["gho_", "ghr_", "accesstoken", "user_abc123", "github", "repo-and-user", "oauth2", "tok_marked"] {
        assert!(!dump.contains(shown), "{shown} in {dump}");
    }
}
