//! The one way out to the network.
//!
//! A request leaves only if a rule, which comes from a signed contract, names its scheme, host, port, method and path.
//! The host is resolved once, **every** address of the answer is judged ([`crate::address`]), and the connection goes to
//! exactly a judged address: there is no second look-up that could answer differently. Each request has a connection of
//! its own. Proxies of the environment do not exist here, redirects are reported and never followed, compressed replies
//! are refused, and one deadline covers everything from the look-up to the last byte of the reply.
//!
//! An error says on which side of the line it fell: [`EgressError::nothing_left`] is true only when not one byte of the
//! request can have reached the server. After that, only the server knows.

mod error;
mod named;
mod request;
mod stream;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, LOCATION};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

pub use self::error::{EgressError, Phase};
pub use self::named::Named;
pub use self::request::{Body, Credential, EgressRequest, EgressRule, Method, Scheme};
pub use self::stream::EgressStream;
use crate::address::{Host, Reach, reach};
use crate::canary::{self, as_in_json, contains};
use crate::tls;

/// Largest request body.
pub const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Most addresses of one name: more is an attempt to get lost in them.
pub const ADDRESSES_MAX: usize = 32;
/// Most headers of a reply, and about how many bytes they and its first line may take: the bound is on what is read ahead.
const REPLY_HEADERS_MAX: usize = 100;
const REPLY_HEAD_BYTES_MAX: usize = 64 << 10;

/// Looks a name up. The system does it in production; a test answers what it likes.
pub trait Resolve: Send + Sync {
    /// All addresses of a name.
    fn resolve<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// What came back, whatever its status.
pub struct EgressReply {
    /// The HTTP status: never a redirect.
    pub status: u16,
    /// The body, no longer than the rule allows.
    pub body: Bytes,
    /// The address that was judged and connected to.
    pub address: SocketAddr,
}

impl fmt::Debug for EgressReply {
    // A body may hold anything, so only its size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EgressReply {{ status: {}, body: {} bytes, address: {} }}",
            self.status,
            self.body.len(),
            self.address
        )
    }
}

/// Sends requests that a rule admits.
pub struct EgressClient {
    resolver: Arc<dyn Resolve>,
    roots: Arc<RootCertStore>,
}

impl fmt::Debug for EgressClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EgressClient")
    }
}

impl Default for EgressClient {
    /// The system's resolver and the public roots.
    fn default() -> Self {
        Self::new(Arc::new(SystemResolver), tls::public_roots())
    }
}

impl EgressClient {
    /// A client with a resolver and trusted roots of its own.
    #[must_use]
    pub fn new(resolver: Arc<dyn Resolve>, roots: RootCertStore) -> Self {
        Self { resolver, roots: Arc::new(roots) }
    }

    /// Sends one request, once.
    ///
    /// # Errors
    /// [`EgressError`]. Unless [`EgressError::nothing_left`], the request may have had its effect.
    pub async fn send(&self, request: EgressRequest, rule: &EgressRule) -> Result<EgressReply, EgressError> {
        rule.admit(&request)?;
        let deadline = Instant::now() + rule.timeout;
        let message = request.to_message()?;
        let within = |phase| move |_| EgressError::Timeout { phase };
        let (stream, address) = self.reach(&request, rule, deadline).await?;
        let exchange = Exchange { request: &request, rule, address, deadline };
        match request.scheme {
            Scheme::Http => exchange.over(stream, message).await,
            Scheme::Https => {
                let stream = timeout_at(deadline, self.secure(stream, &request.host, rule))
                    .await
                    .map_err(within(Phase::Tls))??;
                exchange.over(stream, message).await
            }
        }
    }

    /// Connects to a judged address of the host.
    async fn reach(
        &self,
        request: &EgressRequest,
        rule: &EgressRule,
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr), EgressError> {
        let within = |phase| move |_| EgressError::Timeout { phase };
        let addresses =
            timeout_at(deadline, self.judged_addresses(request, rule)).await.map_err(within(Phase::Resolve))??;
        timeout_at(deadline, connect(&addresses, deadline)).await.map_err(within(Phase::Connect))?
    }

    /// Resolves once, and refuses the whole answer for one bad address: an honest name does not mix them.
    async fn judged_addresses(
        &self,
        request: &EgressRequest,
        rule: &EgressRule,
    ) -> Result<Vec<SocketAddr>, EgressError> {
        let found = match &request.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let unresolved = |why: String| EgressError::Unresolved { host: name.clone(), why };
                let found = self.resolver.resolve(name).await.map_err(|error| unresolved(error.to_string()))?;
                if found.is_empty() || found.len() > ADDRESSES_MAX {
                    return Err(unresolved(format!("it has {} addresses", found.len())));
                }
                found
            }
        };
        for address in &found {
            judge(*address, request, rule)?;
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, request.port)).collect())
    }

    async fn secure(
        &self,
        stream: TcpStream,
        host: &Host,
        rule: &EgressRule,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, EgressError> {
        let tls_error = |why: String| EgressError::Tls { host: host.to_string(), why };
        let config = tls::config(&self.roots, rule.pin).map_err(|error| tls_error(error.to_string()))?;
        let name = tls::server_name(host).ok_or_else(|| tls_error("it cannot be named in a certificate".to_owned()))?;
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        connected.map_err(|error| match rule.pin {
            Some(_) if is_pin_mismatch(&error) => EgressError::Pin { host: host.to_string() },
            _ => tls_error(error.to_string()),
        })
    }
}

fn is_pin_mismatch(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure)))
}

fn judge(address: IpAddr, request: &EgressRequest, rule: &EgressRule) -> Result<(), EgressError> {
    let host = || request.host.to_string();
    match reach(address) {
        Reach::Metadata => return Err(EgressError::Metadata { host: host(), address }),
        Reach::Private(kind) if !rule.allow_private => {
            return Err(EgressError::Private { host: host(), address, kind });
        }
        Reach::Private(_) | Reach::Public => {}
    }
    let in_clear = request.scheme == Scheme::Http && !request.credentials.is_empty();
    if in_clear && !address.is_loopback() {
        return Err(EgressError::SecretInClear { host: host() });
    }
    Ok(())
}

/// Tries the judged addresses in the resolver's order. Each gets an equal share of the time that is left, so that one
/// that swallows packets does not spend it all.
async fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), EgressError> {
    let mut last = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, *address)),
            Ok(Err(error)) => last = Some(EgressError::Connect { address: *address, why: error.to_string() }),
            Err(_) => last = Some(EgressError::Timeout { phase: Phase::Connect }),
        }
    }
    Err(last.unwrap_or(EgressError::Timeout { phase: Phase::Connect }))
}

/// One request on its way over one connection.
struct Exchange<'a> {
    request: &'a EgressRequest,
    rule: &'a EgressRule,
    address: SocketAddr,
    deadline: Instant,
}

impl Exchange<'_> {
    async fn over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        message: Request<Full<Bytes>>,
    ) -> Result<EgressReply, EgressError> {
        let (mut sender, connection) = handshake(stream, self.address).await?;
        let exchange = async {
            let response = ask(&mut sender, message, self.address).await?;
            self.receive(response).await
        };
        timeout_at(self.deadline, driven(connection, exchange))
            .await
            .unwrap_or(Err(EgressError::Timeout { phase: Phase::Reply }))
    }

    async fn receive(&self, response: Response<Incoming>) -> Result<EgressReply, EgressError> {
        check_head(&response, &self.request.credentials)?;
        let status = response.status().as_u16();
        let bytes_max = self.rule.reply_bytes_max;
        let announced =
            response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let too_large = EgressError::ReplyTooLarge { status, bytes_max };
        if announced.is_some_and(|bytes| usize::try_from(bytes).is_ok_and(|bytes| bytes > bytes_max)) {
            return Err(too_large);
        }
        let body = match collect(response.into_body(), bytes_max).await {
            Ok(Some(body)) => body,
            Ok(None) => return Err(too_large),
            Err(error) => return Err(EgressError::ReplyLost { why: error.to_string() }),
        };
        if is_echo(&self.request.credentials, &body) {
            return Err(EgressError::SecretEchoed { status });
        }
        Ok(EgressReply { status, body, address: self.address })
    }
}

type Connection<S> = http1::Connection<TokioIo<S>, Full<Bytes>>;

async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    address: SocketAddr,
) -> Result<(http1::SendRequest<Full<Bytes>>, Connection<S>), EgressError> {
    let mut builder = http1::Builder::new();
    builder.max_headers(REPLY_HEADERS_MAX).max_buf_size(REPLY_HEAD_BYTES_MAX);
    let opened = builder.handshake(TokioIo::new(stream)).await;
    opened.map_err(|error| EgressError::Connect { address, why: error.to_string() })
}

async fn ask(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    message: Request<Full<Bytes>>,
    address: SocketAddr,
) -> Result<Response<Incoming>, EgressError> {
    sender.try_send_request(message).await.map_err(|mut error| {
        // The message comes back only if the connection never began to write it.
        let is_unsent = error.take_message().is_some();
        let why = error.into_error().to_string();
        if is_unsent { EgressError::Connect { address, why } } else { EgressError::ReplyLost { why } }
    })
}

/// Redirects are reported and never followed, and what is compressed was not asked for.
fn check_head(response: &Response<Incoming>, credentials: &[Credential]) -> Result<(), EgressError> {
    let status = response.status().as_u16();
    if response.status().is_redirection() && status != 304 {
        let to = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if is_echo(credentials, to.as_bytes()) {
            return Err(EgressError::SecretEchoed { status });
        }
        return Err(EgressError::Redirect { status, to: to.to_owned() });
    }
    if response.headers().get_all(CONTENT_ENCODING).iter().any(|value| value != "identity") {
        return Err(EgressError::Encoded { status });
    }
    Ok(())
}

/// A server that sends the credential back would put it into values, entries and prompts.
fn is_echo(credentials: &[Credential], bytes: &[u8]) -> bool {
    credentials.iter().any(|credential| {
        let secret = credential.secret().expose();
        secret.len() >= canary::BYTES_MIN && (contains(bytes, secret) || contains(bytes, &as_in_json(secret)))
    })
}

async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if data.len() > bytes_max.saturating_sub(all.len()) {
            return Ok(None);
        }
        all.extend_from_slice(&data);
    }
    Ok(Some(Bytes::from(all)))
}

/// Runs a connection for as long as its exchange lasts: no task outlives the call.
async fn driven<T>(connection: impl Future<Output = hyper::Result<()>>, exchange: impl Future<Output = T>) -> T {
    let (mut connection, mut exchange) = (pin!(connection), pin!(exchange));
    let mut is_open = true;
    poll_fn(|cx| {
        if is_open && connection.as_mut().poll(cx).is_ready() {
            is_open = false;
        }
        match exchange.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The time of a rule that says nothing else.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// The largest reply of a rule that says nothing else.
pub const REPLY_BYTES_DEFAULT: usize = 4 << 20;
