//! Channel binding: the handshake includes the certificate of the TLS connection, so that it cannot be used
//! on another one (RFC 5929, `tls-server-end-point`; IIS: Extended Protection).

use picky_asn1_x509::{AlgorithmIdentifierParameters, Certificate, HashAlgorithm};
use ring::digest::{self, Algorithm, SHA256, SHA384, SHA512};

/// The size of the structure without its data, in bytes (Microsoft: `SEC_CHANNEL_BINDINGS`).
const HEADER: u32 = 32;

/// The binding to a server's certificate, as `SEC_CHANNEL_BINDINGS` has it.
pub(super) fn to_certificate(der: &[u8]) -> Vec<u8> {
    let mut data = b"tls-server-end-point:".to_vec();
    data.extend_from_slice(digest::digest(hash_of(der), der).as_ref());
    let length = u32::try_from(data.len()).unwrap_or_default();
    // Address types, lengths and offsets of both sides are zero; then length and offset of the data.
    let numbers = [0, 0, 0, 0, 0, 0, length, HEADER];
    let mut bytes: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.extend_from_slice(&data);
    bytes
}

/// The hash of the certificate's signature; SHA-256 in place of a weaker or unknown one (RFC 5929, 4.1).
fn hash_of(der: &[u8]) -> &'static Algorithm {
    let Ok(certificate) = picky_asn1_der::from_bytes::<Certificate>(der) else {
        return &SHA256;
    };
    let algorithm = &certificate.signature_algorithm;
    if let AlgorithmIdentifierParameters::RsassaPss(parameters) = algorithm.parameters() {
        return match parameters.hash_algorithm {
            HashAlgorithm::SHA384 => &SHA384,
            HashAlgorithm::SHA512 => &SHA512,
            _ => &SHA256,
        };
    }
    let name: String = algorithm.oid().into();
    match name.as_str() {
        // sha384WithRSAEncryption, ecdsa-with-SHA384
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => &SHA384,
        // sha512WithRSAEncryption, ecdsa-with-SHA512
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => &SHA512,
        _ => &SHA256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    use sspi::channel_bindings::ChannelBindings;

    #[test]
    fn the_binding_is_the_hash_that_signed_the_certificate() {
        let pem = include_bytes!("../../../tests/auth/certificates/signatures.pem");
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .unwrap();
        // ECDSA twice, Ed25519, RSA with SHA-1, RSA, RSA-PSS.
        let hashes = [&SHA256, &SHA384, &SHA256, &SHA256, &SHA512, &SHA384];
        assert_eq!(certificates.len(), hashes.len());
        for (der, hash) in certificates.iter().zip(hashes) {
            let bytes = to_certificate(der);
            let read = ChannelBindings::from_bytes(&bytes).unwrap();
            let digest = digest::digest(hash, der);
            let expected = [b"tls-server-end-point:", digest.as_ref()].concat();
            assert_eq!(read.application_data, expected);
            assert!(read.initiator.is_empty() && read.acceptor.is_empty());
        }
    }

    #[test]
    fn what_is_no_certificate_is_bound_to_all_the_same() {
        assert_eq!(to_certificate(b"nonsense").len(), 32 + 21 + 32);
    }
}
