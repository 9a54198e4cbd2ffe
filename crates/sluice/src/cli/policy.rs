//! What can be typed after `sluice policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Author, Format, List, Place};

/// `sluice policy`
#[derive(Subcommand)]
pub enum Policy {
    /// Read all rules as they are on the disk, signed or not.
    Check(List),
    /// Ask the policies the questions of their tests.
    Test(TestPolicies),
    /// Say what the policies do in words, or why a question is answered as it is.
    Explain(Box<ExplainPolicy>),
    /// Say what changed in the rules, what of it allows more, and which recorded decisions would be others.
    Diff(DiffPolicies),
    /// Policies to take over, each pack with its tests.
    Packs,
    /// Write a pack of policies into the workspace.
    Add(AddPack),
    /// Sign the rules as they are on the disk.
    Sign(Sign),
    /// Who may sign the rules: list, propose others, agree.
    #[command(subcommand)]
    Signers(SignersCommand),
    /// Ask other policies about the decisions that were recorded: which would be others.
    Replay(Replay),
}

/// `sluice policy test`
#[derive(Args)]
pub struct TestPolicies {
    /// A file of tests, or a folder of them; else those in `policies/tests`.
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Whose policies.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice policy add`
#[derive(Args)]
pub struct AddPack {
    /// Which; `sluice policy packs` lists them.
    #[arg(value_name = "PACK")]
    pub pack: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice policy explain`
#[derive(Args)]
pub struct ExplainPolicy {
    /// One policy, by its id; else all of them.
    #[arg(value_name = "POLICY", conflicts_with_all = ["action", "call", "test"])]
    pub policy: Option<String>,
    /// Why a question is answered as it is: what is done (read, write, export, grant, execute, notify).
    #[arg(long, value_name = "EFFECT")]
    pub action: Option<String>,
    /// The call, as a contract of the workspace has it.
    #[arg(long, value_name = "CONNECTOR.ACTION", conflicts_with = "action")]
    pub call: Option<String>,
    /// The question of a test, by its name.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["action", "call"])]
    pub test: Option<String>,
    /// On whose behalf.
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// Who wrote the definition.
    #[command(flatten)]
    pub author: Author,
    /// Where it goes.
    #[arg(long, value_name = "DESTINATION", conflicts_with = "dataset")]
    pub to: Option<String>,
    /// What it reads or writes.
    #[arg(long, value_name = "DATASET")]
    pub dataset: Option<String>,
    /// For what.
    #[arg(long)]
    pub purpose: Option<String>,
    /// How far the workflow has come: proposed, verified, approved; of agents session, planned.
    #[arg(long)]
    pub standing: Option<String>,
    /// What a part of the call carries: `payload=phi`.
    #[arg(long, value_name = "PART=CLASS")]
    pub carries: Vec<String>,
    /// Who had a part in it: `control=tickets`, `recipient=model:assistant`; `payload=unknown` without a contract's word.
    #[arg(long, value_name = "PART=ORIGIN")]
    pub origin: Vec<String>,
    /// A class of what the arguments refer to: `privileged-group`.
    #[arg(long, value_name = "CLASS")]
    pub reference: Vec<String>,
    /// It hands out rights or runs code, whatever its effect.
    #[arg(long)]
    pub privileged: bool,
    /// How much, in the smallest unit.
    #[arg(long, allow_negative_numbers = true)]
    pub amount: Option<i64>,
    /// How often this run has made the call.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub calls_this_run: i64,
    /// How often the workspace has made it within the hour.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub calls_this_hour: i64,
    /// The workflow never made it to this resource.
    #[arg(long)]
    pub first_seen: bool,
    /// What people agreed to: `owner-of:payload/1`.
    #[arg(long, value_name = "REQUIREMENT")]
    pub approval: Vec<String>,
    /// Whose policies.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl ExplainPolicy {
    /// Whether a question is asked; else policies are told.
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.action.is_some() || self.call.is_some() || self.test.is_some()
    }
}

/// `sluice policy diff`
#[derive(Args)]
pub struct DiffPolicies {
    /// The folder of a workspace with the later rules; else this one as it is on the disk, signed or not.
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// The folder with the earlier ones; else those that were in force last.
    #[arg(long, value_name = "DIR")]
    pub against: Option<PathBuf>,
    /// Of recorded decisions only those of this long ago or less: `30d`, `12h`, `15m`.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub since: Option<Span>,
    /// Whose ledger.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice policy signers`
#[derive(Subcommand)]
pub enum SignersCommand {
    /// Who may sign, who has signed, and whether a change waits.
    List(ListSigners),
    /// Propose other signers; as many of those who are pinned must agree as must sign the rules.
    Propose(ProposeSigners),
    /// Agree to the change that waits.
    Sign(SignSigners),
    /// Pin the signers of a change that was agreed to on another machine.
    Apply(Place),
}

/// `sluice policy signers list`
#[derive(Args)]
pub struct ListSigners {
    /// Whose.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `sluice policy signers propose`
#[derive(Args)]
pub struct ProposeSigners {
    /// Who comes: the line of their public key.
    #[arg(long, value_name = "KEY")]
    pub add: Vec<String>,
    /// Who goes.
    #[arg(long, value_name = "PERSON")]
    pub remove: Vec<String>,
    /// Whether one person alone signs the rules.
    #[arg(long, value_name = "BOOL")]
    pub solo: Option<bool>,
    /// Who proposes it; their word counts.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice policy signers sign`
#[derive(Args)]
pub struct SignSigners {
    /// Who agrees.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice policy replay`
#[derive(Args)]
pub struct Replay {
    /// The folder of a workspace with the other policies; else those of this one as they are on the disk, signed or not.
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,
    /// Only decisions of this long ago or less: `30d`, `12h`, `15m`.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub since: Option<Span>,
    /// Whose ledger.
    #[command(flatten)]
    pub place: Place,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A span of time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub u64);

pub(super) fn span(text: &str) -> Result<Span, String> {
    const UNITS: [(char, u64); 3] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000)];
    let read = UNITS.into_iter().find_map(|(unit, ms)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(ms));
    read.map(Span).ok_or_else(|| "write a number of days, hours or minutes: `30d`, `12h`, `15m`".to_owned())
}

/// `sluice policy sign`
#[derive(Args)]
pub struct Sign {
    /// Who signs.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}
