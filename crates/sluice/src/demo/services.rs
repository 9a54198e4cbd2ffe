//! The services that the demo's stories talk to, each a real HTTP server on 127.0.0.1.
//!
//! All of them ask for a bearer token, honour `Idempotency-Key`, answer `GET /effects/{key}`, keep
//! a log of requests in memory, and explain a refusal as `{"error": …, "help": …}`. What is common
//! is in `server` (connections), `door` (what every request passes) and `effects` (keys); a
//! service's own file holds its routes and what it remembers.
//!
//! They are props: correct enough to be believed, and not an example of how to build such a thing.

pub mod crm;
pub mod directory;
mod door;
mod effects;
pub mod model;
mod refusal;
mod server;
pub mod sheets;
pub mod tickets;

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use thiserror::Error;

pub use self::door::{REQUESTS_MAX, RequestSeen};
pub use self::effects::{EFFECTS_MAX, EffectCounts};
pub use self::server::Server;

use self::crm::Crm;
use self::directory::Directory;
use self::model::Model;
use self::sheets::Sheets;
use self::tickets::Tickets;

/// Every service of the demo, running until [`Services::stop`] or until dropped.
pub struct Services {
    /// Customers, and what should not leave the company.
    pub crm: Crm,
    /// The spreadsheet in another region.
    pub sheets: Sheets,
    /// People and groups.
    pub directory: Directory,
    /// The ticket desk, where outsiders write.
    pub tickets: Tickets,
    /// The stand-in for a model.
    pub model: Model,
}

/// A service did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// SL790. Help: another program may forbid listening on 127.0.0.1; the demo needs that.
    #[error("cannot listen on 127.0.0.1 for the demo's `{service}`")]
    Listen {
        /// Which service.
        service: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// SL791. Help: the system's random source must work, since every start makes new tokens.
    #[error("cannot make a token for the demo's `{service}`")]
    Token {
        /// Which service.
        service: &'static str,
        /// What the system said.
        source: getrandom::Error,
    },
    /// SL792. Help: name a file that does not exist yet, in a folder that can be written.
    #[error("cannot open the demo's customer database `{}`", path.display())]
    Database {
        /// Where it should be.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// SL793. Help: name a file that does not exist yet; a file of another make is left alone.
    #[error("`{}` is no customer database of this demo", path.display())]
    ForeignDatabase {
        /// Where it is.
        path: PathBuf,
    },
    /// SL794. Help: a recording under `demo/recordings` is not of the shape that its file says.
    #[error("cannot read the recorded answer number {number}")]
    Recording {
        /// Its place in the list.
        number: usize,
        /// Where it went wrong.
        source: serde_json::Error,
    },
}

impl Services {
    /// Starts them all, each on a free port and with a token of its own.
    ///
    /// The customers live in the SQLite file `crm_db`, made if it is not there.
    ///
    /// # Errors
    /// The first service that could not start; those already started stop again.
    pub async fn start(crm_db: &Path) -> Result<Self, StartError> {
        Ok(Self {
            crm: Crm::start(crm_db).await?,
            sheets: Sheets::start().await?,
            directory: Directory::start().await?,
            tickets: Tickets::start().await?,
            model: Model::start().await?,
        })
    }

    /// The common face of each: address, token, requests seen, effects counted.
    #[must_use]
    pub fn servers(&self) -> [&Server; 5] {
        [self.crm.server(), self.sheets.server(), self.directory.server(), self.tickets.server(), self.model.server()]
    }

    /// Each service's `url` and `token` under its name. The tokens are real credentials.
    #[must_use]
    pub fn addresses(&self) -> Value {
        let of = |server: &&Server| {
            let address = json!({ "url": server.url(), "token": server.token() });
            (server.name().to_owned(), address)
        };
        Value::Object(self.servers().iter().map(of).collect())
    }

    /// Stops them all; afterwards no port is open and no task is left.
    pub async fn stop(self) {
        tokio::join!(
            self.crm.stop(),
            self.sheets.stop(),
            self.directory.stop(),
            self.tickets.stop(),
            self.model.stop(),
        );
    }
}
