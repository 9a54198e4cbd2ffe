//! A file of tests, from its text.

use std::collections::BTreeSet;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{self, BAD_VALUE, Data, Fields, Node, closest};
use sluice_core::gate::Verdict;
use sluice_core::label::Name;
use sluice_core::text::Text;

use super::question::{self, ACTION_KEY};
use super::{BAD_CASE, BAD_REQUIREMENT, CASES_MAX, Case, Expect, Suite, UNKNOWN_POLICY, is_requirement};
use crate::bundle::Bundle;
use crate::remedy::RemedyKind;

impl Suite {
    /// Reads a file of tests of these policies.
    ///
    /// # Errors
    /// Everything that is wrong with it: SL101 to SL119 of its text, SL311 to SL313 of its cases.
    pub fn read(text: &Text, policies: &Bundle) -> Result<Self, Vec<Diagnostic>> {
        let node = document::read(text)?;
        let mut reader = Reader { policies, out: Vec::new() };
        let suite = reader.suite(&node);
        match suite {
            Some(suite) if reader.out.is_empty() => Ok(suite),
            _ => Err(reader.out),
        }
    }
}

struct Reader<'p> {
    policies: &'p Bundle,
    out: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn suite(&mut self, node: &Node) -> Option<Suite> {
        let out = &mut self.out;
        let mut fields = Fields::of(node, "a file of tests", out)?;
        let version = fields.required("version", out)?;
        if version.value != Data::Int(1) {
            out.push(BAD_VALUE.at(version.span, "this release reads `version: 1`"));
            return None;
        }
        let about = fields.optional("about").and_then(|n| n.expect_name("about", out));
        let common = fields.optional("common");
        let cases = fields.required("cases", out).and_then(|n| n.expect_list("cases", out));
        fields.finish(out);
        let cases = cases?;
        if let Some(beyond) = cases.get(CASES_MAX) {
            out.push(BAD_CASE.at(beyond.span, format!("a file has at most {CASES_MAX} cases")));
            return None;
        }
        let mut names: BTreeSet<Name> = BTreeSet::new();
        let mut read = Vec::new();
        for node in cases {
            let Some(case) = self.case(node, common) else { continue };
            if !names.insert(case.name.clone()) {
                self.out.push(BAD_CASE.at(node.span, format!("another case is called `{}`", case.name)));
            }
            read.push(case);
        }
        Some(Suite { about, cases: read })
    }

    fn case(&mut self, node: &Node, common: Option<&Node>) -> Option<Case> {
        let out = &mut self.out;
        let mut fields = Fields::of(node, "a case", out)?;
        let name = fields.required("case", out);
        let ask = fields.required("ask", out);
        let expect = fields.required("expect", out);
        let (by, needs) = (fields.entry("by"), fields.entry("needs"));
        fields.finish(out);
        let span = name?.span;
        let name = name?.expect_name("case", out);
        let asked = ask.and_then(|ask| question::read(ask, common, out));
        let approved = asked.as_ref().map(|asked| asked.approved.clone()).unwrap_or_default();
        let approved = approved.iter().filter_map(|node| self.requirement(node, false)).collect();
        let verdicts = [Verdict::Permit, Verdict::Hold, Verdict::Forbid].map(|verdict| (verdict.name(), verdict));
        let verdict = expect.and_then(|n| n.expect_word("expect", &verdicts, &mut self.out))?;
        let by_names = by.map(|entry| self.policies(&entry.value, verdict));
        let need_names = needs.map(|entry| self.requirements(&entry.value));
        match (verdict, by, needs) {
            (Verdict::Forbid, None, _) => {
                let message = "say which policy forbids it: `by: [ID]`, or `by: []` if no permit covers it";
                self.out.push(BAD_CASE.at(expect?.span, message));
            }
            (Verdict::Hold, _, None) => {
                let message = "say what would lift it: `needs: [owner-of:payload/1]`, or `[redact]` or `[endorse]`";
                self.out.push(BAD_CASE.at(expect?.span, message));
            }
            (Verdict::Permit | Verdict::Forbid, _, Some(needs)) => {
                let message = format!("nothing lifts a `{verdict}`, so it needs nothing; only a hold does");
                self.out.push(BAD_CASE.at(needs.key_span, message));
            }
            _ => {}
        }
        let expect = Expect { verdict, by: by_names.unwrap_or_default(), needs: need_names.unwrap_or_default() };
        Some(Case { name: name?, span, ask: asked?.request, approved, expect })
    }

    /// Policies that can determine such an answer.
    fn policies(&mut self, node: &Node, verdict: Verdict) -> BTreeSet<Name> {
        let Some(items) = node.expect_list("by", &mut self.out) else { return BTreeSet::new() };
        items.iter().filter_map(|item| self.policy(item, verdict)).collect()
    }

    fn policy(&mut self, node: &Node, verdict: Verdict) -> Option<Name> {
        let id = node.expect_text("by", &mut self.out)?;
        let Some(info) = self.policies.policies().find(|info| info.id.0 == id) else {
            let known = self.policies.policies().map(|info| info.id.0.as_ref());
            let near = closest(&id, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            self.out.push(UNKNOWN_POLICY.at(node.span, format!("no policy is called `{id}`{near}")));
            return None;
        };
        if info.permits != (verdict == Verdict::Permit) {
            let does = if info.permits { "permits" } else { "forbids" };
            let message = format!("`{id}` {does}: it never determines a `{verdict}`");
            self.out.push(UNKNOWN_POLICY.at(node.span, message));
            return None;
        }
        Some(id)
    }

    fn requirements(&mut self, node: &Node) -> BTreeSet<Name> {
        let Some(items) = node.expect_list("needs", &mut self.out) else { return BTreeSet::new() };
        if items.is_empty() {
            self.out.push(BAD_CASE.at(node.span, "a hold that needs nothing would be no hold"));
        }
        items.iter().filter_map(|item| self.requirement(item, true)).collect()
    }

    /// A requirement: who and how many; or what the author must change, where that can be asked for.
    fn requirement(&mut self, node: &Node, may_change: bool) -> Option<Name> {
        let word = node.expect_text("a requirement", &mut self.out)?;
        let changes = [RemedyKind::Redact, RemedyKind::Endorse].map(RemedyKind::name);
        if may_change && changes.contains(&&*word) {
            return Some(word);
        }
        if !is_requirement(&word) {
            let fixed =
                ["manager-of:requester/1", "in-charge-of:requester/1", "owner-of:payload/1", "owner-of:resource/1"];
            let changes = changes.into_iter().filter(|_| may_change);
            let near = closest(&word, fixed.into_iter().chain(changes));
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            self.out
                .push(BAD_REQUIREMENT.at(node.span, format!("`{word}` is nothing that people can be asked for{near}")));
            return None;
        }
        Some(word)
    }
}

/// Says that an action is missing where neither the case nor what is common has one.
pub(super) fn missing_action(node: &Node, out: &mut Vec<Diagnostic>) {
    out.push(BAD_CASE.at(node.span, format!("the question does not say its `{ACTION_KEY}`: read, write, export, …")));
}
