//! `sluice stop --server` and `sluice go-on --server`: the kill switch of a served Sluice.

use serde_json::{Value as Json, json};

use super::Served;
use crate::cli::What;
use crate::commands::stop::tell;
use crate::failure::{Exit, Failure};
use crate::render::Tone;

/// Stops calls, from the next gate on.
///
/// # Errors
/// [`Failure`] if it could not be stopped.
pub fn stop(served: &Served, what: &What, reason: &str) -> Result<Exit, Failure> {
    let (body, words) = meant(what, reason)?;
    served.post::<Json>("/stops", None, body)?;
    tell(&words, "stopped ", Tone::Bad);
    Ok(Exit::Fine)
}

/// Lets it go on.
///
/// # Errors
/// [`Failure`] if whoever the token is for may not.
pub fn go_on(served: &Served, what: &What, reason: &str) -> Result<Exit, Failure> {
    let (body, words) = meant(what, reason)?;
    served.post::<Json>("/stops/go-on", None, body)?;
    tell(&words, "goes on: ", Tone::Good);
    Ok(Exit::Fine)
}

/// What is meant, for the API and in words.
fn meant(what: &What, reason: &str) -> Result<(Json, String), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::usage("a served Sluice is told why: `--reason TEXT`"));
    }
    let (kind, name, words) = match what {
        What { connector: Some(name), .. } => ("connector", Some(name), format!("connector {name}")),
        What { action: Some(name), .. } => ("action", Some(name), format!("action {name}")),
        What { principal: Some(name), .. } => ("principal", Some(name), format!("calls in the name of {name}")),
        What { workflow: Some(name), .. } => ("workflow", Some(name), format!("workflow {name}")),
        What { author: Some(name), .. } => ("author", Some(name), format!("what {name} wrote")),
        _ => ("everything", None, "everything".to_owned()),
    };
    Ok((json!({ "what": kind, "name": name, "reason": reason }), words))
}
