//! `sluice audit verify --proof`: whether a file that somebody handed over holds, with nothing but the log's public key.

use std::path::Path;

use serde_json::{Value as Json, json};
use sluice_core::contract::approval::{Decision, Statement};
use sluice_ledger::note::VerifierKey;
use sluice_ledger::{Entry, Evidence};
use sluice_runtime::audit::{self, ApprovalProofError, ProvenApproval, ProvenWord, ShownBy};
use sluice_runtime::home::Home;

use crate::cli::{Format, VerifyLedger};
use crate::failure::{Exit, Failure};
use crate::place::read_up_to;
use crate::render::{Page, Part, Tone, json as out, time};

/// Checks a proof file of either form. That it does not hold is a result: exit code 1.
pub(super) fn verify(file: &Path, arguments: &VerifyLedger) -> Result<Exit, Failure> {
    let trusted = keys(arguments)?;
    let bytes = read_up_to(file, "proof", audit::APPROVAL_PROOF_BYTES_MAX as u64)?;
    let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if is_json { of_approval(&bytes, &trusted, arguments.format) } else { of_entry(&bytes, &trusted, arguments.format) }
}

/// The keys that count: those of the file, or those that this machine has of the workspace.
fn keys(arguments: &VerifyLedger) -> Result<Vec<VerifierKey>, Failure> {
    let Some(file) = &arguments.key else {
        let home = Home::of(&arguments.place.folder()?)?;
        let keys = audit::pinned(&home);
        let missing = "this machine has no public key of the workspace's log: name its file with --key";
        return if keys.is_empty() { Err(Failure::usage(missing)) } else { Ok(keys) };
    };
    let text = read_up_to(file, "key", 64 << 10)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Result<Vec<VerifierKey>, _> = lines.map(str::parse).collect();
    match keys {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        _ => Err(Failure::usage(format!(
            "`{}` has no public key of a log: a line `NAME+HASH+KEY`, as `ledger.vkey` of the workspace's home has it",
            file.display()
        ))),
    }
}

fn of_entry(bytes: &[u8], trusted: &[VerifierKey], format: Format) -> Result<Exit, Failure> {
    let shown = || {
        let text = std::str::from_utf8(bytes).map_err(|_| "SL640: not a proof file".to_owned())?;
        let evidence: Evidence = text.parse().map_err(coded)?;
        let (checkpoint, entry) = evidence.open(trusted).map_err(coded)?;
        let entry = Entry::decode(entry).map_err(|error| error.to_string())?;
        Ok::<_, String>((checkpoint.origin().to_string(), checkpoint.size().get(), entry))
    };
    let (log, size, entry) = match shown() {
        Ok(shown) => shown,
        Err(why) => return refused(&why, format),
    };
    if format == Format::Json {
        let entry = json!({ "index": entry.log.get(), "kind": entry.kind.to_string(), "time_ms": entry.time_ms });
        out::print(&json!({ "version": 1, "holds": true, "log": log, "size": size, "entry": entry }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    page.line([Part::new("the proof holds", Tone::Good)]);
    let index = entry.log.get();
    page.table(
        2,
        &[
            row("entry", format!("{index}, {}, {}", entry.kind, time::short(entry.time_ms))),
            row("log", format!("{log}, {size} entries")),
        ],
    );
    page.print();
    Ok(Exit::Fine)
}

fn of_approval(bytes: &[u8], trusted: &[VerifierKey], format: Format) -> Result<Exit, Failure> {
    let shown = audit::read_approval_proof(bytes).and_then(|file| audit::verify_approval(&file, trusted));
    match shown {
        Ok(proven) if format == Format::Json => out::print(&wire(&proven))?,
        Ok(proven) => told(&proven).print(),
        Err(error @ (ApprovalProofError::Form(_) | ApprovalProofError::Wrong { .. })) => {
            return refused(&error.to_string(), format);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Fine)
}

fn coded(error: sluice_ledger::EvidenceError) -> String {
    format!("{}: {error}", error.code())
}

fn refused(why: &str, format: Format) -> Result<Exit, Failure> {
    if format == Format::Json {
        out::print(&json!({ "version": 1, "holds": false, "why": why }))?;
    } else {
        let mut page = Page::of_stdout();
        page.line([Part::new("the proof does not hold", Tone::Bad)]);
        page.hang(["  "], &[Part::plain(why)]);
        page.print();
    }
    Ok(Exit::Findings)
}

fn row(word: &str, text: String) -> Vec<Part> {
    vec![Part::new(word, Tone::Faint), Part::plain(text)]
}

fn told(proven: &ProvenApproval) -> Page {
    let mut page = Page::of_stdout();
    page.line([Part::new("the proof holds", Tone::Good)]);
    let (log, size) = &proven.log;
    let mut rows = vec![row("approval", proven.id.clone()), row("log", format!("{log}, {size} entries or more"))];
    rows.extend(proven.closures().iter().map(|closure| row("about", closure.to_string())));
    page.table(2, &rows);
    for word in &proven.words {
        let Statement { approver, role, requester, instead_of, .. } = &word.statement;
        let place = instead_of.as_ref().map_or_else(String::new, |whom| format!(" in the place of {whom}"));
        let (said, tone) = said(word);
        page.line([
            Part::new(format!("  {:>5}  {}  ", word.entry, time::short(word.time_ms)), Tone::Faint),
            Part::new(said, tone),
            Part::plain(format!("  {approver}{place}, as {role}, for {requester}")),
        ]);
        page.hang(["         "], &[Part::new(shown_by(&word.shown_by), Tone::Faint)]);
        if let Some(by) = word.withdrawn_by {
            page.hang(["         "], &[Part::new(format!("taken back by entry {by}"), Tone::Warn)]);
        }
    }
    let not_shown = "that nothing was left out of the file: a later withdrawal, or the end of a passkey";
    page.table(2, &[vec![Part::new("not shown", Tone::Faint), Part::new(not_shown, Tone::Faint)]]);
    page
}

fn said(word: &ProvenWord) -> (&'static str, Tone) {
    match word.statement.decision {
        Decision::Approve if word.withdrawn_by.is_some() => ("approved", Tone::Faint),
        Decision::Approve => ("approved", Tone::Good),
        Decision::Deny => ("denied", Tone::Bad),
        Decision::Withdraw { .. } => ("took it back", Tone::Warn),
        Decision::BreakGlass => ("broke the glass", Tone::Warn),
        Decision::Review { .. } => ("reviewed", Tone::Plain),
    }
}

fn shown_by(shown: &ShownBy) -> String {
    match shown {
        ShownBy::Passkey { enrolment } => format!(
            "their passkey answered for exactly this, at {}, with its user verified; theirs since entry {} ({}), by {}",
            enrolment.enrolled.party.origin,
            enrolment.entry,
            time::short(enrolment.since_ms),
            enrolment.known,
        ),
        ShownBy::KeyFile { key } => format!("signed with the key {key}; whose that is, the principals register says"),
    }
}

fn wire(proven: &ProvenApproval) -> Json {
    let words = proven.words.iter().map(|word| {
        let Statement { approver, role, requester, expiry_ms, closure, instead_of, .. } = &word.statement;
        let shown = match &word.shown_by {
            ShownBy::Passkey { enrolment } => json!({
                "passkey": { "enrolled": enrolment.entry, "since_ms": enrolment.since_ms, "known": enrolment.known,
                             "origin": enrolment.enrolled.party.origin },
            }),
            ShownBy::KeyFile { key } => json!({ "key": key }),
        };
        json!({
            "entry": word.entry, "time_ms": word.time_ms, "said": said(word).0, "approver": approver, "instead_of": instead_of, "role": role,
            "requester": requester, "expiry_ms": expiry_ms, "closure": closure.to_string(), "shown_by": shown,
            "withdrawn_by": word.withdrawn_by,
        })
    });
    let (log, size) = &proven.log;
    json!({
        "version": 1, "holds": true, "approval": proven.id, "log": log, "size": size,
        "words": words.collect::<Vec<_>>(),
    })
}
