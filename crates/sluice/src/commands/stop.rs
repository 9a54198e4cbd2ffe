//! `sluice stop` and `sluice go-on`: the kill switch.

use sluice_api::rights::{may_let_go_on, may_stop};
use sluice_core::contract::key::SecretKey;
use sluice_core::contract::principals::Kind;
use sluice_core::label::Name;
use sluice_runtime::stop::Stop as Switch;

use crate::cli::{GoOn, Stop, What};
use crate::failure::{Exit, Failure};
use crate::place::{Opened, key_of, known};
use crate::render::{Page, Part, Tone};
use crate::served;

/// Stops calls, from the next gate on.
///
/// # Errors
/// [`Failure`] if a name is none, or it cannot be recorded.
pub fn stop(arguments: &Stop) -> Result<Exit, Failure> {
    if let Some(served) = arguments.server.served()? {
        return served::stops::stop(&served, &arguments.what, &arguments.reason);
    }
    let opened = arguments.place.open_with_ledger()?;
    let person = known(opened.workspace.principals(), said(arguments.person.as_deref())?)?;
    let what = switch(&arguments.what, &opened)?;
    if !may_stop(&opened.workspace, &person, &what) {
        return Err(Failure::usage(format!("policies of this workspace forbid that `{person}` stops {what}")));
    }
    let is_news = what.set(&opened.ledger, true, &person, &arguments.reason)?;
    tell(&what.to_string(), if is_news { "stopped " } else { "stopped already: " }, Tone::Bad);
    Ok(Exit::Fine)
}

/// Lets what was stopped go on. Whoever says so shows their key, and policies about the console say whether they may.
///
/// # Errors
/// [`Failure`] if a name is none, the key is nobody's who may, or it cannot be recorded.
pub fn go_on(arguments: &GoOn) -> Result<Exit, Failure> {
    if let Some(served) = arguments.server.served()? {
        return served::stops::go_on(&served, &arguments.what, &arguments.reason);
    }
    let opened = arguments.place.open_with_ledger()?;
    let file = arguments.key.as_deref().ok_or_else(|| Failure::usage("name the key file: `--key FILE`"))?;
    let key = key_of(said(arguments.person.as_deref())?, file)?;
    let what = switch(&arguments.what, &opened)?;
    if !is_theirs(&opened, &key) || !may_let_go_on(&opened.workspace, key.name(), &what) {
        let person = key.name();
        let why = format!(
            "`{person}` may not let {what} go on, or not with this key: if `policies/console/` says nothing else, those may who sign the rules"
        );
        return Err(Failure::usage(why));
    }
    let is_news = what.set(&opened.ledger, false, key.name(), &arguments.reason)?;
    tell(&what.to_string(), if is_news { "goes on: " } else { "was not stopped: " }, Tone::Good);
    Ok(Exit::Fine)
}

/// Whether the register has the key as theirs.
fn is_theirs(opened: &Opened, key: &SecretKey) -> bool {
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

/// Who says so, which clap has asked for where no server is named.
fn said(person: Option<&str>) -> Result<&str, Failure> {
    person.ok_or_else(|| Failure::usage("say who says so: `--as PERSON`"))
}

/// A person or model of the register: whoever can have written something.
fn writer(opened: &Opened, author: &str) -> Result<Name, Failure> {
    match opened.workspace.principals().kind(author) {
        Some(Kind::Person | Kind::Model) => Ok(author.into()),
        _ => Err(Failure::usage(format!("`{author}` is no person and no model of the principals register"))),
    }
}

pub(crate) fn tell(what: &str, how: &str, tone: Tone) {
    let mut page = Page::of_stdout();
    page.line([Part::new(how, tone), Part::new(what, Tone::Strong)]);
    page.print();
}
