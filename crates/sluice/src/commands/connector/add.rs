//! `sluice connector add`: a contract drafted from what a server says of its own tools, and the pins of those tools.
//!
//! Everything that is written is a guess for people to read; nothing of it counts before it is signed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use sluice_connectors::mcp::{Program, Variable};
use sluice_connectors::secret::{SecretStore, WorkspaceKey};
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::contract::governance::CONNECTORS_FOLDER;
use sluice_core::contract::is_id;
use sluice_core::contract::lock::{LOCK_FILE, Lock, Pin, Pins};
use sluice_core::label::Name;
use sluice_gateway::draft::{self, Guess};
use sluice_gateway::listing::{self, Listed};
use sluice_gateway::scan::{self, Found};
use sluice_gateway::tools::Tool;
use sluice_gateway::upstream::{Shown, Upstream};
use sluice_runtime::home::Home;
use sluice_runtime::workspace::{SECRETS_FILE, read_bundle, read_governance, read_lock, read_principals, write_lock};

use super::told;
use crate::cli::{AddMcp, Format};
use crate::commands::gateway::service;
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Starts a server, drafts its contract, and pins its tools.
pub(super) fn mcp(arguments: &AddMcp) -> Result<Exit, Failure> {
    let place = Free::at(&arguments.place.folder()?, &arguments.name)?;
    let (upstream, has_secrets) = upstream(arguments)?;
    // Where no secret is named none is opened, and no key is needed.
    let key = match has_secrets {
        false => WorkspaceKey::from_bytes([0; 32]),
        true => WorkspaceKey::read(&Home::of(&place.folder)?.workspace_key(), &place.folder)?,
    };
    let listed = list(&upstream, &SecretStore::new(place.folder.join(SECRETS_FILE), key))?;
    let seen: Vec<Seen> = listed.tools.iter().map(|tool| Seen::of(tool, &listed.tools)).collect();
    let offered: Vec<Tool> = seen.iter().filter(|seen| seen.withheld.is_none()).map(|seen| seen.tool.clone()).collect();
    let draft = draft::contract(&arguments.name, &upstream.transport(), &offered);
    let tools = offered.iter().map(|tool| (Name::from(tool.name.as_str()), Pin::of(&tool.definition))).collect();
    place.write(&draft.text, Some(Pins { server: listed.server.clone(), tools }))?;
    let said = listed.instructions.as_deref().map(|text| scan::scan_text("instructions", text)).unwrap_or_default();
    let made = Made { name: &arguments.name, file: place.file(), listed: &listed, seen: &seen, said: &said };
    match arguments.format {
        Format::Json => out::print(&made.wire())?,
        Format::Text => made.tell(),
    }
    let is_attacked = seen.iter().flat_map(|seen| &seen.found).chain(&said).any(|found| found.kind.withholds());
    Ok(if is_attacked { Exit::Findings } else { Exit::Fine })
}

/// The server as it is to be reached, and whether it is shown a secret.
fn upstream(arguments: &AddMcp) -> Result<(Upstream, bool), Failure> {
    if let Some(url) = &arguments.url {
        let headers = secrets(&arguments.headers)?;
        let shown = headers.into_iter().map(|(header, name)| (header, Shown::Secret(name)));
        return Ok((service(url, arguments.allow_private, shown.collect())?, !arguments.headers.is_empty()));
    }
    check_words(&arguments.command)?;
    let secrets = secrets(&arguments.secrets)?;
    let mut program = Program::bare(arguments.command.clone());
    let named = secrets.iter().map(|(variable, name)| (variable.clone(), Variable::Secret(name.clone())));
    program.environment.extend(named);
    Ok((Upstream::Program(program), !secrets.is_empty()))
}

/// What a server offers.
pub(super) fn list(upstream: &Upstream, secrets: &SecretStore) -> Result<Listed, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    runtime.block_on(listing::of(upstream, secrets)).map_err(|error| Failure::usage(error.to_string()))
}

/// A tool with what is thought of it.
pub(super) struct Seen {
    pub(super) tool: Tool,
    guess: Guess,
    pub(super) found: Vec<Found>,
    /// Why it is not offered.
    pub(super) withheld: Option<String>,
}

impl Seen {
    pub(super) fn of(tool: &Tool, all: &[Tool]) -> Self {
        let mut found = scan::scan(tool);
        found.extend(scan::mentions(tool, all.iter().map(|tool| tool.name.as_str())));
        let withheld = scan::withheld(tool).or_else(|| draft::unfit(tool));
        Self { tool: tool.clone(), guess: draft::guess(tool), found, withheld }
    }
}

/// A name that no contract of a workspace has yet.
pub(super) struct Free {
    pub(super) folder: PathBuf,
    name: Name,
    files: BundleFiles,
}

impl Free {
    pub(super) fn at(folder: &Path, name: &str) -> Result<Self, Failure> {
        if !is_id(name) {
            return Err(Failure::usage(format!(
                "`{name}` is no name for a connector: use ASCII letters, digits, `-`, `_` and `.`, starting with a letter or digit"
            )));
        }
        let free = Self { folder: folder.to_path_buf(), name: name.into(), files: read_bundle(folder)? };
        let governance = read_governance(&free.files, &read_principals(folder)?)?;
        let known = governance.contracts.iter().find(|contract| contract.connector.value.as_ref() == name);
        let file = known.map_or_else(|| free.file(), |contract| contract.file.to_string());
        if known.is_some() || folder.join(&file).symlink_metadata().is_ok() {
            return Err(Failure::usage(format!(
                "`{file}` is the contract of `{name}` already, and none is ever replaced: `sluice connector diff {name}` shows what \
                 its server says now, `sluice connector pin {name}` takes that; to draft it anew, move the file away"
            )));
        }
        Ok(free)
    }

    /// Where its contract will be.
    pub(super) fn file(&self) -> String {
        format!("{CONNECTORS_FOLDER}{}.yaml", self.name)
    }

    /// Writes contract and pins, once both can be read with all the rest.
    pub(super) fn write(&self, contract: &str, pins: Option<Pins>) -> Result<(), Failure> {
        let mut lock = read_lock(&self.files)?;
        let is_pinned = pins.is_some();
        // Pins of an earlier contract of this name are of another server.
        lock.connectors.remove(&self.name);
        lock.connectors.extend(pins.map(|pins| (self.name.clone(), pins)));
        let mut files: BTreeMap<Name, Vec<u8>> =
            self.files.iter().map(|(path, bytes)| (path.into(), bytes.to_vec())).collect();
        files.insert(self.file().into(), contract.as_bytes().to_vec());
        if is_pinned {
            files.insert(LOCK_FILE.into(), lock.to_text().into_bytes());
        }
        read_governance(&BundleFiles::of(files), &read_principals(&self.folder)?)?;
        let path = self.folder.join(self.file());
        let cannot = |error: std::io::Error| Failure::usage(format!("cannot write `{}`: {error}", path.display()));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(cannot)?;
        }
        let mut file = std::fs::File::create_new(&path).map_err(cannot)?;
        file.write_all(contract.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)?;
        if is_pinned { Ok(write_lock(&self.folder, &lock)?) } else { Ok(()) }
    }
}

/// Variables and the secrets that fill them.
fn secrets(written: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((variable, name)) if !variable.is_empty() && is_id(name) => Ok((variable.to_owned(), name.to_owned())),
        _ => Err(Failure::usage(format!(
            "`{text}` is no `VARIABLE=NAME`: a variable or header, and the name of a secret of the store"
        ))),
    };
    written.iter().map(pair).collect()
}

/// Whether a contract can write the command.
fn check_words(command: &[OsString]) -> Result<(), Failure> {
    match command.iter().find(|word| word.to_str().is_none_or(|text| text.trim().is_empty())) {
        None => Ok(()),
        Some(word) => {
            Err(Failure::usage(format!("`{}` cannot stand in a contract: words of a command are text", word.display())))
        }
    }
}

/// The pins as they would be written: a definition that cannot be read again is pinned nowhere.
pub(super) fn readable(lock: &Lock) -> Result<(), Failure> {
    let text = sluice_core::text::Text::new(LOCK_FILE, lock.to_text());
    match Lock::parse(&text) {
        Ok(_) => Ok(()),
        Err(found) => {
            let first = found.first().map_or("", |found| found.message.as_str());
            Err(Failure::usage(format!("what the server says cannot be pinned: {first}")))
        }
    }
}

/// What was made of a server.
struct Made<'a> {
    name: &'a str,
    file: String,
    listed: &'a Listed,
    seen: &'a [Seen],
    /// What was found in its instructions.
    said: &'a [Found],
}

impl Made<'_> {
    fn wire(&self) -> Json {
        let tool = |seen: &Seen| {
            let roles: BTreeMap<&str, &str> =
                seen.guess.arguments.iter().map(|(name, role)| (name.as_str(), role.name())).collect();
            json!({
                "tool": seen.tool.name,
                "withheld": seen.withheld,
                "effect": seen.guess.effect.name(),
                "privileged": seen.guess.privileged,
                "arguments": roles,
                "why": seen.guess.why,
                "found": seen.found.iter().map(told::found).collect::<Vec<_>>(),
            })
        };
        json!({
            "version": 1,
            "connector": self.name,
            "contract": self.file,
            "lock": LOCK_FILE,
            "server": told::server(&self.listed.server),
            "instructions": self.listed.instructions,
            "instructions_found": self.said.iter().map(told::found).collect::<Vec<_>>(),
            "tools": self.seen.iter().map(tool).collect::<Vec<_>>(),
        })
    }

    fn tell(&self) {
        let Self { name, file, listed, seen, said } = self;
        let mut page = Page::of_stdout();
        let offered = seen.iter().filter(|seen| seen.withheld.is_none());
        page.line([Part::new("drafted ", Tone::Good), Part::new(file, Tone::Accent)]);
        let pinned = format!("{} of {} tools", offered.clone().count(), seen.len());
        page.hang(
            [Part::new("pinned  ", Tone::Good), Part::new(LOCK_FILE, Tone::Accent), "  ".into()],
            &[pinned.into()],
        );
        page.gap();
        let rows: Vec<Vec<Part>> = offered.map(|seen| guessed(&seen.tool.name, &seen.guess)).collect();
        page.table(2, &rows);
        let withheld: Vec<Vec<Part>> = seen
            .iter()
            .filter_map(|seen| Some((seen, seen.withheld.as_ref()?)))
            .map(|(seen, why)| {
                vec![Part::new(&seen.tool.name, Tone::Strong), Part::new("withheld", Tone::Bad), why.as_str().into()]
            })
            .collect();
        page.gap();
        page.table(2, &withheld);
        let of_tools = seen.iter().map(|seen| (seen.tool.name.as_str(), seen.found.as_slice()));
        told::findings(&mut page, of_tools.chain([("the server", *said)]));
        if let Some(words) = &listed.instructions {
            page.gap();
            page.line([Part::new("the server also says to the model, whenever it is connected:", Tone::Strong)]);
            page.quote(words, Tone::Warn);
        }
        told::next(
            &mut page,
            &[
                &format!(
                    "read `{file}` and correct it: every line is a guess, and replies count as an outsider's words"
                ),
                "`sluice policy sign --as PERSON --key FILE` puts it in force; those who sign have seen what the tools say",
                &format!("`sluice connector diff {name}` shows later whether the server says something else"),
            ],
        );
        page.print();
    }
}

/// What was guessed of a tool or an operation, and why.
pub(super) fn guessed(name: &str, guess: &Guess) -> Vec<Part> {
    let tone = if guess.privileged || guess.effect.is_outbound() { Tone::Warn } else { Tone::Plain };
    let is_marked = guess.privileged && !guess.effect.is_privileged();
    let effect =
        if is_marked { format!("{}, privileged", guess.effect.name()) } else { guess.effect.name().to_owned() };
    let roles: Vec<String> = guess.arguments.iter().map(|(name, role)| format!("{name}: {}", role.name())).collect();
    let roles = if roles.is_empty() { "no arguments".to_owned() } else { roles.join(", ") };
    vec![Part::new(name, Tone::Strong), Part::new(effect, tone), Part::plain(format!("{} ({roles})", guess.why))]
}
