//! Idempotency keys: the first reply of each, and how often it was asked for again.
//!
//! A caller that lost a reply must be able to ask again, or to look the effect up, without doing it
//! twice. Only what was applied is remembered: a refused request may be corrected under its key.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// Effects remembered by one service; more than any demo makes, and little memory.
pub const EFFECTS_MAX: usize = 10_000;

/// Longer keys are refused: ours are hashes.
const KEY_BYTES_MAX: usize = 256;

/// The header that carries the key.
pub(super) const KEY: &str = "idempotency-key";

/// What became of the writes that a service was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EffectCounts {
    /// Applied: each changed something once.
    pub applied: u64,
    /// Of those applied, the ones without a key, which nothing would have kept from repeating.
    pub without_key: u64,
    /// Asked again under a known key: answered with the first reply, not applied.
    pub repeated: u64,
    /// Refused, since a known key came with another request.
    pub conflicting: u64,
}

/// A request, as far as it decides what is done.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: Bytes,
}

/// What was said to the first request.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

struct Effect {
    asked: Asked,
    said: Said,
    repeats: u64,
}

/// What one service applied.
#[derive(Default)]
pub(super) struct Effects {
    by_key: BTreeMap<String, Effect>,
    counts: EffectCounts,
}

/// The key of a request, if it brings one.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut keys = headers.get_all(KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let readable = key.to_str().is_ok_and(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    if keys.next().is_some() || !readable {
        let help = format!("send one key of 1 to {KEY_BYTES_MAX} visible ASCII characters");
        return Err(Refusal::bad_request("the `Idempotency-Key` cannot be used", help));
    }
    Ok(key.to_str().ok().map(str::to_owned))
}

impl Effects {
    pub(super) fn counts(&self) -> EffectCounts {
        self.counts
    }

    /// The reply first given under `key`, if there was one to this very request.
    ///
    /// Asked before the effect, so it also refuses when nothing more could be remembered.
    pub(super) fn repeat(&mut self, key: &str, asked: &Asked) -> Result<Option<Said>, Refusal> {
        let full = self.by_key.len() >= EFFECTS_MAX;
        match self.by_key.get_mut(key) {
            Some(effect) if effect.asked == *asked => {
                effect.repeats += 1;
                self.counts.repeated += 1;
                Ok(Some(effect.said.clone()))
            }
            Some(_) => {
                self.counts.conflicting += 1;
                Err(Refusal::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "the `Idempotency-Key` was used for another request",
                    "use a new key for a new effect",
                ))
            }
            None if full => Err(Refusal::new(
                StatusCode::INSUFFICIENT_STORAGE,
                format!("this service remembers no more than {EFFECTS_MAX} effects"),
                "start the demo again",
            )),
            None => Ok(None),
        }
    }

    /// Notes an effect that was applied.
    pub(super) fn record(&mut self, key: Option<String>, asked: Asked, said: Said) {
        self.counts.applied += 1;
        match key {
            Some(key) => {
                self.by_key.insert(key, Effect { asked, said, repeats: 0 });
            }
            None => self.counts.without_key += 1,
        }
    }

    /// What `GET /effects/{key}` answers.
    pub(super) fn look_up(&self, key: &str) -> Result<Value, Refusal> {
        let effect = self.by_key.get(key).ok_or_else(|| {
            Refusal::not_found("no effect has this key", "nothing was applied under it; the request may be sent")
        })?;
        let reply: Value = serde_json::from_slice(&effect.said.body).unwrap_or_default();
        Ok(json!({
            "key": key,
            "applied": true,
            "repeats": effect.repeats,
            "request": { "method": effect.asked.method, "target": effect.asked.target },
            "status": effect.said.status.as_u16(),
            "reply": reply,
        }))
    }
}
