//! Why a request did not leave, or why its reply is not to be had.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use sluice_core::diagnostic::Code;
use thiserror::Error;

/// How far a call had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking the host up.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Agreeing on keys.
    Tls,
    /// Sending the request and waiting for the reply, or for the rest of it.
    Reply,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the host",
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Reply => "waiting for the reply",
        })
    }
}

/// Why a request did not leave, or why its reply is not to be had. No variant carries a body, an argument or a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EgressError {
    /// SL701.
    #[error("`{host}` leads to {address}, a link-local or metadata address")]
    Metadata {
        /// The host of the contract.
        host: String,
        /// What it leads to.
        address: IpAddr,
    },
    /// SL702.
    #[error("`{host}` leads to {address}, which is not public ({kind})")]
    Private {
        /// The host of the contract.
        host: String,
        /// What it leads to.
        address: IpAddr,
        /// What kind of address that is.
        kind: &'static str,
    },
    /// SL703.
    #[error("`{text}` spells an address in a way that readers disagree about")]
    OddAddress {
        /// The text.
        text: String,
    },
    /// SL704.
    #[error("the contract's rule does not admit {what}")]
    NotAdmitted {
        /// Scheme, host, port, method or path, in words.
        what: String,
    },
    /// SL705.
    #[error("`{text}` is not a host")]
    NotAHost {
        /// The text.
        text: String,
    },
    /// SL706.
    #[error("cannot look up `{host}`: {why}")]
    Unresolved {
        /// The host.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// SL707.
    #[error("cannot connect to {address}: {why}")]
    Connect {
        /// The judged address.
        address: SocketAddr,
        /// What the system said.
        why: String,
    },
    /// SL708.
    #[error("no TLS connection with `{host}`: {why}")]
    Tls {
        /// The host.
        host: String,
        /// What the handshake said.
        why: String,
    },
    /// SL709.
    #[error("`{host}` shows another certificate than the contract pins")]
    Pin {
        /// The host.
        host: String,
    },
    /// SL710.
    #[error("the reply (status {status}) redirects to `{}`", .to.escape_debug())]
    Redirect {
        /// The HTTP status.
        status: u16,
        /// Where to, in the server's words: an outsider's text, to be gated like a new call. Empty if it said nothing.
        to: String,
    },
    /// SL711.
    #[error("the reply (status {status}) is larger than {bytes_max} bytes")]
    ReplyTooLarge {
        /// The HTTP status.
        status: u16,
        /// The bound.
        bytes_max: usize,
    },
    /// SL712.
    #[error("the time of the call ran out while {phase}")]
    Timeout {
        /// How far it had come.
        phase: Phase,
    },
    /// SL713.
    #[error("the request was sent and its reply was lost: {why}")]
    ReplyLost {
        /// What the connection said.
        why: String,
    },
    /// SL714.
    #[error("the reply (status {status}) is compressed, which was not asked for")]
    Encoded {
        /// The HTTP status.
        status: u16,
    },
    /// SL715.
    #[error("the header `{name}` cannot be set to this value, or not by a workflow")]
    Header {
        /// The header's name.
        name: String,
    },
    /// SL716.
    #[error("the credential for `{host}` would travel without TLS")]
    SecretInClear {
        /// The host.
        host: String,
    },
    /// SL717.
    #[error("the reply (status {status}) contains the credential of the request")]
    SecretEchoed {
        /// The HTTP status.
        status: u16,
    },
    /// SL718.
    #[error("the request is larger than {bytes_max} bytes")]
    RequestTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// SL719.
    #[error("the secret for the field `{}` is not text in UTF-8", .field.escape_debug())]
    SecretNotText {
        /// The field.
        field: String,
    },
}

impl EgressError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::Metadata { .. } => 701,
            Self::Private { .. } => 702,
            Self::OddAddress { .. } => 703,
            Self::NotAdmitted { .. } => 704,
            Self::NotAHost { .. } => 705,
            Self::Unresolved { .. } => 706,
            Self::Connect { .. } => 707,
            Self::Tls { .. } => 708,
            Self::Pin { .. } => 709,
            Self::Redirect { .. } => 710,
            Self::ReplyTooLarge { .. } => 711,
            Self::Timeout { .. } => 712,
            Self::ReplyLost { .. } => 713,
            Self::Encoded { .. } => 714,
            Self::Header { .. } => 715,
            Self::SecretInClear { .. } => 716,
            Self::SecretEchoed { .. } => 717,
            Self::RequestTooLarge { .. } => 718,
            Self::SecretNotText { .. } => 719,
        })
    }

    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Metadata { .. } => "nothing opens these addresses; find out who made the name lead there",
            Self::Private { .. } => "a service inside your network needs a signed contract that names host and port",
            Self::OddAddress { .. } => "write the address as four decimal numbers, or as IPv6 in its shortest form",
            Self::NotAdmitted { .. } => "call only what the signed contract names",
            Self::NotAHost { .. } => "write a DNS name in lower-case ASCII, or an IP address",
            Self::Unresolved { .. } => "check the name in the contract, and the resolver of this machine",
            Self::Connect { .. } => "check that the service runs; nothing was sent",
            Self::Tls { .. } => "check the service's certificate; nothing was sent",
            Self::Pin { .. } => "compare the certificate with the service's owner before the contract is changed",
            Self::Redirect { .. } => "name the new address in the contract if it is meant to be called",
            Self::ReplyTooLarge { .. } => "ask for less, or raise the bound in the contract",
            Self::Timeout { .. } => "look at the service before the call is repeated",
            Self::ReplyLost { .. } => "look at the service before the call is repeated: it may have acted",
            Self::Encoded { .. } => "have the service honour `Accept-Encoding: identity`",
            Self::Header { .. } => "use a header of the service's own; framing and credentials are not arguments",
            Self::SecretInClear { .. } => "call the service over https",
            Self::SecretEchoed { .. } => "replace the credential and tell the service's owner",
            Self::RequestTooLarge { .. } => "send less at once",
            Self::SecretNotText { .. } => "store a text: a field of JSON holds nothing else",
        }
    }

    /// Whether not one byte of the request can have reached the server.
    #[must_use]
    pub const fn nothing_left(&self) -> bool {
        match self {
            Self::Metadata { .. }
            | Self::Private { .. }
            | Self::OddAddress { .. }
            | Self::NotAdmitted { .. }
            | Self::NotAHost { .. }
            | Self::Unresolved { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Pin { .. }
            | Self::Header { .. }
            | Self::SecretInClear { .. }
            | Self::RequestTooLarge { .. }
            | Self::SecretNotText { .. } => true,
            Self::Timeout { phase } => !matches!(phase, Phase::Reply),
            Self::Redirect { .. }
            | Self::ReplyTooLarge { .. }
            | Self::ReplyLost { .. }
            | Self::Encoded { .. }
            | Self::SecretEchoed { .. } => false,
        }
    }
}
