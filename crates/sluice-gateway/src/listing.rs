//! What a server offers, asked by us and not for an agent: the handshake, and every page of its list of tools.
//!
//! Both eras of the protocol: `initialize` first, and `server/discover` where the server knows no such request.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};
use sluice_connectors::canary::Canary;
use sluice_connectors::mcp::StartError;
use sluice_connectors::secret::SecretStore;
use sluice_core::contract::lock;
use sluice_core::document::Node;
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _};

use crate::frame::{Frame, Id, Kind};
use crate::lines::{self, Line};
use crate::tools::{self, Tool};
use crate::upstream::{self, Upstream};

/// The revisions that are spoken: with sessions, and without.
const WITH_SESSIONS: &str = "2025-11-25";
const WITHOUT_SESSIONS: &str = "2026-07-28";
/// How long a server may take for the first answer: a launcher may have to fetch it.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
/// How long it may take for each other one.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Most pages, and most tools of all of them.
const PAGES_MAX: usize = 100;
const TOOLS_MAX: usize = 2_000;

/// What a server offers.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What it says of itself.
    pub server: lock::Server,
    /// What it says to the model beside its tools.
    pub instructions: Option<String>,
    /// Its tools, in its order.
    pub tools: Vec<Tool>,
}

/// Why it is not known what a server offers.
#[derive(Debug, Error)]
pub enum ListingError {
    /// It cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// SL932. It ended, or a pipe broke.
    #[error(
        "SL932: the server ended before it answered `{method}`; what it wrote to its standard error says why; one that needs a secret gets it with `--secret VARIABLE=NAME`"
    )]
    Ended {
        /// What was asked.
        method: &'static str,
    },
    /// SL933. It says nothing.
    #[error("SL933: the server did not answer `{method}` within {seconds} seconds")]
    Silent {
        /// What was asked.
        method: &'static str,
        /// For how long.
        seconds: u64,
    },
    /// SL934. It refuses.
    #[error("SL934: the server refuses `{method}`: {said}")]
    Refused {
        /// What was asked.
        method: &'static str,
        /// What it said.
        said: String,
    },
    /// SL935. It does not speak the protocol.
    #[error("SL935: what the server says to `{method}` is no answer of the protocol: {why}")]
    NoAnswer {
        /// What was asked.
        method: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// SL912. There is no end of it.
    #[error("SL912: the server lists more tools than {TOOLS_MAX}, or more pages than {PAGES_MAX}")]
    TooMany,
    /// SL936. Nobody could tell which is meant.
    #[error("SL936: the server lists two tools of the name `{0}`")]
    Twice(String),
}

/// Reaches a server, asks what it offers, and leaves it.
///
/// # Errors
/// [`ListingError`].
pub async fn of(upstream: &Upstream, secrets: &SecretStore) -> Result<Listed, ListingError> {
    upstream::with(&"the server".into(), upstream, secrets, async |from, to, beside| {
        Asking { to, from, canary: beside.canary, next: 1 }.list().await
    })
    .await?
}

struct Asking<W, R> {
    to: W,
    from: R,
    canary: Canary,
    next: u64,
}

impl<W: AsyncWrite + Unpin, R: AsyncBufRead + Unpin> Asking<W, R> {
    async fn list(&mut self) -> Result<Listed, ListingError> {
        let client = json!({ "name": "sluice", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": WITH_SESSIONS, "capabilities": {}, "clientInfo": client });
        let (answer, meta) = match self.ask("initialize", hello, STARTS_WITHIN).await {
            Ok(answer) => {
                self.tell(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "initialize").await?;
                (answer, None)
            }
            Err(ListingError::Refused { .. }) => {
                let meta = json!({
                    "io.modelcontextprotocol/protocolVersion": WITHOUT_SESSIONS,
                    "io.modelcontextprotocol/clientInfo": client,
                    "io.modelcontextprotocol/clientCapabilities": {},
                });
                let discover = json!({ "_meta": meta });
                (self.ask("server/discover", discover, ANSWERS_WITHIN).await?, Some(meta))
            }
            Err(error) => return Err(error),
        };
        let tools = self.tools(meta.as_ref()).await?;
        let protocol = if meta.is_some() { Some(WITHOUT_SESSIONS.into()) } else { text(&answer, &["protocolVersion"]) };
        let instructions = text(&answer, &["instructions"]).map(|words| words.to_string());
        Ok(Listed { server: server(&answer, protocol), instructions, tools })
    }

    async fn tools(&mut self, meta: Option<&Json>) -> Result<Vec<Tool>, ListingError> {
        const METHOD: &str = "tools/list";
        let (mut listed, mut names) = (Vec::new(), BTreeSet::new());
        let mut cursor: Option<Json> = None;
        for _ in 0..PAGES_MAX {
            let mut parameters = serde_json::Map::new();
            parameters.extend(meta.map(|meta| ("_meta".to_owned(), meta.clone())));
            parameters.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
            let answer = self.ask(METHOD, parameters.into(), ANSWERS_WITHIN).await?;
            let unfit = || ListingError::NoAnswer { method: METHOD, why: "it holds no list of named tools".to_owned() };
            let page = tools::page(&answer).ok_or_else(unfit)?;
            for tool in page.tools {
                if !names.insert(tool.name.clone()) {
                    return Err(ListingError::Twice(tool.name));
                }
                listed.push(tool);
            }
            if listed.len() > TOOLS_MAX {
                return Err(ListingError::TooMany);
            }
            match page.next {
                Some(next) => cursor = Some(serde_json::from_str(&next).map_err(|_| unfit())?),
                None => return Ok(listed),
            }
        }
        Err(ListingError::TooMany)
    }

    async fn ask(&mut self, method: &'static str, parameters: Json, within: Duration) -> Result<Frame, ListingError> {
        let id = Id::own(self.next);
        self.next += 1;
        let request = format!(r#"{{"jsonrpc":"2.0","id":{},"method":"{method}","params":{parameters}}}"#, id.as_json());
        self.tell(&request, method).await?;
        let seconds = within.as_secs();
        let answer = tokio::time::timeout(within, self.answer(&id, method)).await;
        let answer = answer.map_err(|_| ListingError::Silent { method, seconds })??;
        match answer.member("error") {
            None => Ok(answer),
            Some(error) => {
                let said = error.get("message").and_then(Node::as_text).map_or("it does not say why", AsRef::as_ref);
                Err(ListingError::Refused { method, said: said.to_owned() })
            }
        }
    }

    /// The answer to a request; whatever else the server says meanwhile is passed over, and what it asks is refused.
    async fn answer(&mut self, id: &Id, method: &'static str) -> Result<Frame, ListingError> {
        loop {
            let why = match lines::next(&mut self.from).await {
                Err(_) | Ok(Line::End) => return Err(ListingError::Ended { method }),
                Ok(Line::TooLong(_)) => "it is too long".to_owned(),
                Ok(Line::Whole(bytes)) => match Frame::read(&bytes) {
                    // What it says is kept, shown and drafted from.
                    _ if self.canary.is_in(&bytes) => "it repeats a secret".to_owned(),
                    Err(error) => error.why,
                    Ok(frame) if frame.any_text(&|text| self.canary.is_in(text)) => "it repeats a secret".to_owned(),
                    Ok(frame) => match frame.kind.clone() {
                        Kind::Response { id: answered, .. } if answered == *id => return Ok(frame),
                        Kind::Request { id, method: asked } => {
                            let id = id.as_json();
                            let answer = if asked == "ping" {
                                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
                            } else {
                                format!(
                                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"not here"}}}}"#
                                )
                            };
                            self.tell(&answer, method).await?;
                            continue;
                        }
                        Kind::Notification { .. } | Kind::Response { .. } => continue,
                    },
                },
            };
            return Err(ListingError::NoAnswer { method, why });
        }
    }

    async fn tell(&mut self, text: &str, method: &'static str) -> Result<(), ListingError> {
        let line = [text.as_bytes(), b"\n"].concat();
        let told = async { self.to.write_all(&line).await.and(self.to.flush().await) };
        told.await.map_err(|_| ListingError::Ended { method })
    }
}

/// What a server says of itself: beside its capabilities, or in the answer's own data where there are no sessions.
fn server(answer: &Frame, protocol: Option<std::sync::Arc<str>>) -> lock::Server {
    let said = |key: &str| {
        let filled = |text: &std::sync::Arc<str>| !text.trim().is_empty();
        let beside = text(answer, &["serverInfo", key]);
        beside.or_else(|| text(answer, &["_meta", "io.modelcontextprotocol/serverInfo", key])).filter(filled)
    };
    lock::Server {
        name: said("name"),
        version: said("version"),
        protocol: protocol.filter(|text| !text.trim().is_empty()),
    }
}

fn text(answer: &Frame, path: &[&str]) -> Option<std::sync::Arc<str>> {
    let result = answer.member("result")?;
    path.iter().try_fold(result, |node, key| node.get(key))?.as_text().cloned()
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    /// What comes of a server that says these lines whatever it is asked.
    async fn listed(lines: &[&str]) -> Result<Listed, String> {
        let said = lines.join("\n") + "\n";
        let mut asking =
            Asking { to: tokio::io::sink(), from: BufReader::new(said.as_bytes()), canary: Canary::default(), next: 1 };
        asking.list().await.map_err(|error| error.to_string())
    }

    const HELLO: &str = r#"{"jsonrpc":"2.0","id":"sluice:1","result":{"protocolVersion":"2025-06-18","serverInfo":{"name":"mail","version":"1.2"},"instructions":"Be kind."}}"#;

    fn page(id: u64, tools: &str, next: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":"sluice:{id}","result":{{"tools":[{tools}]{next}}}}}"#)
    }

    #[tokio::test]
    async fn every_page_is_read_and_what_comes_between_is_passed_over() {
        let listed = listed(&[
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
            HELLO,
            r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#,
            &page(2, r#"{"name":"a"}"#, r#","nextCursor":"x""#),
            &page(3, r#"{"name":"b"}"#, ""),
        ])
        .await
        .unwrap();
        assert_eq!(listed.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let server = listed.server;
        let said = [server.name, server.version, server.protocol].map(Option::unwrap_or_default);
        assert_eq!(said.map(|text| text.to_string()), ["mail", "1.2", "2025-06-18"]);
        assert_eq!(listed.instructions.as_deref(), Some("Be kind."));
    }

    #[tokio::test]
    async fn a_server_without_sessions_is_asked_in_its_own_way() {
        let listed = listed(&[
            r#"{"jsonrpc":"2.0","id":"sluice:1","error":{"code":-32601,"message":"Method not found"}}"#,
            r#"{"jsonrpc":"2.0","id":"sluice:2","result":{"supportedVersions":["2026-07-28"],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"new","version":"3"}}}}"#,
            &page(3, r#"{"name":"a"}"#, ""),
        ])
        .await
        .unwrap();
        assert_eq!(listed.server.name.as_deref(), Some("new"));
        assert_eq!(listed.server.protocol.as_deref(), Some("2026-07-28"));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error_that_says_what_was_asked() {
        let twice = page(2, r#"{"name":"a"},{"name":"a"}"#, "");
        for (lines, code) in [
            (vec![], "SL932"),
            (vec!["Server listening on port 3000"], "SL935"),
            (vec![HELLO], "SL932"),
            (vec![HELLO, r#"{"jsonrpc":"2.0","id":"sluice:2","error":{"code":1,"message":"no"}}"#], "SL934"),
            (vec![HELLO, r#"{"jsonrpc":"2.0","id":"sluice:2","result":{"tools":[{}]}}"#], "SL935"),
            (vec![HELLO, twice.as_str()], "SL936"),
        ] {
            let error = listed(&lines).await.unwrap_err();
            assert!(error.starts_with(code), "{lines:?}: {error}");
        }
        let endless: Vec<String> =
            (2..200).map(|id| page(id, &format!(r#"{{"name":"t{id}"}}"#), r#","nextCursor":"x""#)).collect();
        let lines: Vec<&str> = std::iter::once(HELLO).chain(endless.iter().map(String::as_str)).collect();
        assert!(listed(&lines).await.unwrap_err().starts_with("SL912"));
    }
}
