//! A set of policies that was read, validated and understood as a whole, or refused with every flaw it has.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{Effect as CedarEffect, Policy, PolicySet, Schema, ValidationMode, Validator};
use cedar_policy_core::ast;
use miette::Diagnostic as _;
use sha2::{Digest, Sha256};
use sluice_core::gate::Effect;
use sluice_core::label::Name;
use sluice_core::text::{Span, Text};

use crate::answer::PolicyId;
use crate::default_bundle::{DEFAULT_SOURCES, SCHEMA};
use crate::flaw::{self, Flaw, flaw};
use crate::polarity::{self, Polarity};
use crate::remedy::{Approvers, QUORUM_MAX, RemedyKind, RemedyRule, TicketRule};
use crate::scope::Index;
use crate::words;

/// Most bytes of one bundle: policies whose scopes cover everything are all evaluated, and a gate must stay quick. SL310.
const BUNDLE_BYTES_MAX: usize = 4 << 20;

/// Attributes of the context that only a run knows.
const RUN_FACTS: [&str; 2] = ["facts", "now_ms"];

/// Policies in force, with their remedies.
pub struct Bundle {
    pub(crate) rules: BTreeMap<Name, Loaded>,
    pub(crate) index: Index,
    digest: [u8; 32],
    /// The effects about which a policy asks for a ticket.
    by_ticket: BTreeSet<Effect>,
}

/// One policy of a bundle.
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) info: PolicyInfo,
    pub(crate) remedy: Option<RemedyRule>,
    /// Whether more label can make it say yes more often.
    polarity: Polarity,
    reads_run_facts: bool,
}

/// What people are shown of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyInfo {
    /// Its `@id`.
    pub id: PolicyId,
    /// Whether it permits; otherwise it forbids.
    pub permits: bool,
    /// Its `@why`, with the places for names unfilled.
    pub why: String,
    /// Its remedy as written, such as `approval by owner-of:payload/1`.
    pub remedy: Option<String>,
    /// Who must agree, and how many of each party.
    pub approvers: Option<(Approvers, u8)>,
    /// The effects that it can say something about.
    pub effects: Vec<Effect>,
    /// Its own text.
    pub source: String,
    /// The text it stands in.
    pub text: Name,
    /// Where there.
    pub span: Span,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bundle").field("policies", &self.rules.keys()).finish_non_exhaustive()
    }
}

impl Bundle {
    /// Reads, validates and understands policies. All texts count together, in any order.
    ///
    /// # Errors
    /// Every flaw of every text, SL301 to SL310, each with its place.
    pub fn load(sources: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Self, Vec<Flaw>> {
        let mut texts: Vec<Text> = sources.iter().map(|(name, text)| Text::new(name.as_ref(), text.as_ref())).collect();
        texts.sort_by(|a, b| a.name.cmp(&b.name));
        let schema = schema(&texts)?;
        let mut loader = Loader { schema: &schema, flaws: Vec::new(), rules: BTreeMap::new() };
        for text in &texts {
            loader.text(text);
        }
        if !loader.flaws.is_empty() {
            return Err(loader.flaws);
        }
        let index = Index::of(loader.rules.values().map(|rule| (&rule.info.id, rule.policy.as_ref())));
        let by_ticket = loader.rules.values().filter(|rule| rule.remedy.as_ref().is_some_and(|r| r.ticket.is_some()));
        let by_ticket = by_ticket.flat_map(|rule| rule.info.effects.iter().copied()).collect();
        Ok(Self { rules: loader.rules, index, digest: digest(&texts), by_ticket })
    }

    /// The bundle that `sluice init` writes.
    ///
    /// # Errors
    /// None as shipped: a test loads it.
    pub fn default_bundle() -> Result<Self, Vec<Flaw>> {
        Self::load(&DEFAULT_SOURCES)
    }

    /// SHA-256 over the schema and every text with its name, in the order of names.
    #[must_use]
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Every policy, by id.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyInfo> {
        self.rules.values().map(|rule| &rule.info)
    }

    /// One policy.
    #[must_use]
    pub fn policy(&self, id: &PolicyId) -> Option<&PolicyInfo> {
        self.rules.get(&id.0).map(|rule| &rule.info)
    }

    /// Whether a policy about this effect asks for a ticket.
    #[must_use]
    pub fn asks_for_tickets(&self, effect: Effect) -> bool {
        self.by_ticket.contains(&effect)
    }

    /// Every ticket that some policy asks for, with the policy.
    pub fn tickets(&self) -> impl Iterator<Item = (&PolicyInfo, &TicketRule)> {
        self.rules.values().filter_map(|rule| Some((&rule.info, rule.remedy.as_ref()?.ticket.as_ref()?)))
    }

    /// Whether, for calls of this effect, more label never turns a refusal into a permit. Shown from the shape of the
    /// policies alone, so [`Polarity::NotShown`] means "not shown", not "false".
    #[must_use]
    pub fn antitone(&self, effect: Effect) -> Polarity {
        let mut rules = self.rules.values().filter(|rule| rule.info.effects.contains(&effect));
        rules.find(|rule| rule.polarity != Polarity::Antitone).map_or(Polarity::Antitone, |rule| rule.polarity.clone())
    }

    /// The policies about this effect that look at facts of the run or the time: a prediction cannot know what they say.
    #[must_use]
    pub fn reads_run_facts(&self, effect: Effect) -> Vec<PolicyId> {
        let rules = self.rules.values().filter(|rule| rule.reads_run_facts && rule.info.effects.contains(&effect));
        rules.map(|rule| rule.info.id.clone()).collect()
    }
}

/// Whether a condition reads what only a run knows: its facts or the time.
fn reads_run_facts(policy: &Policy) -> bool {
    let policy: &ast::Policy = policy.as_ref();
    let is_context = |e: &ast::Expr| matches!(e.expr_kind(), ast::ExprKind::Var(ast::Var::Context));
    policy.non_scope_constraints().is_some_and(|condition| {
        condition.subexpressions().any(|e| {
            matches!(e.expr_kind(), ast::ExprKind::GetAttr { expr, attr }
                if is_context(expr) && RUN_FACTS.contains(&attr.as_str()))
        })
    })
}

fn schema(texts: &[Text]) -> Result<Schema, Vec<Flaw>> {
    let total: usize = texts.iter().map(|text| text.content.len()).sum();
    if total > BUNDLE_BYTES_MAX {
        let message = format!("the policies have {total} bytes, more than {BUNDLE_BYTES_MAX}");
        let big = texts.iter().max_by_key(|text| text.content.len());
        return Err(big
            .map(|text| flaw(text, flaw::TOO_LARGE, text.span(0, 0), message, "split what does not belong together"))
            .into_iter()
            .collect());
    }
    let own = Text::new("schema.cedarschema", SCHEMA);
    Schema::from_cedarschema_str(SCHEMA)
        .map(|(schema, _)| schema)
        .map_err(|e| vec![flaw(&own, flaw::MISFIT, own.span(0, 0), e.to_string(), "this is a defect of Sluice")])
}

fn digest(texts: &[Text]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"sluice policy bundle v1\n");
    for (name, content) in
        [("schema.cedarschema", SCHEMA)].into_iter().chain(texts.iter().map(|t| (&*t.name, &*t.content)))
    {
        for part in [name, content] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

struct Loader<'a> {
    schema: &'a Schema,
    flaws: Vec<Flaw>,
    rules: BTreeMap<Name, Loaded>,
}

impl Loader<'_> {
    fn text(&mut self, text: &Text) {
        let set = match PolicySet::from_str(&text.content) {
            Ok(set) => set,
            Err(errors) => {
                self.flaws.extend(errors.iter().map(|e| {
                    let help = e.help().map_or_else(|| "see the Cedar policy syntax".to_owned(), |h| h.to_string());
                    flaw(text, flaw::UNREADABLE, labelled(text, e), e.to_string(), help)
                }));
                return;
            }
        };
        for template in set.templates() {
            let message = format!("`{}` is a template: nothing here would ever fill its slots", template.id());
            self.flaws.push(flaw(text, flaw::TEMPLATE, text.span(0, 0), message, "write a policy for each case"));
        }
        let before = self.flaws.len();
        self.validate(text, &set);
        if self.flaws.len() > before {
            return;
        }
        let mut policies: Vec<&Policy> = set.policies().collect();
        policies.sort_by_key(|policy| span(text, policy).start);
        for policy in policies {
            self.policy(text, policy);
        }
    }

    /// Strict validation; warnings refuse too, since a rule that cannot match or a look-alike letter is a defect.
    fn validate(&mut self, text: &Text, set: &PolicySet) {
        let result = Validator::new(self.schema.clone()).validate(set, ValidationMode::Strict);
        let errors = result.validation_errors().map(|e| (labelled(text, e), e.to_string(), help(e)));
        let warnings = result.validation_warnings().map(|w| (labelled(text, w), w.to_string(), help(w)));
        let mut found: Vec<_> = errors.chain(warnings).map(|(span, m, help)| (span, plain(&m), help)).collect();
        found.sort();
        found.dedup();
        for (span, message, help) in found {
            self.flaws.push(flaw(text, flaw::MISFIT, span, message, help));
        }
    }

    fn policy(&mut self, text: &Text, policy: &Policy) {
        let whole = span(text, policy);
        let permits = policy.effect() == CedarEffect::Permit;
        let count = self.flaws.len();
        let Some(id) = self.id(text, policy, whole) else { return };
        let why = policy.annotation("why").unwrap_or_default().to_owned();
        if why.is_empty() {
            let help = "say in one sentence why, for the person whose call it decides: `@why(\"...\")`";
            self.flaws.push(flaw(text, flaw::NO_WHY, whole, format!("`{id}` does not say why"), help));
        }
        for place in words::unknown_places(&why) {
            let message = format!("`{{{place}}}` in the reason of `{id}` names nothing of a request");
            let help =
                "use `{resource}`, `{principal}`, `{purpose}`, `{region}`, or `{payload.uncleared}` and the like";
            self.flaws.push(flaw(text, flaw::NO_WHY, at_annotation(text, policy, "why", whole), message, help));
        }
        let remedy = self.remedy(text, policy, &id, whole);
        if self.flaws.len() > count {
            return;
        }
        let info = PolicyInfo {
            id: PolicyId(id.clone()),
            permits,
            why,
            remedy: remedy.as_ref().map(remedy_words),
            approvers: remedy.as_ref().and_then(|rule| Some((rule.approvers.clone()?, rule.quorum))),
            effects: effects(policy, self.schema),
            source: text.content.get(whole.start..whole.end).unwrap_or_default().to_owned(),
            text: text.name.clone(),
            span: whole,
        };
        let polarity = polarity::of(text, &info, policy);
        let reads_run_facts = reads_run_facts(policy);
        let policy = policy.new_id(cedar_policy::PolicyId::new(&id));
        self.rules.insert(id, Loaded { policy, info, remedy, polarity, reads_run_facts });
    }

    fn id(&mut self, text: &Text, policy: &Policy, whole: Span) -> Option<Name> {
        let id = policy.annotation("id").unwrap_or_default();
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(kebab) {
            let help = "start it with `@id(\"what-it-says\")`: small letters, digits and dashes";
            self.flaws.push(flaw(text, flaw::BAD_ID, whole, "a policy has no proper `@id`", help));
            return None;
        }
        if let Some(first) = self.rules.get(id) {
            let message = format!("`{id}` is also the id of a policy in `{}`", first.info.text);
            self.flaws.push(flaw(text, flaw::BAD_ID, whole, message, "decisions name policies by id: choose another"));
            return None;
        }
        Some(Name::from(id))
    }

    /// The remedy of a forbid. Annotations that nothing here understands refuse the bundle: a misspelt `@remedy` would
    /// otherwise turn a hold into a forbid, or an obligation into a comment.
    fn remedy(&mut self, text: &Text, policy: &Policy, id: &str, whole: Span) -> Option<RemedyRule> {
        let count = self.flaws.len();
        let annotations: BTreeMap<&str, &str> = policy.annotations().collect();
        let at = |key: &str| at_annotation(text, policy, key, whole);
        for key in annotations.keys() {
            match *key {
                "id" | "why" => {}
                key if OF_REMEDY.contains(&key) && policy.effect() == CedarEffect::Forbid => {}
                key if OF_REMEDY.contains(&key) => {
                    let message = format!("`{id}` is a permit, and `@{key}` belongs to a forbid");
                    let help = "write a forbid for what needs approval: a permit alone cannot hold a call";
                    self.flaws.push(flaw(text, flaw::MISPLACED_REMEDY, at(key), message, help));
                }
                other => {
                    let message = format!("`{id}` has an unknown annotation `@{other}`");
                    let help = "known are `@id`, `@why`, `@remedy`, `@approvers`, `@quorum`, `@clears`, `@ticket` and `@names`";
                    self.flaws.push(flaw(text, flaw::UNKNOWN_ANNOTATION, at(other), message, help));
                }
            }
        }
        if self.flaws.len() > count {
            return None;
        }
        match parse_remedy(&annotations) {
            Ok(remedy) => {
                if let Some(rule) = &remedy {
                    self.check_lifts(text, policy, id, rule, at("remedy"));
                }
                remedy
            }
            Err((key, message)) => {
                let help = "for example `@remedy(\"approval\") @approvers(\"owner-of:payload\") @quorum(\"1\")`";
                self.flaws.push(flaw(text, flaw::BAD_REMEDY, at(key), format!("`{id}`: {message}"), help));
                None
            }
        }
    }

    /// An approval lifts a forbid that looks for it or whose origins it clears. One that does neither would be asked for
    /// and never count.
    fn check_lifts(&mut self, text: &Text, policy: &Policy, id: &str, rule: &RemedyRule, at: Span) {
        let Some(requirement) = rule.requirement() else { return };
        if rule.clears_origins || looks_for(policy, &requirement) {
            return;
        }
        let message = format!("`{id}` asks for `{requirement}` and never looks for it");
        let help = format!("add `unless {{ context.satisfied.contains(\"{requirement}\") }}`");
        self.flaws.push(flaw(text, flaw::IDLE_REMEDY, at, message, help));
    }
}

/// The annotations of a remedy.
const OF_REMEDY: [&str; 6] = ["remedy", "approvers", "quorum", "clears", "ticket", "names"];

fn parse_remedy(annotations: &BTreeMap<&str, &str>) -> Result<Option<RemedyRule>, (&'static str, String)> {
    let [remedy, of_remedy @ ..] = OF_REMEDY;
    let Some(kind) = annotations.get(remedy) else {
        return match of_remedy.into_iter().find(|key| annotations.contains_key(key)) {
            Some(key) => Err((key, format!("`@{key}` without `@remedy`"))),
            None => Ok(None),
        };
    };
    let kind = RemedyKind::ALL.into_iter().find(|known| known.name() == *kind).ok_or_else(|| {
        ("remedy", format!("unknown remedy `{kind}`: there are `approval`, `redact`, `endorse` and `ticket`"))
    })?;
    let of_kind: &[&str] = match kind {
        RemedyKind::Approval => &["approvers", "quorum", "clears"],
        RemedyKind::Ticket => &["ticket", "names"],
        RemedyKind::Redact | RemedyKind::Endorse => &[],
    };
    if let Some(key) = of_remedy.into_iter().find(|key| annotations.contains_key(key) && !of_kind.contains(key)) {
        let owner = if ["ticket", "names"].contains(&key) { "a ticket" } else { "an approval" };
        return Err((key, format!("`@{key}` belongs to {owner}, and `{}` is none", kind.name())));
    }
    let bare = RemedyRule { kind, approvers: None, quorum: 0, clears_origins: false, ticket: None };
    match kind {
        RemedyKind::Approval => parse_approval(annotations, bare),
        RemedyKind::Ticket => parse_ticket(annotations, bare),
        RemedyKind::Redact | RemedyKind::Endorse => Ok(Some(bare)),
    }
}

fn parse_ticket(
    annotations: &BTreeMap<&str, &str>,
    bare: RemedyRule,
) -> Result<Option<RemedyRule>, (&'static str, String)> {
    let shown_by = annotations.get("ticket").ok_or(("remedy", "a ticket needs `@ticket`".to_owned()))?;
    let names = annotations.get("names").ok_or(("remedy", "a ticket needs `@names`".to_owned()))?;
    let rule = TicketRule::parse(shown_by, names).ok_or_else(|| {
        let message = "`@ticket` is `connector.action`, and `@names` the role of what the ticket must name".to_owned();
        ("ticket", message)
    })?;
    Ok(Some(RemedyRule { ticket: Some(rule), ..bare }))
}

fn parse_approval(
    annotations: &BTreeMap<&str, &str>,
    bare: RemedyRule,
) -> Result<Option<RemedyRule>, (&'static str, String)> {
    let approvers = annotations.get("approvers").ok_or(("remedy", "an approval needs `@approvers`".to_owned()))?;
    let approvers = Approvers::parse(approvers).ok_or_else(|| {
        let message = format!(
            "unknown approvers `{approvers}`: there are `owner-of:` a role, `arguments`, `control`, `write_excess` or \
             `resource`, `group:<id>`, `person:<id>` and `manager-of:requester`"
        );
        ("approvers", message)
    })?;
    let quorum = annotations.get("quorum").ok_or(("remedy", "an approval needs `@quorum`".to_owned()))?;
    let quorum = quorum
        .parse::<u8>()
        .ok()
        .filter(|n| (1..=QUORUM_MAX).contains(n))
        .ok_or_else(|| ("quorum", format!("a quorum is a number from 1 to {QUORUM_MAX}, not `{quorum}`")))?;
    let clears_origins = match annotations.get("clears") {
        None => false,
        Some(&"origins") => true,
        Some(other) => return Err(("clears", format!("an approval can clear `origins`, not `{other}`"))),
    };
    Ok(Some(RemedyRule { approvers: Some(approvers), quorum, clears_origins, ..bare }))
}

pub(crate) fn remedy_words(rule: &RemedyRule) -> String {
    let mut words = rule.kind.name().to_owned();
    if let Some(ticket) = &rule.ticket {
        return ticket.to_string();
    }
    if let Some(requirement) = rule.requirement() {
        words.push_str(" by ");
        words.push_str(&requirement);
    }
    if rule.clears_origins {
        words.push_str(", clears origins");
    }
    words
}

/// Whether the literal stands anywhere in the policy's conditions.
fn looks_for(policy: &Policy, requirement: &str) -> bool {
    let policy: &ast::Policy = policy.as_ref();
    policy.non_scope_constraints().is_some_and(|condition| {
        condition
            .subexpressions()
            .any(|e| matches!(e.expr_kind(), ast::ExprKind::Lit(ast::Literal::String(text)) if text == requirement))
    })
}

fn effects(policy: &Policy, schema: &Schema) -> Vec<Effect> {
    let actions: Vec<String> =
        policy.get_valid_request_envs(schema).map(|env| env.action().id().unescaped().to_owned()).collect();
    Effect::ALL.into_iter().filter(|effect| actions.iter().any(|action| action == effect.name())).collect()
}

fn span(text: &Text, policy: &Policy) -> Span {
    let policy: &ast::Policy = policy.as_ref();
    policy.loc().map_or_else(|| text.span(0, 0), |loc| text.span(loc.start(), loc.end()))
}

fn at_annotation(text: &Text, policy: &Policy, key: &str, whole: Span) -> Span {
    let policy: &ast::Policy = policy.as_ref();
    let found = policy.annotations().find(|(k, _)| k.as_ref() == key).and_then(|(_, a)| a.loc.clone());
    found.map_or(whole, |loc| text.span(loc.start(), loc.end()))
}

fn labelled(text: &Text, e: &dyn miette::Diagnostic) -> Span {
    let label = e.labels().and_then(|mut labels| labels.next());
    label.map_or_else(|| text.span(0, 0), |l| text.span(l.offset(), l.offset().saturating_add(l.len())))
}

fn help(e: &dyn miette::Diagnostic) -> String {
    e.help().map_or_else(|| "the schema is `policies/schema.cedarschema`".to_owned(), |h| h.to_string())
}

/// Cedar's message without the internal name of the policy, and without the action: one mistake is the same in each.
fn plain(message: &str) -> String {
    let message = message.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, ")).map_or(message, |m| m.1);
    match message.split_once(" in context for Action::") {
        Some((before, rest)) => format!("{before} in context {}", rest.split_once(' ').map_or("", |(_, r)| r)),
        None => message.to_owned(),
    }
}
