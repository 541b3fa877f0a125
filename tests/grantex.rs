//! Beside Grantex, whose API is a stand-in here: what it answers, what is remembered of it, and that
//! nothing it does wrong opens anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::cell::{Cell, RefCell};

use futures::executor::block_on;
use grant_vault::Secret;
use grant_vault::developer::ApiKey;
use grant_vault::fetch::{Answer, Fetch, FetchError, Request};
use grant_vault::grantex::developers::Profile;
use grant_vault::grantex::standing::{Claimed, StandingError, StatusCheck};
use grant_vault::grantex::{Grantex, GrantexError};
use grant_vault::timestamp::Timestamp;

const KEY: &str = "gx_live_0123456789abcdef";
const YES: &str = r#"{"valid":true,"grantId":"grnt_1","scopes":["github:read"],"principal":"user","agent":"did:a","expiresAt":"2030-01-01T00:00:00.000Z"}"#;
const ME: &str = r#"{"developerId":"dev_A","name":"Acme","email":null,"mode":"live","plan":"free","createdAt":"2026-01-01T00:00:00.000Z"}"#;

/// Grantex's API with one answer to everything.
struct StandIn {
    answer: RefCell<Result<(u16, &'static str, String), FetchError>>,
    asked: Cell<usize>,
    last: RefCell<String>,
}

impl StandIn {
    fn new(body: &str) -> Self {
        let answer = RefCell::new(Ok((200, "application/json; charset=utf-8", body.to_owned())));
        Self { answer, asked: Cell::new(0), last: RefCell::default() }
    }

    fn answers(&self, status: u16, content_type: &'static str, body: &str) {
        *self.answer.borrow_mut() = Ok((status, content_type, body.to_owned()));
    }

    fn fails(&self, error: FetchError) {
        *self.answer.borrow_mut() = Err(error);
    }
}

impl Fetch for StandIn {
    async fn fetch(&self, request: &Request<'_>) -> Result<Answer, FetchError> {
        self.asked.set(self.asked.get() + 1);
        let json = request.json.map_or("", Secret::expose);
        *self.last.borrow_mut() = format!("{} {} {json}", request.url, request.bearer.unwrap().expose());
        let (status, content_type, body) = self.answer.borrow().clone()?;
        Ok(Answer { status, content_type: content_type.to_owned(), body: body.into_bytes().into() })
    }
}

fn grantex(check: StatusCheck) -> Grantex {
    Grantex::new("https://api.grantex.example/", check, Some(Secret::new("gx_live_own".to_owned())), 60)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + second * 1_000).unwrap()
}

fn developer(grantex: &Grantex, stand_in: &StandIn, second: i64) -> Result<Option<String>, GrantexError> {
    let key = ApiKey::parse_of_grantex(KEY).unwrap();
    let profile = block_on(grantex.developer(&key, stand_in, at(second)))?;
    Ok(profile.map(|profile: std::rc::Rc<Profile>| profile.developer.to_string()))
}

fn stands(grantex: &Grantex, stand_in: &StandIn, second: i64) -> Result<(), StandingError> {
    let claimed = Claimed { grant_id: "grnt_1", principal: "user", agent: "did:a" };
    block_on(grantex.must_stand("eyJ.a.b", claimed, stand_in, at(second)))
}

/// Everything that can be wrong with an answer whatever was asked.
type Wrong = Result<(u16, &'static str, &'static str), FetchError>;

fn wrongs() -> [(&'static str, Wrong); 13] {
    [
        ("slow", Err(FetchError::Timeout)),
        ("down", Err(FetchError::Network("refused".to_owned()))),
        ("oversized", Err(FetchError::TooLong)),
        ("a redirect", Ok((302, "", ""))),
        ("an opaque redirect", Ok((0, "", ""))),
        ("not found", Ok((404, "application/json", "{}"))),
        ("too many requests", Ok((429, "application/json", "{}"))),
        ("broken", Ok((500, "application/json", "{}"))),
        ("created", Ok((201, "application/json", YES))),
        ("a page", Ok((200, "text/html", YES))),
        ("empty", Ok((200, "application/json", ""))),
        ("a list", Ok((200, "application/json", "[]"))),
        ("nothing of use", Ok((200, "application/json", "{}"))),
    ]
}

#[test]
fn an_api_key_is_resolved_and_remembered_for_a_minute() {
    let (grantex, stand_in) = (grantex(StatusCheck::Offline), StandIn::new(ME));
    assert_eq!(developer(&grantex, &stand_in, 0), Ok(Some("dev_A".to_owned())));
    assert_eq!(*stand_in.last.borrow(), format!("https://api.grantex.example/v1/me {KEY} "));
    stand_in.fails(FetchError::Timeout);
    assert_eq!(developer(&grantex, &stand_in, 59), Ok(Some("dev_A".to_owned())));
    assert_eq!(stand_in.asked.get(), 1);
    assert_eq!(developer(&grantex, &stand_in, 60), Err(FetchError::Timeout.into()));
}

#[test]
fn a_refused_key_is_remembered_for_ten_seconds() {
    for status in [401, 403] {
        let (grantex, stand_in) = (grantex(StatusCheck::Offline), StandIn::new(ME));
        stand_in.answers(status, "application/json", "{}");
        assert_eq!(developer(&grantex, &stand_in, 0), Ok(None));
        stand_in.answers(200, "application/json", ME);
        assert_eq!(developer(&grantex, &stand_in, 9), Ok(None));
        assert_eq!(stand_in.asked.get(), 1);
        assert_eq!(developer(&grantex, &stand_in, 10), Ok(Some("dev_A".to_owned())));
    }
}

#[test]
fn no_answer_is_no_refusal_and_is_not_remembered() {
    for (name, wrong) in wrongs() {
        let (grantex, stand_in) = (grantex(StatusCheck::Offline), StandIn::new(ME));
        match wrong {
            Ok((status, content_type, body)) => stand_in.answers(status, content_type, body),
            Err(error) => stand_in.fails(error),
        }
        assert!(developer(&grantex, &stand_in, 0).is_err(), "{name}");
        stand_in.answers(200, "application/json", ME);
        assert_eq!(developer(&grantex, &stand_in, 0), Ok(Some("dev_A".to_owned())), "{name}");
    }
    for id in ["5", "null", r#""a:b""#, r#""""#] {
        let (grantex, stand_in) = (grantex(StatusCheck::Offline), StandIn::new(&format!(r#"{{"developerId":{id}}}"#)));
        assert_eq!(developer(&grantex, &stand_in, 0), Err(GrantexError::Answer("developerId")), "{id}");
    }
}

#[test]
fn online_asks_every_time() {
    let (grantex, stand_in) = (grantex(StatusCheck::Online), StandIn::new(YES));
    assert_eq!(stands(&grantex, &stand_in, 0), Ok(()));
    let asked = r#"https://api.grantex.example/v1/tokens/verify gx_live_own {"token":"eyJ.a.b"}"#;
    assert_eq!(*stand_in.last.borrow(), asked);
    stand_in.answers(200, "application/json", r#"{"valid":false}"#);
    assert_eq!(stands(&grantex, &stand_in, 0), Err(StandingError::Fallen));
    stand_in.answers(200, "application/json", YES);
    assert_eq!(stands(&grantex, &stand_in, 0), Ok(()));
    assert_eq!(stand_in.asked.get(), 3);
}

#[test]
fn cached_remembers_a_yes_so_long_and_a_no_never() {
    let (grantex, stand_in) = (grantex(StatusCheck::Cached(30)), StandIn::new(r#"{"valid":false}"#));
    assert_eq!(stands(&grantex, &stand_in, 0), Err(StandingError::Fallen));
    stand_in.answers(200, "application/json", YES);
    assert_eq!(stands(&grantex, &stand_in, 0), Ok(()));
    stand_in.answers(200, "application/json", r#"{"valid":false}"#);
    assert_eq!(stands(&grantex, &stand_in, 29), Ok(()));
    assert_eq!(stands(&grantex, &stand_in, 30), Err(StandingError::Fallen));
    assert_eq!(stand_in.asked.get(), 3);
}

#[test]
fn offline_asks_nobody() {
    let (grantex, stand_in) = (grantex(StatusCheck::Offline), StandIn::new(r#"{"valid":false}"#));
    assert_eq!(stands(&grantex, &stand_in, 0), Ok(()));
    assert_eq!(stand_in.asked.get(), 0);
}

#[test]
fn whatever_else_it_answers_is_not_a_yes() {
    for check in [StatusCheck::Online, StatusCheck::Cached(30)] {
        for (name, wrong) in wrongs() {
            let (grantex, stand_in) = (grantex(check), StandIn::new(YES));
            match wrong {
                Ok((status, content_type, body)) => stand_in.answers(status, content_type, body),
                Err(error) => stand_in.fails(error),
            }
            for _ in 0..2 {
                assert!(matches!(stands(&grantex, &stand_in, 0), Err(StandingError::Unknown(_))), "{name}");
            }
        }
        let (grantex, stand_in) = (grantex(check), StandIn::new(YES));
        stand_in.answers(401, "application/json", "{}");
        assert_eq!(stands(&grantex, &stand_in, 0), Err(GrantexError::OwnKey.into()));
        stand_in.answers(200, "application/json", &YES.replace("grnt_1", "grnt_2"));
        assert_eq!(stands(&grantex, &stand_in, 0), Err(StandingError::Disagreement("grantId")));
    }
}
