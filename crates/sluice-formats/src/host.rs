//! Hosts that a text names.

/// Whether a host is the author's own machine or network, which nothing leaves by.
pub(crate) fn is_own(host: &str) -> bool {
    let private = host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback() || ip.is_private());
    // A name without a dot is one of the own network: a container, a machine beside it.
    private
        || !host.contains('.') && !host.is_empty()
        || [".local", ".internal", ".localhost"].iter().any(|end| host.ends_with(end))
}
