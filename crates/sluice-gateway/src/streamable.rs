//! Streamable HTTP: the protocol's own way over the network, on the agent's side and on the server's.
//!
//! Both sides are adapters. They turn HTTP into a pair of pipes of lines, between which the proxy stands as it does between
//! standard input and output, so that nothing is judged here: what is checked is who calls, from where, and that what
//! others read of a message without opening it (its headers) says what the message says. Both eras of the protocol: until
//! 2025-11-25 a session is begun by `initialize` and has an id; from 2026-07-28 on every request stands alone.
//!
//! Source: Model Context Protocol 2025-11-25, transports; 2026-07-28, streamable HTTP.

pub(crate) mod agent;
mod events;
pub(crate) mod headers;
mod outbox;
mod parser;
mod pipes;
pub(crate) mod place;
mod reply;
pub(crate) mod server;
mod session;
mod table;

/// The revision in which every request stands alone.
const WITHOUT_SESSIONS: &str = "2026-07-28";
/// The first revision whose streams begin with an event that only says where to resume.
const PRIMES: &str = "2025-11-25";
/// Where a notification says to which subscription it belongs.
const SUBSCRIPTION_FIELD: &str = "io.modelcontextprotocol/subscriptionId";

const SESSION_HEADER: &str = "mcp-session-id";
const VERSION_HEADER: &str = "mcp-protocol-version";
const METHOD_HEADER: &str = "mcp-method";
const NAME_HEADER: &str = "mcp-name";
const LAST_EVENT_HEADER: &str = "last-event-id";

/// A message on one line. Between its tokens a line may end, and means nothing there; inside of a text none can.
fn one_line(message: &str) -> String {
    message.replace(['\n', '\r'], " ")
}
