//! Letters to people, by a relay that the operator named.
//!
//! A relay is reached over TLS, from the first byte (`smtps://`) or by `STARTTLS` (`smtp://`), which is asked for and never
//! done without; in the clear (`smtp+plain://`) only on this very machine. A letter has one receiver and plain text: what
//! an address or a subject may hold is the library's to judge, which lets no line break through.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use thiserror::Error;

use crate::secret::Secret;

/// How long a relay may take for one letter's every step.
const WITHIN: Duration = Duration::from_secs(20);
/// How a certificate begins in a file (RFC 7468 §5).
const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// What a scheme means if no port is said (RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321 §4.5.4.2).
const SCHEMES: [(&str, Way, u16); 3] =
    [("smtps://", Way::Tls, 465), ("smtp://", Way::StartTls, 587), ("smtp+plain://", Way::Plain, 25)];

/// Whoever is away answers no letter of a program (RFC 3834 §5).
const AUTOMATIC: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// How a relay is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Tls,
    StartTls,
    Plain,
}

/// Why no letter was taken.
#[derive(Debug, Error)]
pub enum MailError {
    /// The relay, its certificates, or an address cannot be meant.
    #[error("{0}")]
    Unusable(String),
    /// The relay said no for good: this letter is not asked for again.
    #[error("the relay refuses it: {0}")]
    Refused(String),
    /// The relay was not reached, is not whom it should be, or said no for now.
    #[error("the relay does not take it now: {0}")]
    NotNow(String),
}

/// A name at a relay, and what shows that one is it.
pub struct Login {
    /// The name.
    pub user: String,
    /// What only its owner knows; UTF-8.
    pub password: Secret,
}

/// What takes letters.
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Relay {
    /// The relay at `at` (`smtps://HOST[:PORT]`, `smtp://HOST[:PORT]`, on this machine `smtp+plain://HOST[:PORT]`), which sends in the name of `from`.
    /// Its certificate must lead to a public root, or to one of `roots` (PEM) if there are some.
    ///
    /// # Errors
    /// [`MailError::Unusable`], in words for who configured it.
    pub fn new(at: &str, from: &str, login: Option<Login>, roots: Option<&[u8]>) -> Result<Self, MailError> {
        let (way, host, port) = place(at)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).timeout(Some(WITHIN));
        let transport = match way {
            Way::Tls => transport.tls(Tls::Wrapper(trusted(host, roots)?)),
            Way::StartTls => transport.tls(Tls::Required(trusted(host, roots)?)),
            Way::Plain => transport.tls(Tls::None),
        };
        let transport = match login {
            Some(Login { .. }) if way == Way::Plain => {
                return Err(unusable("a password is for a relay that is reached over TLS".to_owned()));
            }
            Some(Login { user, password }) => {
                let password = String::from_utf8(password.expose().to_vec());
                let password = password.map_err(|_| unusable("the relay's password is no text".to_owned()))?;
                transport.credentials(Credentials::new(user, password))
            }
            None => transport,
        };
        Ok(Self { transport: transport.build(), from: Mailbox::new(Some("Sluice".to_owned()), address(from)?) })
    }

    /// Sends one letter to one address.
    ///
    /// # Errors
    /// [`MailError`]; after [`MailError::NotNow`] it can be tried again.
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), MailError> {
        let letter = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address(to)?))
            .subject(subject)
            .raw_header(HeaderValue::new(AUTOMATIC, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| unusable(format!("the letter cannot be written: {error}")))?;
        match self.transport.send(letter).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Refused(error.to_string())),
            Err(error) => Err(MailError::NotNow(error.to_string())),
        }
    }
}

fn unusable(why: String) -> MailError {
    MailError::Unusable(why)
}

fn address(text: &str) -> Result<Address, MailError> {
    text.parse().map_err(|error| unusable(format!("`{text}` is no mail address: {error}")))
}

/// How, where, and at which port.
fn place(at: &str) -> Result<(Way, &str, u16), MailError> {
    let wrong = || {
        unusable(format!(
            "`{at}` is no relay: write `smtps://HOST`, or `smtp://HOST` for STARTTLS, with `:PORT` if it has another"
        ))
    };
    let found = SCHEMES.into_iter().find_map(|(scheme, way, port)| Some((at.strip_prefix(scheme)?, way, port)));
    let (rest, way, usual) = found.ok_or_else(wrong)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?),
        None => (rest, usual),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    if host.is_empty() || !host.chars().all(is_name) {
        return Err(wrong());
    }
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if way == Way::Plain && !is_here {
        return Err(unusable(format!(
            "`{at}` would send letters in the clear: `smtp+plain` is for this machine alone"
        )));
    }
    Ok((way, host, port))
}

fn trusted(host: &str, roots: Option<&[u8]>) -> Result<TlsParameters, MailError> {
    let bad =
        |error: lettre::transport::smtp::Error| unusable(format!("the relay's certificates cannot be used: {error}"));
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(pem) = roots {
        // The library takes a file without any for one with none.
        if !pem.windows(BEGINS.len()).any(|bytes| bytes == BEGINS) {
            return Err(unusable(
                "the relay's root is no certificate: give a PEM file, which begins with `-----BEGIN CERTIFICATE-----`"
                    .to_owned(),
            ));
        }
        parameters = parameters.certificate_store(CertificateStore::None);
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem).map_err(bad)?);
    }
    parameters.build().map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_reached_over_tls_or_on_this_machine() {
        assert_eq!(place("smtps://mail.example.com").unwrap(), (Way::Tls, "mail.example.com", 465));
        assert_eq!(place("smtp://mail.example.com/").unwrap(), (Way::StartTls, "mail.example.com", 587));
        assert_eq!(place("smtp://mail.example.com:2525").unwrap(), (Way::StartTls, "mail.example.com", 2525));
        assert_eq!(place("smtp+plain://127.0.0.1:1025").unwrap(), (Way::Plain, "127.0.0.1", 1025));
        for odd in [
            "mail.example.com",
            "http://mail.example.com",
            "smtp://",
            "smtp://:25",
            "smtp://mail.example.com:0",
            "smtp://mail.example.com:70000",
            "smtp://user@mail.example.com",
            "smtp://mail.example.com/x",
            "smtp://mail.example.com?tls=none",
            "smtp://[::1]:25",
        ] {
            assert!(matches!(place(odd), Err(MailError::Unusable(why)) if why.contains("is no relay")), "{odd}");
        }
        for far in ["smtp+plain://mail.example.com", "smtp+plain://10.0.0.7", "smtp+plain://localhost.example.com"] {
            assert!(matches!(place(far), Err(MailError::Unusable(why)) if why.contains("in the clear")), "{far}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told_before_anything_is_sent() {
        let login = || Some(Login { user: "sluice".to_owned(), password: Secret::new(b"word".to_vec()) });
        let why = |relay: Result<Relay, MailError>| relay.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(why(Relay::new("smtps://mail.example.com", "sluice@example.com", login(), None)), "");
        let clear = why(Relay::new("smtp+plain://localhost", "sluice@example.com", login(), None));
        assert!(clear.contains("over TLS"), "{clear}");
        let from =
            why(Relay::new("smtps://mail.example.com", "Sluice <s@example.com>\r\nBcc: eve@evil.example", None, None));
        assert!(from.contains("is no mail address"), "{from}");
        let root = why(Relay::new("smtps://mail.example.com", "sluice@example.com", None, Some(b"no certificate")));
        assert!(root.contains("certificate"), "{root}");
    }
}
