//! Resealing while others store, delete and read: every order of their steps, lagging reads and all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::accounts::{AccountError, Accounts, KnownAccounts, NewAccount, Removal};
use grant_vault::credential::{CredentialId, NewCredential, PrincipalId, Service, Tokens};
use grant_vault::developer::{Account, ApiKey, DeveloperId, Mode};
use grant_vault::grant::Grant;
use grant_vault::json::Metadata;
use grant_vault::keyring::{Keyring, RootKey};
use grant_vault::rotation::{KeyCounts, Rewrapped, Rotation, RotationError};
use grant_vault::store::memory::{MemoryStore, Operations};
use grant_vault::store::{Entry, KeyPage, Store, StoreError, keys};
use grant_vault::timestamp::Timestamp;
use grant_vault::vault::{ListQuery, Vault, VaultError};

const START: i64 = 1_700_000_000_000;

fn root(byte: &str) -> RootKey {
    RootKey::parse(&byte.repeat(32)).unwrap()
}

/// Only the old key, both keys, only the new one: the three stages of a rotation.
fn old() -> Keyring {
    Keyring::new(root("11"), Vec::new())
}

fn both() -> Keyring {
    Keyring::new(root("22"), vec![root("11")])
}

fn renewed() -> Keyring {
    Keyring::new(root("22"), Vec::new())
}

/// The three, which remember what they derived: thousands of races use them.
struct Rings {
    old: Keyring,
    both: Keyring,
    renewed: Keyring,
}

impl Rings {
    fn new() -> Self {
        Self { old: old(), both: both(), renewed: renewed() }
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(START + second * 1_000).unwrap()
}

fn developer() -> DeveloperId {
    DeveloperId::parse("dev_A").unwrap()
}

fn new(principal: &str, token: &str) -> NewCredential {
    NewCredential {
        principal: PrincipalId::parse(principal).unwrap(),
        service: Service::parse("github").unwrap(),
        credential_type: "oauth2".to_owned(),
        token_expires_at: None,
        metadata: Metadata::empty(),
        tokens: Tokens { access: Secret::new(token.to_owned()), refresh: None },
    }
}

/// Details that don't fit KV's metadata.
fn new_large(principal: &str, token: &str) -> NewCredential {
    let text = format!("{{\"note\":\"{}\"}}", "x".repeat(2_000));
    NewCredential { metadata: Metadata::parse(&text, 16).unwrap(), ..new(principal, token) }
}

fn id(principal: &str) -> CredentialId {
    let service = Service::parse("github").unwrap();
    CredentialId::derive(&developer(), &PrincipalId::parse(principal).unwrap(), &service)
}

fn store_with<S: Store>(keyring: &Keyring, store: &S, credential: NewCredential, second: i64) {
    block_on(Vault::new(keyring, store).store(&developer(), credential, at(second))).unwrap();
}

fn grant(principal: &str) -> Grant {
    Grant {
        token_id: "tok_1".to_owned(),
        grant_id: "grnt_1".to_owned(),
        parent_grant_id: None,
        delegation_depth: 0,
        developer: developer(),
        principal: PrincipalId::parse(principal).unwrap(),
        agent: "did:grantex:ag_1".to_owned(),
        scopes: vec!["*".to_owned()],
        issued_at: at(0),
        expires_at: at(3_600),
        confirmation: None,
    }
}

/// The access token that readers see, which get, list and exchange must agree on.
fn seen(keyring: &Keyring, store: &MemoryStore, principal: &str) -> Option<String> {
    let vault = Vault::new(keyring, store);
    let exchanged = match block_on(vault.exchange(&grant(principal), &Service::parse("github").unwrap())) {
        Ok((details, tokens)) => Some((details, tokens.access.expose().to_owned())),
        Err(VaultError::NotFound) => None,
        Err(error) => panic!("{error}"),
    };
    let details = exchanged.as_ref().map(|(details, _)| details.clone());
    match block_on(vault.get(&developer(), &id(principal))) {
        Ok(got) => assert_eq!(Some(got), details),
        Err(error) => assert!(matches!(error, VaultError::NotFound) && details.is_none(), "{error}"),
    }
    let query = ListQuery { principal: PrincipalId::parse(principal), ..ListQuery::default() };
    let listed = block_on(vault.list(&developer(), &query)).unwrap().credentials;
    assert_eq!(listed.into_iter().map(|(_, details)| details).next(), details);
    exchanged.map(|(_, token)| token)
}

/// One pass over everything.
async fn pass<S: Store>(keyring: &Keyring, store: &S, limit: usize) -> Result<Rewrapped, RotationError> {
    let rotation = Rotation::new(keyring, store);
    let mut total = Rewrapped::default();
    loop {
        let page = rotation.rewrap(total.next_cursor.as_deref(), limit).await?;
        total.seen += page.seen;
        total.resealed += page.resealed;
        total.settled += page.settled;
        total.busy += page.busy;
        total.damaged.extend(page.damaged);
        total.next_cursor = page.next_cursor;
        if total.next_cursor.is_none() {
            return Ok(total);
        }
    }
}

/// Passes until one finds nothing to do.
fn finish(keyring: &Keyring, store: &MemoryStore) {
    for _ in 0..4 {
        let done = block_on(pass(keyring, store, 40)).unwrap();
        assert!(done.damaged.is_empty(), "{done:?}");
        if done.resealed + done.settled == 0 {
            return;
        }
    }
    panic!("no end to it");
}

fn count(keyring: &Keyring, store: &MemoryStore) -> KeyCounts {
    let rotation = Rotation::new(keyring, store);
    let mut total = KeyCounts::default();
    loop {
        let page = block_on(rotation.count(total.next_cursor.as_deref())).unwrap();
        for (id, records) in page.records {
            *total.records.entry(id).or_default() += records;
        }
        total.unreadable += page.unreadable;
        total.unsettled += page.unsettled;
        total.next_cursor = page.next_cursor;
        if total.next_cursor.is_none() {
            return total;
        }
    }
}

/// How many records are under the old key and the new one.
fn counted(keyring: &Keyring, store: &MemoryStore) -> (usize, usize) {
    let counts = count(keyring, store);
    let of = |byte| counts.records.get(&root(byte).id()).copied().unwrap_or(0);
    (of("11"), of("22"))
}

/// Storage as one of several sees it who take turns: each operation waits for its turn. Reads may come
/// from storage as it was before, as another location's do.
struct Turns<'a> {
    reads: &'a MemoryStore,
    writes: &'a MemoryStore,
    me: usize,
    turn: &'a Cell<Option<usize>>,
    /// What the keys that they write start with.
    raced: &'a [&'a str],
}

const CREDENTIALS: &[&str] = &["cred:", "guard:"];
const ACCOUNTS: &[&str] = &["key:", "dev:", "guard:"];

impl Turns<'_> {
    async fn wait(&self) {
        std::future::poll_fn(|_| match self.turn.get() == Some(self.me) {
            true => {
                self.turn.set(None);
                Poll::Ready(())
            }
            false => Poll::Pending,
        })
        .await;
    }
}

impl Store for Turns<'_> {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.wait().await;
        self.reads.get(key).await
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, StoreError> {
        self.wait().await;
        self.reads.get_many(keys).await
    }

    async fn put(&self, key: &str, entry: Entry<'_>) -> Result<(), StoreError> {
        self.wait().await;
        self.writes.put(key, entry).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.wait().await;
        self.writes.delete(key).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>, limit: usize) -> Result<KeyPage, StoreError> {
        // A list of what none of them writes is no step of a race.
        if self.raced.iter().any(|raced| prefix.starts_with(raced)) {
            self.wait().await;
        }
        self.reads.list(prefix, cursor, limit).await
    }
}

fn copy(store: &MemoryStore) -> MemoryStore {
    let copy = MemoryStore::new(at(0));
    for (key, value, metadata) in store.dump() {
        copy.tamper(&key, &value, metadata.as_deref());
    }
    copy
}

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Runs tasks an operation at a time in the order of `schedule`, and those that are left in theirs.
fn run(mut tasks: Vec<Option<Task<'_>>>, turn: &Cell<Option<usize>>, schedule: &[usize], after: &dyn Fn()) {
    let mut context = Context::from_waker(Waker::noop());
    let mut step = |tasks: &mut Vec<Option<Task<'_>>>, who: usize| {
        let Some(task) = &mut tasks[who] else { return false };
        turn.set(Some(who));
        if task.as_mut().poll(&mut context).is_ready() {
            tasks[who] = None;
        }
        turn.set(None);
        after();
        true
    };
    for &who in schedule {
        step(&mut tasks, who);
    }
    for who in 0..tasks.len() {
        while step(&mut tasks, who) {}
    }
}

/// Every order of `a` steps of task 0 and `b` steps of task 1.
fn orders(a: usize, b: usize) -> Vec<Vec<usize>> {
    match (a, b) {
        (0, _) => vec![vec![1; b]],
        (_, 0) => vec![vec![0; a]],
        _ => {
            let led = |first: usize, rest: Vec<Vec<usize>>| rest.into_iter().map(move |r| [vec![first], r].concat());
            led(0, orders(a - 1, b)).chain(led(1, orders(a, b - 1))).collect()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Store(&'static str),
    Delete,
}

/// What one developer does in turn, and what readers must see from the moment it is acknowledged.
async fn act<S: Store>(keyring: &Keyring, store: &S, acts: &[Act], acknowledged: &Cell<usize>) {
    let vault = Vault::new(keyring, store);
    for (index, act) in acts.iter().enumerate() {
        let second = 10 + index as i64;
        match *act {
            Act::Store(token) => drop(vault.store(&developer(), new("user", token), at(second)).await.unwrap()),
            Act::Delete => vault.delete(&developer(), &id("user"), at(second)).await.unwrap(),
        }
        acknowledged.set(index + 1);
    }
}

/// Runs a pass and some acts in one order. `lagging`: the pass reads storage as it was before all.
fn race(rings: &Rings, acts: &[Act], schedule: &[usize], lagging: bool) {
    let store = MemoryStore::new(at(0));
    store_with(&rings.old, &store, new("user", "v1"), 0);
    let before = copy(&store);
    let Rings { both: keyring, renewed, .. } = rings;
    let (turn, acknowledged) = (Cell::new(None), Cell::new(0));
    let after_acts = |count: usize| match count.checked_sub(1).map(|last| acts[last]) {
        None => Some("v1"),
        Some(Act::Store(token)) => Some(token),
        Some(Act::Delete) => None,
    };
    let check = || {
        let Operations { puts, deletes, .. } = store.take_operations();
        if puts + deletes == 0 {
            return;
        }
        // What was acknowledged, or what is under way.
        let count = acknowledged.get();
        let may_be = [after_acts(count), after_acts((count + 1).min(acts.len()))];
        let is = seen(keyring, &store, "user");
        assert!(may_be.contains(&is.as_deref()), "{acts:?} in {schedule:?}: {is:?} after {count}");
    };
    let reads = if lagging { &before } else { &store };
    let resealer = Turns { reads, writes: &store, me: 0, turn: &turn, raced: CREDENTIALS };
    let actor = Turns { reads: &store, writes: &store, me: 1, turn: &turn, raced: CREDENTIALS };
    let resealing = async {
        pass(keyring, &resealer, 40).await.unwrap();
    };
    let acting = act(keyring, &actor, acts, &acknowledged);
    run(vec![Some(Box::pin(resealing)), Some(Box::pin(acting))], &turn, schedule, &check);

    // However it went, passes that see everything make the records right by themselves.
    finish(keyring, &store);
    assert_eq!(count(keyring, &store).unsettled, 0);
    assert_eq!(seen(renewed, &store, "user").as_deref(), after_acts(acts.len()), "{acts:?} in {schedule:?}");
    assert_eq!(counted(keyring, &store).0, 0);
}

#[test]
fn no_order_of_steps_loses_a_store_or_brings_back_what_was_deleted() {
    let rings = Rings::new();
    for acts in [
        &[Act::Store("v2")][..],
        &[Act::Delete],
        &[Act::Store("v2"), Act::Delete],
        &[Act::Delete, Act::Store("v2")],
        &[Act::Store("v2"), Act::Store("v3")],
    ] {
        for schedule in orders(6, 3 * acts.len()) {
            race(&rings, acts, &schedule, false);
        }
    }
}

#[test]
fn nor_does_resealing_from_what_it_saw_a_while_ago() {
    let rings = Rings::new();
    for acts in [&[Act::Store("v2")][..], &[Act::Delete], &[Act::Store("v2"), Act::Delete]] {
        for schedule in orders(6, 3 * acts.len()) {
            race(&rings, acts, &schedule, true);
        }
    }
}

#[test]
fn two_who_reseal_at_once_do_no_harm() {
    let schedules = orders(5, 5);
    let Rings { old, both: keyring, renewed } = Rings::new();
    for (number, schedule) in schedules.iter().enumerate() {
        let store = MemoryStore::new(at(0));
        store_with(&old, &store, new("user", "v1"), 0);
        let turn = Cell::new(None);
        let one = Turns { reads: &store, writes: &store, me: 0, turn: &turn, raced: CREDENTIALS };
        let other = Turns { me: 1, ..one };
        let actor = Turns { me: 2, ..one };
        let acts = [Act::Store("v2")];
        let acknowledged = Cell::new(0);
        let resealing = |by| {
            let keyring = &keyring;
            async move { drop(pass(keyring, by, 40).await.unwrap()) }
        };
        // The store's steps fall between theirs, elsewhere each time.
        let mut order = schedule.clone();
        for place in [number % 10, number / 10 % 11, number / 3 % 12] {
            order.insert(place, 2);
        }
        let tasks: Vec<Option<Task<'_>>> = vec![
            Some(Box::pin(resealing(&one))),
            Some(Box::pin(resealing(&other))),
            Some(Box::pin(act(&keyring, &actor, &acts, &acknowledged))),
        ];
        run(tasks, &turn, &order, &|| {
            let Operations { puts, .. } = store.take_operations();
            let is = if puts > 0 && acknowledged.get() > 0 { seen(&keyring, &store, "user") } else { None };
            assert!(is.as_deref() == Some("v2") || puts == 0 || acknowledged.get() == 0, "{is:?} in {order:?}");
        });
        finish(&keyring, &store);
        assert_eq!(seen(&renewed, &store, "user").as_deref(), Some("v2"));
    }
}

/// The resealing that this vault doesn't do: read, reseal, put, with nobody keeping a guard. The tests
/// above have to notice it.
#[test]
fn without_guards_a_store_would_be_lost() {
    let store = MemoryStore::new(at(0));
    store_with(&old(), &store, new("user", "v1"), 0);
    let (keyring, turn) = (both(), Cell::new(None));
    let resealer = Turns { reads: &store, writes: &store, me: 0, turn: &turn, raced: CREDENTIALS };
    let resealing = async { drop(pass(&keyring, &resealer, 40).await.unwrap()) };
    // An isolate that knows nothing of the rotation stores between read and put.
    let late = async {
        let actor = Turns { reads: &store, writes: &store, me: 1, turn: &turn, raced: CREDENTIALS };
        Vault::new(&old(), &actor).store(&developer(), new("user", "v2"), at(10)).await.unwrap();
    };
    run(vec![Some(Box::pin(resealing)), Some(Box::pin(late))], &turn, &[0, 0, 1, 1, 0], &|| ());
    assert_eq!(seen(&keyring, &store, "user").as_deref(), Some("v1"), "this is what guards are for");
}

#[test]
fn a_rotation_goes_from_old_to_new_and_may_stop_anywhere() {
    let total = 25;
    for stop_after in [0, 1, 2, 5, 20, 40] {
        let store = MemoryStore::new(at(0));
        for number in 0..total {
            let principal = format!("user{number}");
            let credential = if number % 5 == 0 { new_large(&principal, "t") } else { new(&principal, "t") };
            store_with(&old(), &store, credential, 0);
        }
        assert_eq!(counted(&both(), &store), (total, 0));
        store.fail_after(Some(stop_after));
        let _ = block_on(pass(&both(), &store, 4));
        store.fail_after(None);
        store_with(&both(), &store, new("user7", "newer"), 10);
        block_on(Vault::new(&both(), &store).delete(&developer(), &id("user8"), at(10))).unwrap();

        let (before, after) = counted(&both(), &store);
        assert_eq!(before + after, total - 1, "stopped after {stop_after} operations");
        finish(&both(), &store);
        assert_eq!(counted(&both(), &store), (0, total - 1));
        let again = block_on(pass(&both(), &store, 40)).unwrap();
        assert_eq!((again.resealed, again.settled, again.busy), (0, 0, 0));
        for number in 0..total {
            let expected = match number {
                7 => Some("newer"),
                8 => None,
                _ => Some("t"),
            };
            for keyring in [both(), renewed()] {
                assert_eq!(seen(&keyring, &store, &format!("user{number}")).as_deref(), expected, "user{number}");
            }
        }
    }
}

#[test]
fn a_call_costs_what_its_limit_says() {
    let store = MemoryStore::new(at(0));
    for number in 0..100 {
        store_with(&old(), &store, new(&format!("user{number}"), "t"), 0);
    }
    store.take_operations();
    let (keyring, rotation_store) = (both(), &store);
    let rotation = Rotation::new(&keyring, rotation_store);
    let page = block_on(rotation.rewrap(None, 40)).unwrap();
    assert_eq!((page.seen, page.resealed), (40, 40));
    assert_eq!(store.take_operations(), Operations { lists: 1, bulk_gets: 1, puts: 40, ..Operations::default() });
    block_on(rotation.rewrap(None, 40)).unwrap();
    assert_eq!(store.take_operations(), Operations { lists: 1, ..Operations::default() }, "none twice");
    block_on(rotation.count(None)).unwrap();
    assert_eq!(store.take_operations(), Operations { lists: 1, ..Operations::default() });
}

#[test]
fn in_a_rotation_each_call_costs_a_write_more_and_no_read() {
    let store = MemoryStore::new(at(0));
    let keyring = both();
    let vault = Vault::new(&keyring, &store);
    store_with(&keyring, &store, new("user", "t"), 0);
    assert_eq!(store.take_operations(), Operations { bulk_gets: 1, puts: 2, ..Operations::default() });
    block_on(vault.exchange(&grant("user"), &Service::parse("github").unwrap())).unwrap();
    assert_eq!(store.take_operations(), Operations { bulk_gets: 1, ..Operations::default() });
    block_on(vault.get(&developer(), &id("user"))).unwrap();
    assert_eq!(store.take_operations(), Operations { bulk_gets: 1, ..Operations::default() });
    block_on(vault.delete(&developer(), &id("user"), at(1))).unwrap();
    assert_eq!(store.take_operations(), Operations { bulk_gets: 1, puts: 1, deletes: 1, ..Operations::default() });
}

#[test]
fn damaged_records_are_named_and_the_rest_goes_on() {
    let store = MemoryStore::new(at(0));
    for principal in ["one", "two", "three"] {
        store_with(&old(), &store, new(principal, "t"), 0);
    }
    let stranger = Keyring::new(root("33"), Vec::new());
    store_with(&stranger, &store, new("stranger", "t"), 0);
    let key = keys::credential(&developer(), &id("two"));
    let (_, value, metadata) = store.dump().into_iter().find(|(name, ..)| *name == key).unwrap();
    let changed = if value.as_bytes()[40] == b'A' { "B" } else { "A" };
    let broken = format!("{}{changed}{}", &value[..40], &value[41..]);
    store.tamper(&key, &broken, metadata.as_deref());

    let done = block_on(pass(&both(), &store, 40)).unwrap();
    assert_eq!((done.seen, done.resealed), (4, 2));
    let mut named: Vec<_> = done.damaged.iter().map(|damaged| (damaged.key.clone(), damaged.reason.clone())).collect();
    named.sort();
    let mut expected = [key.clone(), keys::credential(&developer(), &id("stranger"))];
    expected.sort();
    assert_eq!(named.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), expected);
    assert!(named.iter().any(|(_, reason)| reason.contains(&root("33").id().to_string())), "{named:?}");
    assert!(store.dump().iter().any(|(name, value, _)| *name == key && *value == broken), "it stays as it is");
    let counts = count(&both(), &store);
    assert_eq!(counts.records[&root("33").id()], 1, "a key that the ring lacks is counted too");
    assert_eq!(counts.records[&root("11").id()], 1);
    store.tamper(&key, "broken", None);
    assert_eq!(count(&both(), &store).unreadable, 1);
}

#[test]
fn records_of_version_0_1_are_counted_and_resealed() {
    let store = MemoryStore::new(at(0));
    store_with(&old(), &store, new_large("user", "t"), 0);
    let (key, value, _) = store.dump().pop().unwrap();
    store.tamper(&key, &value, Some(&format!("{START}.")));
    assert_eq!(counted(&both(), &store), (1, 0));
    finish(&both(), &store);
    assert_eq!(counted(&both(), &store), (0, 1));
    assert_eq!(seen(&renewed(), &store, "user").as_deref(), Some("t"));
}

#[test]
fn a_write_that_collides_is_left_to_a_later_pass() {
    let store = MemoryStore::new(at(0));
    store_with(&old(), &store, new("user", "t"), 0);
    store.limit_writes();
    let done = block_on(pass(&both(), &store, 40)).unwrap();
    assert_eq!((done.resealed, done.busy), (0, 1));
    store.set_time(at(5));
    finish(&both(), &store);
    assert_eq!(counted(&both(), &store), (0, 1));
}

#[test]
fn a_store_after_the_rotation_and_a_delete_outlive_the_guards() {
    let store = MemoryStore::new(at(0));
    store_with(&both(), &store, new("stored", "v1"), 0);
    store_with(&both(), &store, new("deleted", "v1"), 0);
    store_with(&renewed(), &store, new("stored", "v2"), 10);
    block_on(Vault::new(&renewed(), &store).delete(&developer(), &id("deleted"), at(10))).unwrap();
    // The next rotation reads guards again, these among them.
    let next = Keyring::new(root("33"), vec![root("22")]);
    assert_eq!(seen(&next, &store, "stored").as_deref(), Some("v2"));
    assert_eq!(seen(&next, &store, "deleted"), None);
}

#[test]
fn cursors_are_checked() {
    let (keyring, store) = (both(), MemoryStore::new(at(0)));
    for cursor in ["", "x", "x.", "revoked.", "cred"] {
        let refused = block_on(Rotation::new(&keyring, &store).rewrap(Some(cursor), 40));
        assert!(matches!(refused, Err(RotationError::BadCursor)), "{cursor}");
    }
    assert!(block_on(Rotation::new(&keyring, &store).rewrap(Some("dev."), 40)).is_ok());
    assert!(block_on(Rotation::new(&renewed(), &store).rewrap(Some("guard."), 40)).is_err());
}

fn sign_up(keyring: &Keyring, store: &MemoryStore, name: &str) -> (Account, ApiKey) {
    let known = KnownAccounts::default();
    let new = NewAccount { name: name.to_owned(), email: None, mode: Mode::Live };
    block_on(Accounts::new(keyring, store, &known).sign_up(new, at(0))).unwrap()
}

fn works(keyring: &Keyring, store: &MemoryStore, api_key: &ApiKey) -> bool {
    let known = KnownAccounts::default();
    match block_on(Accounts::new(keyring, store, &known).authenticate(api_key, at(0))) {
        Ok(_) => true,
        Err(AccountError::UnknownKey) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn accounts_are_counted_and_resealed_too() {
    let store = MemoryStore::new(at(0));
    let (account, api_key) = sign_up(&old(), &store, "Acme");
    assert_eq!(counted(&both(), &store), (2, 0));
    finish(&both(), &store);
    assert_eq!(counted(&both(), &store), (0, 2));
    for keyring in [both(), renewed()] {
        assert!(works(&keyring, &store, &api_key));
        let known = KnownAccounts::default();
        assert_eq!(block_on(Accounts::new(&keyring, &store, &known).find(&account.developer)).unwrap(), account);
    }
}

#[test]
fn no_order_of_steps_brings_back_an_api_key_or_a_developer() {
    for schedule in orders(8, 5) {
        let store = MemoryStore::new(at(0));
        let (account, api_key) = sign_up(&old(), &store, "Acme");
        let (keyring, turn) = (both(), Cell::new(None));
        let resealer = Turns { reads: &store, writes: &store, me: 0, turn: &turn, raced: ACCOUNTS };
        let resealing = async { drop(pass(&keyring, &resealer, 40).await.unwrap()) };
        let actor = Turns { me: 1, ..resealer };
        let removed = Cell::new(false);
        let removing = async {
            let known = KnownAccounts::default();
            let accounts = Accounts::new(&keyring, &actor, &known);
            assert_eq!(accounts.remove(&account.developer, at(10)).await.unwrap(), Removal::Complete);
            removed.set(true);
        };
        let gone = |keyring: &Keyring| {
            let known = KnownAccounts::default();
            let found = block_on(Accounts::new(keyring, &store, &known).find(&account.developer));
            !works(keyring, &store, &api_key) && matches!(found, Err(AccountError::NotFound))
        };
        let check = || assert!(!removed.get() || gone(&keyring), "{schedule:?}");
        run(vec![Some(Box::pin(resealing)), Some(Box::pin(removing))], &turn, &schedule, &check);
        finish(&keyring, &store);
        assert!(gone(&renewed()), "{schedule:?}");
        assert_eq!(counted(&both(), &store), (0, 0));
    }
}

#[test]
fn a_removed_developers_credentials_stay_removed() {
    for schedule in orders(5, 7) {
        let store = MemoryStore::new(at(0));
        store_with(&old(), &store, new("user", "v1"), 0);
        let (keyring, turn, known) = (both(), Cell::new(None), KnownAccounts::default());
        let account = NewAccount { name: "Acme".to_owned(), email: None, mode: Mode::Live };
        block_on(Accounts::new(&keyring, &store, &known).provision(developer(), account, at(0))).unwrap();
        let resealer = Turns { reads: &store, writes: &store, me: 0, turn: &turn, raced: CREDENTIALS };
        let resealing = async { drop(pass(&keyring, &resealer, 40).await.unwrap()) };
        let actor = Turns { me: 1, ..resealer };
        let removing = async {
            let known = KnownAccounts::default();
            let accounts = Accounts::new(&keyring, &actor, &known);
            while accounts.remove(&developer(), at(10)).await.unwrap() == Removal::Remaining {}
        };
        run(vec![Some(Box::pin(resealing)), Some(Box::pin(removing))], &turn, &schedule, &|| ());
        assert_eq!(seen(&keyring, &store, "user"), None, "{schedule:?}");
        finish(&keyring, &store);
        assert_eq!(seen(&renewed(), &store, "user"), None, "{schedule:?}");
    }
}
