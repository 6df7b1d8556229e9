//! The client's side of one handshake.

use sspi::ntlm::NtlmConfig;
use sspi::{
    AuthIdentity, AuthIdentityBuffers, BufferType, ClientRequestFlags, CredentialUse, Credentials,
    CredentialsBuffers, DataRepresentation, Negotiate, NegotiateConfig, Ntlm, SecurityBuffer, Sspi,
    SspiImpl,
};

use super::super::SignInError;
use super::legs::Scheme;

/// The packages of Negotiate: without Kerberos, which needs a connection to a key distribution centre.
const PACKAGES: &str = "!kerberos,!pku2u,ntlm";

/// One handshake, from its first message to its last.
pub(super) struct Conversation {
    package: Package,
    /// The service principal name.
    target: String,
}

enum Package {
    Ntlm(Box<Ntlm>, Option<AuthIdentityBuffers>),
    Negotiate(Box<Negotiate>, Option<CredentialsBuffers>),
}

impl Conversation {
    /// Starts a handshake with the web server of this host.
    pub(super) fn new(
        scheme: Scheme,
        identity: AuthIdentity,
        host: &str,
    ) -> Result<Self, SignInError> {
        let package = match scheme {
            Scheme::Ntlm => {
                let mut ntlm = Ntlm::with_config(NtlmConfig::default());
                let handle = handle(&mut ntlm, &identity)?;
                Package::Ntlm(Box::new(ntlm), handle)
            }
            Scheme::Negotiate => {
                let config = NegotiateConfig::new(
                    Box::new(NtlmConfig::default()),
                    Some(PACKAGES.to_owned()),
                    String::new(),
                );
                let mut negotiate =
                    Negotiate::new_client(config).map_err(|error| failed(&error))?;
                let handle = handle(&mut negotiate, &Credentials::AuthIdentity(identity))?;
                Package::Negotiate(Box::new(negotiate), handle)
            }
        };
        Ok(Self {
            package,
            target: format!("HTTP/{host}"),
        })
    }

    /// The next message; none where the handshake is complete.
    ///
    /// `said` is the server's last message, `binding` the channel binding to the certificate of the connection.
    pub(super) fn next(
        &mut self,
        said: Option<Vec<u8>>,
        binding: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, SignInError> {
        let buffer = |(bytes, kind)| SecurityBuffer::new(bytes, kind);
        let said = said.map(|said| (said, BufferType::Token));
        let binding = binding.map(|binding| (binding, BufferType::ChannelBindings));
        let mut input: Vec<_> = said.into_iter().chain(binding).map(buffer).collect();
        match &mut self.package {
            Package::Ntlm(ntlm, handle) => step(&mut **ntlm, handle, &self.target, &mut input),
            Package::Negotiate(negotiate, handle) => {
                step(&mut **negotiate, handle, &self.target, &mut input)
            }
        }
        .map_err(|error| failed(&error))
    }
}

fn handle<P: Sspi>(
    package: &mut P,
    identity: &P::AuthenticationData,
) -> Result<P::CredentialsHandle, SignInError> {
    let acquired = package
        .acquire_credentials_handle()
        .with_credential_use(CredentialUse::Outbound)
        .with_auth_data(identity)
        .execute(package);
    acquired
        .map(|acquired| acquired.credentials_handle)
        .map_err(|error| failed(&error))
}

fn step<P: Sspi + SspiImpl>(
    package: &mut P,
    handle: &mut P::CredentialsHandle,
    target: &str,
    input: &mut [SecurityBuffer],
) -> sspi::Result<Vec<u8>> {
    let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let mut builder = package
        .initialize_security_context()
        .with_credentials_handle(handle)
        .with_context_requirements(ClientRequestFlags::INTEGRITY)
        .with_target_data_representation(DataRepresentation::Native)
        .with_target_name(target)
        .with_input(input)
        .with_output(&mut output);
    package
        .initialize_security_context_impl(&mut builder)?
        .resolve_to_result()?;
    Ok(output.swap_remove(0).buffer)
}

/// Only the kind of the error: descriptions may repeat what was read.
fn failed(error: &sspi::Error) -> SignInError {
    SignInError::bad_answer(
        "signing in with Windows authentication",
        format!("the handshake cannot go on ({:?})", error.error_type),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sspi::{Secret, Username};

    fn conversation(scheme: Scheme) -> Conversation {
        let identity = AuthIdentity {
            username: Username::parse("CONTOSO\\svc").unwrap(),
            password: Secret::new("canary".to_owned()),
        };
        Conversation::new(scheme, identity, "crm.contoso.example").unwrap()
    }

    #[test]
    fn the_first_message_is_of_the_scheme() {
        let first = conversation(Scheme::Ntlm).next(None, None).unwrap();
        assert!(first.starts_with(b"NTLMSSP\0\x01"), "{first:?}");
        let first = conversation(Scheme::Negotiate).next(None, None).unwrap();
        assert_eq!(first[0], 0x60);
        assert!(first.windows(8).any(|part| part == b"NTLMSSP\0"));
    }

    #[test]
    fn nonsense_from_the_server_is_an_error_that_repeats_none_of_it() {
        for scheme in [Scheme::Ntlm, Scheme::Negotiate] {
            let mut conversation = conversation(scheme);
            conversation.next(None, None).unwrap();
            for nonsense in ["", "canary nonsense", "NTLMSSP\0\x02\0\0\0"] {
                let said = Some(nonsense.as_bytes().to_vec());
                let error = conversation.next(said, None).unwrap_err();
                assert!(!format!("{error:?}").contains("canary"), "{error:?}");
            }
        }
    }
}
