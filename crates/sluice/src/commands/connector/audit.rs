//! `sluice connector audit`: what of a workspace's connectors is too wide, unpinned, unsigned or unused.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sluice_core::contract::connector::{McpTransport, Shown, Transport, Variable};
use sluice_core::contract::{Contract, Governance};
use sluice_core::gate::Effect;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::workspace::{Workspace, read_bundle, read_governance, read_principals};
use sluice_store::Query;

use super::package;
use crate::cli::{Format, List};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Looks at all contracts as they are on the disk, signed or not; exit code 1 if something should be mended.
pub(super) fn run(arguments: &List) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let governance = read_governance(&read_bundle(&folder)?, &read_principals(&folder)?)?;
    let mut found = Vec::new();
    let calls = match Workspace::open(&folder) {
        Ok(workspace) => Some(calls(&governance, &Ledger::open(&folder, workspace.home())?)?),
        Err(error) => {
            found.push(Found { rule: Rule::Unsigned, connector: None, what: error.to_string() });
            None
        }
    };
    governance.contracts.iter().for_each(|contract| look(contract, &governance, &mut found));
    for name in governance.lock.connectors.keys() {
        if !governance.contracts.iter().any(|contract| contract.connector.value == *name) {
            found.push(Found::of(name, Rule::StalePins, "the lock pins tools of a connector that has no contract"));
        }
    }
    for ((connector, action), _) in calls.iter().flatten().filter(|(_, count)| **count == 0) {
        found.push(Found::of(connector, Rule::Unused, &format!("`{connector}.{action}` was never called")));
    }
    match arguments.format {
        Format::Json => print(&found, calls.as_ref())?,
        Format::Text => tell(&found, governance.contracts.len(), calls.is_some()),
    }
    Ok(if found.iter().any(|found| found.rule.must_be_mended()) { Exit::Findings } else { Exit::Fine })
}

/// How often each action was called, by connector and action.
type Calls = BTreeMap<(String, String), usize>;

fn calls(governance: &Governance, ledger: &Ledger) -> Result<Calls, Failure> {
    let mut calls = Calls::new();
    for contract in &governance.contracts {
        for action in contract.actions.keys() {
            let name = format!("{}.{action}", contract.connector.value);
            let query = Query { kind: Some(EntryKind::INTENT), action: Some(name), ..Query::default() };
            let count = ledger.look(|records| records.find(&query))?.len();
            calls.insert((contract.connector.value.to_string(), action.to_string()), count);
        }
    }
    Ok(calls)
}

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Unsigned,
    UnpinnedPackage,
    Unpinned,
    StalePins,
    ClearSecret,
    InheritedSecret,
    WideScope,
    UnneededScope,
    Unused,
}

impl Rule {
    const ALL: [Self; 9] = [
        Self::Unsigned,
        Self::UnpinnedPackage,
        Self::Unpinned,
        Self::StalePins,
        Self::ClearSecret,
        Self::InheritedSecret,
        Self::WideScope,
        Self::UnneededScope,
        Self::Unused,
    ];

    const fn name(self) -> &'static str {
        self.row().0
    }

    const fn must_be_mended(self) -> bool {
        self.row().1
    }

    const fn help(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, bool, &'static str) {
        match self {
            Self::Unsigned => ("unsigned", true, "read what is there and sign it: `sluice policy sign`"),
            Self::UnpinnedPackage => (
                "unpinned-package",
                true,
                "name one version (`pkg@1.2.3`, `pkg==1.2.3`, `image@sha256:…`): else the next start may run another program",
            ),
            Self::Unpinned => ("no-pins", true, "`sluice connector pin NAME` pins what its tools say"),
            Self::StalePins => ("stale-pins", false, "remove the entry from `sluice.lock`, or put the contract back"),
            Self::ClearSecret => (
                "clear-secret",
                true,
                "keep it with `sluice secret set`, and write `{ secret: NAME }`: contracts are read by many",
            ),
            Self::InheritedSecret => (
                "inherited-secret",
                true,
                "keep it with `sluice secret set`, and write `{ secret: NAME }`: whoever starts the gateway has it too",
            ),
            Self::WideScope => ("wide-scope", true, "ask the service for a credential that is good for less"),
            Self::UnneededScope => {
                ("unneeded-scope", true, "every action of the contract only reads: a credential for reading is enough")
            }
            Self::Unused => {
                ("unused", false, "remove the action if nobody needs it: what is not there cannot be called")
            }
        }
    }
}

struct Found {
    rule: Rule,
    connector: Option<String>,
    what: String,
}

impl Found {
    fn of(connector: &str, rule: Rule, what: &str) -> Self {
        Self { rule, connector: Some(connector.to_owned()), what: what.to_owned() }
    }
}

fn look(contract: &Contract, governance: &Governance, out: &mut Vec<Found>) {
    let name = contract.connector.value.as_ref();
    if let Transport::Mcp(mcp) = &contract.transport {
        look_at_server(name, mcp, out);
        if !governance.lock.connectors.contains_key(name) {
            out.push(Found::of(name, Rule::Unpinned, "nothing of what its tools say is pinned"));
        }
    }
    let only_reads = contract.actions.values().all(|action| action.effect == Effect::Read);
    for scope in contract.credential.iter().flat_map(|credential| &credential.scopes) {
        if is_wide(scope) {
            out.push(Found::of(name, Rule::WideScope, &format!("the scope `{scope}` is good for everything")));
        } else if only_reads && changes(scope) {
            out.push(Found::of(
                name,
                Rule::UnneededScope,
                &format!("the scope `{scope}` is good for more than reading"),
            ));
        }
    }
}

fn look_at_server(name: &str, mcp: &McpTransport, out: &mut Vec<Found>) {
    let (command, environment) = match mcp {
        McpTransport::Command { command, environment, .. } => (command, environment),
        McpTransport::Url { headers, .. } => {
            for (header, _) in headers.iter().filter(|(name, shown)| is_secret(name) && matches!(shown, Shown::Text(_)))
            {
                out.push(Found::of(name, Rule::ClearSecret, &format!("`{header}` stands in its contract")));
            }
            return;
        }
    };
    if let Some(package) = package::of(command).filter(|package| !package.is_pinned()) {
        let version =
            package.version.as_deref().map_or_else(|| "no version".to_owned(), |version| format!("`{version}`"));
        let what = format!("its command fetches `{}` with {version}", package.name);
        out.push(Found::of(name, Rule::UnpinnedPackage, &what));
    }
    for word in clear_secrets(command) {
        out.push(Found::of(name, Rule::ClearSecret, &format!("`{word}` stands in its command with a value")));
    }
    for (variable, value) in environment.iter().filter(|(variable, _)| is_secret(variable)) {
        match value {
            Variable::Text(text) if !text.is_empty() => {
                out.push(Found::of(name, Rule::ClearSecret, &format!("`{variable}` stands in its contract")));
            }
            Variable::Inherited => {
                let what = format!("`{variable}` comes from the environment of whoever starts the gateway");
                out.push(Found::of(name, Rule::InheritedSecret, &what));
            }
            Variable::Text(_) | Variable::Secret(_) => {}
        }
    }
}

/// Words of a command that give a secret: `TOKEN=x`, `--api-key=x`, `--token x`. Their values are not shown.
fn clear_secrets(command: &[Name]) -> Vec<&str> {
    let mut found = Vec::new();
    for (number, word) in command.iter().enumerate() {
        let is_given = |next: &Name| word.starts_with("--") && !next.starts_with('-');
        match word.split_once('=') {
            Some((given, value)) if is_secret(given) && !value.is_empty() => found.push(given),
            None if is_secret(word) && command.get(number + 1).is_some_and(is_given) => found.push(word.as_ref()),
            _ => {}
        }
    }
    found
}

/// Words of a scope: `https://api.example/auth/drive.readonly`, `repo:write`.
fn words(text: &str) -> BTreeSet<String> {
    let split = |c: char| !c.is_ascii_alphanumeric() && c != '*';
    text.split(split).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn is_wide(scope: &str) -> bool {
    const WIDE: [&str; 10] =
        ["*", "all", "admin", "full", "root", "superuser", "owner", "fullcontrol", "administrator", "full_access"];
    words(scope).iter().any(|word| WIDE.contains(&word.as_str()) || word.contains('*')) || scope == "full_access"
}

fn changes(scope: &str) -> bool {
    const CHANGES: [&str; 12] = [
        "write",
        "readwrite",
        "rw",
        "manage",
        "delete",
        "create",
        "update",
        "edit",
        "modify",
        "send",
        "publish",
        "execute",
    ];
    words(scope).iter().any(|word| CHANGES.contains(&word.as_str()))
}

fn is_secret(variable: &str) -> bool {
    const SECRETS: [&str; 9] =
        ["token", "secret", "password", "passwd", "pat", "apikey", "credential", "credentials", "key"];
    words(variable).iter().any(|word| SECRETS.contains(&word.as_str()))
}

fn print(found: &[Found], calls: Option<&Calls>) -> Result<(), Failure> {
    let wire = found.iter().map(|found| {
        json!({
            "rule": found.rule.name(),
            "connector": found.connector,
            "what": found.what,
            "mend": found.rule.must_be_mended(),
            "help": found.rule.help(),
        })
    });
    let counted = calls.map(|calls| {
        calls
            .iter()
            .map(|((connector, action), count)| json!({ "action": format!("{connector}.{action}"), "calls": count }))
            .collect::<Vec<_>>()
    });
    Ok(out::print(&json!({ "version": 1, "found": wire.collect::<Vec<_>>(), "calls": counted }))?)
}

fn tell(found: &[Found], contracts: usize, is_counted: bool) {
    let mut page = Page::of_stdout();
    for rule in Rule::ALL {
        let of_rule: Vec<&Found> = found.iter().filter(|found| found.rule == rule).collect();
        if of_rule.is_empty() {
            continue;
        }
        page.gap();
        let tone = if rule.must_be_mended() { Tone::Bad } else { Tone::Warn };
        page.hang([Part::new(rule.name(), tone), "  ".into()], &[Part::new(rule.help(), Tone::Faint)]);
        for found in of_rule {
            let connector = found.connector.as_ref().map_or_else(String::new, |name| format!("{name}: "));
            page.hang(["  - "], &[Part::new(connector, Tone::Strong), Part::plain(&found.what)]);
        }
    }
    page.gap();
    let mend = found.iter().filter(|found| found.rule.must_be_mended()).count();
    let tone = if mend == 0 { Tone::Good } else { Tone::Bad };
    page.line([
        Part::new(format!("{mend} to mend, {} to know", found.len() - mend), tone),
        Part::plain(format!(", in {contracts} contracts")),
    ]);
    if !is_counted {
        page.hang(
            Vec::<Part>::new(),
            &[Part::new(
                "what was never called is not known: the ledger is opened only with a bundle in force",
                Tone::Faint,
            )],
        );
    }
    page.print();
}
