//! `sluice policy signers`: who may sign the rules, and how that changes.

use serde_json::json;
use sluice_core::contract::bundle::{BundleError, Signers};
use sluice_core::contract::digest::to_hex;
use sluice_core::contract::key::PublicKey;
use sluice_core::document::closest;
use sluice_core::label::Name;
use sluice_runtime::signing::{ChangeError, Outcome, apply, pinned, propose, recorded, sign_change, signed, waiting};

use super::{listed, some_of};
use crate::cli::{Format, ListSigners, ProposeSigners, SignSigners, SignersCommand};
use crate::failure::{Exit, Failure};
use crate::place::key_of;
use crate::render::{Page, Part, Tone, json as out};

/// Lists, proposes, signs or applies.
///
/// # Errors
/// [`Failure`] if a change would not count.
pub(super) fn run(command: &SignersCommand) -> Result<Exit, Failure> {
    match command {
        SignersCommand::List(arguments) => list(arguments),
        SignersCommand::Propose(arguments) => {
            let folder = arguments.place.folder()?;
            let key = key_of(&arguments.person, &arguments.key)?;
            let to = changed(&pinned(&folder)?, arguments)?;
            tell(&propose(&folder, to, &key)?);
            Ok(Exit::Fine)
        }
        SignersCommand::Sign(arguments) => sign(arguments),
        SignersCommand::Apply(place) => {
            tell(&apply(&place.folder()?)?);
            Ok(Exit::Fine)
        }
    }
}

fn sign(arguments: &SignSigners) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let key = key_of(&arguments.person, &arguments.key)?;
    if let Some(change) = waiting(&folder)? {
        let mut page = Page::of_stdout();
        comes_and_goes(&mut page, &pinned(&folder)?, change.to());
        page.print();
    }
    tell(&sign_change(&folder, &key)?);
    Ok(Exit::Fine)
}

/// The signers after what was asked for.
fn changed(now: &Signers, arguments: &ProposeSigners) -> Result<Signers, Failure> {
    let coded = |error: BundleError| Failure::usage(format!("{}: {error}", error.code()));
    let mut keys: Vec<(Name, PublicKey)> =
        now.names().filter_map(|name| Some((name.clone(), *now.key(name)?))).collect();
    for name in &arguments.remove {
        if now.key(name).is_none() {
            let near = closest(name, now.names().map(AsRef::as_ref));
            let near = near.map_or_else(String::new, |near| format!("; do you mean `{near}`?"));
            return Err(Failure::usage(format!("`{name}` is no pinned signer{near}")));
        }
        keys.retain(|(known, _)| **known != **name);
    }
    for line in &arguments.add {
        let (name, key) = PublicKey::from_line(line).map_err(|error| {
            Failure::usage(format!("{}: {error}: --add takes the line of a public key", error.code()))
        })?;
        keys.push((name, key));
    }
    Signers::new(keys, arguments.solo.unwrap_or(now.is_solo())).map_err(coded)
}

fn list(arguments: &ListSigners) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let now = pinned(&folder)?;
    let rules = signed(&folder)?;
    let change = waiting(&folder)?.filter(|change| *change.to() != now);
    let is_recorded = recorded(&folder)?.as_ref() == Some(&now);
    if arguments.format == Format::Json {
        let all = |signers: &Signers| -> Vec<_> {
            let one = |name: &Name| json!({ "name": name, "key": signers.key(name).map(|key| to_hex(&key.0)) });
            signers.names().map(one).collect()
        };
        let change = change.as_ref().map(|change| {
            let agreed: Vec<&Name> = change.signed_by().collect();
            json!({ "signers": all(change.to()), "solo": change.to().is_solo(), "signed_by": agreed })
        });
        out::print(&json!({
            "version": 1, "signers": all(&now), "solo": now.is_solo(), "needed": now.needed(),
            "signed_by": rules.by, "waiting": change, "as_recorded": is_recorded,
        }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    let rows: Vec<Vec<Part>> = now
        .names()
        .map(|name| {
            let has = if rules.by.contains(name) {
                Part::new("signed the rules on the disk", Tone::Good)
            } else {
                Part::new("has not signed the rules on the disk", Tone::Warn)
            };
            vec![Part::new(&**name, Tone::Strong), has]
        })
        .collect();
    page.table(0, &rows);
    page.gap();
    let words = match now.needed() {
        1 => "one of them signs the rules: a solo workspace".to_owned(),
        needed => format!("{needed} of them sign the rules"),
    };
    page.line([words]);
    if !is_recorded {
        let words = "these are not the signers that follow from the ledger: the file outside of the workspace was changed \
                     without the word of those who were pinned, or copied from a machine with another ledger";
        page.hang([Part::new("note: ", Tone::Bad)], &[words.into()]);
    }
    if let Some(change) = change {
        page.gap();
        page.line([Part::new("a change waits", Tone::Warn)]);
        comes_and_goes(&mut page, &now, change.to());
        let agreed: Vec<&Name> = change.signed_by().collect();
        page.hang([Part::new("  agreed to by ", Tone::Faint)], &[listed(agreed).into()]);
    }
    page.print();
    Ok(Exit::Fine)
}

/// Who would come, who would go, and how many must sign.
fn comes_and_goes(page: &mut Page, now: &Signers, to: &Signers) {
    for name in to.names().filter(|name| now.key(name) != to.key(name)) {
        let what = if now.key(name).is_some() { "gets another key" } else { "comes" };
        let key = to.key(name).map(|key| key.to_line(name)).unwrap_or_default();
        page.line(["  ".into(), Part::new(&**name, Tone::Strong), format!(" {what}").into()]);
        page.line([Part::new(format!("    {key}"), Tone::Faint)]);
    }
    for name in now.names().filter(|name| to.key(name).is_none()) {
        page.line(["  ".into(), Part::new(&**name, Tone::Strong), " goes".into()]);
    }
    if now.is_solo() != to.is_solo() {
        let words =
            if to.is_solo() { "one person alone would sign the rules" } else { "two people would sign the rules" };
        page.line([Part::new(format!("  {words}"), if to.is_solo() { Tone::Bad } else { Tone::Good })]);
    }
}

fn tell(outcome: &Outcome) {
    let mut page = Page::of_stdout();
    match outcome {
        Outcome::InForce => {
            page.line([Part::new("these signers are pinned here now", Tone::Good)]);
            let words = "other machines take them over with `sluice policy signers apply`; if `solo` or one of those who had signed \
                         is another, the rules are signed anew";
            page.hang([""], &[words.into()]);
        }
        Outcome::Waits { missing, of } => {
            let words = format!("it waits for the word of {}", some_of(*missing, of));
            page.hang([Part::new("not in force yet: ", Tone::Warn)], &[words.into()]);
        }
    }
    page.print();
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Open(error) => error.into(),
            ChangeError::Ledger(error) => error.into(),
            error => Self::usage(error.to_string()),
        }
    }
}
