//! The gate of a value: whether somebody vouches for it, as an entry of the bundle asks.
//!
//! No policy is asked here: the signed entry says who may vouch for what. What they sign binds this very value with its
//! labels, this visit of this step of this run, and through the closure everything that may happen to it afterwards.

use serde_json::{Value as Json, json};
use sluice_core::contract::closure::{Closure, StepElement};
use sluice_core::label::{Label, Name};
use sluice_core::transfer::Vouching;
use sluice_core::value::Value;
use sluice_engine::{GateAnswer, Hold, ValueQuestion};
use sluice_ledger::{Salt, commit};
use sluice_verify::question::vouching_requirement;

use super::{Evidence, RunGate, Said, approval_id, forbid, key_words, requirement_json};
use crate::ledger::random;

/// The field under which a statement commits to a value.
const FIELD: &str = "value";

impl<E: Evidence> RunGate<'_, E> {
    /// Answers whether somebody vouches for a value, at `now_ms`.
    pub fn word(&self, question: &ValueQuestion, now_ms: u64) -> GateAnswer {
        let vouching = &question.vouching;
        let (entry, by) = (&vouching.entry, &vouching.by);
        if !vouching.is_needed {
            return self.unchanged(vouching, format!("the value has nothing that `{entry}` clears"));
        }
        // Nobody is asked where their word would change nothing: they would be shown what they may not read.
        if !vouching.is_allowed {
            let why = format!("`{by}` may not clear this value of what `{entry}` names: its labels stay");
            return self.unchanged(vouching, why);
        }
        let needed = vouching_requirement(vouching);
        let requester = self.asker.requester;
        if !needed.is_satisfiable(self.workspace.principals(), requester) {
            let why = format!("nobody but `{requester}`, who asks, could vouch for the value in the name of `{by}`");
            return forbid(self.word_receipt(vouching, &json!({})), "SL333", why);
        }
        // A salt that cannot be drawn is no reason to sign the bare value.
        let Some(salt) = question.before.as_ref().and_then(|hold| hold.salt).or_else(|| random().ok()) else {
            let why = "no salt could be drawn for the commitment to the value".to_owned();
            return forbid(self.word_receipt(vouching, &json!({})), "SL516", why);
        };
        let Some(closure) = self.value_closure(question, salt) else {
            let why = "a part of the value is not known: nobody can vouch for it".to_owned();
            return forbid(self.word_receipt(vouching, &json!({})), "SL516", why);
        };
        let digest = closure.digest();
        let approval = approval_id(digest);
        let Said { statements, passkeys, delegations } = self.said(digest);
        let asking = self.asking(digest, &passkeys, &delegations, now_ms);
        let count = asking.count(&statements, std::slice::from_ref(&needed));
        if count.satisfied.contains(&needed.id()) {
            return GateAnswer::Permit { receipt: self.word_receipt(vouching, &json!({ "uses": [approval] })) };
        }
        let more = json!({
            "needs": [requirement_json(&needed)],
            "requester": requester,
            "entry": entry,
            "by": by,
            "clears": self.universe.names(vouching.clears),
            "labels": self.universe.names(vouching.value.deep_label().join(vouching.control)),
            "value": vouching.value.to_json(),
        });
        let why = format!("`{entry}` clears a value only if a person of `{by}` vouches for it");
        let receipt = self.word_receipt(vouching, &more);
        GateAnswer::Hold { receipt, hold: Hold { approval, why, digest: digest.0.0, salt: Some(salt) } }
    }

    fn unchanged(&self, vouching: &Vouching, why: String) -> GateAnswer {
        GateAnswer::Unchanged { receipt: self.word_receipt(vouching, &json!({})), why }
    }

    fn word_receipt(&self, vouching: &Vouching, more: &Json) -> Json {
        json!({
            "bundle": self.workspace.bundle().digest().to_string(),
            "solo": self.workspace.is_solo(),
            "release": vouching.entry,
            "more": more,
        })
    }

    /// What a person signs who vouches for this very value; `None` if a part of it is not known.
    fn value_closure(&self, question: &ValueQuestion, salt: [u8; 32]) -> Option<Closure> {
        let vouching = &question.vouching;
        let entry = Value::text(Label::BOTTOM, vouching.entry.as_ref());
        let written: [(Name, &Value); 2] = [("entry".into(), &entry), (FIELD.into(), &vouching.value)];
        let mut arguments = StepElement::arguments(written.iter().map(|(name, v)| (name, *v)), self.universe)?;
        // Digests stand in the open ledger: a value that could be guessed must not be found by hashing guesses.
        let value = arguments.remove(FIELD)?;
        let commitment = commit(&Salt::from_bytes(salt), FIELD, &value);
        arguments.insert(FIELD.into(), commitment.as_hash().as_bytes().to_vec());
        let step = StepElement {
            run: self.run.to_string().into(),
            node: u64::from(question.node.0),
            visits: key_words(question.key),
            action: vouching.function.name().into(),
            arguments,
            control: StepElement::control(vouching.control, self.universe),
            references: std::collections::BTreeMap::new(),
        };
        Some(Closure { step: Some(step), ..self.asker.closure.clone() })
    }
}
