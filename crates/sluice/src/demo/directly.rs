//! Without Sluice: what a workflow's calls do when nothing stands between it and the services.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::services::Server;
use crate::failure::Failure;

/// One request to a service of the demo, with its token, as any script would send it.
///
/// # Errors
/// [`Failure`] if the service does not answer with JSON and a status of success.
pub(super) async fn call(server: &Server, method: &str, target: &str, body: Option<&Value>) -> Result<Value, Failure> {
    let reply = exchange(server, method, target, body).await.map_err(|error| Failure::internal(&error))?;
    let wrong = || Failure::unexpected(format!("`{}` answered {method} {target} with an error", server.name()));
    // HTTP/1.0: the reply ends with the connection, in one piece.
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(wrong)?;
    let (head, rest) = reply.split_at(end);
    let is_success = head.split(|byte| *byte == b' ').nth(1).is_some_and(|status| status.starts_with(b"2"));
    if !is_success {
        return Err(wrong());
    }
    serde_json::from_slice(rest.trim_ascii_start()).map_err(|_| wrong())
}

async fn exchange(server: &Server, method: &str, target: &str, body: Option<&Value>) -> io::Result<Vec<u8>> {
    let body = body.map(ToString::to_string).unwrap_or_default();
    let head = format!(
        "{method} {target} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address(),
        server.token(),
        body.len()
    );
    let mut stream = TcpStream::connect(server.address()).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}
