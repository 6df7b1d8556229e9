//! Reads a certificate with its key from a PFX file, as PEM. Only in builds with this feature.

use std::path::Path;

use secrecy::SecretString;

use super::SignInError;
use super::secret::shown_path;

#[cfg(not(feature = "pfx"))]
pub(super) fn read(path: &Path, _: Option<&SecretString>) -> Result<SecretString, SignInError> {
    Err(SignInError::unusable(
        "reading the certificate",
        format!(
            "{}: this program was built without PFX; convert it with `openssl pkcs12 -in FILE.pfx -nodes -out FILE.pem`{}",
            shown_path(path),
            crate::model::shell::Shell::HERE.where_openssl_is()
        ),
    ))
}

#[cfg(feature = "pfx")]
pub(super) fn read(
    path: &Path,
    password: Option<&SecretString>,
) -> Result<SecretString, SignInError> {
    use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
    use secrecy::ExposeSecret;

    let wrong = |why: &str| {
        SignInError::unusable(
            "reading the certificate",
            format!("{}: {why}", shown_path(path)),
        )
    };
    let bytes = crate::bounded_file::read(path, super::secret::LONGEST_FILE)
        .map_err(|error| wrong(&error.to_string()))?;
    let password = password.map_or("", |password| password.expose_secret());
    let store = KeyStore::from_pkcs12(&bytes, password, Pkcs12ImportPolicy::Strict)
        .map_err(|_| wrong("it cannot be read: it is no PFX file, or the password is wrong"))?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or_else(|| wrong("there is no private key in it"))?;
    let certificate = chain.certs().first();
    let certificate = certificate.ok_or_else(|| wrong("there is no certificate in it"))?;
    let pem = [
        to_pem("PRIVATE KEY", chain.key().as_der()),
        to_pem("CERTIFICATE", certificate.as_der()),
    ];
    Ok(SecretString::from(pem.concat()))
}

#[cfg(feature = "pfx")]
fn to_pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END ");
    pem.push_str(label);
    pem.push_str("-----\n");
    pem
}

#[cfg(test)]
#[cfg(feature = "pfx")]
mod tests {
    use super::*;
    use crate::auth::certificate::Certificate;
    use p12_keystore::{Certificate as Own, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    fn pfx(password: &str) -> Vec<u8> {
        let pem = include_bytes!("../../tests/auth/certificates/rsa-2048.pem");
        let own = Own::from_der(&CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
        let key = PrivateKey::from_der(key.secret_der()).unwrap();
        let mut store = KeyStore::new();
        let chain = PrivateKeyChain::new(vec![1_u8], key, [own]);
        store.add_entry("app", KeyStoreEntry::PrivateKeyChain(chain));
        store.writer(password).write().unwrap()
    }

    #[test]
    fn a_pfx_file_opens_with_its_password_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.pfx");
        std::fs::write(&path, pfx("canary-password")).unwrap();
        let open = |password: &str| Certificate::read(&path, Some(&SecretString::from(password)));
        assert_eq!(open("canary-password").unwrap().thumbprint().len(), 40);
        let error = open("canary-guess").unwrap_err().to_string();
        assert!(error.contains("password is wrong"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
