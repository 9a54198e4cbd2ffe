//! What tools, prompts, tasks and resources of several servers are called outside, and whose each of these names is.
//!
//! A tool `send` of `mail` is `mail__send`, a resource `file:///x` of `files` is `files+file:///x`. Two things can never get
//! one name: no server's prefix begins another's.

use sluice_core::contract::is_id;
use sluice_core::label::Name;
use thiserror::Error;

use crate::planning;

/// What stands between the name of a server and one of its own names.
const JOIN: &str = "__";

/// The servers behind a gateway, by the names of their connectors.
#[derive(Clone, Debug)]
pub struct Names {
    servers: Vec<Server>,
}

#[derive(Clone, Debug)]
struct Server {
    connector: Name,
    /// What its names begin with outside.
    prefix: String,
    /// What its URIs begin with outside. Hosts write schemes in lower case.
    scheme: String,
}

/// SL916. Names under which servers could not be told apart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NamesError {
    /// One connector twice.
    #[error("SL916: `{0}` is named twice")]
    Twice(Name),
    /// A tool of the one could be one of the other.
    #[error("SL916: `{0}` and `{1}` cannot stand behind one gateway: a tool's or resource's name could be of either")]
    Ambiguous(Name, Name),
    /// It would have to be written differently in a URI or a JSON text.
    #[error("SL916: `{0}` cannot be the name of a server")]
    Unfit(Name),
    /// The gateway's own names begin so.
    #[error(
        "SL916: a server behind a gateway with others cannot be called `{0}`: the gateway's own tools begin with `sluice_`"
    )]
    Own(Name),
}

impl Names {
    /// Of these connectors, in their order.
    ///
    /// # Errors
    /// [`NamesError`].
    pub fn of(connectors: impl IntoIterator<Item = Name>) -> Result<Self, NamesError> {
        let mut servers: Vec<Server> = Vec::new();
        for connector in connectors {
            if !is_id(&connector) {
                return Err(NamesError::Unfit(connector));
            }
            let server = Server::of(connector);
            if server.prefix.starts_with(planning::OWN) || planning::OWN.starts_with(&server.prefix) {
                return Err(NamesError::Own(server.connector));
            }
            for other in &servers {
                if other.connector == server.connector {
                    return Err(NamesError::Twice(server.connector));
                }
                let is_begun = |one: &str, another: &str| one.starts_with(another) || another.starts_with(one);
                if is_begun(&other.prefix, &server.prefix) || other.scheme == server.scheme {
                    return Err(NamesError::Ambiguous(other.connector.clone(), server.connector));
                }
            }
            servers.push(server);
        }
        Ok(Self { servers })
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.servers.len()
    }

    /// The connector of a server.
    pub(crate) fn connector(&self, server: usize) -> Option<&Name> {
        self.servers.get(server).map(|server| &server.connector)
    }

    /// What the names of a server begin with outside.
    pub(crate) fn prefix(&self, server: usize) -> &str {
        self.servers.get(server).map_or("", |server| &server.prefix)
    }

    /// What its URIs begin with outside.
    pub(crate) fn scheme(&self, server: usize) -> &str {
        self.servers.get(server).map_or("", |server| &server.scheme)
    }

    /// What a tool, prompt or task of a server is called outside.
    #[must_use]
    pub fn join(&self, server: usize, name: &str) -> String {
        format!("{}{name}", self.prefix(server))
    }

    /// Whose an outside name is, and what it is called there.
    #[must_use]
    pub fn split<'n>(&self, outside: &'n str) -> Option<(usize, &'n str)> {
        let mut found = self.servers.iter().enumerate();
        found.find_map(|(at, server)| Some((at, outside.strip_prefix(server.prefix.as_str())?)))
    }

    /// The same of a URI.
    #[must_use]
    pub fn split_uri<'n>(&self, outside: &'n str) -> Option<(usize, &'n str)> {
        let (head, rest) = outside.split_at_checked(outside.find('+')?.saturating_add(1))?;
        let at = self.servers.iter().position(|server| server.scheme.eq_ignore_ascii_case(head))?;
        Some((at, rest))
    }

    /// The server whose tool one would take this for, by a name that a server gives a tool of its own.
    pub(crate) fn passes_for(&self, name: &str) -> Option<&Name> {
        let (at, _) = self.split(name)?;
        self.connector(at)
    }
}

impl Server {
    fn of(connector: Name) -> Self {
        let plain = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
        let scheme: String = connector.chars().map(plain).collect();
        // A scheme begins with a letter.
        let letter = if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "s" };
        Self { prefix: format!("{connector}{JOIN}"), scheme: format!("{letter}{scheme}+"), connector }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(connectors: &[&str]) -> Result<Names, NamesError> {
        Names::of(connectors.iter().map(|name| Name::from(*name)))
    }

    #[test]
    fn servers_that_could_be_taken_for_each_other_are_refused() {
        for (connectors, fits) in [
            (&["files", "mail"][..], true),
            (&["files", "files-2", "files_2"], false),
            (&["files", "files"], false),
            (&["a", "a__b"], false),
            (&["a__b", "a"], false),
            (&["a", "a_"], false),
            (&["a", "ab"], true),
            (&["Files", "files"], false),
            (&["sluice", "mail"], false),
            (&["sluice_x", "mail"], false),
            (&["sluices", "mail"], true),
            (&["1", "s1"], false),
            (&["a\"b"], false),
        ] {
            assert_eq!(names(connectors).is_ok(), fits, "{connectors:?}");
        }
    }

    #[test]
    fn a_uri_finds_its_server_however_a_host_writes_the_scheme() {
        let names = names(&["My_Files", "web"]).unwrap();
        for (outside, found) in [
            ("my-files+file:///x+y", Some((0, "file:///x+y"))),
            ("MY-FILES+file:///x", Some((0, "file:///x"))),
            ("web+git+ssh://h/p", Some((1, "git+ssh://h/p"))),
            ("git+ssh://h/p", None),
            ("file:///web+x", None),
            ("web", None),
            ("", None),
        ] {
            assert_eq!(names.split_uri(outside), found, "{outside}");
        }
    }

    proptest! {
        #[test]
        fn an_outside_name_leads_to_the_one_tool_that_it_was_made_of(
            connectors in proptest::collection::vec("[a-c_]{1,3}", 2..4),
            server in 0_usize..4,
            tool in "[a-c_]{0,5}",
        ) {
            let Ok(names) = Names::of(connectors.iter().map(|name| Name::from(name.as_str()))) else { return Ok(()) };
            prop_assume!(server < names.count());
            let outside = names.join(server, &tool);
            prop_assert_eq!(names.split(&outside), Some((server, tool.as_str())));
            // And no other server's name begins so.
            for other in (0..names.count()).filter(|other| *other != server) {
                prop_assert!(!outside.starts_with(names.prefix(other)));
            }
            let uri = format!("{}{tool}", names.scheme(server));
            prop_assert_eq!(names.split_uri(&uri), Some((server, tool.as_str())));
        }

        #[test]
        fn whatever_is_split_is_joined_again(outside in "[a-c_]{0,8}") {
            let names = names(&["a", "b_", "c"]).unwrap();
            if let Some((server, tool)) = names.split(&outside) {
                prop_assert_eq!(names.join(server, tool), outside);
            }
        }
    }
}
