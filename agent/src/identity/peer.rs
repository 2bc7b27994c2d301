use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What the bearer of a certificate may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reports for its own node, and is told what to start there.
    Agent,
}

impl Role {
    /// The name in certificates.
    pub fn name(self) -> &'static str {
        match self {
            Role::Agent => "agent",
        }
    }

    fn from_name(name: &str) -> Option<Role> {
        (name == Role::Agent.name()).then_some(Role::Agent)
    }
}

/// Who is at the other end, by its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What it may do.
    pub role: Role,
    /// Who it is: of an agent, its node.
    pub name: String,
}

/// How a peer is written in its certificate, as a URI among the alternative names: `rldeck:agent:gpu1`.
const SCHEME: &str = "rldeck:";

impl Peer {
    /// The agent of a node.
    pub fn agent(node: impl Into<String>) -> Peer {
        Peer { role: Role::Agent, name: node.into() }
    }

    pub(super) fn uri(&self) -> String {
        format!("{SCHEME}{}:{}", self.role.name(), self.name)
    }

    /// Reads it from a certificate that was verified; `None` when it says nothing of the kind, or not clearly.
    pub fn of(der: &[u8]) -> Option<Peer> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok()??.value;
        let mut ours = names.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(SCHEME),
            _ => None,
        });
        let (role, name) = ours.next()?.split_once(':')?;
        let one = ours.next().is_none() && rldeck_core::host::is_name(name).is_ok();
        one.then_some(Peer { role: Role::from_name(role)?, name: name.to_owned() })
    }

    /// Who makes this request, when it came over TLS.
    pub fn behind<T>(request: &tonic::Request<T>) -> Option<Peer> {
        Peer::of(request.peer_certs()?.first()?)
    }
}
