//! `sluice policy sign`: a person's word for the rules as they are on the disk. The second one sees what changed first.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use sluice_runtime::init::record_bundle;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::policy_tests::{TestFile, of_bundle};
use sluice_runtime::rules::Rules;
use sluice_runtime::signing::{Signed, signed};
use sluice_runtime::workspace::{OpenError, Workspace, sign_seen};

use super::{diff, listed, some_of, test};
use crate::cli::Sign;
use crate::failure::{Exit, Failure};
use crate::place::{key_of, say_solo};
use crate::render::{Page, Part, Tone};

/// Signs.
///
/// # Errors
/// [`Failure`] if the rules cannot be read, or the signature would not count.
pub(super) fn run(arguments: &Sign) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let key = key_of(&arguments.person, &arguments.key)?;
    // Nobody signs what cannot be read, tests among it.
    let rules = Rules::in_folder(&folder, &folder)?;
    let tests = of_bundle(&rules.files, &rules.policies)?;
    let digest = rules.files.digest();
    let before = signed(&folder)?;
    if before.digest == digest && before.by.iter().any(|name| **name != *arguments.person) {
        show(&folder, &rules, &before);
        if !is_agreed()? {
            return Err(Failure::usage("not signed"));
        }
    }
    // What was read and shown is what is signed.
    sign_seen(&folder, &key, digest)?;
    let mut page = Page::of_stdout();
    page.line([Part::new("signed ", Tone::Good), Part::new(digest.to_string(), Tone::Accent)]);
    say_tests(&mut page, &rules, &tests);
    match Workspace::open(&folder) {
        Ok(workspace) => {
            record_bundle(&workspace, &Ledger::open(&folder, workspace.home())?)?;
            page.line(["these rules are in force now"]);
            say_solo(&mut page, workspace.is_solo());
        }
        Err(OpenError::Bundle { source }) => {
            page.hang([Part::new("not in force yet: ", Tone::Warn)], &[Part::plain(source.to_string())]);
            say_missing(&mut page, &signed(&folder)?);
        }
        Err(error) => return Err(error.into()),
    }
    page.print();
    Ok(Exit::Fine)
}

/// What the rules do not have alike with those in force last: it is what the second person says yes to.
fn show(folder: &Path, rules: &Rules, before: &Signed) {
    let mut page = Page::of_stdout();
    let by: Vec<_> = before.by.iter().collect();
    page.line([Part::new(format!("signed by {}; what it changes", listed(by)), Tone::Strong)]);
    page.gap();
    match Rules::last_in_force(folder) {
        Ok(Some(earlier)) => diff::told(&mut page, &earlier, rules),
        Ok(None) => page.hang([""], &["no rules were ever in force here: all of them are new".into()]),
        // The word is the person's to give all the same.
        Err(error) => page.hang(
            [Part::new("cannot be compared with what was in force: ", Tone::Warn)],
            &[Part::plain(error.to_string())],
        ),
    }
    page.gap();
    page.print();
}

/// Whether the person at the terminal says yes. Where nobody sits at one, whoever wrote the command line said it.
fn is_agreed() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(true);
    }
    print!("sign this? [yes/no] ");
    let mut answer = String::new();
    let read = io::stdout().flush().and_then(|()| io::stdin().lock().read_line(&mut answer));
    read.map_err(|error| Failure::internal(&error))?;
    Ok(answer.trim() == "yes")
}

/// That tests of these very rules fail is no reason not to sign, and one to know.
fn say_tests(page: &mut Page, rules: &Rules, tests: &[TestFile]) {
    let tested = test::Tested::of(tests, &rules.policies);
    if tested.failed() > 0 {
        let words =
            format!("{} of {} tests of these policies fail: `sluice policy test`", tested.failed(), tested.count());
        page.hang([Part::new("note: ", Tone::Warn)], &[words.into()]);
    }
}

/// Whose word is missing.
pub(super) fn say_missing(page: &mut Page, standing: &Signed) {
    let missing = standing.missing();
    if missing == 0 {
        return;
    }
    let words = format!("the word of {}", some_of(missing, &standing.not_by));
    page.hang([Part::new("missing: ", Tone::Warn)], &[words.into()]);
}
