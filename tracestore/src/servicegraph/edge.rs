//! A request from one side to another, as far as it was seen.

use super::half::Half;

/// What an edge goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connection {
    /// A call.
    Request,
    /// A message.
    Messaging,
    /// A database's query.
    Database,
    /// One side sent no spans, and is known from the other's.
    VirtualNode,
}

impl Connection {
    /// The value of the label `connection_type`; empty for calls.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Request => "",
            Self::Messaging => "messaging_system",
            Self::Database => "database",
            Self::VirtualNode => "virtual_node",
        }
    }
}

/// A request that was told by one or both of its sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge<'e> {
    pub(super) client: &'e str,
    pub(super) server: &'e str,
    pub(super) connection: Connection,
    pub(super) client_half: Option<&'e Half>,
    pub(super) server_half: Option<&'e Half>,
}

/// What the client of a root is called that nothing is known of.
const USER: &str = "user";

impl<'e> Edge<'e> {
    /// Both sides were seen.
    pub(super) fn of_both(client: &'e Half, server: &'e Half) -> Self {
        let messaging = client.messaging || server.messaging;
        Self {
            client: &client.service,
            server: &server.service,
            connection: if messaging { Connection::Messaging } else { Connection::Request },
            client_half: Some(client),
            server_half: Some(server),
        }
    }

    /// A query to a database.
    pub(super) fn of_database(client: &'e Half, name: &'e str) -> Self {
        let (connection, server_half) = (Connection::Database, None);
        Self { client: &client.service, server: name, connection, client_half: Some(client), server_half }
    }

    /// A client whose server sent no span; `None` where nothing names it.
    pub(super) fn of_client(client: &'e Half) -> Option<Self> {
        let server = client.peer.as_deref()?;
        let (connection, server_half) = (Connection::VirtualNode, None);
        Some(Self { client: &client.service, server, connection, client_half: Some(client), server_half })
    }

    /// The server of a request from outside.
    pub(super) fn of_root(server: &'e Half) -> Self {
        let client = server.peer.as_deref().unwrap_or(USER);
        let (connection, client_half) = (Connection::VirtualNode, None);
        Self { client, server: &server.service, connection, client_half, server_half: Some(server) }
    }

    /// The time that it is counted at: the start of the server's side, or else of the client's.
    pub(super) fn time(&self) -> u64 {
        self.server_half.or(self.client_half).map_or(0, |half| half.start)
    }

    pub(super) fn failed(&self) -> bool {
        [self.client_half, self.server_half].into_iter().flatten().any(|half| half.failed)
    }

    /// How many requests it stands for.
    pub(super) fn weight(&self) -> f64 {
        self.client_half.or(self.server_half).map_or(1.0, |half| half.weight)
    }

    /// How long the client saw it take, in ns.
    pub(super) fn client_duration(&self) -> Option<u64> {
        self.client_half.map(Half::duration)
    }

    /// How long the server took, in ns; a database's time is what its client saw.
    pub(super) fn server_duration(&self) -> Option<u64> {
        match self.connection {
            Connection::Database => self.client_duration(),
            _ => self.server_half.map(Half::duration),
        }
    }

    /// How long a message was under way, in ns: 0 where it arrived before it was sent.
    pub(super) fn messaging_duration(&self) -> Option<u64> {
        let (client, server) = (self.client_half?, self.server_half?);
        (self.connection == Connection::Messaging).then(|| server.start.saturating_sub(client.end))
    }
}
