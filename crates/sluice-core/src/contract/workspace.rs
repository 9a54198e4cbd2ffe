//! `workspace.yaml`: what a workspace is called, how serious it is, and whether one person governs it.
//!
//! It is part of the signed bundle: whoever could mark a production workspace as `demo` could approve with a key file.

use std::collections::BTreeMap;

use crate::contract::approval::{Party, Requirement};
use crate::contract::codes::BAD_QUORUM;
use crate::contract::read::{Located, id, text, version};
use crate::diagnostic::Diagnostic;
use crate::document::{self, Fields, Node};
use crate::label::Name;
use crate::text::Text;

/// The file's path in a workspace.
pub const WORKSPACE_FILE: &str = "workspace.yaml";

/// How serious a workspace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Shows what Sluice does. Key files approve.
    Demo,
    /// Tries workflows out. Key files approve.
    Test,
    /// Real. Only strong identities approve.
    Production,
}

impl Mode {
    /// The word in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Test => "test",
            Self::Production => "production",
        }
    }

    /// Whether a key file may stand for a person.
    #[must_use]
    pub const fn accepts_key_files(self) -> bool {
        matches!(self, Self::Demo | Self::Test)
    }
}

/// `workspace.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its name, in reports and ledger.
    pub name: Located<Name>,
    /// How serious it is.
    pub mode: Mode,
    /// Whether one person signs the bundle. Every report and entry says so.
    pub solo: bool,
    /// Who must sign a definition before it runs; `None` if nobody is asked, and its words then keep their author as origin.
    pub definitions: Option<Requirement>,
    /// Which groups of the register an identity provider's groups stand for.
    pub login_groups: Option<LoginGroups>,
    /// The person or group who may break the glass: let one held step pass at once, without those who would have had to approve.
    /// `None` if nobody may.
    pub break_glass: Option<Name>,
}

/// What a provider says of somebody's groups, and what it means here. Nothing else that it says makes anybody a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginGroups {
    /// The claim of its tokens that lists them.
    pub claim: Name,
    /// The register's group for each of them.
    pub groups: BTreeMap<Name, Name>,
}

/// `login_groups: { claim: groups, groups: { sec-admins: security } }`.
fn login_groups(node: &Node, out: &mut Vec<Diagnostic>) -> Option<LoginGroups> {
    let mut fields = Fields::of(node, "`login_groups`", out)?;
    let claim = fields.required("claim", out).and_then(|n| text(n, "claim", out));
    let listed = fields.required("groups", out).and_then(|n| n.expect_map("groups", out)).unwrap_or_default();
    let groups = listed.iter().filter_map(|e| Some((e.key.clone(), id(&e.value, "a group", out)?.value))).collect();
    fields.finish(out);
    Some(LoginGroups { claim: claim?.value, groups })
}

/// `definitions: { approvers: workflow-owners, quorum: 1 }`.
fn definitions(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Requirement> {
    const QUORUM_MAX: u64 = 9;
    let mut fields = Fields::of(node, "`definitions`", out)?;
    let approvers = fields.required("approvers", out).and_then(|n| id(n, "approvers", out));
    let quorum = fields.optional("quorum").map_or(Some(1), |n| n.expect_count("quorum", out));
    let range = fields.optional("quorum").map(|n| n.span);
    fields.finish(out);
    let (approvers, quorum) = (approvers?, quorum?);
    if !(1..=QUORUM_MAX).contains(&quorum) {
        let message = format!("a quorum is a number from 1 to {QUORUM_MAX}");
        out.push(BAD_QUORUM.at(range.unwrap_or(node.span), message));
        return None;
    }
    let group = approvers.value;
    Some(Requirement {
        role: format!("group:{group}").into(),
        quorum: usize::try_from(quorum).ok()?,
        parties: [Party::Principal(group)].into(),
    })
}

impl Workspace {
    /// Reads the file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &Text) -> Result<Self, Vec<Diagnostic>> {
        let node = document::read(text)?;
        let mut out = Vec::new();
        let workspace = Fields::of(&node, "a workspace", &mut out).and_then(|fields| Self::read(fields, &mut out));
        match workspace {
            Some(workspace) if out.is_empty() => Ok(workspace),
            _ => Err(out),
        }
    }

    fn read(mut fields: Fields<'_>, out: &mut Vec<Diagnostic>) -> Option<Self> {
        if !version(&mut fields, out) {
            return None;
        }
        let name = fields.required("name", out).and_then(|n| id(n, "name", out));
        let modes = [Mode::Demo, Mode::Test, Mode::Production].map(|mode| (mode.name(), mode));
        let mode = fields.required("mode", out).and_then(|n| n.expect_word("mode", &modes, out));
        let solo = fields.optional("solo").map_or(Some(false), |n| n.expect_bool("solo", out));
        let definitions = fields.optional("definitions").map(|n| definitions(n, out));
        let login_groups = fields.optional("login_groups").map(|n| login_groups(n, out));
        let break_glass = fields.optional("break_glass").and_then(|n| id(n, "break_glass", out));
        fields.finish(out);
        let definitions = match definitions {
            None => None,
            Some(requirement) => Some(requirement?),
        };
        let login_groups = match login_groups {
            None => None,
            Some(mapping) => Some(mapping?),
        };
        let break_glass = break_glass.map(|people| people.value);
        Some(Self { name: name?, mode: mode?, solo: solo?, definitions, login_groups, break_glass })
    }
}
