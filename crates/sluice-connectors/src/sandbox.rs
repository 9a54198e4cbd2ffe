//! A server that reaches what its contract names, and nothing else: on Linux, in namespaces of its own.
//!
//! `bubblewrap` makes them: the file system holds the system's programs and what the contract names; there is no network
//! but a loopback of its own, in which [`inside`] listens and hands each connection out through a socket to [`way_out`],
//! which connects to hosts of the contract only.

pub mod inside;
mod way_out;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::address::Host;
pub use way_out::{Attempts, WayOut};

/// The program that makes namespaces.
const BUBBLEWRAP: &str = "bwrap";
/// Where the sandbox's own things are in it.
const ROOM: &str = "/run/sluice";
/// What programs need to run at all: none of it is anybody's data.
const SYSTEM: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
];

/// The bounds of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// What it may connect to.
    pub hosts: Vec<(Host, u16)>,
    /// Whether these may be inside the network.
    pub allow_private: bool,
    /// What it may read beside the system.
    pub read: Vec<PathBuf>,
    /// What it may change.
    pub write: Vec<PathBuf>,
}

/// SL948. Why a server cannot be confined: then it is not started.
#[derive(Debug, Error)]
#[error("SL948: the server cannot be confined as its contract wants: {0}")]
pub struct SandboxError(pub String);

impl Sandbox {
    /// The command that starts `command` inside, and the way out that it is given.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub fn confine(&self, command: &[OsString]) -> Result<(Vec<OsString>, Option<WayOut>), SandboxError> {
        if !cfg!(target_os = "linux") {
            return Err(SandboxError("this is not Linux".to_owned()));
        }
        for path in self.read.iter().chain(&self.write) {
            if !path.exists() {
                return Err(SandboxError(format!("`{}` is not there", path.display())));
            }
        }
        let way_out = if self.hosts.is_empty() { None } else { Some(WayOut::open(self)?) };
        let mut line = Line::new();
        line.say(&["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]);
        line.say(&["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--setenv", "HOME", "/tmp"]);
        SYSTEM.iter().for_each(|path| line.bind("--ro-bind-try", Path::new(path), Path::new(path)));
        self.read.iter().for_each(|path| line.bind("--ro-bind", path, path));
        self.write.iter().for_each(|path| line.bind("--bind", path, path));
        let home = self.write.first().or(self.read.first()).filter(|path| path.is_dir());
        line.say(&["--chdir"]);
        line.0.push(home.map_or_else(|| OsString::from("/tmp"), |path| path.clone().into_os_string()));
        let room = Path::new(ROOM);
        if let Some(way_out) = &way_out {
            // This very program hands connections out, as [`inside`] does.
            let own = std::env::current_exe().map_err(|error| SandboxError(format!("where is `sluice`? {error}")))?;
            line.bind("--ro-bind", &own, &room.join("sluice"));
            line.bind("--bind", way_out.socket(), &room.join("out"));
        }
        line.say(&["--"]);
        if way_out.is_some() {
            line.0.push(room.join("sluice").into_os_string());
            line.say(&["inside", "--way-out"]);
            line.0.push(room.join("out").into_os_string());
            line.say(&["--"]);
        }
        line.0.extend(command.iter().cloned());
        Ok((line.0, way_out))
    }

    /// What is wrong if the program that confines cannot be started.
    pub(crate) fn not_started(error: &std::io::Error) -> SandboxError {
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                SandboxError(format!("there is no `{BUBBLEWRAP}`; install the package `bubblewrap`"))
            }
            _ => SandboxError(format!("`{BUBBLEWRAP}` does not start: {error}")),
        }
    }
}

/// A command line in the making.
struct Line(Vec<OsString>);

impl Line {
    fn new() -> Self {
        Self(vec![BUBBLEWRAP.into()])
    }

    fn say(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, outside: &Path, inside: &Path) {
        self.0.extend([OsStr::new(how), outside.as_os_str(), inside.as_os_str()].map(OsStr::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(read: &[&str], write: &[&str]) -> Sandbox {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Sandbox { hosts: Vec::new(), allow_private: false, read: paths(read), write: paths(write) }
    }

    fn line(sandbox: &Sandbox) -> String {
        let (line, way_out) = sandbox.confine(&["server".into(), "--flag".into()]).unwrap();
        assert!(way_out.is_none());
        line.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nothing_is_there_but_the_system_and_what_is_named() {
        let line = line(&sandbox(&["/etc/hostname"], &["/var"]));
        assert!(line.starts_with("bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL "), "{line}");
        assert!(line.contains(" --ro-bind /etc/hostname /etc/hostname --bind /var /var --chdir /var -- server --flag"));
        for absent in ["/home", "/root", "/etc/passwd", "--share-net"] {
            assert!(!line.contains(absent), "{line}");
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_given() {
        let error = sandbox(&["/no/such/folder"], &[]).confine(&["server".into()]).unwrap_err();
        let said = "SL948: the server cannot be confined as its contract wants: `/no/such/folder` is not there";
        assert_eq!(error.to_string(), said);
    }
}
