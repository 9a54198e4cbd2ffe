//! Replies that are read as they come.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    Credential, EgressClient, EgressError, EgressRequest, EgressRule, Phase, Scheme, ask, check_head, driven,
    handshake, is_echo,
};

/// How long it may take until a request can be sent.
const REACHES_WITHIN: Duration = Duration::from_secs(30);

/// A reply whose body is still on its way. Its connection is closed when it is dropped.
pub struct EgressStream {
    /// The HTTP status: never a redirect.
    pub status: u16,
    response: Response<Incoming>,
    /// Runs only while somebody reads; `None` once it is closed.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    credentials: Vec<Credential>,
    silence: Duration,
}

impl EgressClient {
    /// Sends one request, once, and gives the reply as soon as its head is there. The rule's time is how long the server
    /// may say nothing, before the head and between any two parts of the body; the size of the body is its reader's to
    /// bound.
    ///
    /// # Errors
    /// [`EgressError`]. Unless [`EgressError::nothing_left`], the request may have had its effect.
    pub async fn open(&self, request: EgressRequest, rule: &EgressRule) -> Result<EgressStream, EgressError> {
        rule.admit(&request)?;
        let deadline = Instant::now() + REACHES_WITHIN;
        let message = request.to_message()?;
        let within = |phase| move |_| EgressError::Timeout { phase };
        let (stream, address) = self.reach(&request, rule, deadline).await?;
        // Small messages would wait for the acknowledgement of the one before.
        stream.set_nodelay(true).map_err(|error| EgressError::Connect { address, why: error.to_string() })?;
        let opening = Opening { credentials: request.credentials, rule, address };
        match request.scheme {
            Scheme::Http => opening.over::<TcpStream>(stream, message).await,
            Scheme::Https => {
                let stream = timeout_at(deadline, self.secure(stream, &request.host, rule))
                    .await
                    .map_err(within(Phase::Tls))??;
                opening.over(stream, message).await
            }
        }
    }
}

/// One request on its way.
struct Opening<'a> {
    credentials: Vec<Credential>,
    rule: &'a EgressRule,
    address: std::net::SocketAddr,
}

impl Opening<'_> {
    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        stream: S,
        message: Request<Full<Bytes>>,
    ) -> Result<EgressStream, EgressError> {
        let silence = self.rule.timeout;
        let (mut sender, connection) = handshake(stream, self.address).await?;
        let mut connection = Box::pin(connection);
        let asked = ask(&mut sender, message, self.address);
        let response = timeout(silence, driven(connection.as_mut(), asked))
            .await
            .unwrap_or(Err(EgressError::Timeout { phase: Phase::Reply }))?;
        check_head(&response, &self.credentials)?;
        let status = response.status().as_u16();
        Ok(EgressStream { status, response, connection: Some(connection), credentials: self.credentials, silence })
    }
}

impl EgressStream {
    /// A header that stands there once and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.response.headers().get_all(name).iter();
        match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The next part of the body; `None` at its end.
    ///
    /// # Errors
    /// [`EgressError::ReplyLost`] if it broke off, [`EgressError::Timeout`] if nothing came for long.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        let Self { response, connection, silence, .. } = self;
        let next = async {
            loop {
                match response.body_mut().frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(EgressError::ReplyLost { why: error.to_string() }),
                    Some(Ok(frame)) => {
                        // Trailers say nothing that anybody reads.
                        if let Ok(data) = frame.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            }
        };
        let driving = std::future::poll_fn(|cx| {
            if let Some(running) = connection
                && running.as_mut().poll(cx).is_ready()
            {
                *connection = None;
            }
            Poll::Pending
        });
        timeout(*silence, driven(driving, next)).await.unwrap_or(Err(EgressError::Timeout { phase: Phase::Reply }))
    }

    /// Whether bytes of the body hold a credential of the request: a server that sends one back would put it into values,
    /// entries and prompts.
    #[must_use]
    pub fn echoes(&self, bytes: &[u8]) -> bool {
        is_echo(&self.credentials, bytes)
    }
}
