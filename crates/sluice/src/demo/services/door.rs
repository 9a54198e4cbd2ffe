//! What every request passes: the token, the idempotency key, the log.
//!
//! A request is served in a task of its own. If the caller dies while it waits, the effect is still
//! applied, remembered and logged, as it would be behind a real network.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware, routing};
use serde_json::Value;

use super::effects::{Asked, EffectCounts, Effects, Said, key_of};
use super::refusal::Refusal;

/// Requests that a service remembers; the oldest are forgotten first.
pub const REQUESTS_MAX: usize = 10_000;

/// The whole customer table with every field is about 1 MB as JSON.
const BODY_BYTES_MAX: usize = 8 << 20;

/// One request, as the service saw it. Holds no token and no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSeen {
    /// Since the service started.
    pub at_ms: u128,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Whether it brought the right token.
    pub authorized: bool,
    /// Its idempotency key.
    pub key: Option<String>,
    /// Whether it was answered with an earlier reply, and nothing was done.
    pub repeated: bool,
    /// Bytes of its body.
    pub sent_bytes: usize,
    /// The reply's status.
    pub status: u16,
    /// Bytes of the reply's body.
    pub reply_bytes: usize,
}

/// What stands between a service and whoever connects to it.
pub(super) struct Door {
    token: String,
    opened: Instant,
    requests: Mutex<VecDeque<RequestSeen>>,
    effects: Mutex<Effects>,
    hold: Mutex<Duration>,
    /// One write at a time: between asking for a key and recording it, no twin may slip in.
    writing: tokio::sync::Mutex<()>,
}

/// A reply in full, so that it can be remembered and counted.
struct Reply {
    said: Said,
    newly_applied: bool,
    repeated: bool,
}

impl Door {
    pub(super) fn new(token: String) -> Self {
        Self {
            token,
            opened: Instant::now(),
            requests: Mutex::default(),
            effects: Mutex::default(),
            hold: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn requests(&self) -> Vec<RequestSeen> {
        locked(&self.requests).iter().cloned().collect()
    }

    pub(super) fn effects(&self) -> EffectCounts {
        locked(&self.effects).counts()
    }

    pub(super) fn hold_replies(&self, hold: Duration) {
        *locked(&self.hold) = hold;
    }

    fn log(&self, seen: RequestSeen) {
        let mut requests = locked(&self.requests);
        if requests.len() >= REQUESTS_MAX {
            requests.pop_front();
        }
        requests.push_back(seen);
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let brought = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let brought = brought.and_then(|value| value.strip_prefix("Bearer "));
        if brought == Some(self.token.as_str()) {
            return Ok(());
        }
        let error = match brought {
            Some(_) => "the token is not the one of this service",
            None => "no token",
        };
        let help = "send `Authorization: Bearer` with the token that this start of the demo made";
        Err(Refusal::new(StatusCode::UNAUTHORIZED, error, help))
    }
}

/// A panic elsewhere leaves these plain records whole, so a poisoned lock is still good to read.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts `routes` behind the door, and adds what every service answers.
pub(super) fn behind(door: &Arc<Door>, routes: Router) -> Router {
    let look_up = routing::get(look_up).with_state(door.clone());
    routes
        .route("/effects/{key}", look_up)
        .fallback(|| async { Refusal::not_found("nothing is here", "see the service's file for its paths") })
        .method_not_allowed_fallback(|| async {
            let error = "this path does not take that method";
            let help = "see the service's file for its paths";
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error, help)
        })
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(door.clone(), pass))
}

async fn look_up(State(door): State<Arc<Door>>, Path(key): Path<String>) -> Result<Json<Value>, Refusal> {
    locked(&door.effects).look_up(&key).map(Json)
}

async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let Ok(reply) = tokio::spawn(serve(door.clone(), request, next)).await else {
        return Refusal::failed("the service failed").into_response();
    };
    let hold = *locked(&door.hold);
    if reply.newly_applied && !hold.is_zero() {
        tokio::time::sleep(hold).await;
    }
    reply.into_response()
}

async fn serve(door: Arc<Door>, request: Request, next: Next) -> Reply {
    let mut seen = RequestSeen {
        at_ms: door.opened.elapsed().as_millis(),
        method: request.method().to_string(),
        target: request.uri().to_string(),
        authorized: false,
        key: None,
        repeated: false,
        sent_bytes: 0,
        status: 0,
        reply_bytes: 0,
    };
    let reply = match answer(&door, request, next, &mut seen).await {
        Ok(reply) => reply,
        Err(refusal) => Reply::to_read(in_full(refusal.into_response()).await),
    };
    seen.status = reply.said.status.as_u16();
    seen.reply_bytes = reply.said.body.len();
    seen.repeated = reply.repeated;
    door.log(seen);
    reply
}

async fn answer(door: &Door, request: Request, next: Next, seen: &mut RequestSeen) -> Result<Reply, Refusal> {
    door.check_token(request.headers())?;
    seen.authorized = true;
    let key = key_of(request.headers())?;
    seen.key.clone_from(&key);

    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        let help = format!("send at most {BODY_BYTES_MAX} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body cannot be read: {error}"), help)
    })?;
    seen.sent_bytes = body.len();

    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Ok(Reply::to_read(ask(next, parts, body).await));
    }
    write(door, next, parts, body, key).await
}

async fn write(door: &Door, next: Next, parts: Parts, body: Bytes, key: Option<String>) -> Result<Reply, Refusal> {
    let asked = Asked { method: parts.method.to_string(), target: parts.uri.to_string(), body: body.clone() };
    let _turn = door.writing.lock().await;
    if let Some(key) = &key
        && let Some(said) = locked(&door.effects).repeat(key, &asked)?
    {
        return Ok(Reply { said, newly_applied: false, repeated: true });
    }
    let said = ask(next, parts, body).await;
    let newly_applied = said.status.is_success();
    if newly_applied {
        locked(&door.effects).record(key, asked, said.clone());
    }
    Ok(Reply { said, newly_applied, repeated: false })
}

async fn ask(next: Next, parts: Parts, body: Bytes) -> Said {
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE) == Some(&HeaderValue::from_static("application/json"));
    let said = in_full(response).await;
    if is_json {
        return said;
    }
    // The router's own refusals (a path that is not UTF-8, say) are plain text.
    let error = String::from_utf8_lossy(&said.body).into_owned();
    in_full(Refusal::new(status, error, "see the service's file for its paths").into_response()).await
}

async fn in_full(response: Response) -> Said {
    let status = response.status();
    match to_bytes(response.into_body(), usize::MAX).await {
        Ok(body) => Said { status, body },
        // Our bodies are in memory already, so this does not happen; were it to, it is no success.
        Err(_) => Said { status: StatusCode::INTERNAL_SERVER_ERROR, body: Bytes::new() },
    }
}

impl Reply {
    fn to_read(said: Said) -> Self {
        Self { said, newly_applied: false, repeated: false }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = (self.said.status, self.said.body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.said.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.repeated {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use axum::{Json, Router, routing};
    use reqwest::{Client, RequestBuilder};
    use serde_json::json;
    use tokio::task::JoinSet;

    use super::super::{EffectCounts, Server};

    /// A service with one slow write, `POST /slow`, which answers how often it was applied.
    async fn slow_server() -> (Server, Arc<AtomicU32>) {
        let applied = Arc::new(AtomicU32::new(0));
        let counter = applied.clone();
        let slow = routing::post(|| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Json(json!({ "number": counter.fetch_add(1, Ordering::SeqCst) + 1 }))
        });
        (Server::start("slow", Router::new().route("/slow", slow)).await.unwrap(), applied)
    }

    fn request(server: &Server) -> RequestBuilder {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/slow", server.url())).bearer_auth(server.token());
        request.header("Idempotency-Key", "k")
    }

    #[tokio::test]
    async fn twins_that_come_while_the_first_is_being_applied_are_not_applied() {
        let (server, applied) = slow_server().await;
        let mut twins = JoinSet::new();
        for _ in 0..4 {
            let request = request(&server);
            twins.spawn(async move { request.send().await.unwrap().text().await.unwrap() });
        }
        assert_eq!(twins.join_all().await, [r#"{"number":1}"#; 4]);
        assert_eq!(applied.load(Ordering::SeqCst), 1);
        let counts = EffectCounts { applied: 1, repeated: 3, ..EffectCounts::default() };
        assert_eq!(server.effects(), counts);
        server.stop().await;
    }

    #[tokio::test]
    async fn what_a_dying_caller_asked_for_is_applied_and_remembered() {
        let (server, applied) = slow_server().await;
        let lost = request(&server).timeout(Duration::from_millis(20)).send().await;
        assert!(lost.unwrap_err().is_timeout());
        let again = request(&server).send().await.unwrap();
        assert_eq!(again.text().await.unwrap(), r#"{"number":1}"#);
        assert_eq!(applied.load(Ordering::SeqCst), 1);
        assert_eq!(server.effects().repeated, 1);
        server.stop().await;
    }
}
