//! A server that answers every request with the same bytes, at the pace a test wants.
//!
//! Written by hand, because a real one would not lie.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the server does once it has read a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends these bytes and closes.
    Text(String),
    /// Sends these bytes, then one more ten times a second, for ever.
    Drip(String),
    /// Sends these bytes without having read anything, and closes.
    Greet(String),
    /// Closes.
    Close,
    /// Does nothing, for ever.
    Silence,
}

impl Answer {
    /// Sends these bytes and closes.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A server on a port of its own, for as long as the test runs.
pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one in clear.
    pub(crate) async fn start(answer: Answer) -> Self {
        Self::serve(answer, None).await
    }

    /// Starts one behind TLS, with a certificate of its own making for `name`.
    pub(crate) async fn start_tls(answer: Answer, name: &str) -> (Self, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        (Self::serve(answer, Some(TlsAcceptor::from(Arc::new(config)))).await, certificate)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it was asked, as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn serve(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen, tls) = (answer.clone(), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, &answer, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => converse(stream, &answer, &seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { port, requests }
    }
}

/// The SHA-256 of a certificate.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate.as_ref()).into()
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &Answer,
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    if let Answer::Greet(text) = answer {
        stream.write_all(text.as_bytes()).await.ok()?;
        return stream.shutdown().await.ok();
    }
    let request = read_request(&mut stream).await?;
    seen.lock().unwrap().push(request);
    match answer {
        Answer::Close | Answer::Greet(_) => {}
        Answer::Silence => std::future::pending().await,
        Answer::Text(text) => stream.write_all(text.as_bytes()).await.ok()?,
        Answer::Drip(text) => {
            stream.write_all(text.as_bytes()).await.ok()?;
            loop {
                stream.write_all(b"x").await.ok()?;
                stream.flush().await.ok()?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    stream.shutdown().await.ok()
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let n = stream.read(&mut part).await.ok()?;
        bytes.extend(&part[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let length =
            text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap_or(0);
        let is_whole = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length);
        if is_whole || n == 0 {
            return Some(text);
        }
    }
}
