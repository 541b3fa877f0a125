//! The Cloudflare Workers handler: requests from the host to the core, answers back.
//!
//! Nothing is decided here but where a static file comes from. The settings are parsed once for each
//! isolate; bindings are taken from `env` anew for each request, as they belong to it.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Headers, Request, RequestInit, ResponseInit};
use worker::{Context, Env, console_error, console_log, console_warn, event};

use crate::audit::Event;
use crate::audit::webhook::Webhook;
use crate::http::rate::Limit;
use crate::http::{self, Host, Reply, Service};
use crate::js::{self, Bindings, HostFetch, HostPost, KvStore, WebCrypto};
use crate::settings::{Problem, Settings};

/// The binding of the KV namespace.
const NAMESPACE: &str = "VAULT";
/// The binding of the static files.
const ASSETS: &str = "ASSETS";
/// The binding of the Queue that events are put into.
const AUDIT_QUEUE: &str = "AUDIT_QUEUE";

#[wasm_bindgen(module = "/src/js/microtask.js")]
extern "C" {
    #[wasm_bindgen(js_name = quickenMicrotasks)]
    fn quicken_microtasks();
}

/// What an isolate keeps from request to request: nothing that belongs to one.
struct Isolate {
    service: Service,
    has_queue: bool,
    /// The rate limits that are not bound.
    unbound: Vec<&'static str>,
}

thread_local! {
    static ISOLATE: OnceCell<Rc<Isolate>> = const { OnceCell::new() };
}

/// Serves one request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    let isolate = isolate(&env);
    let (head, body) = js::from_js(&request)?;
    let store = KvStore::new(binding(&env, NAMESPACE));
    let rate_limits = Bindings { env: &env, request: &request, unbound: &isolate.unbound };
    let host =
        Host { store: &store, fetch: &HostFetch, signatures: &WebCrypto, rate_limits: &rate_limits, now: js::now() };
    match isolate.service.handle(host, &head, body).await {
        Reply::Answer { response, event } => {
            // Before the answer is made, and so before a secret leaves.
            if let Some(event) = event {
                let text = write(&event);
                if event.is_handed_on() {
                    hand_on(&isolate, &env, &context, &event, text);
                }
            }
            Ok(js::to_js(&response)?)
        }
        Reply::Static { request_id } => static_file(&env, &request, &request_id).await,
    }
}

/// What the isolate keeps, made at its first request.
fn isolate(env: &Env) -> Rc<Isolate> {
    let new = || {
        let is_unbound = |name: &&str| !binding(env, name).is_object();
        Rc::new(Isolate {
            service: new_service(env),
            has_queue: !is_unbound(&AUDIT_QUEUE),
            unbound: Limit::ALL.map(Limit::binding).into_iter().filter(is_unbound).collect(),
        })
    };
    ISOLATE.with(|cell| cell.get_or_init(new).clone())
}

fn new_service(env: &Env) -> Service {
    quicken_microtasks();
    js::keep_fixed_headers();
    let mut settings = Settings::read(|name| binding(env, name).as_string());
    if !binding(env, NAMESPACE).is_object() {
        let message = "is missing: bind a KV namespace under this name".to_owned();
        let mut problems = settings.err().unwrap_or_default();
        problems.push(Problem { setting: NAMESPACE, message });
        settings = Err(problems);
    }
    let service = Service::new(settings);
    for problem in service.settings().err().into_iter().flatten() {
        let line = json!({"level": "error", "setting": problem.setting, "reason": problem.message});
        console_error!("{line}");
    }
    service
}

/// What is bound under a name; undefined for nothing.
fn binding(env: &Env, name: &str) -> JsValue {
    js_sys::Reflect::get(env, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Writes an event to the log, and gives its line.
fn write(event: &Event) -> String {
    let text = serde_json::to_string(event).unwrap_or_default();
    match event.level {
        "error" => console_error!("{text}"),
        "warn" => console_warn!("{text}"),
        _ => console_log!("{text}"),
    }
    text
}

/// Hands an event on to the webhook and the Queue, beside the answer and beside each other.
fn hand_on(isolate: &Rc<Isolate>, env: &Env, context: &Context, event: &Event, text: String) {
    if isolate.has_queue {
        let (queue, text, id) = (binding(env, AUDIT_QUEUE), text.clone(), event.request_id.clone());
        context.wait_until(async move {
            if let Err(reason) = js::enqueue(&queue, &text).await {
                complain(AUDIT_QUEUE, &id, &reason);
            }
        });
    }
    if webhook(&isolate.service).is_some() {
        let (isolate, id) = (isolate.clone(), event.request_id.clone());
        context.wait_until(async move {
            let Some(webhook) = webhook(&isolate.service) else { return };
            if let Err(error) = webhook.deliver(&id, &text, &HostPost).await {
                complain("AUDIT_WEBHOOK_URL", &id, &error.to_string());
            }
        });
    }
}

fn webhook(service: &Service) -> Option<&Webhook> {
    service.settings().ok()?.audit_webhook.as_ref()
}

/// Says in the log where an event didn't arrive.
fn complain(undelivered: &str, request_id: &str, reason: &str) {
    let line = json!({"level": "error", "requestId": request_id, "undelivered": undelivered, "reason": reason});
    console_error!("{line}");
}

/// Serves a file of `build/www` with the headers that every answer has, or the answer for none.
async fn static_file(env: &Env, request: &Request, request_id: &str) -> worker::Result<web_sys::Response> {
    let is_read = matches!(request.method().as_str(), "GET" | "HEAD");
    let wanted = if is_read {
        request.clone()?
    } else {
        let init = RequestInit::new();
        init.set_method("HEAD");
        Request::new_with_str_and_init(&request.url(), &init)?
    };
    match asset(env, wanted).await? {
        Some(file) if is_read => with_page_headers(&file, request_id),
        Some(_) => Ok(js::to_js(&http::static_file_method(request_id))?),
        None => Ok(js::to_js(&http::no_such_path(request_id))?),
    }
}

/// The answer of the static files' binding, if there is such a file.
async fn asset(env: &Env, request: Request) -> worker::Result<Option<web_sys::Response>> {
    if !binding(env, ASSETS).is_object() {
        return Ok(None);
    }
    let response = env.assets(ASSETS)?.fetch_request(worker::Request::from(request)).await?;
    let response: web_sys::Response = response.into();
    Ok((response.status() != 404).then_some(response))
}

fn with_page_headers(file: &web_sys::Response, request_id: &str) -> worker::Result<web_sys::Response> {
    let headers = Headers::new_with_headers(&file.headers())?;
    for (name, value) in http::page_headers(request_id) {
        headers.set(name, &value)?;
    }
    let init = ResponseInit::new();
    init.set_status(file.status());
    init.set_headers(&headers);
    Ok(web_sys::Response::new_with_opt_readable_stream_and_init(file.body().as_ref(), &init)?)
}
