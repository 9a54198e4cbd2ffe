//! What is sent, and the rule that admits it.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::{EgressError, REQUEST_BYTES_MAX};
use crate::address::Host;
use crate::path::{PATH_BYTES_MAX, PathTemplate, encode_into};
use crate::secret::Secret;
use crate::tls::CertificatePin;

/// Longest query string, encoded.
const QUERY_BYTES_MAX: usize = 16 << 10;

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Inside TLS.
    Https,
}

impl Scheme {
    /// The port when an address names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// The methods that contracts use. `CONNECT` and `TRACE` are absent on purpose: one opens a tunnel, the other echoes
/// credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the head alone.
    Head,
    /// Does what the resource says.
    Post,
    /// Puts in place.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// Reads a method as contracts write it; `None` for any other.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const ALL: [Method; 6] = [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete];
        ALL.into_iter().find(|method| method.to_hyper().as_str() == text)
    }

    /// Whether it asks for no change (RFC 9110 §9.2.1).
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    const fn to_hyper(self) -> hyper::Method {
        match self {
            Self::Get => hyper::Method::GET,
            Self::Head => hyper::Method::HEAD,
            Self::Post => hyper::Method::POST,
            Self::Put => hyper::Method::PUT,
            Self::Patch => hyper::Method::PATCH,
            Self::Delete => hyper::Method::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_hyper().as_str())
    }
}

/// How a secret is shown to the server.
#[derive(Debug)]
pub enum Credential {
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// `Authorization: Basic …` with this user's name.
    Basic(String, Secret),
    /// A header of the service's own.
    Header(String, Secret),
    /// A field of the JSON object that is sent.
    Field(String, Secret),
}

impl Credential {
    pub(crate) const fn secret(&self) -> &Secret {
        match self {
            Self::Bearer(secret) | Self::Basic(_, secret) | Self::Header(_, secret) | Self::Field(_, secret) => secret,
        }
    }

    /// Where a secret becomes a header; `None` for one that is a field of the body.
    fn to_header(&self) -> Result<Option<(HeaderName, HeaderValue)>, EgressError> {
        let (name, text) = match self {
            Self::Field(..) => return Ok(None),
            Self::Bearer(secret) => ("authorization", Zeroizing::new([b"Bearer ", secret.expose()].concat())),
            Self::Basic(user, secret) => {
                let pair = Zeroizing::new([user.as_bytes(), b":", secret.expose()].concat());
                (
                    "authorization",
                    Zeroizing::new(format!("Basic {}", &*Zeroizing::new(STANDARD.encode(&pair))).into_bytes()),
                )
            }
            Self::Header(name, secret) => (name.as_str(), Zeroizing::new(secret.expose().to_vec())),
        };
        let refused = || EgressError::Header { name: name.to_owned() };
        let mut value = HeaderValue::from_bytes(&text).map_err(|_| refused())?;
        value.set_sensitive(true);
        Ok(Some((HeaderName::try_from(name).map_err(|_| refused())?, value)))
    }

    /// Where a secret becomes a field, `"name":"secret"`; `None` for one that is a header.
    fn to_field(&self) -> Result<Option<Zeroizing<Vec<u8>>>, EgressError> {
        let Self::Field(name, secret) = self else { return Ok(None) };
        let not_text = || EgressError::SecretNotText { field: name.clone() };
        let text = std::str::from_utf8(secret.expose()).map_err(|_| not_text())?;
        let text = Zeroizing::new(serde_json::to_vec(text).map_err(|_| not_text())?);
        let name = serde_json::to_vec(name).map_err(|_| not_text())?;
        Ok(Some(Zeroizing::new([name.as_slice(), b":", &text].concat())))
    }
}

/// A body and its media type.
pub struct Body {
    /// Such as `application/json`.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One request, complete but for what the connection adds.
pub struct EgressRequest {
    /// How it travels.
    pub scheme: Scheme,
    /// To whom.
    pub host: Host,
    /// To which port.
    pub port: u16,
    /// What is asked.
    pub method: Method,
    /// Of what: an encoded path.
    pub path: String,
    /// Names and values of the query, not encoded yet.
    pub query: Vec<(String, String)>,
    /// Headers that arguments set.
    pub headers: Vec<(String, String)>,
    /// What is sent along.
    pub body: Option<Body>,
    /// The secrets that are shown: what lets us in, and arguments that are secrets.
    pub credentials: Vec<Credential>,
    /// Header and key by which the server knows a repeated request.
    pub idempotency: Option<(String, String)>,
    /// The run, sent as `X-Sluice-Run`, so that the service's own log leads back to ours.
    pub run: String,
}

impl fmt::Debug for EgressRequest {
    // Arguments may be anybody's data, and stay out of every log that prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}://{}:{} for run {}", self.method, self.scheme, self.host, self.port, self.run)
    }
}

/// What a signed contract admits: one action at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressRule {
    /// How it travels.
    pub scheme: Scheme,
    /// The exact host.
    pub host: Host,
    /// The exact port.
    pub port: u16,
    /// The method.
    pub method: Method,
    /// The paths.
    pub path: PathTemplate,
    /// Whether the contract names this host and port as one inside the network. Metadata addresses stay closed.
    pub allow_private: bool,
    /// The certificate that the server must show.
    pub pin: Option<CertificatePin>,
    /// The largest reply.
    pub reply_bytes_max: usize,
    /// The time for everything, from the look-up to the last byte.
    pub timeout: Duration,
}

impl EgressRule {
    /// Checks a request against this rule.
    ///
    /// # Errors
    /// [`EgressError::NotAdmitted`] with the first part that differs.
    pub fn admit(&self, request: &EgressRequest) -> Result<(), EgressError> {
        let refuse = |what: String| Err(EgressError::NotAdmitted { what });
        if request.scheme != self.scheme {
            return refuse(format!("the scheme `{}`", request.scheme));
        }
        if request.host != self.host {
            return refuse(format!("the host `{}`", request.host));
        }
        if request.port != self.port {
            return refuse(format!("the port {}", request.port));
        }
        if request.method != self.method {
            return refuse(format!("the method `{}`", request.method));
        }
        if !self.path.admits(&request.path) {
            return refuse(format!("a path other than `{}`", self.path));
        }
        Ok(())
    }
}

impl EgressRequest {
    pub(super) fn to_message(&self) -> Result<Request<Full<Bytes>>, EgressError> {
        let bytes_max = REQUEST_BYTES_MAX;
        let target = self.target();
        let body = self.to_body()?;
        if body.len() > bytes_max || target.len() > PATH_BYTES_MAX + QUERY_BYTES_MAX {
            return Err(EgressError::RequestTooLarge { bytes_max });
        }
        let mut message = Request::builder()
            .method(self.method.to_hyper())
            .uri(target)
            .body(Full::new(Bytes::copy_from_slice(&body)))
            .map_err(|_| EgressError::NotAdmitted { what: "a malformed path".to_owned() })?;
        *message.headers_mut() = self.to_headers()?;
        Ok(message)
    }

    /// The body with the secrets that are fields of it.
    fn to_body(&self) -> Result<Zeroizing<Vec<u8>>, EgressError> {
        let mut body = Zeroizing::new(self.body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default());
        for credential in &self.credentials {
            let Some(field) = credential.to_field()? else { continue };
            // A secret is a field of a JSON object or it is nowhere.
            if body.pop() != Some(b'}') {
                return Err(EgressError::NotAdmitted { what: "a secret in a body that is no object".to_owned() });
            }
            let between: &[u8] = if body.as_slice() == b"{" { b"" } else { b"," };
            body = Zeroizing::new([body.as_slice(), between, &field, b"}"].concat());
        }
        Ok(body)
    }

    fn target(&self) -> String {
        let mut target = self.path.clone();
        for (at, (name, value)) in self.query.iter().enumerate() {
            target.push(if at == 0 { '?' } else { '&' });
            encode_into(&mut target, name);
            target.push('=');
            encode_into(&mut target, value);
        }
        target
    }

    fn to_headers(&self) -> Result<HeaderMap, EgressError> {
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: &str| -> Result<(), EgressError> {
            let refused = || EgressError::Header { name: name.escape_debug().to_string() };
            let header = HeaderName::try_from(name).map_err(|_| refused())?;
            let value = HeaderValue::from_str(value).map_err(|_| refused())?;
            // An argument that repeats a header would leave it to the server which of the two counts.
            if headers.insert(header, value).is_some() { Err(refused()) } else { Ok(()) }
        };
        for (name, value) in &self.headers {
            if is_reserved(name) {
                return Err(EgressError::Header { name: name.escape_debug().to_string() });
            }
            set(name, value)?;
        }
        set("host", &self.authority())?;
        set("user-agent", concat!("sluice/", env!("CARGO_PKG_VERSION")))?;
        set("accept-encoding", "identity")?;
        set("connection", "close")?;
        set("x-sluice-run", &self.run)?;
        if let Some(body) = &self.body {
            set("content-type", body.content_type)?;
        }
        if let Some((name, key)) = &self.idempotency {
            set(name, key)?;
        }
        for credential in &self.credentials {
            let Some((name, value)) = credential.to_header()? else { continue };
            if headers.contains_key(&name) {
                return Err(EgressError::Header { name: name.to_string() });
            }
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Headers that frame the message, route it, or say who asks: never an argument's to set.
fn is_reserved(name: &str) -> bool {
    const RESERVED: [HeaderName; 14] = [
        header::HOST,
        header::AUTHORIZATION,
        header::COOKIE,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::ACCEPT_ENCODING,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
        header::USER_AGENT,
    ];
    let name = name.to_ascii_lowercase();
    let by_prefix = [
        "proxy-",
        "sec-",
        "x-forwarded",
        "x-sluice",
        "forwarded",
        "keep-alive",
        "x-http-method",
        "x-original",
        "x-rewrite",
    ];
    RESERVED.iter().any(|reserved| reserved.as_str() == name) || by_prefix.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> EgressRequest {
        EgressRequest {
            scheme: Scheme::Https,
            host: Host::parse("crm.example.com").unwrap(),
            port: 443,
            method: Method::Get,
            path: "/accounts/7".into(),
            query: vec![("q".into(), "a&b=c d#e".into())],
            headers: Vec::new(),
            body: None,
            credentials: Vec::new(),
            idempotency: None,
            run: "run-1".into(),
        }
    }

    fn rule() -> EgressRule {
        EgressRule {
            scheme: Scheme::Https,
            host: Host::parse("crm.example.com").unwrap(),
            port: 443,
            method: Method::Get,
            path: PathTemplate::parse("/accounts/{id}").unwrap(),
            allow_private: false,
            pin: None,
            reply_bytes_max: 100,
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_rule_admits_exactly_what_it_names() {
        assert_eq!(rule().admit(&request()), Ok(()));
        type Change = fn(&mut EgressRequest);
        let others: [(&str, Change); 7] = [
            ("the scheme `http`", |r| r.scheme = Scheme::Http),
            ("the host `crm.example.com.evil.net`", |r| r.host = Host::parse("crm.example.com.evil.net").unwrap()),
            ("the port 8443", |r| r.port = 8443),
            ("the method `DELETE`", |r| r.method = Method::Delete),
            ("a path other than `/accounts/{id}`", |r| r.path = "/accounts/7/notes".into()),
            ("a path other than `/accounts/{id}`", |r| r.path = "/accounts/..%2fadmin".into()),
            ("a path other than `/accounts/{id}`", |r| r.path = "/accounts/7?admin=1".into()),
        ];
        for (what, change) in others {
            let mut request = request();
            change(&mut request);
            let error = rule().admit(&request).unwrap_err();
            assert_eq!((error.code().0, error), (704, EgressError::NotAdmitted { what: what.into() }));
        }
    }

    #[test]
    fn a_method_is_one_of_six() {
        assert_eq!(Method::parse("PATCH"), Some(Method::Patch));
        for text in ["", "get", "CONNECT", "TRACE", "OPTIONS", "GET "] {
            assert_eq!(Method::parse(text), None, "{text}");
        }
    }

    #[test]
    fn query_values_are_data() {
        assert_eq!(request().target(), "/accounts/7?q=a%26b%3Dc%20d%23e");
    }

    #[test]
    fn arguments_set_no_header_that_frames_or_authenticates() {
        for (name, value) in [
            ("Host", "x"),
            ("authorization", "Bearer x"),
            ("Transfer-Encoding", "chunked"),
            ("content-length", "0"),
            ("Cookie", "x"),
            ("Proxy-Authorization", "x"),
            ("X-Sluice-Run", "x"),
            ("X-Forwarded-For", "x"),
            ("bad name", "x"),
            ("ok", "a\r\nb: c"),
            ("ok", "a\0"),
            ("", "x"),
            ("x-http-method-override", "DELETE"),
        ] {
            let request = EgressRequest { headers: vec![(name.into(), value.into())], ..request() };
            assert_eq!(request.to_headers().unwrap_err().code().0, 715, "{name}: {value:?}");
        }
        let twice = vec![("ok".into(), "1".into()), ("OK".into(), "2".into())];
        assert_eq!(EgressRequest { headers: twice, ..request() }.to_headers().unwrap_err().code().0, 715);
        let stolen = EgressRequest {
            headers: vec![("x-key".into(), "1".into())],
            idempotency: Some(("X-Key".into(), "k".into())),
            ..request()
        };
        assert_eq!(stolen.to_headers().unwrap_err().code().0, 715);
    }

    #[test]
    fn a_request_is_bounded() {
        let large = Body { content_type: "application/json", bytes: vec![0; REQUEST_BYTES_MAX + 1] };
        assert_eq!(EgressRequest { body: Some(large), ..request() }.to_message().unwrap_err().code().0, 718);
        let long = vec![("q".into(), "x".repeat(QUERY_BYTES_MAX + PATH_BYTES_MAX))];
        assert_eq!(EgressRequest { query: long, ..request() }.to_message().unwrap_err().code().0, 718);
    }

    #[test]
    fn a_user_and_secret_are_shown_as_the_standard_says() {
        let (name, value) =
            Credential::Basic("Aladdin".into(), Secret::new(b"open sesame".to_vec())).to_header().unwrap().unwrap();
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("authorization", b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".as_slice())
        );
        let broken = Credential::Bearer(Secret::new(b"canary\r\nX: 1".to_vec())).to_header().unwrap_err();
        assert_eq!(broken, EgressError::Header { name: "authorization".into() });
    }

    #[test]
    fn a_secret_is_a_field_of_an_object_and_of_nothing_else() {
        let with = |body: &[u8], secret: &[u8]| {
            let body = Some(Body { content_type: "application/json", bytes: body.to_vec() });
            let field = |name: &str| Credential::Field(name.into(), Secret::new(secret.to_vec()));
            let request = EgressRequest { body, credentials: vec![field("key"), field("k\"2")], ..request() };
            request.to_body().map(|body| String::from_utf8(body.to_vec()).unwrap()).map_err(|error| error.code().0)
        };
        assert_eq!(with(b"{}", b"a\"b\n"), Ok(r#"{"key":"a\"b\n","k\"2":"a\"b\n"}"#.to_owned()));
        assert_eq!(with(br#"{"a":{}}"#, b"s"), Ok(r#"{"a":{},"key":"s","k\"2":"s"}"#.to_owned()));
        for body in [&b"[]"[..], b"", b"null"] {
            assert_eq!(with(body, b"s"), Err(704));
        }
        assert_eq!(with(b"{}", b"\xff"), Err(719));
    }

    #[test]
    fn a_request_prints_neither_arguments_nor_secrets() {
        let request = EgressRequest {
            headers: vec![("x-note".into(), "canary".into())],
            query: vec![("canary".into(), "canary".into())],
            credentials: vec![Credential::Basic("user".into(), Secret::new(b"canary".to_vec()))],
            ..request()
        };
        let headers = request.to_headers().unwrap();
        let shown = format!("{request:?} {:?} {:?}", request.credentials, headers.get("authorization"));
        assert!(!shown.contains("canary") && !shown.contains("dXNlcjp"), "{shown}");
    }
}
