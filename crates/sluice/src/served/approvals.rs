//! `sluice approvals --server`: what waits at a served Sluice, and what people say there.
//!
//! Passkeys answer in a browser, so what is to be signed is shown as a link. A key file signs here, where workspaces take one: the
//! statement that the server drafted is read first, and signed only if it says what was typed about what was shown.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use sluice_core::contract::approval::{Decision, Statement};
use sluice_core::contract::digest::{from_hex_any, to_hex};
use sluice_core::contract::key::SecretKey;

use super::{Served, WAITS};
use crate::cli::{Decide, Format, ListServed, ShowApproval};
use crate::commands::approvals::{Told, list_of};
use crate::failure::{Exit, Failure};
use crate::place::key_of;
use crate::render::{Page, Part, Tone, json as out};

/// Most things of a list.
const COUNT_MAX: usize = 2_000;

#[derive(Deserialize)]
struct Approval {
    id: String,
    kind: String,
    about: String,
    state: String,
    requester: String,
    run: Option<String>,
    is_agents: bool,
    why: String,
    needs: Vec<String>,
    said: Vec<Said>,
    digest: String,
    superseded_by: Option<String>,
    glass: Option<Glass>,
    #[serde(default)]
    arguments: Vec<Argument>,
    #[serde(default)]
    changed: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    person: String,
    decision: String,
    in_place_of: Option<String>,
}

#[derive(Deserialize)]
struct Glass {
    by: String,
    because: String,
    told: Vec<String>,
    at_ms: u64,
    reviewed_by: Option<String>,
    finding: Option<String>,
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    role: Option<String>,
    classes: Vec<String>,
    value: Option<Json>,
}

#[derive(Deserialize)]
struct Draft {
    draft: String,
    statement: String,
}

#[derive(Deserialize)]
struct Definition {
    text: Option<String>,
    author: String,
}

impl Approval {
    fn what(&self) -> String {
        match (self.kind.as_str(), self.about.split_once(' ')) {
            ("definition", _) => format!("the definition `{}`", self.about),
            ("value", Some((function, entry))) => format!("{function} `{entry}`"),
            _ => self.about.clone(),
        }
    }

    fn said(&self) -> Vec<(String, String)> {
        let who = |said: &Said| match &said.in_place_of {
            Some(whom) => format!("{} for {whom}", said.person),
            None => said.person.clone(),
        };
        self.said.iter().map(|said| (who(said), word(&said.decision).to_owned())).collect()
    }

    fn told(&self) -> Told {
        let run = self.run.as_ref().map(|run| format!("in run {}", run.chars().take(8).collect::<String>()));
        Told {
            id: self.id.clone(),
            what: self.what(),
            place: run.unwrap_or_default(),
            requester: self.requester.clone(),
            why: self.why.clone(),
            needs: self.needs.clone(),
            said: self.said(),
        }
    }

    fn wire(&self) -> Json {
        let arguments: serde_json::Map<String, Json> =
            self.arguments.iter().filter_map(|one| Some((one.name.clone(), one.value.clone()?))).collect();
        let detail = match self.kind.as_str() {
            "definition" => json!({ "name": self.about }),
            "value" => json!({ "run": self.run }),
            _ => json!({ "run": self.run, "action": self.about, "arguments": arguments, "changed": self.changed }),
        };
        let said = self.said.iter().map(|said| match &said.in_place_of {
            Some(whom) => json!({ "who": said.person, "for": whom, "decision": word(&said.decision) }),
            None => json!({ "who": said.person, "decision": word(&said.decision) }),
        });
        let glass = self.glass.as_ref().map(|glass| {
            let review = glass.reviewed_by.as_ref().map(|by| json!({ "by": by, "finding": glass.finding }));
            json!({
                "approval": self.id, "by": glass.by, "requester": self.requester, "because": glass.because,
                "told": glass.told, "at_ms": glass.at_ms, "review": review,
            })
        });
        let mut wire = json!({
            "approval": self.id,
            "about": self.kind,
            "digest": self.digest,
            "requester": self.requester,
            "needs": self.needs,
            "why": self.why,
            "said": said.collect::<Vec<_>>(),
            "satisfied": self.state == "approved",
            "superseded": matches!(self.state.as_str(), "superseded" | "expired"),
            "expired": self.state == "expired",
            "glass": glass,
        });
        if let Some(fields) = wire.as_object_mut() {
            fields.insert(self.kind.clone(), detail);
        }
        wire
    }
}

fn word(decision: &str) -> &str {
    match decision {
        "approve" => "approved",
        "deny" => "denied",
        "withdraw" => "withdrew",
        other => other,
    }
}

/// Lists what waits.
///
/// # Errors
/// [`Failure`] if it is not to be had.
pub fn list(served: &Served, arguments: &ListServed) -> Result<Exit, Failure> {
    let mut all: Vec<Approval> = served.list("/approvals", None, &[], COUNT_MAX)?;
    all.reverse();
    if arguments.format == Format::Json {
        out::print(&all.iter().map(Approval::wire).collect::<Vec<_>>())?;
    } else {
        list_of(&all.iter().map(Approval::told).collect::<Vec<_>>()).print();
    }
    Ok(Exit::Fine)
}

/// Shows one: who asks, why, and what of it a person decides about. Data is shown at the console, to whoever may see it.
///
/// # Errors
/// [`Failure`] if it is not to be had.
pub fn show(served: &Served, arguments: &ShowApproval) -> Result<Exit, Failure> {
    let one: Approval = served.get("/approvals/{id}", Some(&arguments.id))?;
    if arguments.format == Format::Json {
        out::print(&one.wire())?;
        return Ok(Exit::Fine);
    }
    let definition = match one.kind.as_str() {
        "definition" => Some(served.get::<Definition>("/proposals/{id}", Some(&one.id))?),
        _ => None,
    };
    let mut page = Page::of_stdout();
    whole(&mut page, served, &one, definition.as_ref());
    page.print();
    Ok(Exit::Fine)
}

fn whole(page: &mut Page, served: &Served, one: &Approval, definition: Option<&Definition>) {
    let told = one.told();
    page.line([
        Part::new(&told.id, Tone::Strong),
        "  ".into(),
        Part::new(&told.what, Tone::Accent),
        Part::new(format!("  {}", told.place), Tone::Faint),
    ]);
    let mut rows: Vec<Vec<Part>> = Vec::new();
    let mut row =
        |word: &str, text: &str, tone: Tone| rows.push(vec![Part::new(word, Tone::Faint), Part::new(text, tone)]);
    row("asked by", &told.requester, Tone::Plain);
    row("why", &told.why, Tone::Plain);
    told.needs.iter().for_each(|needed| row("needs", needed, Tone::Warn));
    told.said.iter().for_each(|(who, word)| row("said", &format!("{who}: {word}"), Tone::Plain));
    one.changed.iter().for_each(|line| row("changed", line, Tone::Bad));
    if let Some(definition) = definition {
        row("written by", &definition.author, Tone::Plain);
    }
    row("signs", &one.digest, Tone::Faint);
    let (state, tone) = match (one.state.as_str(), &one.superseded_by) {
        ("superseded", Some(by)) => (format!("no longer asked: {by} took its place"), Tone::Bad),
        ("superseded", None) => ("no longer asked".to_owned(), Tone::Bad),
        ("approved", _) => ("approved".to_owned(), Tone::Good),
        ("denied", _) => ("denied".to_owned(), Tone::Bad),
        _ => ("waits".to_owned(), Tone::Warn),
    };
    row("state", &state, tone);
    row("decided at", &served.link(&format!("/approvals/{}", one.id)), Tone::Plain);
    page.table(2, &rows);
    page.gap();
    if let Some(definition) = definition {
        page.line([Part::new("the definition", Tone::Strong)]);
        definition.text.iter().flat_map(|text| text.lines()).for_each(|line| page.line([format!("  {line}")]));
    } else if one.kind == "step" {
        page.line([Part::new("what would be sent", Tone::Strong)]);
        page.table(2, &one.arguments.iter().map(argument).collect::<Vec<_>>());
    }
}

fn argument(one: &Argument) -> Vec<Part> {
    let value = one.value.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let (value, tone) = match value {
        Some(value) => (value, Tone::Plain),
        None => ("shown at the console, to whoever may see it".to_owned(), Tone::Faint),
    };
    vec![
        Part::new(&one.name, Tone::Accent),
        Part::new(one.role.as_deref().unwrap_or_default(), Tone::Faint),
        Part::new(one.classes.join(", "), Tone::Warn),
        Part::new(value, tone),
    ]
}

/// Says something: with a key file if one is named, else by a link to the page where a passkey answers.
///
/// # Errors
/// [`Failure`] if the word does not count.
pub fn decide(served: &Served, arguments: &Decide, decision: &str) -> Result<Exit, Failure> {
    let one: Approval = served.get("/approvals/{id}", Some(&arguments.id))?;
    let Some(file) = &arguments.key else {
        let link = served.link(&format!("/approvals/{}", one.id));
        let mut page = Page::of_stdout();
        page.line([Part::new(&one.id, Tone::Strong), "  ".into(), Part::new(one.what(), Tone::Accent)]);
        page.hang(["  "], &[Part::plain("a passkey says it, in a browser: "), Part::new(link, Tone::Strong)]);
        page.print();
        return Ok(WAITS);
    };
    let person = arguments.person.as_deref();
    let person = person.ok_or_else(|| Failure::usage("say whose key file it is: `--as PERSON`"))?;
    let key = key_of(person, file)?;
    let draft: Draft = served.post("/approvals/{id}/drafts", Some(&one.id), json!({ "decision": decision }))?;
    let statement = fitting(&draft, &one, decision, &key)?;
    let signature = key.sign(&statement);
    let word = json!({
        "draft": draft.draft,
        "reason": arguments.reason,
        "key_file": { "key": to_hex(&key.public().0), "signature": to_hex(&signature.0) },
    });
    let stands: Approval = served.post("/approvals/{id}/words", Some(&one.id), word)?;
    let mut page = Page::of_stdout();
    let tone = if decision == "approve" { Tone::Good } else { Tone::Bad };
    page.line([
        Part::new(self::word(decision), tone),
        "  ".into(),
        Part::new(&stands.id, Tone::Strong),
        "  ".into(),
        Part::new(stands.what(), Tone::Accent),
    ]);
    let next = match decision {
        "withdraw" => "what you said counts no more",
        "approve" if stands.state != "approved" => "more people must agree: `sluice approvals show` lists who",
        "approve" if stands.is_agents => "the agent calls again with the same arguments, and this passes once",
        _ if stands.is_agents => "the agent is told so if it calls again",
        _ => "the served engine goes on by itself",
    };
    page.hang(["  "], &[Part::new(next, Tone::Faint)]);
    page.print();
    Ok(Exit::Fine)
}

/// The bytes of a drafted statement, if they say what was typed about what was shown. Nothing else is signed here.
fn fitting(draft: &Draft, shown: &Approval, decision: &str, key: &SecretKey) -> Result<Vec<u8>, Failure> {
    let bytes = from_hex_any(&draft.statement);
    let read = bytes.and_then(|bytes| Some((Statement::from_bytes(&bytes)?, bytes)));
    let fits = |statement: &Statement| {
        let says = match statement.decision {
            Decision::Approve => "approve",
            Decision::Deny => "deny",
            Decision::Withdraw { .. } => "withdraw",
            Decision::BreakGlass => "break-glass",
            Decision::Review { .. } => "review",
        };
        says == decision
            && statement.approver == *key.name()
            && *statement.requester == *shown.requester
            && statement.closure.to_string() == shown.digest
    };
    match read {
        Some((statement, bytes)) if fits(&statement) => Ok(bytes),
        _ => Err(Failure::refused(
            "SL798: what the server would have signed is not what was shown and typed here; nothing was signed",
        )),
    }
}
