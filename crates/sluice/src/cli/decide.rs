//! Arguments of what people say beside yes and no: broken glass, its review, and who speaks in whose place.

use std::path::PathBuf;

use clap::Args;
use sluice_render::time::day_ms;
use sluice_runtime::clock::now_ms;

use super::Place;

const DAY_MS: u64 = 86_400_000;

/// `sluice approvals break-glass`
#[derive(Args)]
pub struct BreakGlass {
    /// As `sluice approvals list` names it.
    pub id: String,
    /// Who signs: somebody whom `break_glass` in `workspace.yaml` names.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Why it cannot wait.
    #[arg(long, value_name = "REASON")]
    pub because: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice approvals review`
#[derive(Args)]
pub struct Review {
    /// As `sluice approvals reviews` names it.
    pub id: String,
    /// Who signs: neither who broke the glass nor who asked.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// What they found.
    #[arg(long, value_name = "WORDS")]
    pub finding: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice approvals delegate`
#[derive(Args)]
pub struct Delegate {
    /// Who signs, and is spoken for.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Who speaks in their place.
    #[arg(long, value_name = "PERSON")]
    pub to: String,
    /// Of what, as the policy names it: `owner-of:payload`, `group:it`; else of all that they are asked.
    #[arg(long, value_name = "ROLE")]
    pub of: Option<String>,
    /// The last day, in UTC: `2027-01-31`; or for how long: `14d`. At most 92 days.
    #[arg(long, value_name = "DATE", value_parser = until)]
    pub until: Until,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// `sluice approvals undelegate`
#[derive(Args)]
pub struct Undelegate {
    /// As `sluice approvals delegations` names it.
    pub id: String,
    /// Who signs: whoever delegated.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: String,
    /// Their key file.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Where.
    #[command(flatten)]
    pub place: Place,
}

/// A moment, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until(pub u64);

fn until(text: &str) -> Result<Until, String> {
    if let Some(day) = day_ms(text) {
        return Ok(Until(day.saturating_add(DAY_MS)));
    }
    match super::policy::span(text) {
        Ok(super::Span(ms)) => Ok(Until(now_ms().saturating_add(ms))),
        Err(_) => Err("write the last day, `2027-01-31`, or for how long: `14d`".to_owned()),
    }
}
