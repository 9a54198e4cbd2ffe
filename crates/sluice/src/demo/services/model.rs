//! A stand-in for a model. It is no model, and says so.
//!
//! `POST /v1/answer` with `{"prompt": …}` (a text, or any JSON) returns
//! `{"model": "recorded-1", "recorded": true|false, "source": "recording|rule|visitor", "answer": {…}}`.
//! The first ticket id in the prompt picks an answer from `demo/recordings`. Where there is none,
//! a rule answers that obeys whatever the text says: that is what the story needs of it, and what
//! one has to expect of a model that reads strangers' words. A visitor may put any answer in its
//! mouth. An answer of our own making is `{"action", "group", "member", "reason"}`.

mod obedient;

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router, routing};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::locked;
use super::refusal::{Refusal, read};
use super::{Server, StartError};

/// What it calls itself.
pub const MODEL: &str = "recorded-1";

const RECORDINGS: [&str; 2] =
    [include_str!("../recordings/ticket-T-1041.json"), include_str!("../recordings/ticket-T-1042.json")];

/// The running stand-in.
pub struct Model {
    server: Server,
    visitor: Override,
}

type Override = Arc<Mutex<Option<Value>>>;

/// A file of `demo/recordings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    /// The ticket that the prompt was about.
    ticket: String,
    /// Where the answer comes from; for readers of the file.
    #[serde(rename = "provenance")]
    _provenance: String,
    answer: Value,
}

#[derive(Clone)]
struct Answers {
    recordings: Arc<[Recording]>,
    visitor: Override,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    prompt: Value,
}

impl Model {
    pub(super) async fn start() -> Result<Self, StartError> {
        let visitor = Override::default();
        let answers = Answers { recordings: recordings()?, visitor: visitor.clone() };
        let routes = Router::new().route("/v1/answer", routing::post(answer)).with_state(answers);
        Ok(Self { server: Server::start("model", routes).await?, visitor })
    }

    /// Address, token, requests seen, effects counted.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// From now on answers this to every question: the visitor is the model.
    pub fn set_answer(&self, answer: Value) {
        *locked(&self.visitor) = Some(answer);
    }

    /// Answers by itself again.
    pub fn clear_answer(&self) {
        *locked(&self.visitor) = None;
    }

    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}

fn recordings() -> Result<Arc<[Recording]>, StartError> {
    let read = |(number, text)| serde_json::from_str(text).map_err(|source| StartError::Recording { number, source });
    RECORDINGS.into_iter().enumerate().map(read).collect()
}

async fn answer(State(answers): State<Answers>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let Question { prompt } = read(&body, r#"`{"prompt": "text"}`"#)?;
    let (source, answer) = answers.to(&text_of(&prompt));
    Ok(Json(json!({
        "model": MODEL,
        "recorded": source == "recording",
        "source": source,
        "answer": answer,
    })))
}

/// The texts of a prompt, one per line. Not its JSON: there a line break is `\\n`, and glues words.
fn text_of(prompt: &Value) -> String {
    match prompt {
        Value::String(text) => text.clone(),
        Value::Array(parts) => lines(parts.iter()),
        Value::Object(parts) => lines(parts.values()),
        other => other.to_string(),
    }
}

fn lines<'a>(parts: impl Iterator<Item = &'a Value>) -> String {
    parts.map(text_of).collect::<Vec<_>>().join("\n")
}

impl Answers {
    fn to(&self, prompt: &str) -> (&'static str, Value) {
        if let Some(answer) = locked(&self.visitor).clone() {
            return ("visitor", answer);
        }
        // Only the first id counts: a stranger's text that mentions another ticket comes later.
        let ticket = words(prompt).find(|word| is_ticket(word));
        match self.recordings.iter().find(|recording| Some(recording.ticket.as_str()) == ticket) {
            Some(recording) => ("recording", recording.answer.clone()),
            None => ("rule", obedient::answer(prompt)),
        }
    }
}

/// The words of a text, with the marks that belong to names inside them and none around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let in_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | '@');
    text.split(move |letter: char| !in_name(letter))
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

fn is_ticket(word: &str) -> bool {
    word.strip_prefix("T-").is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
