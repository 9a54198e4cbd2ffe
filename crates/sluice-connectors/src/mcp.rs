//! A server of the Model Context Protocol: a program that is started with an environment of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::canary::Canary;
use crate::sandbox::{Attempts, Sandbox, SandboxError, WayOut};
use crate::secret::{SecretError, SecretStore};

/// How long a server may take to end by itself once nobody speaks to it any more.
const LEAVES_WITHIN: Duration = Duration::from_secs(5);
/// Longest line of its standard error that is passed on.
const ERROR_BYTES_MAX: u64 = 1 << 20;
/// What a program needs to be found and to find its own files, where no contract names its environment.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "TMPDIR", "SystemRoot", "USERPROFILE"];

/// A program and its environment.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program and what it is given. Never empty.
    pub command: Vec<OsString>,
    /// All that its environment holds.
    pub environment: BTreeMap<String, Variable>,
    /// What it may reach; everything that the gateway may if there is none.
    pub sandbox: Option<Sandbox>,
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// This.
    Plain(OsString),
    /// The secret of this name. It is opened when the program is started, and kept nowhere.
    Secret(String),
}

/// Why a server cannot be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// SL902. The system says no.
    #[error("SL902: cannot start `{program}`: {source}")]
    Program {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A secret of its environment cannot be opened.
    #[error("{code}: {0}", code = .0.code())]
    Secret(#[from] SecretError),
    /// SL914. A secret is no text, and so cannot stand in an environment.
    #[error("SL914: the secret `{0}` is no text, and a variable of an environment holds text")]
    NotText(String),
    /// It cannot be confined as its contract wants.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl Program {
    /// A program that no contract describes: of the gateway's own environment it gets what it needs to be found, and no
    /// secret.
    #[must_use]
    pub fn bare(command: Vec<OsString>) -> Self {
        let named = |name: &str| Some((name.to_owned(), Variable::Plain(std::env::var_os(name)?)));
        Self { command, environment: INHERITED.into_iter().filter_map(named).collect(), sandbox: None }
    }
}

/// A running server.
pub struct Server {
    child: Child,
    /// What it is told.
    pub stdin: ChildStdin,
    /// What it says.
    pub stdout: BufReader<ChildStdout>,
    attempts: Option<Attempts>,
    canary: Canary,
    errors: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it. Its standard error is the gateway's own, which hosts show to people; if it was given secrets, without them.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(program: &Program, secrets: &SecretStore) -> Result<Self, StartError> {
        let name = program.command.first().cloned().unwrap_or_default();
        let error = |source| StartError::Program { program: name.to_string_lossy().into_owned(), source };
        let (line, way_out) = match &program.sandbox {
            Some(sandbox) => sandbox.confine(&program.command)?,
            None => (program.command.clone(), None),
        };
        let mut words = line.iter();
        let mut command = Command::new(words.next().unwrap_or(&name));
        command.args(words).env_clear();
        let mut secrets_given = Vec::new();
        for (name, variable) in &program.environment {
            match variable {
                Variable::Plain(text) => command.env(name, text),
                Variable::Secret(secret) => {
                    let opened = secrets.open(secret)?;
                    let text = std::str::from_utf8(opened.expose());
                    command.env(name, OsStr::new(text.map_err(|_| StartError::NotText(secret.clone()))?));
                    secrets_given.push(opened);
                    &mut command
                }
            };
        }
        let canary = Canary::of(&secrets_given);
        if !canary.is_empty() {
            command.stderr(Stdio::piped());
        }
        let attempts = way_out.map(WayOut::serve).transpose().map_err(error)?;
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
        let mut child = started.map_err(|source| match &program.sandbox {
            Some(_) => Sandbox::not_started(&source).into(),
            None => error(source),
        })?;
        let errors = child.stderr.take().map(|from| tokio::spawn(pass_errors(from, canary.clone())));
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => {
                Ok(Self { child, stdin, stdout: BufReader::new(stdout), attempts, canary, errors })
            }
            _ => Err(error(std::io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// The secrets that it was given, to be looked for in what it says.
    #[must_use]
    pub fn canary(&self) -> Canary {
        self.canary.clone()
    }

    /// Its parts: what it is told, what it says, and itself.
    #[must_use]
    pub fn split(self) -> (ChildStdin, BufReader<ChildStdout>, Running) {
        (self.stdin, self.stdout, Running { child: self.child, attempts: self.attempts, errors: self.errors })
    }
}

/// Passes on what a server complains of, line by line, without its secrets.
async fn pass_errors(from: ChildStderr, canary: Canary) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut from).take(ERROR_BYTES_MAX).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            // Half of a secret may stand at its end.
            Ok(_) if !line.ends_with(b"\n") && u64::try_from(line.len()).is_ok_and(|n| n == ERROR_BYTES_MAX) => {
                eprintln!("sluice gateway: a line of the server's errors is too long, and was dropped");
            }
            Ok(_) => {
                // Nobody may be there to read it.
                let _ = std::io::stderr().write_all(&canary.hidden(&line));
            }
        }
    }
}

/// A server whose pipes somebody else holds.
pub struct Running {
    child: Child,
    attempts: Option<Attempts>,
    errors: Option<JoinHandle<()>>,
}

impl Running {
    /// What it tried to reach and may not, if it is confined; the second time there is nothing to take.
    pub const fn attempts(&mut self) -> Option<Attempts> {
        self.attempts.take()
    }

    /// Waits until it ends, and ends it if it does not.
    pub async fn leave(mut self) {
        if tokio::time::timeout(LEAVES_WITHIN, self.child.wait()).await.is_err() {
            // It may have ended in this very moment.
            let _ = self.child.kill().await;
        }
        if let Some(errors) = self.errors {
            // What it started itself may hold the pipe for longer.
            let _ = tokio::time::timeout(LEAVES_WITHIN, errors).await;
        }
    }
}
