//! `sluice demo-services`: the demo's services alone, for whoever wants to look at them with `curl`.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use tokio::runtime::Runtime;

use super::services::Services;

/// What the command line says.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where the CRM's database is, or is to be made; without it, in a folder removed at the end.
    #[arg(long, value_name = "FILE")]
    crm_db: Option<PathBuf>,
}

/// Starts the services, prints their addresses and tokens as JSON, and stops them on Ctrl-C.
///
/// # Errors
/// What kept a service from starting, or the runtime, or the signal from being awaited.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    Runtime::new()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let crm_db = match &arguments.crm_db {
            Some(path) => path.clone(),
            None => folder.path().join("crm.sqlite"),
        };
        let services = Services::start(&crm_db).await?;
        println!("{:#}", services.addresses());
        let asked = asked_to_stop().await;
        services.stop().await;
        Ok(asked?)
    })
}

#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    // Also on SIGTERM: the folder with the database goes only when this function returns.
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
