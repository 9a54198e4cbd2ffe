//! `sluice approvals`: what waits for people, and what they say.

mod delegations;
mod glass;

use std::path::Path;

use serde_json::{Value as Json, json};
use sluice_core::contract::approval::Decision;
use sluice_core::label::Name;
use sluice_runtime::approvals::{About, Approver, Referred, Waiting, in_words};

use crate::cli::{Approvals, Decide, Format, ListServed, ShowApproval};
use crate::failure::{Exit, Failure};
use crate::place::{Opened, key_of, known, say_solo};
use crate::render::{Page, Part, Tone, json as out};
use crate::served;

/// Lists, shows or decides.
///
/// # Errors
/// [`Failure`] if there is nothing of that name, or the signature would not count.
pub fn run(command: &Approvals) -> Result<Exit, Failure> {
    match command {
        Approvals::List(arguments) => match arguments.server.served()? {
            Some(served) => served::approvals::list(&served, arguments),
            None => list(arguments),
        },
        Approvals::Show(arguments) => match arguments.server.served()? {
            Some(served) => served::approvals::show(&served, arguments),
            None => show(arguments),
        },
        Approvals::Approve(arguments) => decide(arguments, Decision::Approve),
        Approvals::Deny(arguments) => decide(arguments, Decision::Deny),
        Approvals::Withdraw(arguments) => {
            if let Some(served) = arguments.server.served()? {
                return served::approvals::decide(&served, arguments, "withdraw");
            }
            let opened = arguments.place.open_with_ledger()?;
            let person = known(opened.workspace.principals(), signer(arguments)?.0)?;
            let back = Approver::new(&opened.workspace, &opened.ledger).taking_back(&arguments.id, &person)?;
            decide_in(&opened, arguments, back)
        }
        Approvals::BreakGlass(arguments) => glass::break_glass(arguments),
        Approvals::Reviews(arguments) => glass::reviews(arguments),
        Approvals::Review(arguments) => glass::review(arguments),
        Approvals::Delegate(arguments) => delegations::delegate(arguments),
        Approvals::Delegations(arguments) => delegations::list(arguments),
        Approvals::Undelegate(arguments) => delegations::undelegate(arguments),
    }
}

fn list(arguments: &ListServed) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let waiting = Approver::new(&opened.workspace, &opened.ledger).list()?;
    if arguments.format == Format::Json {
        out::print(&waiting.iter().map(wire).collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    list_of(&waiting.iter().map(told).collect::<Vec<_>>()).print();
    Ok(Exit::Fine)
}

/// What waits, as a list tells it.
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) place: String,
    pub(crate) requester: String,
    pub(crate) why: String,
    pub(crate) needs: Vec<String>,
    pub(crate) said: Vec<(String, String)>,
}

fn told(waiting: &Waiting) -> Told {
    let (what, place) = about(waiting);
    let said = waiting.said.iter().map(|(who, decision)| (speaker(waiting, who), word(*decision).to_owned()));
    Told {
        id: waiting.id.clone(),
        what,
        place,
        requester: waiting.requester.to_string(),
        why: waiting.why.clone(),
        needs: waiting.needs.iter().map(in_words).collect(),
        said: said.collect(),
    }
}

/// What waits, one below the other.
pub(crate) fn list_of(all: &[Told]) -> Page {
    let mut page = Page::of_stdout();
    if all.is_empty() {
        page.line(["nothing waits for anybody"]);
    }
    for one in all {
        page.hang(
            [Part::new(&one.id, Tone::Strong), "  ".into()],
            &[Part::new(&one.what, Tone::Accent), Part::new(format!("  {}", one.place), Tone::Faint)],
        );
        let row = |word: &str, tone: Tone, text: &str| vec![Part::new(word, Tone::Faint), Part::new(text, tone)];
        let mut rows = vec![row("asked by", Tone::Plain, &one.requester)];
        rows.push(row("why", Tone::Plain, &one.why));
        rows.extend(one.needs.iter().map(|needed| row("needs", Tone::Warn, needed)));
        rows.extend(one.said.iter().map(|(who, word)| row("said", Tone::Plain, &format!("{who}: {word}"))));
        page.table(4, &rows);
    }
    page
}

fn show(arguments: &ShowApproval) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let waiting = Approver::new(&opened.workspace, &opened.ledger).show(&arguments.id)?;
    if arguments.format == Format::Json {
        out::print(&wire(&waiting))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    whole(&mut page, &waiting);
    page.gap();
    say_solo(&mut page, opened.workspace.is_solo());
    page.print();
    Ok(Exit::Fine)
}

/// Who signs here, and with which file; a served Sluice is told by a token.
fn signer(arguments: &Decide) -> Result<(&str, &Path), Failure> {
    let said = arguments.person.as_deref().zip(arguments.key.as_deref());
    said.ok_or_else(|| Failure::usage("say who signs, and with which key file: `--as PERSON --key FILE`"))
}

fn decide(arguments: &Decide, decision: Decision) -> Result<Exit, Failure> {
    if let Some(served) = arguments.server.served()? {
        let word = if decision == Decision::Approve { "approve" } else { "deny" };
        return served::approvals::decide(&served, arguments, word);
    }
    decide_in(&arguments.place.open_with_ledger()?, arguments, decision)
}

fn decide_in(opened: &Opened, arguments: &Decide, decision: Decision) -> Result<Exit, Failure> {
    let (person, file) = signer(arguments)?;
    let key = key_of(person, file)?;
    let approver = Approver::new(&opened.workspace, &opened.ledger);
    let waiting = approver.decide(&arguments.id, decision, &key, &arguments.reason)?;
    let mut page = Page::of_stdout();
    let tone = if decision == Decision::Approve { Tone::Good } else { Tone::Bad };
    let (what, _) = about(&waiting);
    page.line([
        Part::new(word(decision), tone),
        "  ".into(),
        Part::new(&waiting.id, Tone::Strong),
        "  ".into(),
        Part::new(what, Tone::Accent),
    ]);
    if let Decision::Withdraw { .. } = decision {
        page.line([Part::new("  what you said counts no more", Tone::Faint)]);
    } else if decision == Decision::Approve && !waiting.is_satisfied {
        page.hang(["  "], &["more people must agree: `sluice approvals show` lists who".into()]);
    } else if waiting.is_agents {
        let next = if decision == Decision::Approve {
            "  the agent calls again with the same arguments, and this passes once"
        } else {
            "  the agent is told so if it calls again"
        };
        page.line([Part::new(next, Tone::Faint)]);
    } else if let About::Step { run, .. } | About::Value { run, .. } = &waiting.about {
        let short: String = run.to_string().chars().take(8).collect();
        page.line([Part::new(format!("  sluice resume {short}   goes on"), Tone::Faint)]);
    }
    page.print();
    Ok(Exit::Fine)
}

/// What it is, and where.
fn about(waiting: &Waiting) -> (String, String) {
    match &waiting.about {
        About::Definition { name, .. } => (format!("the definition `{name}`"), String::new()),
        About::Step { run, action, .. } => {
            let short: String = run.to_string().chars().take(8).collect();
            (action.clone(), format!("in run {short}"))
        }
        About::Value { run, function, entry, .. } => {
            let short: String = run.to_string().chars().take(8).collect();
            (format!("{function} `{entry}`"), format!("in run {short}"))
        }
    }
}

const fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Approve => "approved",
        Decision::Deny => "denied",
        Decision::Withdraw { .. } => "withdrew",
        Decision::BreakGlass => "broke the glass",
        Decision::Review { .. } => "reviewed",
    }
}

/// Who said something, and in whose place.
fn speaker(waiting: &Waiting, who: &Name) -> String {
    match waiting.in_place_of.get(who) {
        Some(whom) => format!("{who} for {whom}"),
        None => who.to_string(),
    }
}

/// All that a person would sign. Nothing is cut: what was not seen cannot be approved.
fn whole(page: &mut Page, waiting: &Waiting) {
    let (what, where_) = about(waiting);
    page.line([
        Part::new(&waiting.id, Tone::Strong),
        "  ".into(),
        Part::new(what, Tone::Accent),
        Part::new(format!("  {where_}"), Tone::Faint),
    ]);
    let mut rows: Vec<Vec<Part>> = Vec::new();
    let mut row =
        |word: &str, text: String, tone: Tone| rows.push(vec![Part::new(word, Tone::Faint), Part::new(text, tone)]);
    row("asked by", waiting.requester.to_string(), Tone::Plain);
    row("why", waiting.why.clone(), Tone::Plain);
    for needed in &waiting.needs {
        row("needs", in_words(needed), Tone::Warn);
    }
    for (who, decision) in &waiting.said {
        row("said", format!("{}: {}", speaker(waiting, who), word(*decision)), Tone::Plain);
    }
    if let About::Step { clears, .. } = &waiting.about
        && !clears.is_empty()
    {
        row("vouches for", format!("words from {}, at this step only", clears.join(" and ")), Tone::Warn);
    }
    if let About::Step { references, changed, .. } = &waiting.about {
        for one in references {
            row("refers to", referred(one), if one.version.is_some() { Tone::Plain } else { Tone::Warn });
        }
        for line in changed {
            row("changed", line.clone(), Tone::Bad);
        }
    }
    if let About::Value { clears, labels, .. } = &waiting.about {
        row("vouches for", "the value below, and no other".to_owned(), Tone::Warn);
        row("carries", labels.join(", "), Tone::Plain);
        row("loses", clears.join(", "), Tone::Warn);
    }
    if let About::Definition { author, .. } = &waiting.about {
        row("written by", author.clone(), Tone::Plain);
    }
    row("signs", waiting.digest.to_string(), Tone::Faint);
    if let Some(broken) = &waiting.glass {
        row("glass", glass::in_words(broken), Tone::Bad);
    }
    let (state, tone) = match (&waiting.superseded, waiting.is_satisfied) {
        _ if waiting.is_expired => ("expired: its time ran out before enough was said".to_owned(), Tone::Bad),
        (Some(Some(by)), _) => (format!("no longer asked: {by} took its place"), Tone::Bad),
        (Some(None), _) => ("no longer asked".to_owned(), Tone::Bad),
        (None, true) => ("approved".to_owned(), Tone::Good),
        (None, false) => ("waits".to_owned(), Tone::Warn),
    };
    row("state", state, tone);
    page.table(2, &rows);
    page.gap();
    let (title, text) = match &waiting.about {
        About::Definition { text, .. } => ("the definition", text.clone()),
        About::Step { arguments, .. } => {
            ("what would be sent", serde_json::to_string_pretty(arguments).unwrap_or_default())
        }
        About::Value { value, .. } => ("the value", serde_json::to_string_pretty(value).unwrap_or_default()),
    };
    page.line([Part::new(title, Tone::Strong)]);
    for line in text.lines() {
        page.line([format!("  {line}")]);
    }
}

/// An object and its version, in words.
fn referred(one: &Referred) -> String {
    let Referred { argument, kind, id, version, .. } = one;
    match version {
        Some((version, from)) => {
            let short: String = version.chars().take(12).collect();
            format!("{kind} `{id}` (`{argument}`) at version {short}, as {from} told it")
        }
        None => {
            format!("{kind} `{id}` (`{argument}`), of which no version is known: a change of it would go unnoticed")
        }
    }
}

fn wire(waiting: &Waiting) -> Json {
    let (kind, detail) = match &waiting.about {
        About::Definition { name, text, author } => {
            ("definition", json!({ "name": name, "text": text, "author": author }))
        }
        About::Step { run, action, request, arguments, clears, references, changed } => (
            "step",
            json!({
                "run": run.to_string(),
                "action": action,
                "request": request,
                "arguments": arguments,
                "clears": clears,
                "references": references.iter().map(reference).collect::<Vec<_>>(),
                "changed": changed,
            }),
        ),
        About::Value { run, function, entry, value, labels, clears } => (
            "value",
            json!({
                "run": run.to_string(),
                "function": function,
                "entry": entry,
                "value": value,
                "labels": labels,
                "clears": clears,
            }),
        ),
    };
    let said = waiting.said.iter().map(|(who, decision)| match waiting.in_place_of.get(who) {
        Some(whom) => json!({ "who": who, "for": whom, "decision": word(*decision) }),
        None => json!({ "who": who, "decision": word(*decision) }),
    });
    json!({
        "approval": waiting.id,
        "about": kind,
        kind: detail,
        "digest": waiting.digest.to_string(),
        "requester": waiting.requester,
        "needs": waiting.needs.iter().map(in_words).collect::<Vec<_>>(),
        "why": waiting.why,
        "said": said.collect::<Vec<_>>(),
        "satisfied": waiting.is_satisfied,
        "superseded": waiting.superseded.is_some(),
        "expired": waiting.is_expired,
        "glass": waiting.glass.as_ref().map(glass::wire),
    })
}

fn reference(one: &Referred) -> Json {
    let (version, from) = one.version.as_ref().map(|(version, from)| (version, from)).unzip();
    json!({ "argument": one.argument, "kind": one.kind, "id": one.id, "version": version, "from": from })
}
