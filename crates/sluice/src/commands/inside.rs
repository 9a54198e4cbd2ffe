//! `sluice inside`: what a confined server takes for its proxy. Not for people: the gateway starts it in a sandbox.

use sluice_connectors::sandbox::inside;

use crate::cli::Inside;
use crate::failure::{Exit, Failure};

/// Runs the server until it ends.
///
/// # Errors
/// [`Failure`] if it cannot be started.
pub fn run(arguments: &Inside) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    let program = arguments.command.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let ended = runtime.block_on(inside::run(&arguments.way_out, &arguments.command));
    let status = ended.map_err(|error| Failure::usage(format!("SL902: cannot start `{program}`: {error}")))?;
    Ok(if status.success() { Exit::Fine } else { Exit::Internal })
}
