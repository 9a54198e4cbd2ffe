//! Requests that are sent again: whoever names one with `Idempotency-Key` gets its answer once more, and nothing is done twice.
//!
//! Answers are kept in memory for a day. What must hold beyond that holds by itself: a run that was started under a key is that
//! key's for good ([`super::start`]), a definition is proposed once, a word is given once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use utoipa::IntoParams;

use super::problem::Problem;
use crate::token::Kept;

/// How long an answer is kept.
const KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// Most answers at once, and the longest one.
const ANSWERS_MAX: usize = 10_000;
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// The longest key.
const KEY_BYTES_MAX: usize = 255;

/// The header by which a request is known when it is sent again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct Once {
    /// Names this request: sent again with it, it is answered again, and nothing is done twice.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+( [!-~]+)*$")]
    #[expect(dead_code, reason = "it tells of the header; `key` reads it")]
    idempotency_key: Option<String>,
}

/// Answers to requests with a key.
#[derive(Default)]
pub struct Answers(Mutex<HashMap<Kept, Remembered>>);

struct Remembered {
    body: Kept,
    at_ms: u64,
    /// `None` while it is being answered.
    answer: Option<Answer>,
}

/// An answer as it was given.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn into_response(self) -> Response {
        let mut response = (self.status, Body::from(self.body)).into_response();
        *response.headers_mut() = self.headers;
        response
    }
}

/// The key of a request, if it has one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let Some(first) = all.next() else { return Ok(None) };
    let is_visible = |text: &&str| text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let text = first.to_str().ok().filter(is_visible).map(str::trim);
    let text = text.filter(|text| !text.is_empty() && text.len() <= KEY_BYTES_MAX && all.next().is_none());
    let wrong = || Problem::malformed(format!("`Idempotency-Key` is one, of 1 to {KEY_BYTES_MAX} visible characters"));
    text.map(Some).ok_or_else(wrong)
}

/// A request that is being answered for the first time. Unless its answer is kept, it may be sent again.
pub(super) struct First<'a> {
    answers: &'a Answers,
    key: Kept,
    is_kept: bool,
}

impl Answers {
    /// The earlier answer to the same request under this key, or the leave to answer it.
    pub(super) fn begin(&self, key: Kept, body: Kept, now_ms: u64) -> Result<Result<Answer, First<'_>>, Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&key).filter(|known| now_ms.saturating_sub(known.at_ms) < KEPT_MS) {
            if known.body != body {
                let why = "this `Idempotency-Key` came with another body before; a new request has a new key";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, 477, why));
            }
            let busy = || Problem::new(StatusCode::CONFLICT, 477, "this request is being answered; wait").after(1);
            return known.answer.clone().map(Ok).ok_or_else(busy);
        }
        if all.len() >= ANSWERS_MAX {
            all.retain(|_, known| known.answer.is_none() || now_ms.saturating_sub(known.at_ms) < KEPT_MS);
            let oldest = all.iter().filter(|(_, known)| known.answer.is_some()).min_by_key(|(_, known)| known.at_ms);
            let oldest = oldest.map(|(key, _)| *key).filter(|_| all.len() >= ANSWERS_MAX);
            oldest.map(|key| all.remove(&key));
        }
        all.insert(key, Remembered { body, at_ms: now_ms, answer: None });
        Ok(Err(First { answers: self, key, is_kept: false }))
    }
}

impl First<'_> {
    /// Keeps the answer. One that only says "not now" is not kept.
    pub(super) fn keep(mut self, answer: &Answer) {
        let is_final = !answer.status.is_server_error() && answer.status != StatusCode::TOO_MANY_REQUESTS;
        if !is_final || answer.body.len() > ANSWER_BYTES_MAX {
            return;
        }
        let mut all = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(&self.key) {
            known.answer = Some(answer.clone());
            self.is_kept = true;
        }
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.answers.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_again_for_the_same_body_and_for_no_other() {
        let answers = Answers::default();
        let answer = Answer { status: StatusCode::CREATED, headers: HeaderMap::new(), body: Bytes::from_static(b"x") };
        let Ok(Err(first)) = answers.begin([1; 32], [2; 32], 0) else { panic!("it is the first") };
        assert_eq!(answers.begin([1; 32], [2; 32], 0).err().map(|p| p.status()), Some(StatusCode::CONFLICT));
        first.keep(&answer);
        assert!(matches!(answers.begin([1; 32], [2; 32], 5), Ok(Ok(again)) if again.body == answer.body));
        let other = answers.begin([1; 32], [3; 32], 5).err().map(|p| p.status());
        assert_eq!(other, Some(StatusCode::UNPROCESSABLE_ENTITY));
        assert!(matches!(answers.begin([1; 32], [3; 32], KEPT_MS), Ok(Err(_))), "a day later it is forgotten");
        let Ok(Err(first)) = answers.begin([9; 32], [2; 32], 0) else { panic!("another key") };
        first.keep(&Answer { status: StatusCode::SERVICE_UNAVAILABLE, ..answer });
        assert!(matches!(answers.begin([9; 32], [2; 32], 0), Ok(Err(_))), "what failed may be sent again");
    }
}
