//! Which hosts may be written in a contract, and which addresses may be connected to.
//!
//! Two questions, asked apart. A *host* is judged as text: one exact spelling, so that a contract, a policy and the
//! system's resolver never read the same words differently (`2130706433`, `0x7f.1` and `0177.0.0.1` are all loopback to
//! some resolvers). An *address* is judged as bits, after every trick that hides one address inside another is undone.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest host name that DNS allows.
const HOST_BYTES_MAX: usize = 253;
/// Longest label that DNS allows.
const LABEL_BYTES_MAX: usize = 63;

/// A host as a contract names it: a lower-case DNS name, or an IP address in its one canonical spelling.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, to be resolved once per call.
    Name(String),
    /// An address, connected to as it stands.
    Address(IpAddr),
}

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// A number in a spelling that some resolvers read as an address: decimal, octal, hexadecimal, shortened.
    OddAddress,
    /// Not a DNS name in lower-case ASCII.
    Malformed,
}

impl Host {
    /// Reads a host.
    ///
    /// # Errors
    /// [`HostFault::OddAddress`] for an address in any but its canonical spelling, [`HostFault::Malformed`] for what is
    /// neither a lower-case ASCII name nor an address.
    pub fn parse(text: &str) -> Result<Self, HostFault> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if bare.contains(':') {
            return parse_v6(bare);
        }
        if bare.len() != text.len() {
            return Err(HostFault::Malformed);
        }
        if text.split('.').next_back().is_some_and(reads_as_number) {
            // The standard library's parser takes four decimal parts without leading zeros, and nothing else.
            return text.parse::<Ipv4Addr>().map(|v4| Self::Address(IpAddr::V4(v4))).map_err(|_| HostFault::OddAddress);
        }
        if is_name(text) { Ok(Self::Name(text.to_owned())) } else { Err(HostFault::Malformed) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(v4)) => write!(f, "{v4}"),
            Self::Address(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn parse_v6(bare: &str) -> Result<Host, HostFault> {
    let v6: Ipv6Addr = bare.parse().map_err(|_| HostFault::Malformed)?;
    if v6.to_string() != bare {
        return Err(HostFault::OddAddress);
    }
    Ok(Host::Address(IpAddr::V6(v6)))
}

/// A last label of digits, or with a hexadecimal prefix, is never a top-level domain (WHATWG URL §3.5, "ends in a
/// number"): some resolvers read such a host as an address.
fn reads_as_number(label: &str) -> bool {
    let digits = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    match digits {
        Some(hex) => hex.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()),
    }
}

fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_BYTES_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    text.len() <= HOST_BYTES_MAX && text.split('.').all(is_label)
}

/// What kind of place an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A host of the public internet.
    Public,
    /// Inside somebody's network, or an address that nobody's host has. The words say which.
    Private(&'static str),
    /// A link-local or cloud metadata address: it hands out credentials to whoever asks. Never connected to.
    Metadata,
}

/// Judges one address. An address inside an address counts as the worse of the two.
#[must_use]
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

/// Metadata services at addresses that look ordinary.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure's wire server, a public address
];

/// Source: the IANA IPv4 special-purpose address registry.
fn reach_v4(v4: Ipv4Addr) -> Reach {
    let [a, b, c, _] = v4.octets();
    if v4.is_link_local() || METADATA_V4.contains(&v4) {
        return Reach::Metadata;
    }
    let kind = match (a, b, c) {
        (0, ..) => "unspecified",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "private",
        (127, ..) => "loopback",
        (100, 64..=127, _) => "carrier-grade NAT",
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) => "reserved for protocols and documentation",
        (192, 88, 99) => "6to4 relay",
        (198, 18 | 19, _) => "reserved for benchmarks",
        (224..=239, ..) => "multicast",
        (240.., ..) => "reserved",
        _ => return Reach::Public,
    };
    Reach::Private(kind)
}

/// Only `2000::/3` is given out to hosts; everything else, and every form that carries an IPv4 address, is not public.
fn reach_v6(v6: Ipv6Addr) -> Reach {
    let s = v6.segments();
    if is_metadata_v6(s) || embedded_v4(s).into_iter().flatten().any(|v4| reach_v4(v4) == Reach::Metadata) {
        return Reach::Metadata;
    }
    let kind = match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => "unspecified",
        [0, 0, 0, 0, 0, 0, 0, 1] => "loopback",
        [0, 0, 0, 0, 0, 0xffff, ..] => "IPv4-mapped",
        [0, 0, 0, 0, 0, 0, ..] => "IPv4-compatible",
        [0x64, 0xff9b, ..] => "NAT64",
        [0x2002, ..] => "6to4",
        [0x2001, 0, ..] => "Teredo",
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => "ISATAP",
        [0xfc00..=0xfdff, ..] => "private",
        [0xff00..=0xffff, ..] => "multicast",
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2001, 1..=0x1ff, ..] => {
            "reserved for protocols and documentation"
        }
        [0x2000..=0x3fff, ..] => return Reach::Public,
        _ => "reserved",
    };
    Reach::Private(kind)
}

fn is_metadata_v6(s: [u16; 8]) -> bool {
    match s {
        [0xfe80..=0xfebf, ..] => true,               // link-local
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, _] => true,   // Amazon
        [0xfd20, 0xce, 0, 0, 0, 0, 0, 0xfe] => true, // Google
        [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => true,
        _ => false,
    }
}

/// The IPv4 addresses that an IPv6 address may carry, at every place where a transition mechanism puts one.
fn embedded_v4(s: [u16; 8]) -> [Option<Ipv4Addr>; 3] {
    let [_, s1, s2, s3, s4, s5, s6, s7] = s;
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] => [v4(s6, s7), None, None],
        // The local prefix may put the address at 48 bits (RFC 6052 §2.2, which skips the eighth octet) or at the end.
        [0x64, 0xff9b, ..] => [v4(s6, s7), v4(s3, (s4 << 8) | (s5 >> 8)), v4(s2, s3)],
        [0x2002, ..] => [v4(s1, s2), None, None],
        // Teredo: the server's address in clear, the client's with its bits flipped (RFC 4380 §4).
        [0x2001, 0, ..] => [v4(!s6, !s7), v4(s2, s3), None],
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => [v4(s6, s7), None, None],
        _ => [None, None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        let odd = [
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "127.0.0.01",
            "0x7f.0.0.0x1",
            "017700000001",
            "1.2.3.4.5",
            "256.0.0.1",
            "0xA9FEA9FE",
            "2852039166",
            "a.0x",
            "example.1",
            "[::ffff:7f00:1]",
            "[0:0::1]",
            "[::0001]",
            "[FE80::1]",
            "127.0.0.0x1",
            "１２７.0.0.1",
        ];
        for text in odd {
            assert_eq!(Host::parse(text), Err(HostFault::OddAddress), "{text}");
        }
        let malformed = [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "EXAMPLE.com",
            "exämple.com",
            "a b",
            "a%2eb",
            "a/b",
            "a@b",
            "a:80",
            "[1.2.3.4]",
            "-a.b",
            "a-.b",
            "[fe80::1%eth0]",
            "[::1",
            "::1]",
            "a\0b",
            "127。0。0。1",
            "[]",
            "a\\b",
            "a#b",
            "a?b",
        ];
        for text in malformed {
            assert_eq!(Host::parse(text), Err(HostFault::Malformed), "{text}");
        }
        for text in
            ["example.com", "a", "crm_1.internal", "xn--exmple-cua.com", "127.0.0.1", "8.8.8.8", "[::1]", "1a.b2"]
        {
            assert_eq!(Host::parse(text).map(|host| host.to_string()), Ok(text.to_owned()));
        }
        let too_long = format!("{}.com", "a".repeat(64));
        assert_eq!(Host::parse(&too_long), Err(HostFault::Malformed));
    }

    #[test]
    fn metadata_is_metadata_in_every_disguise() {
        let all = [
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fe80::1",
            "febf::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::a9fe:a9fe",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2002:a9fe:a9fe::1",
            "2001:0:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "2001:4860::5efe:a9fe:a9fe",
            "2001:4860::200:5efe:a9fe:a9fe",
        ];
        for text in all {
            assert_eq!(reach(text.parse().unwrap()), Reach::Metadata, "{text}");
        }
    }

    #[test]
    fn what_is_not_public_says_why() {
        let all = [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"),
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("127.0.0.1", "loopback"),
            ("127.9.9.9", "loopback"),
            ("100.64.0.1", "carrier-grade NAT"),
            ("198.18.0.1", "reserved for benchmarks"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved"),
            ("240.0.0.1", "reserved"),
            ("192.88.99.1", "6to4 relay"),
            ("203.0.113.9", "reserved for protocols and documentation"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::ffff:8.8.8.8", "IPv4-mapped"),
            ("::8.8.8.8", "IPv4-compatible"),
            ("64:ff9b::8.8.8.8", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("2002:808:808::1", "6to4"),
            ("2001:0:808:808::1", "Teredo"),
            ("fc00::1", "private"),
            ("fdff::1", "private"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "reserved for protocols and documentation"),
            ("fec0::1", "reserved"),
            ("100::1", "reserved"),
            ("5f00::1", "reserved"),
            ("4000::1", "reserved"),
        ];
        for (text, why) in all {
            assert_eq!(reach(text.parse().unwrap()), Reach::Private(why), "{text}");
        }
    }

    #[test]
    fn the_public_internet_is_public() {
        let all = [
            "8.8.8.8",
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "169.253.1.1",
            "193.0.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
        ];
        for text in all {
            assert_eq!(reach(text.parse().unwrap()), Reach::Public, "{text}");
        }
    }
}
