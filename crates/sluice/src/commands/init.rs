//! `sluice init`: a workspace with safe defaults, and a key for the person who makes it.

mod drafts;

use std::path::Path;

use sluice_core::contract::is_id;
use sluice_core::contract::key::SecretKey;
use sluice_runtime::home::{HomeError, person_key};
use sluice_runtime::init::{create, new_key, record_bundle};

use crate::cli::Init;
use crate::failure::{Exit, Failure};
use crate::place::key_of;
use crate::render::{Page, Part, Tone};
use drafts::Drafts;

/// What stands for the workspace's name and for its first person in the files of a new workspace.
const NAME: &str = "name: my-workspace";
const PERSON: &str = "you";
const KEY_COMMENT: &str = r#"# keys: ["sluice-public-key-1 you ed25519 HEX"]"#;

/// Makes the workspace.
///
/// # Errors
/// [`Failure`] if a file is in the way, or a name is none.
pub fn run(arguments: &Init) -> Result<Exit, Failure> {
    let (folder, person) = (&arguments.folder, arguments.person.as_str());
    if !is_id(person) {
        return Err(Failure::usage(format!("`{person}` is no id for a person: {ID_HELP}")));
    }
    // Before anything is made: what cannot be read leaves nothing behind.
    let drafts = Drafts::of(&arguments.from, &own_files())?;
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::usage(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    let name = match &arguments.name {
        Some(name) if is_id(name) => name.clone(),
        Some(name) => return Err(Failure::usage(format!("`{name}` is no name for a workspace: {ID_HELP}"))),
        None => name_of(folder),
    };
    let mut planned = own_files();
    drafts.add_to(&mut planned);
    for (path, _) in planned {
        if folder.join(&path).exists() {
            let path = folder.join(path);
            return Err(Failure::usage(format!(
                "SL546: `{}` is there already; `sluice init` never replaces a file",
                path.display()
            )));
        }
    }
    let key_file = person_key(person)?;
    outside(&key_file, folder)?;
    let is_new = !key_file.exists();
    let key = if is_new { new_key(person, &key_file)? } else { key_of(person, &key_file)? };
    let mut files = files(&name, person, &key);
    drafts.add_to(&mut files);
    let (workspace, ledger) = create(folder, &files, std::slice::from_ref(&key), true)?;
    record_bundle(&workspace, &ledger)?;
    tell(folder, person, &key_file, is_new, workspace.home().folder(), &drafts);
    Ok(Exit::Fine)
}

const ID_HELP: &str = "use ASCII letters, digits, `-`, `_` and `.`, up to 80 of them, starting with a letter or digit";

/// The folder's own name, as far as it can be one.
fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = whole.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let word: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let word = word.trim_start_matches(['-', '_', '.']);
    if is_id(word) { word.to_owned() } else { "my-workspace".to_owned() }
}

/// Whoever can write the workspace must not be able to read its keys.
fn outside(key_file: &Path, folder: &Path) -> Result<(), Failure> {
    let base = key_file.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    match (base, folder.canonicalize()) {
        (Some(base), Ok(inner)) if base.starts_with(&inner) => {
            let folder = key_file.parent().unwrap_or(key_file).to_path_buf();
            Err(HomeError::Inside { folder }.into())
        }
        _ => Ok(()),
    }
}

/// The files of every new workspace.
fn own_files() -> Vec<(String, String)> {
    crate::init::files().into_iter().map(|(path, text)| (path, text.to_owned())).collect()
}

/// An id as YAML reads it as a text: `n`, `on` and `2026` would be something else.
fn scalar(id: &str) -> String {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_plain = id.starts_with(|first: char| first.is_ascii_alphabetic())
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(id));
    if is_plain { id.to_owned() } else { format!("\"{id}\"") }
}

/// The files of a new workspace under its name, with its first person and their public key.
fn files(name: &str, person: &str, key: &SecretKey) -> Vec<(String, String)> {
    let line = format!(r#"keys: ["{}"]"#, key.public().to_line(person));
    let (name, person_id) = (scalar(name), scalar(person));
    let filled = |text: &str| {
        text.replace(NAME, &format!("name: {name}"))
            .replace(KEY_COMMENT, &line)
            .replace(&format!("\n  {PERSON}:"), &format!("\n  {person_id}:"))
            .replace(&format!("[{PERSON}]"), &format!("[{person_id}]"))
            .replace(&format!("--as {PERSON}\n"), &format!("--as {person}\n"))
    };
    crate::init::files().into_iter().map(|(path, text)| (path, filled(text))).collect()
}

fn tell(folder: &Path, person: &str, key_file: &Path, is_new: bool, home: &Path, drafts: &Drafts) {
    let mut page = Page::of_stdout();
    let made = if is_new { "your key, made now" } else { "your key, as before" };
    page.line([Part::new("made ", Tone::Good), Part::new(folder.display().to_string(), Tone::Strong)]);
    let rows = [(made, key_file.display().to_string()), ("keys of this workspace", home.display().to_string())];
    page.table(2, &rows.map(|(what, path)| vec![what.into(), Part::new(path, Tone::Accent)]));
    if !drafts.is_empty() {
        page.gap();
        drafts.tell(&mut page);
    }
    page.gap();
    page.hang(
        [Part::new("solo: ", Tone::Warn)],
        &[Part::plain(format!("`{person}` alone may change the rules of this workspace, and every report says so. Set `solo: false` and sign with two people as soon as there are two of you."))],
    );
    page.gap();
    let at = if folder == Path::new(".") { String::new() } else { format!("cd {} && ", folder.display()) };
    page.line(["next:"]);
    page.line([format!("  {at}sluice check workflows")]);
    page.line([format!("  sluice run workflows/hello.yaml --as {person} --author {person}")]);
    page.line(["  sluice audit verify"]);
    page.print();
}
