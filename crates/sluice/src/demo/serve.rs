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
        let stop = Stop::listen()?;
        let folder = tempfile::tempdir()?;
        let crm_db = match &arguments.crm_db {
            Some(path) => path.clone(),
            None => folder.path().join("crm.sqlite"),
        };
        let services = Services::start(&crm_db).await?;
        println!("{:#}", services.addresses());
        let asked = stop.asked().await;
        services.stop().await;
        Ok(asked?)
    })
}

/// Somebody's wish that the program ends: Ctrl-C, SIGTERM, a closed terminal.
///
/// From the moment it is made, such a signal no longer ends the process by itself: temporary folders go only when
/// the caller returns.
pub(super) struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Stop {
    /// Listens from now on. Needs a runtime around it.
    ///
    /// # Errors
    /// If the system does not tell.
    #[cfg(unix)]
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let [interrupt, terminate, hang_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hang_up?] })
    }

    /// Listens from now on.
    ///
    /// # Errors
    /// Never here; where it waits.
    #[cfg(not(unix))]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when it is wished.
    ///
    /// # Errors
    /// If the system does not tell.
    #[cfg(unix)]
    pub(super) async fn asked(mut self) -> io::Result<()> {
        let [interrupt, terminate, hang_up] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        Ok(())
    }

    /// Returns when it is wished.
    ///
    /// # Errors
    /// If the system does not tell.
    #[cfg(not(unix))]
    pub(super) async fn asked(self) -> io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}
