//! `sluice policy`: reads all rules of a workspace as they are on the disk, signs them, and asks them about what was decided.

mod diff;
mod explain;
mod packs;
mod replay;
mod sign;
mod signers;
mod test;

use std::collections::BTreeSet;

use serde_json::json;
use sluice_core::label::Name;
use sluice_runtime::policy_tests::of_bundle;
use sluice_runtime::signing::signed;
use sluice_runtime::workspace::{
    Workspace, read_bundle, read_governance, read_own_rules, read_policies, read_principals,
};

use crate::cli::{Format, List, Policy};
use crate::failure::{Exit, Failure};
use crate::place::say_solo;
use crate::render::{Page, Part, Tone, json as out};

/// Checks or signs.
///
/// # Errors
/// [`Failure`] with every problem of the files, or why the signature would not count.
pub fn run(command: &Policy) -> Result<Exit, Failure> {
    match command {
        Policy::Check(arguments) => check(arguments),
        Policy::Test(arguments) => test::run(arguments),
        Policy::Explain(arguments) => explain::run(arguments),
        Policy::Diff(arguments) => diff::run(arguments),
        Policy::Packs => Ok(packs::list()),
        Policy::Add(arguments) => packs::add(arguments),
        Policy::Sign(arguments) => sign::run(arguments),
        Policy::Signers(command) => signers::run(command),
        Policy::Replay(arguments) => replay::run(arguments),
    }
}

fn check(arguments: &List) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let files = read_bundle(&folder)?;
    let governance = read_governance(&files, &read_principals(&folder)?)?;
    let policies = read_policies(&files)?;
    // Those about the console decide nothing here; a slip in them would be told only when it is opened.
    read_own_rules(&files)?;
    of_bundle(&files, &policies)?;
    let standing = Workspace::open(&folder);
    // Where nobody is pinned, nobody's word can be known.
    let whose = signed(&folder).ok();
    if arguments.format == Format::Json {
        let list = policies
            .policies()
            .map(|p| json!({ "id": p.id.0, "permits": p.permits, "why": p.why, "remedy": p.remedy }));
        out::print(&json!({
            "bundle": files.digest().to_string(),
            "signed": standing.is_ok(),
            "signed_by": whose.as_ref().map(|whose| &whose.by),
            "not_signed_by": whose.as_ref().map(|whose| &whose.not_by),
            "missing": whose.as_ref().map(|whose| whose.missing()),
            "solo": governance.workspace.solo,
            "policies": list.collect::<Vec<_>>(),
        }))?;
        return Ok(if standing.is_ok() { Exit::Fine } else { Exit::Findings });
    }
    let mut page = Page::of_stdout();
    for policy in policies.policies() {
        let kind = if policy.permits { Part::new("permit", Tone::Good) } else { Part::new("forbid", Tone::Bad) };
        page.line([kind, "  ".into(), Part::new(&policy.id.0, Tone::Strong)]);
        page.hang(["          "], &[policy.why.as_str().into()]);
        if let Some(remedy) = &policy.remedy {
            page.hang([Part::new("          lifted by ", Tone::Faint)], &[remedy.as_str().into()]);
        }
    }
    page.gap();
    let counts = format!("{} contracts, {} files", governance.contracts.len(), files.iter().count());
    page.hang(["read: "], &[counts.into()]);
    page.hang(["bundle: "], &[Part::new(files.digest().to_string(), Tone::Accent)]);
    match &standing {
        Ok(workspace) => {
            let names: Vec<&str> = workspace.bundle().signers().iter().map(AsRef::as_ref).collect();
            page.hang([Part::new("signed by ", Tone::Good)], &[Part::plain(names.join(" and "))]);
            say_solo(&mut page, workspace.is_solo());
        }
        Err(error) => {
            page.hang([Part::new("not in force: ", Tone::Bad)], &[Part::plain(error.to_string())]);
            if let Some(whose) = &whose {
                sign::say_missing(&mut page, whose);
            }
        }
    }
    page.print();
    Ok(if standing.is_ok() { Exit::Fine } else { Exit::Findings })
}

/// So many of these people; all of them, if it takes all.
fn some_of(count: usize, people: &BTreeSet<Name>) -> String {
    match count {
        all if all == people.len() => listed(people),
        1 => format!("one of {}", listed(people)),
        _ => format!("{count} of {}", listed(people)),
    }
}

/// `` `a` and `b` ``, or nobody.
fn listed<'n>(names: impl IntoIterator<Item = &'n Name>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
