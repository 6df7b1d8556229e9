//! Signing in with a certificate: its key signs a statement of the application's identity.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use jiff::Timestamp;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use uuid::Uuid;

use crate::model::shell::Shell;

use super::application::Assertion;
use super::secret::{read_private, shown_path};
use super::{Authority, SignInError};

/// Validity of a statement, in seconds; Microsoft advises five to ten minutes.
const LIFETIME: i64 = 600;
/// Tolerated clock difference, in seconds: more than that of any machine that synchronises its clock.
const SKEW: i64 = 60;
/// What is wrong with keys that the cryptographic library does not accept (`RsaKeyPair::from_components`).
const KEY_THAT_SIGNS: &str = "its key is not an RSA key of 2048, 3072 or 4096 bits with a public exponent of 65537; \
                              config/sign-in.md says how to make one";

pub(super) struct Certificate {
    path: PathBuf,
    der: Vec<u8>,
    key: RsaKeyPair,
}

impl Certificate {
    /// Reads a PEM file that contains a certificate and its RSA key, in any order, or a PFX file.
    pub(super) fn read(path: &Path, password: Option<&SecretString>) -> Result<Self, SignInError> {
        let pfx = path
            .extension()
            .is_some_and(|ext| ext.eq_ignore_ascii_case("pfx") || ext.eq_ignore_ascii_case("p12"));
        let pem = if pfx {
            super::pfx::read(path, password)?
        } else {
            read_private(path, "reading the certificate")?
        };
        Self::from_pem(path, pem.expose_secret())
    }

    pub(super) fn from_pem(path: &Path, pem: &str) -> Result<Self, SignInError> {
        let wrong = |why: &str| {
            SignInError::unusable(
                "reading the certificate",
                format!("{}: {why}", shown_path(path)),
            )
        };
        if pem.contains("ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(wrong(&format!(
                "its key is encrypted; take the password off with `openssl pkey`, or use a PFX file{}",
                Shell::HERE.where_openssl_is()
            )));
        }
        // The first certificate is the application's own; its chain follows.
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| wrong("there is no certificate in it"))?;
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
            Err(PemError::NoItemsFound) => return Err(wrong("there is no private key in it")),
            Ok(_) | Err(_) => None,
        };
        let key = key.ok_or_else(|| wrong(KEY_THAT_SIGNS))?;
        Ok(Self {
            path: path.to_owned(),
            der: der.to_vec(),
            key,
        })
    }

    /// The thumbprint that portals show: the SHA-1 of the certificate, in hexadecimal.
    pub(super) fn thumbprint(&self) -> String {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        let pairs = hash.as_ref().iter().map(|byte| format!("{byte:02X}"));
        pairs.collect::<Vec<_>>().concat()
    }

    /// Signs the statement (Microsoft: "Application authentication certificate credentials"; AD FS accepts the older
    /// form only).
    fn sign(
        &self,
        authority: &Authority,
        client: &str,
        now: Timestamp,
    ) -> Result<SecretString, SignInError> {
        let token_url: String = authority.token_url().into();
        let now = now.as_second();
        let claims = Claims {
            aud: &token_url,
            iss: client,
            sub: client,
            jti: Uuid::new_v4().to_string(),
            iat: now,
            nbf: now - SKEW,
            exp: now + LIFETIME,
        };
        let (encoding, header) = self.header(authority.is_ad_fs());
        let signed = part(&header)
            .zip(part(&claims))
            .and_then(|(header, claims)| {
                let text = format!("{header}.{claims}");
                let mut signature = vec![0; self.key.public().modulus_len()];
                self.key
                    .sign(
                        encoding,
                        &SystemRandom::new(),
                        text.as_bytes(),
                        &mut signature,
                    )
                    .ok()?;
                Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
            });
        signed.map(SecretString::from).ok_or_else(|| {
            let why = format!("{}: its key cannot sign", shown_path(&self.path));
            SignInError::unusable("signing in with a certificate", why)
        })
    }

    /// The algorithm, and the header that names it.
    fn header(&self, ad_fs: bool) -> (&'static dyn RsaEncoding, Header) {
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &self.der));
        if ad_fs {
            let header = Header {
                typ: "JWT",
                alg: "RS256",
                x5t: Some(thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
                x5t_s256: None,
            };
            (&RSA_PKCS1_SHA256, header)
        } else {
            let header = Header {
                typ: "JWT",
                alg: "PS256",
                x5t: None,
                x5t_s256: Some(thumbprint(&digest::SHA256)),
            };
            (&RSA_PSS_SHA256, header)
        }
    }
}

/// A part of a statement in its signed form (RFC 7515, section 7.1).
fn part(value: &impl Serialize) -> Option<String> {
    let json = serde_json::to_vec(value).ok()?;
    Some(URL_SAFE_NO_PAD.encode(json))
}

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x5t: Option<String>,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    x5t_s256: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Makes the statements of a certificate.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) certificate: Certificate,
    pub(super) authority: Authority,
    pub(super) client: String,
}

impl Assertion for Signed {
    fn fresh(&self) -> BoxFuture<'_, Result<SecretString, SignInError>> {
        let signed = self
            .certificate
            .sign(&self.authority, &self.client, Timestamp::now());
        ready(signed).boxed()
    }

    fn describe(&self) -> String {
        format!("certificate {}", self.certificate.thumbprint())
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{
        KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
    };
    use serde_json::Value;

    const PEM: &str = include_str!("../../tests/auth/certificates/rsa-2048.pem");

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    fn statement(uri: &str) -> (Value, Value) {
        let certificate = Certificate::from_pem(Path::new("test.pem"), PEM).unwrap();
        let authority = Authority::trust(uri, Some("adfs.contoso.example"), None).unwrap();
        let now = Timestamp::from_second(1_795_446_000).unwrap();
        let jwt = certificate.sign(&authority, "app-1", now).unwrap();
        let parts: Vec<_> = jwt.expose_secret().split('.').collect();
        (decoded(parts[0]), decoded(parts[1]))
    }

    #[test]
    fn entra_gets_ps256_and_the_sha256_thumbprint() {
        let (header, claims) = statement("https://login.microsoftonline.us/t-1/oauth2/authorize");
        assert_eq!(header["alg"], "PS256");
        assert_eq!(header["x5t#S256"].as_str().unwrap().len(), 43);
        assert!(header.get("x5t").is_none());
        assert_eq!(
            claims["aud"],
            "https://login.microsoftonline.us/t-1/oauth2/v2.0/token"
        );
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&"app-1".into(), &"app-1".into())
        );
        assert_eq!(claims["nbf"], 1_795_446_000 - SKEW);
        assert_eq!(claims["exp"], 1_795_446_000 + LIFETIME);
    }

    #[test]
    fn ad_fs_gets_rs256_and_the_sha1_thumbprint() {
        let (header, claims) = statement("https://adfs.contoso.example/adfs/oauth2/authorize");
        assert_eq!(header["alg"], "RS256");
        assert_eq!(header["x5t"].as_str().unwrap().len(), 27);
        assert_eq!(
            claims["aud"],
            "https://adfs.contoso.example/adfs/oauth2/token"
        );
    }

    #[test]
    fn a_statement_is_signed_as_its_header_says() {
        let certificate = Certificate::from_pem(Path::new("test.pem"), PEM).unwrap();
        let public = certificate.key.public_key().as_ref().to_vec();
        for (uri, algorithm) in [
            (
                "https://login.microsoftonline.com/t-1/oauth2/authorize",
                &RSA_PSS_2048_8192_SHA256,
            ),
            (
                "https://adfs.contoso.example/adfs/oauth2/authorize",
                &RSA_PKCS1_2048_8192_SHA256,
            ),
        ] {
            let authority = Authority::trust(uri, Some("adfs.contoso.example"), None).unwrap();
            let jwt = certificate
                .sign(&authority, "app-1", Timestamp::now())
                .unwrap();
            let (text, signature) = jwt.expose_secret().rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let key = UnparsedPublicKey::new(algorithm, &public);
            key.verify(text.as_bytes(), &signature).unwrap();
        }
    }

    #[test]
    fn every_statement_is_another() {
        let uri = "https://login.microsoftonline.com/t-1/oauth2/authorize";
        assert_ne!(statement(uri).1["jti"], statement(uri).1["jti"]);
    }

    #[test]
    fn a_file_that_is_no_certificate_is_refused_without_showing_it() {
        let read = |pem: &str| {
            let error = Certificate::from_pem(Path::new("x.pem"), pem).unwrap_err();
            error.to_string()
        };
        assert!(read("canary").contains("no certificate"));
        let (_, certificate) = PEM.split_at(PEM.find("-----BEGIN CERT").unwrap());
        assert!(read(certificate).contains("no private key"));
        let broken =
            format!("{certificate}-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----");
        let why = read(&broken);
        assert!(
            why.contains("not an RSA key") && !why.contains("canary"),
            "{why}"
        );
        assert!(read("-----BEGIN ENCRYPTED PRIVATE KEY-----").contains("encrypted"));
    }

    #[test]
    fn every_key_that_is_accepted_signs_and_another_is_refused_with_the_sizes() {
        let uri = "https://login.microsoftonline.com/t-1/oauth2/authorize";
        let authority = Authority::trust(uri, None, None).unwrap();
        for pem in [
            PEM,
            include_str!("../../tests/auth/certificates/rsa-3072.pem"),
            include_str!("../../tests/auth/certificates/rsa-4096.pem"),
        ] {
            let certificate = Certificate::from_pem(Path::new("x.pem"), pem).unwrap();
            certificate
                .sign(&authority, "app-1", Timestamp::now())
                .unwrap();
        }
        for pem in [
            include_str!("../../tests/auth/certificates/rsa-8192.pem"),
            include_str!("../../tests/auth/certificates/rsa-2048-exponent-3.pem"),
        ] {
            let error = Certificate::from_pem(Path::new("x.pem"), pem).unwrap_err();
            assert!(error.to_string().contains(KEY_THAT_SIGNS), "{error}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let certificate = Certificate::from_pem(Path::new("test.pem"), PEM).unwrap();
        assert_eq!(
            format!("{certificate:?}"),
            "Certificate { path: \"test.pem\", .. }"
        );
    }
}
