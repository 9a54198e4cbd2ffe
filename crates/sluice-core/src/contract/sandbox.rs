//! What a server that is started may reach: the hosts and folders that its contract names, and nothing else.

use crate::contract::codes::{BAD_BASE, BAD_PLACE};
use crate::contract::read::{Located, names};
use crate::diagnostic::Diagnostic;
use crate::document::{Fields, Node};
use crate::label::Name;

/// The port of a host that names none.
const HTTPS: u16 = 443;

/// The bounds of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// What it may connect to. Nothing if there is none.
    pub hosts: Vec<HostPort>,
    /// Whether these hosts may be inside the network.
    pub allow_private: bool,
    /// Folders and files that it may read beside the system's own.
    pub read: Vec<Name>,
    /// Folders that it may change.
    pub write: Vec<Name>,
}

/// A host and a port of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// A name or an address.
    pub host: Name,
    /// The port; 443 if the contract names none.
    pub port: u16,
}

/// Reads `sandbox`.
pub(super) fn sandbox(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Sandbox> {
    let mut fields = Fields::of(node, "a sandbox", out)?;
    let hosts = names(fields.optional("hosts"), "hosts", out);
    let hosts = hosts.into_iter().filter_map(|written| host(&written, out)).collect();
    let allow_private =
        fields.optional("allow_private").and_then(|node| node.expect_bool("allow_private", out)).unwrap_or_default();
    let read = paths(fields.optional("read"), "read", out);
    let write = paths(fields.optional("write"), "write", out);
    fields.finish(out);
    Some(Sandbox { hosts, allow_private, read, write })
}

/// A host in the one spelling that everybody reads alike. Which addresses it may have is judged when it is connected to.
fn host(written: &Located<Name>, out: &mut Vec<Diagnostic>) -> Option<HostPort> {
    let text = &written.value;
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port: &u16| *port != 0 && !text.contains(":0"))),
        None => (&**text, Some(HTTPS)),
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    match port {
        Some(port) if !host.is_empty() && host.chars().all(is_plain) => Some(HostPort { host: host.into(), port }),
        _ => {
            out.push(BAD_BASE.at(written.span, format!("`{text}` is no host: write `host` or `host:port`")));
            None
        }
    }
}

fn paths(node: Option<&Node>, what: &'static str, out: &mut Vec<Diagnostic>) -> Vec<Name> {
    let plain = |path: &Located<Name>, out: &mut Vec<Diagnostic>| {
        let mut segments = path.value.split('/');
        let is_whole = segments.next() == Some("") && segments.all(|s| !matches!(s, "" | "." | ".."));
        if !is_whole {
            out.push(BAD_PLACE.at(path.span, format!("`{}` is no whole plain path", path.value)));
        }
        is_whole
    };
    let written = names(node, what, out);
    written.into_iter().filter(|path| plain(path, out)).map(|path| path.value).collect()
}
