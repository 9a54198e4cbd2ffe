//! `sluice policy packs` and `sluice policy add`: policies to take over, with their tests.

use std::collections::BTreeSet;

use sluice_core::contract::bundle::BundleFiles;
use sluice_core::document::closest;
use sluice_core::label::Name;
use sluice_policy::{Approvers, Bundle, PACKS, Pack};
use sluice_runtime::init::write_files;
use sluice_runtime::workspace::{read_bundle, read_governance, read_policies, read_principals};

use crate::cli::AddPack;
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone};

/// Lists every pack.
pub(super) fn list() -> Exit {
    let mut page = Page::of_stdout();
    let rows = PACKS.map(|pack| vec![Part::new(pack.name, Tone::Strong), pack.about().into()]);
    page.table(0, &rows);
    page.gap();
    page.line([Part::new(
        "`sluice policy add PACK` writes one into the workspace, to be read, changed and signed",
        Tone::Faint,
    )]);
    page.print();
    Exit::Fine
}

/// Writes a pack into the workspace's policies. Nothing that exists is replaced.
///
/// # Errors
/// [`Failure`] if there is no such pack, a file is in the way, or the policies do not go together with those that are there.
pub(super) fn add(arguments: &AddPack) -> Result<Exit, Failure> {
    let pack = named(&arguments.pack)?;
    let folder = arguments.place.folder()?;
    let before = read_bundle(&folder)?;
    let files = pack.files().map(|(path, text)| (path, text.to_owned()));
    for (path, _) in &files {
        if folder.join(path).exists() {
            let message = format!("`{path}` is there already; `sluice policy add` never replaces a file");
            return Err(Failure::usage(message));
        }
    }
    let all = before.iter().map(|(path, bytes)| (Name::from(path), bytes.to_vec()));
    let added = files.iter().map(|(path, text)| (path.as_str().into(), text.as_bytes().to_vec()));
    let policies = read_policies(&BundleFiles::of(all.chain(added)))?;
    let governance = read_governance(&before, &read_principals(&folder)?)?;
    write_files(&folder, &files)?;
    let groups = &governance.registers.principals.groups;
    let missing = asked(&policies, pack).into_iter().filter(|group| !groups.entries.contains_key(group));
    tell(pack, &policies, &missing.collect::<Vec<_>>());
    Ok(Exit::Fine)
}

fn named(name: &str) -> Result<&'static Pack, Failure> {
    PACKS.iter().find(|pack| pack.name == name).ok_or_else(|| {
        let near = closest(name, PACKS.iter().map(|pack| pack.name));
        let near = near.map_or_else(String::new, |name| format!("; do you mean `{name}`?"));
        Failure::usage(format!("no pack is called `{name}`; `sluice policy packs` lists them{near}"))
    })
}

/// The policies of a pack, among others.
fn of<'p>(policies: &'p Bundle, pack: &Pack) -> impl Iterator<Item = &'p sluice_policy::PolicyInfo> {
    let file = format!("policies/{}.cedar", pack.name);
    policies.policies().filter(move |info| *info.text == *file)
}

/// The groups that a pack asks for.
fn asked(policies: &Bundle, pack: &Pack) -> BTreeSet<Name> {
    let group = |info: &sluice_policy::PolicyInfo| match &info.approvers {
        Some((Approvers::Group(group), _)) => Some(group.clone()),
        _ => None,
    };
    of(policies, pack).filter_map(group).collect()
}

fn tell(pack: &Pack, policies: &Bundle, missing: &[Name]) {
    let mut page = Page::of_stdout();
    for (path, _) in pack.files() {
        page.line([Part::new("wrote ", Tone::Good), Part::new(path, Tone::Accent)]);
    }
    for info in of(policies, pack) {
        page.line([Part::new("  forbid  ", Tone::Bad), Part::new(&info.id.0, Tone::Strong)]);
        let why = policies.in_words(&info.id).map_or_else(|| info.why.clone(), |words| words.why);
        page.hang(["          "], &[why.into()]);
    }
    page.gap();
    for group in missing {
        let words = format!(
            "there is no group `{group}` in `registers/principals.yaml`, so nobody could agree to what asks for it"
        );
        page.hang([Part::new("note: ", Tone::Warn)], &[words.into()]);
    }
    let words = "not in force until it is signed: read it, change what is not yours, `sluice policy test`, then `sluice policy sign`";
    page.hang([Part::new("next: ", Tone::Warn)], &[words.into()]);
    page.print();
}
