//! Signing in to PostgreSQL.

use std::error::Error as _;
use std::fmt;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Connection, NoTls, SimpleQueryMessage};
use tokio_util::task::AbortOnDropHandle;

use crate::context::Context;
use crate::settings::SettingError;

/// Where a database is and who asks for it.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

impl Login {
    /// The application's own sign-in: `DB_HOST`, `DB_PORT`, `DB_NAME_SERVER`, `DB_USER_SERVER`, `DB_PASSWORD_SERVER`.
    pub(crate) fn of_server(context: &Context) -> Result<Self, SettingError> {
        Ok(Self {
            host: context.required("DB_HOST")?,
            port: context.number("DB_PORT", 5432)?,
            user: context.text("DB_USER_SERVER", "app_user"),
            password: context.required("DB_PASSWORD_SERVER")?,
            database: context.text("DB_NAME_SERVER", "server"),
        })
    }

    /// The same server and user, another database.
    pub(crate) fn in_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// `host:port`, as texts name it.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// Nobody answered.
    #[error("connect to {address}")]
    Connect {
        address: String,
        #[source]
        source: std::io::Error,
    },
    /// The server said no, or did not speak the protocol.
    #[error("{}", Said(.0))]
    Refused(#[source] tokio_postgres::Error),
}

impl SignInError {
    /// The password is wrong, or the user unknown; the protocol does not tell which.
    pub(crate) fn is_authentication(&self) -> bool {
        self.has(&SqlState::INVALID_PASSWORD) || self.has(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
    }

    fn has(&self, state: &SqlState) -> bool {
        matches!(self, Self::Refused(error) if error.code() == Some(state))
    }
}

/// An error as the server worded it, else as the client did, with its cause.
pub(crate) struct Said<'a>(pub(crate) &'a tokio_postgres::Error);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(answer) = self.0.as_db_error() {
            return write!(f, "{}:  {}", answer.severity(), answer.message());
        }
        write!(f, "{}", self.0)?;
        self.0.source().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

/// A session; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    driver: AbortOnDropHandle<()>,
}

impl Session {
    pub(crate) async fn open(context: &Context, login: &Login) -> Result<Self, SignInError> {
        let stream = context
            .network
            .connect(&login.host, login.port)
            .await
            .map_err(|source| SignInError::Connect { address: login.address(), source })?;
        // Small packets that wait for each other would be quick on any real network, too.
        let _ = stream.set_nodelay(true);
        let mut config = Config::new();
        config.user(&login.user).password(&login.password).dbname(&login.database).application_name("alga");
        let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(SignInError::Refused)?;
        Ok(Self { client, driver: AbortOnDropHandle::new(tokio::spawn(drive(connection))) })
    }

    /// Waits until the server or the network ends the session.
    pub(crate) async fn closed(&mut self) {
        // However it ended, it is over.
        let _ = (&mut self.driver).await;
    }

    /// Runs one statement and gives the first column of its first row, if that is not null.
    pub(crate) async fn scalar(&self, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
        let answers = self.client.simple_query(sql).await?;
        Ok(answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    /// Runs statements for their effect.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(sql).await
    }
}

async fn drive<S>(connection: Connection<tokio::net::TcpStream, S>)
where
    S: tokio_postgres::tls::TlsStream + Unpin,
{
    // Its error reaches the client's requests; nobody else asks.
    let _ = connection.await;
}

/// A text as an SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as an SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
