//! `sluice secret`: keeps what connectors need to prove who they are. Values go in, and never come out here.

use std::io::{self, IsTerminal as _, Read as _};

use sluice_connectors::secret::{SECRET_BYTES_MAX, Secret as Value, SecretStore, WorkspaceKey};
use sluice_runtime::workspace::{SECRETS_FILE, Workspace};

use crate::cli::{Format, List, Secret, SetSecret};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json};

/// Keeps or lists.
///
/// # Errors
/// [`Failure`] if the store or its key cannot be used, or a name or value is none.
pub fn run(command: &Secret) -> Result<Exit, Failure> {
    match command {
        Secret::Set(arguments) => set(arguments),
        Secret::List(arguments) => list(arguments),
    }
}

fn set(arguments: &SetSecret) -> Result<Exit, Failure> {
    let store = store(&arguments.place.open()?)?;
    if io::stdin().is_terminal() {
        eprintln!("type the value of `{}`, then Enter and Ctrl-D (it is shown while you type)", arguments.name);
    }
    // Never an argument: those stand in process lists and shell histories.
    let mut bytes = Vec::new();
    let limit = SECRET_BYTES_MAX as u64 + 2;
    io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| Failure::internal(&error))?;
    let kept = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let kept = kept.strip_suffix(b"\r").unwrap_or(kept).len();
    bytes.truncate(kept);
    store.set(&arguments.name, &Value::new(bytes))?;
    let mut page = Page::of_stdout();
    page.line([Part::new("kept ", Tone::Good), Part::new(&arguments.name, Tone::Strong)]);
    page.print();
    Ok(Exit::Fine)
}

fn list(arguments: &List) -> Result<Exit, Failure> {
    let names = store(&arguments.place.open()?)?.list()?;
    if arguments.format == Format::Json {
        json::print(&names)?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if names.is_empty() {
        page.line(["no secrets are kept here; `sluice secret set NAME` keeps one"]);
    }
    for name in &names {
        page.line([name.as_str()]);
    }
    page.print();
    Ok(Exit::Fine)
}

fn store(workspace: &Workspace) -> Result<SecretStore, Failure> {
    let key = WorkspaceKey::read(&workspace.home().workspace_key(), workspace.folder())?;
    Ok(SecretStore::new(workspace.folder().join(SECRETS_FILE), key))
}
