//! Inside a sandbox: what a server takes for its proxy.
//!
//! It listens on the loopback of the sandbox, which nobody else can reach, and hands each connection on as it is.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitStatus;

use tokio::net::{TcpListener, UnixStream};
use tokio::process::Command;

/// By which names programs look for a proxy. The last one lets Node do so, too.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Runs a server with the way out that it is given.
///
/// # Errors
/// The system's own: the way out cannot be offered, or the program cannot be started.
pub async fn run(way_out: &Path, command: &[OsString]) -> io::Result<ExitStatus> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let proxy = format!("http://{}", listener.local_addr()?);
    let way_out = way_out.to_owned();
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            let way_out = way_out.clone();
            tokio::spawn(async move {
                if let Ok(mut outer) = UnixStream::connect(&way_out).await {
                    // Either side may break it off at any moment.
                    let _ = tokio::io::copy_bidirectional(&mut inner, &mut outer).await;
                }
            });
        }
    });
    let mut server = Command::new(program);
    server.args(arguments).env("NODE_USE_ENV_PROXY", "1");
    VARIABLES.iter().for_each(|name| {
        server.env(name, &proxy);
    });
    server.status().await
}
