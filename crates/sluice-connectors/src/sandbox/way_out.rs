//! The only way out of a sandbox: a proxy behind a socket, which connects to hosts of the contract and to no other.
//!
//! It speaks HTTP's `CONNECT` (RFC 9110 §9.3.6) and nothing else, so that what passes is encrypted end to end, and only
//! the host that is named decides. A name is resolved here, once, and every address of it is judged.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

use super::{Sandbox, SandboxError};
use crate::address::{Host, Reach, reach};
use crate::egress::ADDRESSES_MAX;

/// Connections of one server at once.
const CONNECTIONS_MAX: usize = 256;
/// Attempts that are told; a server that tries on is not heard any better.
const TOLD_MAX: usize = 64;
const WITHIN: Duration = Duration::from_secs(10);

/// What a server tried to reach and may not, each as it named it.
pub type Attempts = mpsc::Receiver<String>;

/// A socket that waits to be served.
#[derive(Debug)]
pub struct WayOut {
    listener: std::os::unix::net::UnixListener,
    /// Nobody but this user can enter it, and it goes when the way is closed.
    folder: TempDir,
    socket: PathBuf,
    hosts: Vec<(Host, u16)>,
    allow_private: bool,
}

struct Rule {
    hosts: Vec<(Host, u16)>,
    allow_private: bool,
    told: mpsc::Sender<String>,
}

impl WayOut {
    /// Opens the socket.
    pub(super) fn open(sandbox: &Sandbox) -> Result<Self, SandboxError> {
        let failed = |error: io::Error| SandboxError(format!("there is no socket to get out by: {error}"));
        let folder = tempfile::Builder::new().prefix("sluice-").tempdir().map_err(failed)?;
        let socket = folder.path().join("out");
        let listener = std::os::unix::net::UnixListener::bind(&socket).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, folder, socket, hosts: sandbox.hosts.clone(), allow_private: sandbox.allow_private })
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Serves it as long as the runtime runs.
    ///
    /// # Errors
    /// The socket's own.
    pub(crate) fn serve(self) -> io::Result<Attempts> {
        let Self { listener, folder, hosts, allow_private, .. } = self;
        let listener = UnixListener::from_std(listener)?;
        let (told, attempts) = mpsc::channel(TOLD_MAX);
        let rule = Arc::new(Rule { hosts, allow_private, told });
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
                let Ok((stream, _)) = listener.accept().await else { break };
                let rule = Arc::clone(&rule);
                tokio::spawn(async move {
                    // A server that breaks off is its own loss.
                    let _ = pass(stream, rule).await;
                    drop(place);
                });
            }
            drop(folder);
        });
        Ok(attempts)
    }
}

async fn pass(stream: UnixStream, rule: Arc<Rule>) -> hyper::Result<()> {
    let answer = service_fn(move |request| {
        let rule = Arc::clone(&rule);
        async move { Ok::<_, Infallible>(answer(request, &rule).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(WITHIN);
    server.serve_connection(TokioIo::new(stream), answer).with_upgrades().await
}

async fn answer(request: Request<Incoming>, rule: &Rule) -> Response<Empty<Bytes>> {
    let status = |status| {
        let mut response = Response::new(Empty::new());
        *response.status_mut() = status;
        response
    };
    if request.method() != Method::CONNECT {
        rule.tell(format!("{} {}", request.method(), request.uri()));
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let named = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    let Some((host, port)) = rule.admitted(&named) else {
        rule.tell(named);
        return status(StatusCode::FORBIDDEN);
    };
    let connected = tokio::time::timeout(WITHIN, connect(&host, port, rule.allow_private)).await;
    let mut outside = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            rule.tell(format!("{named}, which is {error}"));
            return status(StatusCode::FORBIDDEN);
        }
        Ok(Err(_)) => return status(StatusCode::BAD_GATEWAY),
        Err(_) => return status(StatusCode::GATEWAY_TIMEOUT),
    };
    tokio::spawn(async move {
        if let Ok(inside) = hyper::upgrade::on(request).await {
            // Either side may break it off at any moment.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(inside), &mut outside).await;
        }
    });
    status(StatusCode::OK)
}

impl Rule {
    /// The host of the contract that this is; `None` for every other.
    fn admitted(&self, named: &str) -> Option<(Host, u16)> {
        let (host, port) = named.rsplit_once(':')?;
        let (host, port) = (Host::parse(host).ok()?, port.parse().ok()?);
        self.hosts.contains(&(host.clone(), port)).then_some((host, port))
    }

    fn tell(&self, attempt: String) {
        // Nobody listens any more, or enough was told.
        let _ = self.told.try_send(attempt);
    }
}

/// Connects to the first judged address that answers.
async fn connect(host: &Host, port: u16, allow_private: bool) -> io::Result<TcpStream> {
    let addresses: Vec<IpAddr> = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => tokio::net::lookup_host((name.as_str(), port))
            .await?
            .map(|address| address.ip())
            .take(ADDRESSES_MAX)
            .collect(),
    };
    for address in &addresses {
        match reach(*address) {
            Reach::Public => {}
            Reach::Private(_) if allow_private => {}
            Reach::Private(_) | Reach::Metadata => {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{address} inside the network")));
            }
        }
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
