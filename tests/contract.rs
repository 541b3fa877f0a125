//! Keeps `www/openapi.json` and the code together: calls, methods, errors, headers and limits. Whoever adds
//! one to the code and not to the document, or the reverse, fails here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use futures::executor::block_on;
use grant_vault::fetch::{Answer, Fetch, FetchError, Request};
use grant_vault::grant::signature::JwtSimple;
use grant_vault::http::rate::{Limit, Unlimited};
use grant_vault::http::{BodyError, Head, Host, ReadBody, Reply, Response, Service, api_headers};
use grant_vault::json::Whole;
use grant_vault::limits;
use grant_vault::store::memory::MemoryStore;
use grant_vault::timestamp::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../www/openapi.json")).expect("JSON"));
/// The document itself is a static file, and no call of `route.rs`.
const STATIC: &str = "/openapi.json";
/// In the order of `Allow`.
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "DELETE"];

struct NoBody;

impl ReadBody for NoBody {
    async fn read(self, _: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
        Ok(Zeroizing::default())
    }
}

struct NoIssuer;

impl Fetch for NoIssuer {
    async fn fetch(&self, _: &Request<'_>) -> Result<Answer, FetchError> {
        Err(FetchError::Network("none".to_owned()))
    }
}

/// What a vault without settings answers: 503 to each of its calls, and to anything else what a vault that
/// is well would. `None` for a path that isn't the API's.
fn answer(method: &str, path: &str) -> Option<Response> {
    let now = Timestamp::EPOCH;
    let store = MemoryStore::new(now);
    let host = Host { store: &store, fetch: &NoIssuer, signatures: &JwtSimple, rate_limits: &Unlimited, now };
    let head = Head { method: method.to_owned(), path: path.replace(['{', '}'], ""), ..Head::default() };
    match block_on(Service::new(Err(Vec::new())).handle(host, &head, NoBody)) {
        Reply::Answer { response, .. } => Some(response),
        Reply::Static { .. } => None,
    }
}

/// A part of the document with its `$ref` followed.
fn resolved(part: &Value) -> &Value {
    match part["$ref"].as_str() {
        Some(reference) => CONTRACT.pointer(reference.trim_start_matches('#')).expect(reference),
        None => part,
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().expect("an object").iter().map(|(name, value)| (name.as_str(), value))
}

/// The operations of the document: method, path, operation.
fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    object(&CONTRACT["paths"]).flat_map(|(path, item)| {
        let operations = object(item).filter(|(name, _)| *name != "parameters");
        operations.map(move |(method, operation)| (method.to_uppercase(), path, operation))
    })
}

/// Every answer of the document: where, status, and what is said of it.
fn answers() -> impl Iterator<Item = (String, u16, &'static Value)> {
    operations().flat_map(|(method, path, operation)| {
        object(&operation["responses"]).map(move |(status, answer)| {
            (format!("{method} {path} {status}"), status.parse().expect("a status"), resolved(answer))
        })
    })
}

/// A call without the names of its path's parameters.
fn unnamed(call: &str) -> String {
    let parts: Vec<_> = call.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
    parts.join("/")
}

#[test]
fn every_call_of_the_code_is_in_the_document() {
    // The comment on each variant of Route says its method and path.
    let source = include_str!("../src/http/route.rs");
    let variants = source.split("pub enum Route {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    let (comments, names): (Vec<&str>, Vec<&str>) =
        variants.lines().map(str::trim).filter(|line| !line.is_empty()).partition(|line| line.starts_with("///"));
    assert_eq!(comments.len(), names.len(), "one line of comment for each call");
    let documented: BTreeSet<_> = operations().map(|(method, path, _)| unnamed(&format!("{method} {path}"))).collect();
    for (comment, name) in comments.iter().zip(names) {
        let call = comment.trim_start_matches("/// ").trim_matches('`');
        let (method, path) = call.split_once(' ').unwrap();
        assert_eq!(answer(method, path).unwrap().status, 503, "{name} says that it is {call}");
        assert!(documented.contains(&unnamed(call)), "www/openapi.json lacks {call}");
    }
    let calls = documented.iter().filter(|call| !call.starts_with("HEAD") && !call.ends_with(STATIC)).count();
    assert_eq!(calls, comments.len(), "the document has a call that the code hasn't");
}

#[test]
fn every_path_takes_the_methods_of_the_document_and_no_others() {
    let mut paths = BTreeMap::<&str, BTreeSet<String>>::new();
    for (method, path, _) in operations().filter(|(_, path, _)| *path != STATIC) {
        paths.entry(path).or_default().insert(method);
    }
    for (path, documented) in paths {
        let allow: Vec<_> = METHODS.into_iter().filter(|method| documented.contains(*method)).collect();
        assert_eq!(allow.len(), documented.len(), "{path}");
        for method in METHODS.into_iter().chain(["PUT", "PATCH", "OPTIONS", "TRACE"]) {
            let response = answer(method, path).unwrap();
            if documented.contains(method) {
                assert_eq!(response.status, 503, "{method} {path}");
            } else {
                assert_eq!(response.status, 405, "{method} {path}");
                assert!(response.all_headers().any(|header| header == ("Allow", &allow.join(", "))), "{method} {path}");
            }
        }
    }
}

#[test]
fn every_error_of_the_code_is_in_the_document() {
    // The table of statuses and codes: `Self::NotFound => (404, "NOT_FOUND")`.
    let source = include_str!("../src/http/error.rs");
    let table = source.lines().filter_map(|line| line.split_once("=> (")?.1.strip_suffix("\"),"));
    let kinds: BTreeMap<u16, &str> = table
        .map(|pair| pair.split_once(", \"").unwrap())
        .map(|(status, code)| (status.parse().unwrap(), code))
        .collect();
    let codes = CONTRACT.pointer("/components/schemas/Error/properties/code/enum").unwrap().as_array().unwrap();
    assert_eq!(
        codes.iter().map(|code| code.as_str().unwrap()).collect::<BTreeSet<_>>(),
        kinds.values().copied().collect()
    );

    // Token requests have the errors of OAuth; their method is found out about before.
    let is_oauth = |place: &str, status: u16| place.contains("/oauth/token ") && status != 405;
    let mut documented = BTreeSet::new();
    for (place, status, answer) in
        answers().filter(|(place, status, _)| *status >= 400 && !place.contains("/health 503"))
    {
        let schema = &answer["content"]["application/json"]["schema"];
        if is_oauth(&place, status) {
            assert_eq!(schema["$ref"], "#/components/schemas/OauthError", "{place}");
            continue;
        }
        assert_eq!(schema["$ref"], "#/components/schemas/Error", "{place}");
        assert_eq!(schema["properties"]["code"]["const"], kinds[&status], "{place}");
        documented.insert(status);
    }
    assert_eq!(documented, kinds.keys().copied().collect());
}

#[test]
fn every_error_of_oauth_is_in_the_document() {
    // The names: `Self::InvalidScope => "invalid_scope"`.
    let source =
        include_str!("../src/http/error.rs").split("impl OauthError").nth(1).and_then(|rest| rest.split("\n}").next());
    let names: BTreeSet<_> =
        source.unwrap().lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\",")).collect();
    let documented =
        CONTRACT.pointer("/components/schemas/OauthError/properties/error/enum").unwrap().as_array().unwrap();
    assert_eq!(documented.iter().map(|name| name.as_str().unwrap()).collect::<BTreeSet<_>>(), names);
}

#[test]
fn every_operation_says_what_can_always_go_wrong() {
    for (method, path, operation) in operations() {
        let has = |status: &str| assert!(!operation["responses"][status].is_null(), "{method} {path} lacks {status}");
        has("405");
        if path.starts_with("/v1/") || path == "/oauth/token" {
            ["500", "503"].into_iter().for_each(has);
        }
        if !operation["requestBody"].is_null() {
            ["400", "413"].into_iter().for_each(has);
        }
        if !operation["requestBody"]["content"]["application/json"].is_null() {
            has("415");
        }
        if operation["security"] != Value::Array(Vec::new()) {
            ["401", "429"].into_iter().for_each(has);
        }
    }
}

#[test]
fn every_answer_has_the_headers_of_every_answer() {
    for (place, status, answer) in answers() {
        let headers = &answer["headers"];
        let has = |name: &str| assert!(resolved(&headers[name])["required"] == true, "{place} lacks {name}");
        has("X-Request-Id");
        for (name, value) in api_headers() {
            has(name);
            let schema = &resolved(&headers[name])["schema"];
            let is_page = place.contains(STATIC) && name == "Content-Security-Policy";
            assert!(schema["const"] == value || is_page, "{place} {name}");
        }
        let own: &[&str] = match status {
            401 => &["WWW-Authenticate"],
            405 => &["Allow"],
            429 => &["Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"],
            503 => &["Retry-After"],
            _ => &[],
        };
        own.iter().copied().for_each(has);
    }
}

/// Every number that bounds something, by its place in the document.
fn bounds(place: &str, value: &Value, found: &mut BTreeMap<String, usize>) {
    const KEYWORDS: [&str; 6] = ["x-maxBytes", "x-maxDepth", "maxLength", "maximum", "maxItems", "default"];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(number) = field.as_u64().filter(|_| KEYWORDS.contains(&name.as_str())) {
                    found.insert(format!("{place} {name}"), number.try_into().unwrap());
                }
                bounds(&format!("{place}/{name}"), field, found);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| bounds(&format!("{place}/{index}"), item, found))
        }
        _ => {}
    }
}

#[test]
fn limits_are_those_of_the_code() {
    let mut expected = BTreeMap::new();
    for (place, limit) in [
        ("schemas/PrincipalId", limits::PRINCIPAL_ID_BYTES),
        ("schemas/CredentialType", limits::CREDENTIAL_TYPE_BYTES),
        ("schemas/NewCredential/properties/accessToken", limits::TOKEN_BYTES),
        ("schemas/NewCredential/properties/refreshToken", limits::TOKEN_BYTES),
        ("schemas/ExchangedCredential/properties/accessToken", limits::TOKEN_BYTES),
        ("schemas/IssuedToken/properties/access_token", limits::TOKEN_BYTES),
        ("schemas/Revocation/properties/jti", limits::REVOCABLE_ID_BYTES),
        ("schemas/AuditNames/properties/jti", limits::REVOCABLE_ID_BYTES),
        ("schemas/AuditNames/properties/grantId", limits::REVOCABLE_ID_BYTES),
        ("parameters/GrantId/schema", limits::REVOCABLE_ID_BYTES),
        ("schemas/DeveloperName", limits::DEVELOPER_NAME_BYTES),
        ("schemas/Email", limits::EMAIL_BYTES),
    ] {
        expected.insert(format!("/components/{place} maxLength"), limit);
        expected.insert(format!("/components/{place} x-maxBytes"), limit);
    }
    for (place, limit) in [
        ("schemas/Rewrap/properties/limit maximum", limits::REWRAP_LIMIT),
        ("schemas/Rewrap/properties/limit default", limits::REWRAP_DEFAULT),
        ("schemas/Record/properties/expiration maximum", Whole::MOST as usize),
        ("schemas/RecordImport/properties/records/items/properties/expiration maximum", Whole::MOST as usize),
        ("parameters/ExportLimit/schema maximum", limits::EXPORT_PAGE),
        ("parameters/ExportLimit/schema default", limits::EXPORT_PAGE),
        ("schemas/RecordList/properties/records maxItems", limits::EXPORT_PAGE),
        ("schemas/RecordImport/properties/records maxItems", limits::IMPORT_PAGE),
        ("schemas/CredentialImport/properties/credentials maxItems", limits::IMPORT_PAGE),
        ("schemas/Arrivals/properties/results maxItems", limits::IMPORT_PAGE),
        ("schemas/Metadata x-maxBytes", limits::METADATA_BYTES),
        ("schemas/Metadata x-maxDepth", limits::METADATA_DEPTH),
        ("parameters/Limit/schema maximum", limits::LIST_LIMIT),
        ("schemas/CredentialList/properties/credentials maxItems", limits::LIST_UNLIMITED),
        ("parameters/DeveloperLimit/schema maximum", limits::DEVELOPERS_PAGE),
        ("parameters/DeveloperLimit/schema default", limits::DEVELOPERS_PAGE),
        ("schemas/DeveloperList/properties/developers maxItems", limits::DEVELOPERS_PAGE),
    ] {
        expected.insert(format!("/components/{place}"), limit);
    }
    let mut found = BTreeMap::new();
    bounds("", &CONTRACT, &mut found);
    assert_eq!(found, expected);
}

#[test]
fn limits_in_words_and_patterns_are_those_of_the_code() {
    let at = |place: &str| CONTRACT.pointer(place).and_then(Value::as_str).expect("a text").to_owned();
    let says = |place: &str, limit: usize| {
        let text = at(place);
        assert!(
            text.split(|c: char| !c.is_ascii_digit()).any(|word| word == limit.to_string()),
            "{limit} is not in: {text}"
        );
    };
    says("/components/schemas/Service/pattern", limits::SERVICE_BYTES - 1);
    says("/components/schemas/TokenRequest/properties/audience/pattern", limits::SERVICE_BYTES - 1);
    says("/components/schemas/DeveloperId/pattern", limits::DEVELOPER_ID_BYTES);
    says("/components/schemas/ProvisionedDeveloper/properties/developerId/pattern", limits::DEVELOPER_ID_BYTES);
    says("/components/parameters/Limit/description", limits::LIST_UNLIMITED);
    says("/components/responses/PayloadTooLarge/description", limits::BODY_BYTES);
    for limit in Limit::ALL {
        says("/components/responses/TooManyRequests/description", limit.per_period() as usize);
    }
    says("/components/responses/TooManyRequests/description", limits::RATE_PERIOD_SECS as usize);
    says("/components/headers/X-RateLimit-Limit/description", limits::RATE_PERIOD_SECS as usize);
    let ends = "/components/schemas/ReferredCredential/properties/referenceExpiresAt/description";
    says(ends, limits::REFERENCE_SECS as usize);
    says("/components/parameters/Proof/description", limits::PROOF_BYTES);
    says("/components/parameters/Proof/description", limits::PROOF_AGE_SECS as usize);
    says("/components/securitySchemes/grantToken/description", limits::GRANT_TOKEN_BYTES);
    says("/components/securitySchemes/grantToken/description", (limits::GRANT_LIFETIME_SECS / (24 * 60 * 60)) as usize);
    for (_, _, operation) in operations().filter(|(_, _, operation)| !operation["requestBody"].is_null()) {
        assert!(operation["requestBody"]["description"].as_str().unwrap().contains(&limits::BODY_BYTES.to_string()));
    }
    for (name, schema) in object(&CONTRACT["components"]["schemas"]) {
        let Some(limit) = schema["x-maxBytes"].as_u64() else { continue };
        says(&format!("/components/schemas/{name}/description"), limit as usize);
    }
}

#[test]
fn the_release_is_that_of_the_crate() {
    assert_eq!(CONTRACT["info"]["version"], env!("CARGO_PKG_VERSION"));
}
