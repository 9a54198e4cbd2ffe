//! One HTTP server on 127.0.0.1: a free port, connections, and an end that leaves nothing behind.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::StartError;
use super::door::{Door, RequestSeen, behind};
use super::effects::EffectCounts;

/// How long a stopping server waits for requests it has begun to serve; then it hangs up.
const STOP_WAIT: Duration = Duration::from_millis(500);

/// How long to wait when the system refuses a connection (too many open files, say).
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);

/// 128 bits: nobody on this machine guesses it while a demo runs.
const TOKEN_BYTES: usize = 16;

/// A running server.
///
/// Dropped without [`Server::stop`], it ends as soon as its runtime gets to it.
pub struct Server {
    name: &'static str,
    address: SocketAddr,
    door: Arc<Door>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts to serve `routes` behind a token made for this start.
    pub(super) async fn start(name: &'static str, routes: Router) -> Result<Self, StartError> {
        let door = Arc::new(Door::new(new_token(name)?));
        let unbound = |source| StartError::Listen { service: name, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(serve(listener, behind(&door, routes), stopped));
        Ok(Self { name, address, door, stop, accepting })
    }

    /// The service's name: `crm`, `sheets`, …
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as the start of a URL without a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The real credential: whoever sends it is let in.
    #[must_use]
    pub fn token(&self) -> &str {
        self.door.token()
    }

    /// The requests seen so far, oldest first, refused ones too.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.door.requests()
    }

    /// How many writes were applied, and how many were asked for again.
    #[must_use]
    pub fn effects(&self) -> EffectCounts {
        self.door.effects()
    }

    /// From now on, applies a write at once but keeps its reply back for so long.
    ///
    /// This is the moment to kill a run in: the effect is there, and the run does not know.
    pub fn hold_replies(&self, hold: Duration) {
        self.door.hold_replies(hold);
    }

    /// Stops it; afterwards its port is closed and none of its connections is left.
    pub(super) async fn stop(self) {
        // Neither can fail in a way that leaves something running: without a receiver the task has
        // ended already, and a task that panicked has dropped its connections.
        let _ = self.stop.send(true);
        let _ = self.accepting.await;
    }
}

fn new_token(service: &'static str) -> Result<String, StartError> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|source| StartError::Token { service, source })?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("demo-{service}-{hex}"))
}

async fn serve(listener: TcpListener, routes: Router, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop_asked(&mut stopped) => break,
            accepted = accept(&listener) => match accepted {
                Ok(stream) => {
                    connections.spawn(converse(stream, routes.clone(), stopped.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(STOP_WAIT, drained).await;
    connections.shutdown().await;
}

/// Ends when asked to stop, and also when nobody is left who could ask.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    // Otherwise a reply in two segments waits for the client's delayed acknowledgement: 40 ms each.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn converse(stream: TcpStream, routes: Router, mut stopped: watch::Receiver<bool>) {
    // The timer gives hyper its bound on how long a client may take over its headers.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = pin!(connection);
    // A connection's error is the client's affair: it hung up or spoke no HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop_asked(&mut stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn an_accepted_connection_sends_without_delay() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), super::accept(&listener));
        assert!(accepted.unwrap().nodelay().unwrap());
        assert!(!client.unwrap().nodelay().unwrap(), "the system's default is to delay");
    }
}
