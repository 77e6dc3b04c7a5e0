//! One client's session: its open files, its transaction, its statements.

use std::sync::Arc;

use field_clock::Clock;
use pgwire::api::Type;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag};
use pgwire::error::PgWireResult;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::cluster::{Cluster, open_file};
use super::columns;
use super::command::{self, Statement};
use super::error::SqlError;
use super::functions;
use super::token::{Token, join};
use super::translate::{Asker, translate};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement has failed; only the end of the transaction is accepted.
    Failed,
}

/// A session in one database.
pub(crate) struct Session {
    cluster: Arc<Cluster>,
    asker: Asker,
    connection: Connection,
    transaction: Transaction,
    generation: Option<u64>,
    attached: Vec<String>,
}

impl Session {
    pub(crate) fn open(cluster: Arc<Cluster>, asker: Asker, clock: &Clock) -> Result<Self, SqlError> {
        let connection = open_file(&cluster.schema_file(&asker.database, "public"))?;
        connection.execute("ATTACH ?1 AS catalog", [cluster.catalogue_file().to_string_lossy()])?;
        functions::install(&connection, clock)?;
        Ok(Self {
            cluster,
            asker,
            connection,
            transaction: Transaction::None,
            generation: None,
            attached: Vec::new(),
        })
    }

    /// Attaches schemas that have come since the last statement. Not inside a transaction.
    fn follow_schemas(&mut self) -> Result<(), SqlError> {
        let generation = self.cluster.generation();
        if self.generation == Some(generation) || !self.connection.is_autocommit() {
            return Ok(());
        }
        for schema in self.cluster.schemas(&self.asker.database)? {
            if !self.attached.contains(&schema) {
                let file = self.cluster.schema_file(&self.asker.database, &schema);
                let name = format!("\"{}\"", schema.replace('"', "\"\""));
                self.connection.execute(&format!("ATTACH ?1 AS {name}"), [file.to_string_lossy()])?;
                self.connection.execute_batch(&format!(
                    "PRAGMA {name}.journal_mode = WAL; PRAGMA {name}.synchronous = OFF"
                ))?;
                self.attached.push(schema);
            }
        }
        self.connection.execute_batch(&functions::views(&self.asker.database, &self.attached))?;
        self.generation = Some(generation);
        Ok(())
    }

    /// Runs the statements of a simple query; the first that fails ends it and undoes the others.
    pub(crate) fn simple(&mut self, statements: &[Vec<Token>]) -> Vec<Response> {
        let together = statements.len() > 1
            && self.transaction == Transaction::None
            && !touches_transactions(statements);
        let mut responses = Vec::new();
        if together && let Err(error) = self.begin_together() {
            return vec![Response::Error(Box::new(error.into_info()))];
        }
        for statement in statements {
            match self.run(statement, &Format::UnifiedText, |_, _| Ok(Vec::new())) {
                Ok(response) => responses.push(response),
                Err(error) => {
                    if together {
                        // A transaction that SQLite has ended itself needs no end.
                        let _ = self.connection.execute_batch("ROLLBACK");
                    }
                    let info = pgwire::error::ErrorInfo::from(error);
                    responses.push(Response::Error(Box::new(info)));
                    return responses;
                }
            }
        }
        if together && let Err(error) = self.connection.execute_batch("COMMIT") {
            let _ = self.connection.execute_batch("ROLLBACK");
            responses.push(Response::Error(Box::new(SqlError::from(error).into_info())));
        }
        responses
    }

    fn begin_together(&mut self) -> Result<(), SqlError> {
        self.follow_schemas()?;
        Ok(self.connection.execute_batch("BEGIN")?)
    }

    /// Runs one statement with the parameters that a client has bound.
    pub(crate) fn bound<S: Clone>(
        &mut self,
        statement: &[Token],
        portal: &Portal<S>,
    ) -> PgWireResult<Response> {
        let declared = portal.statement.parameter_types.clone();
        self.run(statement, &portal.result_column_format, |connection, tokens| {
            let inferred = columns::parameter_types(connection, tokens, portal.parameter_len());
            let kinds = inferred.iter().enumerate().map(|(at, kind)| known(&declared, at).unwrap_or(kind));
            kinds.enumerate().map(|(at, kind)| columns::bound(portal, at, kind)).collect()
        })
    }

    fn run(
        &mut self,
        statement: &[Token],
        format: &Format,
        parameters: impl FnOnce(&Connection, &[Token]) -> PgWireResult<Vec<Value>>,
    ) -> PgWireResult<Response> {
        let kind = command::classify(statement);
        if self.transaction == Transaction::Failed && !matches!(kind, Statement::Commit | Statement::Rollback)
        {
            let text = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(SqlError::new("25P02", text).into());
        }
        let result = match kind {
            Statement::Begin => self.begin().map_err(Into::into),
            Statement::Commit => self.end("COMMIT").map_err(Into::into),
            Statement::Rollback => self.end("ROLLBACK").map_err(Into::into),
            Statement::Show(name) => Ok(show(&name)),
            Statement::Administer => command::administer(&self.cluster, &self.asker, statement)
                .map(|()| Response::Execution(Tag::new(&command::tag(statement))))
                .map_err(Into::into),
            Statement::Sql => self.sql(statement, format, parameters),
        };
        if result.is_err() && self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
        result
    }

    fn begin(&mut self) -> Result<Response, SqlError> {
        self.follow_schemas()?;
        if self.transaction == Transaction::None {
            self.connection.execute_batch("BEGIN")?;
            self.transaction = Transaction::Open;
        }
        Ok(Response::TransactionStart(Tag::new("BEGIN")))
    }

    /// Ends the transaction; one that has failed can only be undone.
    fn end(&mut self, wish: &str) -> Result<Response, SqlError> {
        let how = if self.transaction == Transaction::Failed { "ROLLBACK" } else { wish };
        if !self.connection.is_autocommit() {
            self.connection.execute_batch(how)?;
        }
        self.transaction = Transaction::None;
        Ok(Response::TransactionEnd(Tag::new(how)))
    }

    fn sql(
        &mut self,
        statement: &[Token],
        format: &Format,
        parameters: impl FnOnce(&Connection, &[Token]) -> PgWireResult<Vec<Value>>,
    ) -> PgWireResult<Response> {
        self.follow_schemas()?;
        let tokens = resolve_regclass(translate(statement, &self.asker));
        let text = join(&tokens);
        let mut prepared = self.connection.prepare(&text).map_err(SqlError::from)?;
        for (at, value) in parameters(&self.connection, &tokens)?.into_iter().enumerate() {
            prepared.raw_bind_parameter(at + 1, value).map_err(SqlError::from)?;
        }
        if !prepared.readonly() {
            self.cluster.extend(&self.asker.database)?;
        }
        let tag = command::tag(statement);
        if prepared.column_count() == 0 {
            let changed = prepared.raw_execute().map_err(SqlError::from)?;
            return Ok(Response::Execution(match tag.as_str() {
                "INSERT" => Tag::new(&tag).with_oid(0).with_rows(changed),
                "UPDATE" | "DELETE" => Tag::new(&tag).with_rows(changed),
                _ => Tag::new(&tag),
            }));
        }
        let fields = Arc::new(columns::describe(&self.connection, &prepared, &tokens, format));
        let mut rows = Vec::new();
        let mut found = prepared.raw_query();
        let mut encoder = DataRowEncoder::new(Arc::clone(&fields));
        while let Some(row) = found.next().map_err(SqlError::from)? {
            columns::encode(&mut encoder, &fields, row)?;
            rows.push(Ok(encoder.take_row()));
        }
        let mut response = QueryResponse::new(fields, futures::stream::iter(rows));
        response.set_command_tag(match tag.as_str() {
            "INSERT" => "INSERT 0",
            "UPDATE" | "DELETE" => &tag,
            _ => "SELECT",
        });
        Ok(Response::Query(response))
    }

    /// Parameter types and result columns of a statement that is not run.
    pub(crate) fn describe(
        &mut self,
        statement: &[Token],
        declared: &[Option<Type>],
        format: &Format,
    ) -> PgWireResult<(Vec<Type>, Vec<FieldInfo>)> {
        match command::classify(statement) {
            Statement::Sql => {}
            Statement::Show(name) => return Ok((Vec::new(), vec![shown_setting(&name)])),
            _ => return Ok((Vec::new(), Vec::new())),
        }
        self.follow_schemas()?;
        let tokens = resolve_regclass(translate(statement, &self.asker));
        let prepared = self.connection.prepare(&join(&tokens)).map_err(SqlError::from)?;
        let inferred = columns::parameter_types(&self.connection, &tokens, prepared.parameter_count());
        let kinds = inferred.into_iter().enumerate();
        let kinds = kinds.map(|(at, kind)| known(declared, at).cloned().unwrap_or(kind)).collect();
        Ok((kinds, columns::describe(&self.connection, &prepared, &tokens, format)))
    }
}

/// The type that the client itself has given to a parameter.
fn known(declared: &[Option<Type>], at: usize) -> Option<&Type> {
    declared.get(at)?.as_ref().filter(|kind| **kind != Type::UNKNOWN)
}

fn touches_transactions(statements: &[Vec<Token>]) -> bool {
    statements.iter().any(|statement| command::classify(statement) != Statement::Sql)
}

/// `to_regclass(x)` looks into the session's own list of tables.
fn resolve_regclass(tokens: Vec<Token>) -> Vec<Token> {
    if !tokens.iter().any(|token| token.is("to_regclass")) {
        return tokens;
    }
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let argument = tokens
            .get(at + 2)
            .filter(|_| tokens[at].is("to_regclass") && tokens.get(at + 3).is_some_and(|t| t.is(")")));
        if let Some(argument) = argument {
            out.extend(super::token::tokens(
                "(SELECT CASE schemaname WHEN 'public' THEN tablename ELSE schemaname || '.' || tablename END FROM pg_tables \
                 WHERE CASE schemaname WHEN 'public' THEN tablename ELSE schemaname || '.' || tablename END = pg_relname(",
            ));
            out.push(argument.clone());
            out.extend(super::token::tokens("))"));
            at += 4;
        } else {
            out.push(tokens[at].clone());
            at += 1;
        }
    }
    out
}

fn shown_setting(name: &str) -> FieldInfo {
    FieldInfo::new(name.to_owned(), None, None, Type::TEXT, FieldFormat::Text)
}

fn show(name: &str) -> Response {
    let value = match name {
        "server_version" => "16.6",
        "server_encoding" | "client_encoding" => "UTF8",
        "search_path" => "public",
        "transaction" => "read committed",
        _ => "on",
    };
    let fields = Arc::new(vec![shown_setting(name)]);
    let mut encoder = DataRowEncoder::new(Arc::clone(&fields));
    let row = encoder.encode_field(&value).map(|()| encoder.take_row());
    let mut response = QueryResponse::new(fields, futures::stream::iter([row]));
    response.set_command_tag("SHOW");
    Response::Query(response)
}
