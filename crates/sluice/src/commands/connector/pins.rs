//! `sluice connector diff` and `pin`: what a server says of its tools now, beside what people have seen of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};
use similar::{ChangeTag, TextDiff};
use sluice_connectors::secret::{SecretStore, WorkspaceKey};
use sluice_core::contract::lock::{LOCK_FILE, Lock, Pin, Pins};
use sluice_core::label::Name;
use sluice_gateway::listing::Listed;
use sluice_gateway::upstream::Upstream;
use sluice_runtime::workspace::{SECRETS_FILE, Workspace, read_bundle, read_lock, write_lock};

use super::add::{Seen, list, readable};
use super::told;
use crate::cli::{DiffConnector, Format, PinConnector};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// How long lines are compared before all that is left counts as changed: a server wrote them.
const COMPARED_WITHIN: Duration = Duration::from_secs(2);

/// Shows what differs; exit code 1 if something does.
pub(super) fn diff(arguments: &DiffConnector) -> Result<Exit, Failure> {
    let workspace = arguments.place.open()?;
    let listed = ask(&workspace, &arguments.name)?;
    let pins = workspace.governance().lock.connectors.get(arguments.name.as_str());
    let compared = compare(pins, &listed);
    match arguments.format {
        Format::Json => out::print(&wire(&arguments.name, pins, &listed, &compared))?,
        Format::Text => tell(&arguments.name, pins.is_some(), &compared),
    }
    Ok(if compared.iter().any(|one| one.standing.is_drift()) { Exit::Findings } else { Exit::Fine })
}

/// Takes what a server says now into the lock.
pub(super) fn pin(arguments: &PinConnector) -> Result<Exit, Failure> {
    let workspace = arguments.place.open()?;
    let listed = ask(&workspace, &arguments.name)?;
    let mut lock = read_lock(&read_bundle(workspace.folder())?)?;
    let before = lock.connectors.get(arguments.name.as_str()).cloned();
    let compared = compare(before.as_ref(), &listed);
    let wanted: BTreeSet<&str> = arguments.tools.iter().map(String::as_str).collect();
    if let Some(unknown) = wanted.iter().find(|name| !compared.iter().any(|one| one.tool == **name)) {
        return Err(Failure::usage(format!("`{unknown}` is neither a tool of `{}` nor pinned", arguments.name)));
    }
    let mut pins = Pins { server: listed.server.clone(), ..before.unwrap_or_default() };
    let mut taken = Vec::new();
    for one in &compared {
        // What hides something is taken only by its name: whoever types it has seen it.
        let is_wanted = if wanted.is_empty() { one.standing.is_drift() } else { wanted.contains(one.tool.as_str()) };
        if !is_wanted || one.standing == Standing::Same {
            continue;
        }
        match &one.now {
            Some(now) if !wanted.is_empty() || now.withheld.is_none() => {
                pins.tools.insert(one.tool.as_str().into(), Pin::of(&now.tool.definition));
            }
            Some(_) => continue,
            None => _ = pins.tools.remove(one.tool.as_str()),
        }
        taken.push(one);
    }
    lock.connectors.insert(arguments.name.as_str().into(), pins);
    readable(&lock)?;
    if !taken.is_empty() {
        write_lock(workspace.folder(), &lock)?;
    }
    told_taken(arguments, &compared, &taken, &lock)?;
    Ok(Exit::Fine)
}

/// Starts the server as the signed contract says, and asks what it offers.
fn ask(workspace: &Workspace, name: &str) -> Result<Listed, Failure> {
    let contracts = &workspace.governance().contracts;
    let contract = contracts.iter().find(|contract| contract.connector.value.as_ref() == name);
    let upstream = contract.and_then(Upstream::of).ok_or_else(|| {
        Failure::usage(format!(
            "`{name}` is no server of a contract here; `sluice connector add mcp {name} -- CMD` drafts one"
        ))
    })?;
    let key = WorkspaceKey::read(&workspace.home().workspace_key(), workspace.folder())?;
    list(&upstream, &SecretStore::new(workspace.folder().join(SECRETS_FILE), key))
}

/// A tool as it was pinned and as it is.
struct Compared {
    tool: String,
    pinned: Option<Pin>,
    now: Option<Seen>,
    standing: Standing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Same,
    Changed,
    New,
    Gone,
    /// New, and withheld whatever is pinned.
    Withheld,
}

impl Standing {
    const fn is_drift(self) -> bool {
        matches!(self, Self::Changed | Self::New | Self::Gone)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Withheld => "withheld",
        }
    }
}

fn compare(pins: Option<&Pins>, listed: &Listed) -> Vec<Compared> {
    let names: BTreeSet<Name> = pins
        .into_iter()
        .flat_map(|pins| pins.tools.keys().cloned())
        .chain(listed.tools.iter().map(|tool| tool.name.as_str().into()))
        .collect();
    let one = |name: Name| {
        let pinned = pins.and_then(|pins| pins.tools.get(&name)).cloned();
        let now = listed.tools.iter().find(|tool| tool.name == *name).map(|tool| Seen::of(tool, &listed.tools));
        let standing = match (&pinned, &now) {
            (Some(pin), Some(now)) if pin.digest() == now.tool.digest() => Standing::Same,
            (Some(_), Some(_)) => Standing::Changed,
            (None, Some(now)) if now.withheld.is_some() => Standing::Withheld,
            (None, _) => Standing::New,
            (Some(_), None) => Standing::Gone,
        };
        Compared { tool: name.to_string(), pinned, now, standing }
    };
    names.into_iter().map(one).collect()
}

fn wire(name: &str, pins: Option<&Pins>, listed: &Listed, compared: &[Compared]) -> Json {
    let tool = |one: &Compared| {
        let found = one.now.iter().flat_map(|now| &now.found).map(told::found).collect::<Vec<_>>();
        json!({
            "tool": one.tool,
            "standing": one.standing.name(),
            "pinned": one.pinned.as_ref().map(Pin::definition),
            "now": one.now.as_ref().map(|now| &now.tool.definition),
            "withheld": one.now.as_ref().and_then(|now| now.withheld.as_ref()).filter(|_| one.standing != Standing::Same),
            "found": found,
        })
    };
    json!({
        "version": 1,
        "connector": name,
        "drifted": compared.iter().any(|one| one.standing.is_drift()),
        "pinned_server": pins.map(|pins| told::server(&pins.server)),
        "server": told::server(&listed.server),
        "tools": compared.iter().map(tool).collect::<Vec<_>>(),
    })
}

fn tell(name: &str, is_pinned: bool, compared: &[Compared]) {
    let mut page = Page::of_stdout();
    if !is_pinned {
        page.hang(
            [Part::new("no tool of this connector is pinned yet: ", Tone::Warn)],
            &["every one of them is new".into()],
        );
    }
    for one in compared {
        show(&mut page, one);
    }
    let differing = || compared.iter().filter(|one| one.standing != Standing::Same);
    let found = differing().filter_map(|one| Some((one.tool.as_str(), one.now.as_ref()?.found.as_slice())));
    told::findings(&mut page, found);
    page.gap();
    let drifted = compared.iter().filter(|one| one.standing.is_drift()).count();
    if drifted == 0 {
        page.line([Part::new("no drift: ", Tone::Good), Part::plain("the tools are what was pinned")]);
    } else {
        page.line([Part::new(format!("{drifted} of {} tools drifted", compared.len()), Tone::Bad)]);
        told::next(
            &mut page,
            &[
                "until somebody takes the new definitions, the gateway offers none of these tools",
                &format!(
                    "`sluice connector pin {name}` takes them into `{LOCK_FILE}`; one that is withheld only by its name"
                ),
                "then the bundle must be signed anew: `sluice policy sign --as PERSON --key FILE`",
            ],
        );
    }
    page.print();
}

fn show(page: &mut Page, one: &Compared) {
    let tone = match one.standing {
        Standing::Same => return,
        Standing::New => Tone::Warn,
        Standing::Changed | Standing::Gone | Standing::Withheld => Tone::Bad,
    };
    page.gap();
    page.line([Part::new(one.standing.name(), tone), "  ".into(), Part::new(&one.tool, Tone::Strong)]);
    if let Some(why) = one.now.as_ref().and_then(|now| now.withheld.as_ref()) {
        page.hang([Part::new("  withheld ", Tone::Bad)], &[why.as_str().into()]);
    }
    let lines = |definition: Option<&Json>| definition.map(lines_of).unwrap_or_default().join("\n");
    let before = lines(one.pinned.as_ref().map(Pin::definition));
    let after = lines(one.now.as_ref().map(|now| &now.tool.definition));
    let compared = TextDiff::configure().timeout(COMPARED_WITHIN).diff_lines(&before, &after);
    for change in compared.iter_all_changes() {
        let (mark, tone) = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => ("  - ", Tone::Bad),
            ChangeTag::Insert => ("  + ", Tone::Good),
        };
        page.hang([Part::new(mark, tone)], &[Part::new(change.value().trim_end_matches('\n'), tone)]);
    }
}

/// A definition as lines: a place and what stands there, a long text line by line.
fn lines_of(definition: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    put_lines(&sluice_core::contract::lock::sorted(definition), "", &mut lines);
    lines
}

fn put_lines(value: &Json, place: &str, lines: &mut Vec<String>) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                put_lines(value, &place, lines);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for (number, item) in items.iter().enumerate() {
                put_lines(item, &format!("{place}[{number}]"), lines);
            }
        }
        Json::String(text) => lines.extend(text.split('\n').map(|line| format!("{place}: {line}"))),
        other => lines.push(format!("{place}: {other}")),
    }
}

fn told_taken(
    arguments: &PinConnector,
    compared: &[Compared],
    taken: &[&Compared],
    lock: &Lock,
) -> Result<(), Failure> {
    let name = arguments.name.as_str();
    let left: Vec<&Compared> = compared
        .iter()
        .filter(|one| one.standing != Standing::Same && !taken.iter().any(|took| took.tool == one.tool))
        .collect();
    let pinned = lock.connectors.get(name).map_or(0, |pins| pins.tools.len());
    if arguments.format == Format::Json {
        let names = |list: &[&Compared]| list.iter().map(|one| one.tool.clone()).collect::<Vec<_>>();
        let json = json!({ "version": 1, "connector": name, "lock": LOCK_FILE, "taken": names(taken), "left": names(&left), "pinned": pinned });
        return Ok(out::print(&json)?);
    }
    let mut page = Page::of_stdout();
    for one in taken {
        let deed = if one.standing == Standing::Gone { "removed" } else { "pinned " };
        page.line([Part::new(deed, Tone::Good), "  ".into(), Part::new(&one.tool, Tone::Strong)]);
    }
    for one in &left {
        let why = one.now.as_ref().and_then(|now| now.withheld.clone()).unwrap_or_else(|| "not asked for".to_owned());
        page.hang([Part::new("left     ", Tone::Warn), Part::new(&one.tool, Tone::Strong), "  ".into()], &[why.into()]);
    }
    page.gap();
    if taken.is_empty() {
        page.line([format!("nothing to take: {pinned} tools are pinned as they are")]);
    } else {
        told::next(
            &mut page,
            &[
                &format!("read what changed in `{LOCK_FILE}`: models will read it too"),
                "sign the bundle anew (`sluice policy sign --as PERSON --key FILE`); until then it does not count",
                "a tool that the contract does not name yet is offered only once it does",
            ],
        );
    }
    page.print();
    Ok(())
}
