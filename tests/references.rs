//! Credentials by reference: what a reference stands for is decided when it is resolved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::credential::{CredentialId, NewCredential, PrincipalId, Service, Tokens};
use grant_vault::developer::DeveloperId;
use grant_vault::grant::Grant;
use grant_vault::json::Metadata;
use grant_vault::keyring::{Keyring, RootKey};
use grant_vault::reference::Reference;
use grant_vault::store::keys::Revocable;
use grant_vault::store::memory::{MemoryStore, Operations};
use grant_vault::timestamp::Timestamp;
use grant_vault::vault::{Vault, VaultError};

struct Scene {
    keyring: Keyring,
    store: MemoryStore,
}

impl Scene {
    fn new() -> Self {
        let keyring = Keyring::new(RootKey::parse(&"11".repeat(32)).unwrap(), Vec::new());
        Self { keyring, store: MemoryStore::new(at(0)) }
    }

    fn vault(&self) -> Vault<'_, MemoryStore> {
        Vault::new(&self.keyring, &self.store)
    }

    fn put(&self, access: &str) -> CredentialId {
        let new = NewCredential {
            principal: PrincipalId::parse("user").unwrap(),
            service: Service::parse("github").unwrap(),
            credential_type: "oauth2".to_owned(),
            token_expires_at: None,
            metadata: Metadata::empty(),
            tokens: Tokens { access: Secret::new(access.to_owned()), refresh: None },
        };
        block_on(self.vault().store(&developer("dev_A"), new, at(0))).unwrap().0
    }

    fn refer(&self, grant: &Grant, second: i64) -> Result<String, VaultError> {
        let (_, reference) = block_on(self.vault().refer(grant, &Service::parse("GitHub").unwrap(), None, at(second)))?;
        Ok(reference.seal(&self.keyring).unwrap().expose().to_owned())
    }

    fn resolve_as(&self, id: &str, text: &str, second: i64) -> Result<String, VaultError> {
        let reference: Reference = self.vault().open_reference(&developer(id), text, at(second))?;
        let (_, tokens) = block_on(self.vault().resolve(&reference))?;
        Ok(tokens.access.expose().to_owned())
    }

    fn resolve(&self, text: &str, second: i64) -> Result<String, VaultError> {
        self.resolve_as("dev_A", text, second)
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + second * 1_000).unwrap()
}

fn developer(id: &str) -> DeveloperId {
    DeveloperId::parse(id).unwrap()
}

fn grant(scope: &str) -> Grant {
    Grant {
        token_id: "tok_1".to_owned(),
        grant_id: "grnt_1".to_owned(),
        parent_grant_id: Some("grnt_0".to_owned()),
        delegation_depth: 1,
        developer: developer("dev_A"),
        principal: PrincipalId::parse("user").unwrap(),
        agent: "did:grantex:ag_1".to_owned(),
        scopes: vec![scope.to_owned()],
        issued_at: at(0),
        expires_at: at(3_600),
        confirmation: None,
    }
}

#[test]
fn a_reference_costs_a_read_to_give_and_a_read_to_resolve_and_is_not_stored() {
    let scene = Scene::new();
    scene.put("gho_1");
    scene.store.take_operations();
    let text = scene.refer(&grant("github:read"), 0).unwrap();
    assert_eq!(scene.store.take_operations(), Operations { bulk_gets: 1, ..Operations::default() });
    assert_eq!(scene.resolve(&text, 1).unwrap(), "gho_1");
    assert_eq!(scene.store.take_operations(), Operations { bulk_gets: 1, ..Operations::default() });
    assert_eq!(scene.store.dump().len(), 1);
}

#[test]
fn it_is_given_where_the_credential_itself_would_be() {
    let scene = Scene::new();
    assert!(matches!(scene.refer(&grant("github:read"), 0), Err(VaultError::NotFound)));
    scene.put("gho_1");
    assert!(matches!(scene.refer(&grant("slack:read"), 0), Err(VaultError::OutOfScope)));
    block_on(scene.vault().revoke(&developer("dev_A"), Revocable::Grant("grnt_0"))).unwrap();
    assert!(matches!(scene.refer(&grant("github:read"), 0), Err(VaultError::Revoked)));
}

#[test]
fn a_grant_that_has_ended_gives_none_though_the_skew_is_tolerated() {
    let scene = Scene::new();
    scene.put("gho_1");
    assert!(scene.refer(&grant("*"), 3_599).is_ok());
    assert!(matches!(scene.refer(&grant("*"), 3_600), Err(VaultError::GrantEnded)));
}

#[test]
fn it_ends_after_five_minutes_or_with_the_grant() {
    let scene = Scene::new();
    scene.put("gho_1");
    for (given, last) in [(0, 299), (3_500, 3_599)] {
        let text = scene.refer(&grant("*"), given).unwrap();
        assert_eq!(scene.resolve(&text, last).unwrap(), "gho_1");
        assert!(matches!(scene.resolve(&text, last + 1), Err(VaultError::NoReference)));
    }
}

#[test]
fn a_revocation_of_token_grant_or_parent_ends_it() {
    for revoked in [Revocable::Token("tok_1"), Revocable::Grant("grnt_1"), Revocable::Grant("grnt_0")] {
        let scene = Scene::new();
        scene.put("gho_1");
        let text = scene.refer(&grant("*"), 0).unwrap();
        block_on(scene.vault().revoke(&developer("dev_A"), Revocable::Grant("another"))).unwrap();
        assert!(scene.resolve(&text, 1).is_ok());
        block_on(scene.vault().revoke(&developer("dev_A"), revoked)).unwrap();
        assert!(matches!(scene.resolve(&text, 1), Err(VaultError::Revoked)), "{revoked:?}");
    }
}

#[test]
fn it_gives_the_credential_as_it_is_now() {
    let scene = Scene::new();
    let id = scene.put("gho_1");
    let text = scene.refer(&grant("*"), 0).unwrap();
    scene.put("gho_2");
    assert_eq!(scene.resolve(&text, 1).unwrap(), "gho_2");
    block_on(scene.vault().delete(&developer("dev_A"), &id, at(1))).unwrap();
    assert!(matches!(scene.resolve(&text, 1), Err(VaultError::NotFound)));
}

#[test]
fn it_is_nothing_to_another_developer() {
    let scene = Scene::new();
    scene.put("gho_1");
    let text = scene.refer(&grant("*"), 0).unwrap();
    scene.store.take_operations();
    assert!(matches!(scene.resolve_as("dev_B", &text, 1), Err(VaultError::NoReference)));
    assert_eq!(scene.store.take_operations(), Operations::default());
}
