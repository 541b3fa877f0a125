//! A whole request, to its answer. The input is lines: method, target, Authorization, Content-Type,
//! Origin, DPoP, after how many operations storage fails (empty: never), and the body. `$key`, `$other`,
//! `$admin`, `$grant`, `$bound` and `$proof` stand for good credentials of the world's.
//!
//! There is no panic, no 5xx while storage works, and no secret in an answer but where the contract
//! hands one out.

#![no_main]

use grant_vault::Secret;
use grant_vault::http::Head;
use grant_vault_fuzz::{BASE, MARK, World};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let world = World::default();
    let text = world.fill_in(&String::from_utf8_lossy(data));
    let mut lines = text.splitn(8, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let header = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
    let method = line().to_owned();
    let (path, query) = {
        let target = line();
        target.split_once('?').unwrap_or((target, ""))
    };
    let head = Head {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        authorization: header(line()).map(Secret::new),
        content_type: header(line()),
        origin: header(line()),
        dpop: header(line()),
        base: BASE.to_owned(),
    };
    let faults: Option<usize> = line().parse().ok();
    world.store.fail_after(faults);

    let body = line().as_bytes().to_vec();
    let Some((response, event)) = world.send(&head, body) else { return };
    let is_fault = response.status == 503 && faults.is_some();
    assert!(response.status < 500 || is_fault, "{} {} -> {}", head.method, head.path, response.status);
    let headers: Vec<_> = response.all_headers().map(|(name, value)| format!("{name}: {value}")).collect();
    assert!(headers.iter().all(|line| !line.contains(['\n', '\r', '\0'])), "{headers:?}");
    assert!(!world.gives_away(headers.join("\n").as_bytes()), "a secret in a header: {headers:?}");

    if !response.body.is_empty() {
        let answer: Value = serde_json::from_slice(&response.body).expect("an answer is JSON");
        if response.status >= 400 {
            assert!(!world.gives_away(&response.body), "{}", String::from_utf8_lossy(&response.body));
        } else {
            // What the caller sent may come back to them; of what was stored, the granted access token may.
            let granted =
                ["accessToken", "access_token"].iter().find_map(|name| answer[name].as_str()).unwrap_or_default();
            assert!(
                !granted.contains(MARK) || granted.contains("access token") && granted.ends_with("dev_A"),
                "{granted}"
            );
            let shown = String::from_utf8_lossy(&response.body).replacen(granted, "", 1);
            assert!(!shown.contains(&format!("{MARK}: ")), "a stored token: {shown}");
        }
    }
    if let Some(event) = event {
        let log = serde_json::to_string(&event).expect("a line is JSON");
        assert!(!world.gives_away(log.as_bytes()), "{log}");
    }
});
