//! Whatever order of stores, deletes, lagging reads and racing writers: what a reader sees is a state
//! that some order could have produced, and never another developer's.
//!
//! Each case is a schedule of calls from two locations. A call stands still before each operation of
//! storage, and the schedule says which goes on: calls race in every way that they could. A location
//! reads what it read before for up to a minute, absences included and its own writes not excepted,
//! as KV may. A write may fail before it is done, or be done and still fail.
//!
//! The model is the history of each key. A call may see any value that the key had between a minute
//! before the call began and its end, and nothing else. PROPTEST_CASES looks further.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::task::noop_waker;
use grant_vault::Secret;
use grant_vault::credential::{CredentialId, Details, NewCredential, PrincipalId, Service, Tokens};
use grant_vault::developer::DeveloperId;
use grant_vault::grant::Grant;
use grant_vault::json::Metadata;
use grant_vault::keyring::{Keyring, RootKey};
use grant_vault::record::Place;
use grant_vault::store::keys::{self, Revocable};
use grant_vault::store::memory::MemoryStore;
use grant_vault::store::{Entry, KeyPage, Store, StoreError};
use grant_vault::timestamp::Timestamp;
use grant_vault::vault::{ListQuery, Vault, VaultError};
use proptest::prelude::*;

/// How long a location may see what is no longer so, in seconds.
const LAG: i64 = 60;
const BEGINNING: i64 = 1_700_000_000;
const NAMES: [&str; 2] = ["A", "B"];
/// Two services, the second in two spellings.
const SERVICES: [&str; 3] = ["github", "slack", "SLACK"];

/// What happens to the next write.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    Refused,
    /// It is done, but the answer is lost.
    Lost,
}

/// Whose credential a call is about: numbers in [`NAMES`] and [`SERVICES`].
#[derive(Clone, Copy, Debug)]
struct Subject {
    developer: usize,
    principal: usize,
    service: usize,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Store { is_large: bool },
    Delete,
    Get,
    Exchange,
    List,
    Revoke,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin {
        location: usize,
        subject: Subject,
        act: Act,
    },
    /// A call that has begun, counted round, goes on to its next operation of storage.
    GoOn(usize),
    Wait(i64),
    Break(Fault),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let subject = (0..2usize, 0..2usize, 0..3usize);
    let subject = subject.prop_map(|(developer, principal, service)| Subject { developer, principal, service });
    let act = prop_oneof![
        4 => any::<bool>().prop_map(|is_large| Act::Store { is_large }),
        2 => Just(Act::Delete),
        1 => Just(Act::Get),
        3 => Just(Act::Exchange),
        3 => Just(Act::List),
        1 => Just(Act::Revoke),
    ];
    let begin = (0..2usize, subject, act);
    let step = prop_oneof![
        6 => begin.prop_map(|(location, subject, act)| Step::Begin { location, subject, act }),
        12 => (0..16usize).prop_map(Step::GoOn),
        2 => prop_oneof![0..5i64, 20..70i64].prop_map(Step::Wait),
        1 => prop_oneof![Just(Fault::Refused), Just(Fault::Lost)].prop_map(Step::Break),
    ];
    proptest::collection::vec(step, 1..120)
}

/// What a key held from some second on.
type Held = (i64, Option<String>);
/// Prefix and cursor of a list.
type Asked = (String, Option<String>);

/// All that there is: storage, its clock, and what each key has held.
struct World {
    keyring: Keyring,
    storage: MemoryStore,
    second: Cell<i64>,
    fault: Cell<Fault>,
    history: RefCell<BTreeMap<String, Vec<Held>>>,
}

impl World {
    fn new() -> Self {
        Self {
            keyring: Keyring::new(RootKey::parse(&"11".repeat(32)).unwrap(), Vec::new()),
            storage: MemoryStore::new(at(0)),
            second: Cell::default(),
            fault: Cell::default(),
            history: RefCell::default(),
        }
    }

    fn wait(&self, seconds: i64) {
        self.second.set(self.second.get() + seconds);
        self.storage.set_time(at(self.second.get()));
    }

    /// Notes a write unless it is refused; whether its answer arrives.
    async fn write(&self, key: &str, value: Option<&str>, done: impl AsyncFnOnce()) -> Result<(), StoreError> {
        let fault = self.fault.take();
        if fault != Fault::Refused {
            done().await;
            let change = (self.second.get(), value.map(str::to_owned));
            self.history.borrow_mut().entry(key.to_owned()).or_default().push(change);
        }
        if fault == Fault::None { Ok(()) } else { Err(StoreError::Unavailable("the connection broke".to_owned())) }
    }

    /// What the key held at some time since that second.
    fn held_since(&self, key: &str, second: i64) -> Vec<Option<String>> {
        let history = self.history.borrow();
        let changes = history.get(key).map(Vec::as_slice).unwrap_or_default();
        let recent = changes.iter().position(|(time, _)| *time >= second).unwrap_or(changes.len());
        let before = recent.checked_sub(1).and_then(|last| changes[last].1.clone());
        std::iter::once(before).chain(changes[recent..].iter().map(|(_, value)| value.clone())).collect()
    }
}

/// Storage as one location sees it.
struct Edge<'a> {
    world: &'a World,
    values: RefCell<HashMap<String, Held>>,
    pages: RefCell<HashMap<Asked, (i64, KeyPage)>>,
}

impl<'a> Edge<'a> {
    fn new(world: &'a World) -> Self {
        Self { world, values: RefCell::default(), pages: RefCell::default() }
    }

    async fn value(&self, key: &str) -> Option<String> {
        let now = self.world.second.get();
        let seen = self.values.borrow().get(key).cloned();
        if let Some((_, value)) = seen.filter(|(time, _)| now - time <= LAG) {
            return value;
        }
        let value = self.world.storage.get(key).await.unwrap();
        self.values.borrow_mut().insert(key.to_owned(), (now, value.clone()));
        value
    }
}

impl Store for Edge<'_> {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        stand_still().await;
        Ok(self.value(key).await)
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, StoreError> {
        stand_still().await;
        let mut values = Vec::new();
        for key in keys {
            values.push(self.value(key).await);
        }
        Ok(values)
    }

    async fn put(&self, key: &str, entry: Entry<'_>) -> Result<(), StoreError> {
        stand_still().await;
        let put = async || self.world.storage.put(key, entry).await.unwrap();
        self.world.write(key, Some(entry.value), put).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        stand_still().await;
        self.world.write(key, None, async || self.world.storage.delete(key).await.unwrap()).await
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>, _: usize) -> Result<KeyPage, StoreError> {
        stand_still().await;
        let now = self.world.second.get();
        let asked = (prefix.to_owned(), cursor.map(str::to_owned));
        let seen = self.pages.borrow().get(&asked).cloned();
        if let Some((_, page)) = seen.filter(|(time, _)| now - time <= LAG) {
            return Ok(page);
        }
        // Pages of two, so that there is something between them.
        let page = self.world.storage.list(prefix, cursor, 2).await.unwrap();
        self.pages.borrow_mut().insert(asked, (now, page.clone()));
        Ok(page)
    }
}

/// Lets others go on before this does.
fn stand_still() -> impl Future<Output = ()> {
    let mut has_stood = false;
    std::future::poll_fn(move |_| if std::mem::replace(&mut has_stood, true) { Poll::Ready(()) } else { Poll::Pending })
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis((BEGINNING + second) * 1_000).unwrap()
}

impl Subject {
    fn developer(self) -> DeveloperId {
        DeveloperId::parse(&format!("dev_{}", NAMES[self.developer])).unwrap()
    }

    fn principal(self) -> PrincipalId {
        // Both developers have users of these names.
        PrincipalId::parse(&format!("user_{}", NAMES[self.principal])).unwrap()
    }

    fn service(self) -> Service {
        Service::parse(SERVICES[self.service]).unwrap()
    }

    fn id(self) -> CredentialId {
        CredentialId::derive(&self.developer(), &self.principal(), &self.service())
    }

    fn key(self) -> String {
        keys::credential(&self.developer(), &self.id())
    }

    /// A credential that says in both halves whose it is, and which store it came from.
    fn credential(self, number: usize, is_large: bool) -> NewCredential {
        let label =
            format!("{} of {} for {}, {number}", NAMES[self.principal], NAMES[self.developer], SERVICES[self.service]);
        let note = if is_large { "x".repeat(1_000) } else { String::new() };
        NewCredential {
            principal: self.principal(),
            service: self.service(),
            credential_type: "oauth2".to_owned(),
            token_expires_at: None,
            metadata: Metadata::parse(&format!("{{\"label\":\"{label}\",\"note\":\"{note}\"}}"), 16).unwrap(),
            tokens: Tokens { access: Secret::new(label), refresh: None },
        }
    }

    fn grant(self) -> Grant {
        Grant {
            token_id: "tok_1".to_owned(),
            grant_id: format!("grnt_{}", NAMES[self.principal]),
            parent_grant_id: None,
            delegation_depth: 0,
            developer: self.developer(),
            principal: self.principal(),
            agent: "did:grantex:ag_1".to_owned(),
            scopes: vec!["*".to_owned()],
            issued_at: at(0),
            expires_at: at(1_000_000),
            confirmation: None,
        }
    }

    fn revocation(self) -> String {
        keys::revocation(&self.developer(), Revocable::Grant(&self.grant().grant_id))
    }

    /// What the credential was at some time since that second.
    fn states(self, world: &World, since: i64) -> Vec<Option<(Rc<Details>, Tokens)>> {
        let (developer, id) = (self.developer(), self.id());
        let place = Place { keyring: &world.keyring, developer: &developer, id: &id };
        let open = |value: Option<String>| value.map(|value| place.open(&value).unwrap());
        world.held_since(&self.key(), since).into_iter().map(open).collect()
    }
}

/// Makes a call and checks its outcome against the history.
async fn call(world: &World, edge: &Edge<'_>, subject: Subject, act: Act, number: usize) {
    let began = world.second.get();
    let since = began - LAG;
    let vault = Vault::new(&world.keyring, edge);
    let developer = subject.developer();
    let is_seen = |found: Option<&Details>| {
        subject.states(world, since).iter().any(|state| state.as_ref().map(|(details, _)| &**details) == found)
    };
    match act {
        Act::Store { is_large } => {
            let stored = vault.store(&developer, subject.credential(number, is_large), at(began)).await;
            assert!(matches!(stored, Ok(_) | Err(VaultError::Store(_))), "{stored:?}");
            if let Ok((id, details)) = stored {
                assert_eq!(id, subject.id());
                assert!(is_seen(Some(&details)), "acknowledged and never there: {details:?}");
            }
        }
        Act::Delete => match vault.delete(&developer, &subject.id(), at(began)).await {
            Ok(()) | Err(VaultError::Store(_)) => {}
            Err(VaultError::NotFound) => assert!(is_seen(None), "was there all the time"),
            Err(error) => panic!("{error}"),
        },
        Act::Get => match vault.get(&developer, &subject.id()).await {
            Ok(details) => assert!(is_seen(Some(&details)), "{details:?}"),
            Err(VaultError::NotFound) => assert!(is_seen(None), "was there all the time"),
            Err(error) => panic!("{error}"),
        },
        Act::Exchange => {
            let outcome = vault.exchange(&subject.grant(), &subject.service()).await;
            let revoked = world.held_since(&subject.revocation(), since);
            if matches!(outcome, Err(VaultError::Revoked)) {
                assert!(revoked.iter().any(Option::is_some), "was not revoked");
                return;
            }
            assert!(revoked.iter().any(Option::is_none), "was revoked for longer than a minute: {outcome:?}");
            let seen = match outcome {
                Ok(seen) => Some(seen),
                Err(VaultError::NotFound) => None,
                Err(error) => panic!("{error}"),
            };
            assert!(subject.states(world, since).contains(&seen), "{seen:?}");
        }
        Act::List => {
            let page = vault.list(&developer, &ListQuery::default()).await.unwrap();
            let mut ids = HashSet::new();
            for (id, details) in page.credentials {
                assert!(ids.insert(id.as_str().to_owned()), "listed twice: {details:?}");
                let mut own =
                    (0..2).flat_map(|principal| (0..2).map(move |service| Subject { principal, service, ..subject }));
                let listed = own.find(|own| own.id() == id).expect("one of the developer's own");
                let states = listed.states(world, since);
                assert!(states.iter().flatten().any(|(state, _)| *state == details), "{details:?}");
            }
            let is_always_there = !subject.states(world, since).contains(&None);
            assert!(!is_always_there || ids.contains(subject.id().as_str()), "was there all the time");
        }
        Act::Revoke => match vault.revoke(&developer, Revocable::Grant(&subject.grant().grant_id)).await {
            Ok(()) | Err(VaultError::Store(_)) => {}
            Err(error) => panic!("{error}"),
        },
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Lets a call go on; whether it has ended.
fn go_on(call: &mut Running<'_>) -> bool {
    call.as_mut().poll(&mut Context::from_waker(&noop_waker())).is_ready()
}

fn play(steps: &[Step]) {
    let world = World::new();
    let edges = [Edge::new(&world), Edge::new(&world)];
    let mut running: Vec<Running<'_>> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Begin { location, subject, act } => {
                running.push(Box::pin(call(&world, &edges[location], subject, act, number)));
            }
            Step::GoOn(_) if running.is_empty() => {}
            Step::GoOn(which) => {
                let which = which % running.len();
                if go_on(&mut running[which]) {
                    drop(running.remove(which));
                }
            }
            Step::Wait(seconds) => world.wait(seconds),
            Step::Break(fault) => world.fault.set(fault),
        }
    }
    world.fault.set(Fault::None);
    while !running.is_empty() {
        running.retain_mut(|call| !go_on(call));
    }
    // When all is quiet every location sees the last write of each key: nothing else is allowed now.
    world.wait(LAG + LAG + 1);
    for edge in &edges {
        for number in 0..8 {
            let subject = Subject { developer: number & 1, principal: number >> 1 & 1, service: number >> 2 & 1 };
            for act in [Act::Get, Act::Exchange, Act::List] {
                let mut last: Running<'_> = Box::pin(call(&world, edge, subject, act, 0));
                while !go_on(&mut last) {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reader_sees_what_some_order_could_have_produced(steps in steps()) {
        play(&steps);
    }
}
