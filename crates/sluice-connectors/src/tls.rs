//! TLS for the egress client: the public roots, added ones, or exactly one pinned certificate.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

use crate::address::Host;

/// The SHA-256 of a server's own certificate (its DER bytes).
///
/// A pin takes the place of the public roots: the contract's signers vouch for this very certificate, so that a service
/// with a certificate of its own making can be reached, and no authority can issue another one. It does not expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificatePin(pub [u8; 32]);

impl CertificatePin {
    /// Reads `sha256:` and 64 lower-case hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:").filter(|digits| digits.len() == 64)?;
        let mut pin = [0; 32];
        for (byte, pair) in pin.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let digit =
                |at: usize| pair.get(at).filter(|b| !b.is_ascii_uppercase()).and_then(|b| char::from(*b).to_digit(16));
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(pin))
    }
}

/// The roots that browsers trust, as Mozilla keeps them.
#[must_use]
pub fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// Makes the settings of one connection.
pub(crate) fn config(roots: &Arc<RootCertStore>, pin: Option<CertificatePin>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let mut config = match pin {
        None => builder.with_root_certificates(Arc::clone(roots)).with_no_client_auth(),
        Some(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { pin, provider }))
            .with_no_client_auth(),
    };
    // A resumed session skips the certificate, and with it the pin.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The name that the server's certificate must be for.
pub(crate) fn server_name(host: &Host) -> Option<ServerName<'static>> {
    match host {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(IpAddr::V4(v4)) => Some(ServerName::IpAddress((*v4).into())),
        Host::Address(IpAddr::V6(v6)) => Some(ServerName::IpAddress((*v6).into())),
    }
}

#[derive(Debug)]
struct Pinned {
    pin: CertificatePin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if Sha256::digest(end_entity.as_ref()).as_slice() == self.pin.0 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure))
        }
    }

    // A certificate is public: only these signatures show that the server holds its key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_whole_or_not() {
        let digits = format!("0f{}", "a0".repeat(31));
        let pin = CertificatePin::parse(&format!("sha256:{digits}")).unwrap();
        assert_eq!((pin.0[0], pin.0[31]), (0x0f, 0xa0));
        for text in [
            "",
            "sha256:",
            &digits,
            &format!("sha256:{digits}0"),
            &format!("sha1:{digits}"),
            &format!("sha256:{}", digits.to_uppercase()),
        ] {
            assert_eq!(CertificatePin::parse(text), None, "{text}");
        }
        assert_eq!(CertificatePin::parse(&format!("sha256:{}", "g0".repeat(32))), None);
    }
}
