//! What every request of the API passes: who asks, whether too often, whether it was asked before; and what its answer is known by.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use sluice_core::contract::digest::to_hex;
use sluice_runtime::clock::now_ms;

use super::again::{Answer, key};
use super::asker::Asker;
use super::problem::Problem;
use super::sent::whole;
use crate::house::House;
use crate::token::Kept;

/// The longest answer; all of them are pages of bounded things.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Lets a request in, and its answer out.
pub(super) async fn enter(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    match entered(&house, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn entered(house: &Arc<House>, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let asker = Asker::of(house, &mut parts).await?;
    house.pace.take(&asker.principal, now_ms()).map_err(|seconds| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, 478, format!("too many requests; again in {seconds} s"))
            .after(seconds)
    })?;
    let who = asker.principal.clone();
    parts.extensions.insert(asker);
    if parts.method == Method::HEAD {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    if parts.method == Method::GET {
        let known = parts.headers.get(IF_NONE_MATCH).cloned();
        return tagged(next.run(Request::from_parts(parts, body)).await, known.as_ref()).await;
    }
    let bytes = whole(Request::new(body)).await?;
    let Some(key) = key(&parts.headers)?.map(str::to_owned) else {
        return Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await);
    };
    let place = digest(&[
        b"place",
        who.as_bytes(),
        parts.method.as_str().as_bytes(),
        parts.uri.path().as_bytes(),
        key.as_bytes(),
    ]);
    let kind = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    match house.answers.begin(place, digest(&[b"body", kind, &bytes]), now_ms())? {
        Ok(earlier) => Ok(earlier.into_response()),
        Err(first) => {
            let answer = collected(next.run(Request::from_parts(parts, Body::from(bytes))).await).await?;
            first.keep(&answer);
            Ok(answer.into_response())
        }
    }
}

/// Parts told apart by their lengths.
fn digest(parts: &[&[u8]]) -> Kept {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

async fn collected(response: Response) -> Result<Answer, Problem> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await;
    let body = body.map_err(|_| Problem::broken("the answer is too long; ask for less of it"))?;
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

/// An answer with the digest that it is known by; without its body for whoever has that very one.
async fn tagged(response: Response, known: Option<&HeaderValue>) -> Result<Response, Problem> {
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let mut answer = collected(response).await?;
    let digest = to_hex(&Sha256::digest(&answer.body));
    let tag = format!("\"{}\"", digest.get(..32).unwrap_or(&digest));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers.insert(ETAG, tag);
    }
    answer.headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if known.is_some_and(|known| is_known(known, &tag)) {
        return Ok(without_body(answer.headers));
    }
    Ok(answer.into_response())
}

fn without_body(mut headers: HeaderMap) -> Response {
    headers.remove(CONTENT_TYPE);
    headers.remove(CONTENT_LENGTH);
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    *response.headers_mut() = headers;
    response
}

/// Weak and strong tags are the same to whoever asks (RFC 9110 §13.1.2).
fn is_known(known: &HeaderValue, tag: &str) -> bool {
    let listed = known.to_str().unwrap_or_default().split(',').map(str::trim);
    listed.map(|one| one.strip_prefix("W/").unwrap_or(one)).any(|one| one == "*" || one == tag)
}
