//! The PostgreSQL protocol: sign-in by SCRAM-SHA-256, simple and extended queries.

use std::fmt;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::Sink;
use pgwire::api::auth::driver::AuthOutcome;
use pgwire::api::auth::mechanism::AuthMechanismFactory as _;
use pgwire::api::auth::sasl::scram::{ScramAuth, ScramSecret};
use pgwire::api::auth::{
    AuthDriver, AuthSource, DefaultServerParameterProvider, LoginInfo, Password, StartupHandler,
    protocol_negotiation, save_startup_parameters_to_metadata,
};
use pgwire::api::portal::{Format, Portal};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::results::{DescribePortalResponse, DescribeStatementResponse, Response};
use pgwire::api::stmt::{NoopQueryParser, StoredStatement};
use pgwire::api::{
    ClientInfo, ClientPortalStore, ErrorHandler, METADATA_DATABASE, METADATA_USER, PgWireServerHandlers,
};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use super::Server;
use super::cluster::{Cluster, ITERATIONS};
use super::error::SqlError;
use super::session::Session;
use super::token;
use super::translate::Asker;

/// One client: its session, once it has signed in.
pub(crate) struct Backend {
    server: Arc<Server>,
    driver: AuthDriver<DefaultServerParameterProvider>,
    scram: ScramAuth,
    parser: Arc<NoopQueryParser>,
    session: Mutex<Option<Session>>,
}

impl Backend {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        let mut scram = ScramAuth::new(Arc::new(Secrets(Arc::clone(&server.cluster))));
        scram.set_iterations(ITERATIONS);
        let mut parameters = DefaultServerParameterProvider::default();
        parameters.server_version = "16.6".to_owned();
        Self {
            server,
            driver: AuthDriver::new(parameters),
            scram,
            parser: Arc::new(NoopQueryParser::new()),
            session: Mutex::new(None),
        }
    }

    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_session<T>(&self, act: impl FnOnce(&mut Session) -> PgWireResult<T>) -> PgWireResult<T> {
        act(self.session().as_mut().ok_or(PgWireError::NotReadyForQuery)?)
    }

    /// Opens the session of a client that has proved who it is.
    fn open(&self, client: &impl ClientInfo) -> Result<(), SqlError> {
        let user = client.metadata().get(METADATA_USER).cloned().unwrap_or_default();
        let database = client.metadata().get(METADATA_DATABASE).cloned().unwrap_or_else(|| user.clone());
        let cluster = &self.server.cluster;
        if !cluster.database_exists(&database)? {
            return Err(SqlError::fatal("3D000", format!("database \"{database}\" does not exist")));
        }
        let session =
            Session::open(Arc::clone(cluster), Asker { user, database }, &self.server.context.clock)?;
        *self.session() = Some(session);
        Ok(())
    }
}

/// What passwords are checked against.
struct Secrets(Arc<Cluster>);

impl Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[async_trait]
impl AuthSource for Secrets {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        Err(PgWireError::InvalidPassword(login.user().unwrap_or_default().to_owned()))
    }

    async fn get_scram_secret(&self, login: &LoginInfo) -> PgWireResult<(ScramSecret, Option<()>)> {
        let user = login.user().unwrap_or_default();
        let secret = self.0.secret(user)?.ok_or_else(|| PgWireError::InvalidPassword(user.to_owned()))?;
        Ok((secret, None))
    }
}

#[async_trait]
impl StartupHandler for Backend {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let outcome = match message {
            PgWireFrontendMessage::Startup(ref startup) => {
                protocol_negotiation(client, startup).await?;
                save_startup_parameters_to_metadata(client, startup);
                self.driver.begin_authentication(client, self.scram.create()).await?
            }
            PgWireFrontendMessage::PasswordMessageFamily(message) => {
                self.driver.advance_authentication(client, message).await?
            }
            _ => return Ok(()),
        };
        if let AuthOutcome::Authenticated { final_message, .. } = outcome {
            self.open(client)?;
            self.driver.complete_authentication(client, final_message).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SimpleQueryHandler for Backend {
    async fn do_query<C>(&self, _client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statements = token::statements(query);
        if statements.is_empty() {
            return Ok(vec![Response::EmptyQuery]);
        }
        self.with_session(|session| Ok(session.simple(&statements)))
    }
}

#[async_trait]
impl ExtendedQueryHandler for Backend {
    type Statement = String;
    type QueryParser = NoopQueryParser;

    fn query_parser(&self) -> Arc<Self::QueryParser> {
        Arc::clone(&self.parser)
    }

    async fn do_query<C>(
        &self,
        _client: &mut C,
        portal: &Portal<String>,
        _max_rows: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = single(&portal.statement.statement)?;
        self.with_session(|session| session.bound(&statement, portal))
    }

    async fn do_describe_statement<C>(
        &self,
        _client: &mut C,
        stored: &StoredStatement<String>,
    ) -> PgWireResult<DescribeStatementResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = single(&stored.statement)?;
        let (parameters, fields) = self.with_session(|session| {
            session.describe(&statement, &stored.parameter_types, &Format::UnifiedText)
        })?;
        Ok(DescribeStatementResponse::new(parameters, fields))
    }

    async fn do_describe_portal<C>(
        &self,
        _client: &mut C,
        portal: &Portal<String>,
    ) -> PgWireResult<DescribePortalResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = single(&portal.statement.statement)?;
        let (_, fields) =
            self.with_session(|session| session.describe(&statement, &[], &portal.result_column_format))?;
        Ok(DescribePortalResponse::new(fields))
    }
}

/// The one statement of an extended query.
fn single(sql: &str) -> Result<Vec<token::Token>, SqlError> {
    let mut statements = token::statements(sql);
    match statements.len() {
        0 | 1 => Ok(statements.pop().unwrap_or_default()),
        _ => Err(SqlError::new("42601", "cannot insert multiple commands into a prepared statement")),
    }
}

impl ErrorHandler for Backend {
    /// Words a failed sign-in as PostgreSQL does, and writes it to the log.
    fn on_error<C>(&self, client: &C, error: &mut PgWireError)
    where
        C: ClientInfo,
    {
        if let PgWireError::InvalidPassword(_) = error {
            let user = client.metadata().get(METADATA_USER).map_or("", String::as_str);
            let refusal =
                SqlError::fatal("28P01", format!("password authentication failed for user \"{user}\""));
            self.server.log(&refusal.to_string());
            if !self.server.cluster.role_exists(user).unwrap_or(true) {
                self.server.log(&format!("DETAIL:  Role \"{user}\" does not exist."));
            }
            *error = refusal.into();
        } else if error.is_fatal() {
            self.server.log(&format!("{}:  {}", error.severity(), message(error)));
        } else {
            self.server.log(&format!("ERROR:  {}", message(error)));
        }
    }
}

fn message(error: &PgWireError) -> String {
    match error {
        PgWireError::UserError(info) => info.message.clone(),
        other => other.to_string(),
    }
}

/// The handlers of one connection are all the same backend.
pub(crate) struct Handlers(pub(crate) Arc<Backend>);

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.0)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.0)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.0)
    }

    fn error_handler(&self) -> Arc<impl ErrorHandler> {
        Arc::clone(&self.0)
    }
}
