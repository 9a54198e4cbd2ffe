//! What the ledger says of something that waits, whoever looks and by whatever rules: the question, and what people said of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::contract::Digest;
use sluice_core::contract::approval::SignedStatement;
use sluice_core::contract::closure::ClosureDigest;
use sluice_engine::{Fact, GateAnswer, Record};
use sluice_ledger::EntryKind;
use sluice_store::{PayloadState, Recorded};

use super::{About, ApprovalError, Approver, Referred, Reviews, Waiting, said_in};
use crate::difference::difference;
use crate::gate::requirement_from;
use crate::proposal::Proposal;
use crate::session::is_session;

/// What was read of it, before anybody's word is judged.
pub(crate) struct Recalled {
    /// Of a definition without what the workspace asks for; nothing in it depends on who looks.
    pub(super) waiting: Waiting,
    pub(super) statements: Vec<SignedStatement>,
    /// How many bytes it was read from.
    bytes: usize,
}

impl Approver<'_> {
    /// The same for whoever only looks: it is read again once its run or people have said more, or a key is destroyed.
    pub(super) fn recalled(&self, id: &str) -> Result<Arc<Recalled>, ApprovalError> {
        let stand = self.ledger.look(|records| {
            let run = records.approval(id)?.and_then(|row| row.run);
            records.stand(run, Some(id))
        })?;
        let kept = &self.ledger.kept().approvals;
        if let Some(recalled) = kept.get(id, &[stand]) {
            return Ok(recalled);
        }
        let recalled = Arc::new(self.recall(id)?);
        kept.put(id.to_owned(), &[stand], &recalled, recalled.bytes);
        Ok(recalled)
    }

    pub(super) fn recall(&self, id: &str) -> Result<Recalled, ApprovalError> {
        let (mut waiting, read) = if id.starts_with("P-") { (self.definition(id)?, 0) } else { self.step(id)? };
        let about = self.ledger.about(id)?;
        waiting.asked_ms = about.first().map_or(0, |first| first.entry.time_ms);
        waiting.glass = Reviews::of(&about).latest();
        waiting.is_expired = about.iter().any(|recorded| recorded.entry.kind == EntryKind::EXPIRED);
        if waiting.is_expired {
            waiting.superseded.get_or_insert(None);
        }
        Ok(Recalled { waiting, statements: said_in(&about), bytes: read + size(&about) })
    }

    fn definition(&self, id: &str) -> Result<Waiting, ApprovalError> {
        let proposal = Proposal::find(self.ledger, id)?.ok_or_else(|| ApprovalError::Unknown { id: id.to_owned() })?;
        Ok(Waiting {
            id: id.to_owned(),
            digest: proposal.closure,
            requester: proposal.requester.clone(),
            // Whom the workspace asks is judged when it is shown.
            needs: Vec::new(),
            why: "the workspace asks people to sign definitions".to_owned(),
            asked_ms: 0,
            asked: Arc::default(),
            said: Vec::new(),
            in_place_of: BTreeMap::new(),
            glass: None,
            is_satisfied: false,
            is_denied: false,
            is_agents: false,
            is_expired: false,
            superseded: None,
            about: About::Definition {
                author: crate::proposal::author_in_words(&proposal.author),
                name: proposal.name,
                text: proposal.text,
            },
        })
    }

    /// The held step behind an id: its question is in the entry before the request.
    fn step(&self, id: &str) -> Result<(Waiting, usize), ApprovalError> {
        let unknown = || ApprovalError::Unknown { id: id.to_owned() };
        let row = {
            let id = id.to_owned();
            self.ledger.read(move |records| records.approval(&id))?.ok_or_else(unknown)?
        };
        let run = row.run.ok_or_else(unknown)?;
        let unreadable = |why: &str| ApprovalError::Unreadable { id: id.to_owned(), why: why.to_owned() };
        let entries = self.ledger.run(run)?;
        if entries.iter().any(|recorded| recorded.payload == PayloadState::Erased) {
            return Err(ApprovalError::Erased { id: id.to_owned() });
        }
        let facts = crate::run::facts(&entries).map_err(|e| unreadable(&e.to_string()))?;
        let held = facts.iter().enumerate().rev().find_map(|(at, record)| match &record.fact {
            Fact::Decided { action, key, answer: GateAnswer::Hold { receipt, hold }, .. } if hold.approval == id => {
                Some((at, action.clone(), key.clone(), receipt.clone(), hold.clone()))
            }
            _ => None,
        });
        let (at, action, key, receipt, hold) = held.ok_or_else(|| unreadable("the run does not hold it"))?;
        let (earlier, later) = facts.split_at(at);
        let more = receipt.get("more").cloned().unwrap_or_default();
        let needs = more.get("needs").and_then(|n| n.as_array()).cloned().unwrap_or_default();
        let text = |key: &str| receipt.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let list = |key: &str| -> Vec<String> {
            let items = more.get(key).and_then(|v| v.as_array()).cloned().unwrap_or_default();
            items.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        let waiting = Waiting {
            id: id.to_owned(),
            digest: ClosureDigest(Digest(hold.digest)),
            requester: more.get("requester").and_then(|v| v.as_str()).unwrap_or_default().into(),
            needs: needs.iter().filter_map(requirement_from).collect(),
            why: hold.why.clone(),
            asked_ms: 0,
            asked: Arc::default(),
            said: Vec::new(),
            in_place_of: BTreeMap::new(),
            glass: None,
            is_satisfied: false,
            is_denied: false,
            is_expired: false,
            is_agents: matches!(facts.first().map(|first| &first.fact), Some(Fact::Started(start)) if is_session(start)),
            superseded: superseded(later, &key, id),
            about: match more.get("entry").and_then(|v| v.as_str()) {
                Some(entry) => About::Value {
                    run,
                    function: action,
                    entry: entry.to_owned(),
                    value: more.get("value").cloned().unwrap_or_default(),
                    labels: list("labels"),
                    clears: list("clears"),
                },
                None => About::Step {
                    run,
                    action,
                    request: text("request"),
                    arguments: more.get("arguments").cloned().unwrap_or_default(),
                    clears: list("clears"),
                    changed: changed(&references(&before(earlier, &key)), &references(&receipt)),
                    references: references(&receipt),
                },
            },
        };
        Ok((waiting, size(&entries)))
    }
}

/// How many bytes entries hold, about.
fn size(entries: &[Recorded]) -> usize {
    entries.iter().map(|recorded| 256 + recorded.payload.opened().map_or(0, <[u8]>::len)).sum()
}

/// Whether a later answer about the same visit of the same step made a question void; an approval that was used did not.
fn superseded(later: &[Record], key: &str, id: &str) -> Option<Option<String>> {
    let answer = later.iter().rev().find_map(|record| match &record.fact {
        Fact::Decided { key: other, answer, .. } if other == key => Some(answer),
        _ => None,
    })?;
    let is_over = later.iter().any(|record| {
        matches!(
            record.fact,
            Fact::Completed { .. } | Fact::Refused { .. } | Fact::Faulted { .. } | Fact::Cancelled { .. }
        )
    });
    match answer {
        GateAnswer::Hold { hold, .. } if hold.approval != id => Some(Some(hold.approval.clone())),
        // Nobody goes on with a run that is over.
        GateAnswer::Hold { .. } if is_over => Some(None),
        GateAnswer::Forbid { .. } | GateAnswer::Unchanged { .. } => Some(None),
        GateAnswer::Hold { .. } | GateAnswer::Permit { .. } => None,
    }
}

/// The receipt of the question that was asked about the same visit of the same step before.
fn before(earlier: &[Record], key: &str) -> serde_json::Value {
    let held = earlier.iter().rev().find_map(|record| match &record.fact {
        Fact::Decided { key: other, answer: GateAnswer::Hold { receipt, .. }, .. } if other == key => Some(receipt),
        _ => None,
    });
    held.cloned().unwrap_or_default()
}

fn references(receipt: &serde_json::Value) -> Vec<Referred> {
    let listed = receipt.pointer("/more/references").and_then(|v| v.as_array()).into_iter().flatten();
    let read = |told: &serde_json::Value| {
        let text = |key: &str| told.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        Referred {
            argument: text("argument").unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            id: text("id").unwrap_or_default(),
            version: text("version").zip(text("from")),
            content: told.get("content").filter(|c| !c.is_null()).cloned(),
        }
    };
    listed.map(read).collect()
}

/// What changed of what is referred to, one line each.
fn changed(before: &[Referred], now: &[Referred]) -> Vec<String> {
    let mut lines = Vec::new();
    for new in now {
        let Some(old) = before.iter().find(|old| old.argument == new.argument && old.version != new.version) else {
            continue;
        };
        let what = format!("{} `{}`", new.kind, new.id);
        match (&old.content, &new.content) {
            (Some(old), Some(new)) => {
                lines.extend(difference(old, new).into_iter().map(|line| format!("{what} {line}")));
            }
            _ => lines
                .push(format!("{what} is another; its difference is not kept, for it is too large or data of people")),
        }
    }
    lines
}
