//! `sluice stop` and `sluice go-on`: the kill switch.

use sluice_core::contract::bundle::SignedBundle;
use sluice_core::contract::principals::Kind;
use sluice_core::label::Name;
use sluice_runtime::stop::Stop as Switch;

use crate::cli::{GoOn, Stop, What};
use crate::failure::{Exit, Failure};
use crate::place::{Opened, key_of, known};
use crate::render::{Page, Part, Tone};

/// Stops calls, from the next gate on.
///
/// # Errors
/// [`Failure`] if a name is none, or it cannot be recorded.
pub fn stop(arguments: &Stop) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    known(opened.workspace.principals(), &arguments.person)?;
    let what = switch(&arguments.what, &opened)?;
    let is_news = what.set(&opened.ledger, true, &arguments.person, &arguments.reason)?;
    tell(&what, if is_news { "stopped " } else { "stopped already: " }, Tone::Bad);
    Ok(Exit::Fine)
}

/// Lets what was stopped go on. Whoever says so shows the key that signs the rules of this workspace.
///
/// # Errors
/// [`Failure`] if a name is none, the key is nobody's who may, or it cannot be recorded.
pub fn go_on(arguments: &GoOn) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let key = key_of(&arguments.person, &arguments.key)?;
    if !signs(opened.workspace.bundle(), &arguments.person) || !is_theirs(&opened, &key) {
        let why = format!("`{}` does not sign the rules of this workspace, or not with this key", arguments.person);
        return Err(Failure::usage(why));
    }
    let what = switch(&arguments.what, &opened)?;
    let is_news = what.set(&opened.ledger, false, &arguments.person, &arguments.reason)?;
    tell(&what, if is_news { "goes on: " } else { "was not stopped: " }, Tone::Good);
    Ok(Exit::Fine)
}

fn signs(bundle: &SignedBundle, person: &str) -> bool {
    bundle.signers().iter().any(|signer| signer.as_ref() == person)
}

/// Whether the register has the key as theirs.
fn is_theirs(opened: &Opened, key: &sluice_core::contract::key::SecretKey) -> bool {
    let person = opened.workspace.principals().persons.get(key.name());
    person.is_some_and(|person| person.keys.iter().any(|known| known.value == key.public()))
}

fn switch(what: &What, opened: &Opened) -> Result<Switch, Failure> {
    if let Some(connector) = &what.connector {
        return Ok(Switch::Connector(connector.as_str().into()));
    }
    if let Some(action) = &what.action {
        let (connector, action) = action
            .split_once('.')
            .ok_or_else(|| Failure::usage(format!("`{action}` is no action: write `connector.action`")))?;
        return Ok(Switch::Action(connector.into(), action.into()));
    }
    if let Some(workflow) = &what.workflow {
        let is_named =
            workflow.split_once('/').is_some_and(|(namespace, name)| !namespace.is_empty() && !name.is_empty());
        return match is_named {
            true => Ok(Switch::Workflow(workflow.as_str().into())),
            false => {
                Err(Failure::usage(format!("`{workflow}` is no workflow: write `namespace/name`, as it says itself")))
            }
        };
    }
    if let Some(author) = &what.author {
        return Ok(Switch::Author(writer(opened, author)?));
    }
    match &what.principal {
        Some(principal) => Ok(Switch::Principal(known(opened.workspace.principals(), principal)?)),
        None => Ok(Switch::Everything),
    }
}

/// A person or model of the register: whoever can have written something.
fn writer(opened: &Opened, author: &str) -> Result<Name, Failure> {
    match opened.workspace.principals().kind(author) {
        Some(Kind::Person | Kind::Model) => Ok(author.into()),
        _ => Err(Failure::usage(format!("`{author}` is no person and no model of the principals register"))),
    }
}

fn tell(what: &Switch, how: &str, tone: Tone) {
    let mut page = Page::of_stdout();
    page.line([Part::new(how, tone), Part::new(what.to_string(), Tone::Strong)]);
    page.print();
}
