//! What goes wrong, with the codes that PostgreSQL has for it.

use std::fmt;

use pgwire::error::{ErrorInfo, PgWireError};
use rusqlite::ErrorCode;

/// A refusal as a client of PostgreSQL knows it.
#[derive(Debug)]
pub(crate) struct SqlError {
    severity: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:  {}", self.severity, self.message)
    }
}

impl std::error::Error for SqlError {}

impl SqlError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: "ERROR", code, message: message.into() }
    }

    /// One that ends the session.
    pub(crate) fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: "FATAL", code, message: message.into() }
    }

    pub(crate) fn into_info(self) -> ErrorInfo {
        let mut info = ErrorInfo::new(self.severity.to_owned(), self.code.to_owned(), self.message);
        info.severity_nonlocalized = Some(self.severity.to_owned());
        info
    }
}

impl From<SqlError> for PgWireError {
    fn from(error: SqlError) -> Self {
        Self::UserError(Box::new(error.into_info()))
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        let (code, text) = match &error {
            rusqlite::Error::SqliteFailure(failure, text) => (failure.code, text.clone()),
            rusqlite::Error::SqlInputError { error: failure, msg, .. } => (failure.code, Some(msg.clone())),
            _ => (ErrorCode::Unknown, None),
        };
        let text = text.unwrap_or_else(|| error.to_string());
        match code {
            ErrorCode::DiskFull => Self::new("53100", "could not extend file: No space left on device"),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Self::new("55P03", "could not obtain lock")
            }
            ErrorCode::ReadOnly => Self::new("25006", "cannot write: the data directory is read-only"),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => {
                Self::new("58030", format!("could not access file: {text}"))
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Self::new("XX001", format!("invalid page in file: {text}"))
            }
            ErrorCode::ConstraintViolation => constraint(&text),
            _ => input(&text),
        }
    }
}

fn constraint(text: &str) -> SqlError {
    let subject = text.rsplit(": ").next().unwrap_or_default();
    if text.starts_with("UNIQUE") {
        let key = subject.replace('.', "_").replace(", ", "_");
        SqlError::new("23505", format!("duplicate key value violates unique constraint \"{key}_key\""))
    } else if text.starts_with("NOT NULL") {
        let (table, column) = subject.split_once('.').unwrap_or(("", subject));
        SqlError::new(
            "23502",
            format!("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"),
        )
    } else if text.starts_with("FOREIGN KEY") {
        SqlError::new("23503", "insert or update violates foreign key constraint")
    } else {
        SqlError::new("23514", text)
    }
}

/// What SQLite says about a statement, in the words of PostgreSQL.
fn input(text: &str) -> SqlError {
    let bare = |name: &str| name.trim_start_matches("main.").to_owned();
    if let Some(name) = text.strip_prefix("no such table: ") {
        return SqlError::new("42P01", format!("relation \"{}\" does not exist", bare(name)));
    }
    if let Some(name) = text.strip_prefix("no such column: ") {
        return SqlError::new("42703", format!("column \"{name}\" does not exist"));
    }
    if let Some(name) = text.strip_prefix("no such function: ") {
        return SqlError::new("42883", format!("function {name}() does not exist"));
    }
    if let Some(name) = text.strip_prefix("unknown database ") {
        return SqlError::new("3F000", format!("schema \"{name}\" does not exist"));
    }
    if let Some(name) = text.strip_suffix(" already exists") {
        let name = name.trim_start_matches("table ").trim_start_matches("index ").trim_matches('"');
        return SqlError::new("42P07", format!("relation \"{}\" already exists", bare(name)));
    }
    match text.strip_prefix("near \"").and_then(|rest| rest.split_once('"')) {
        Some((near, _)) => SqlError::new("42601", format!("syntax error at or near \"{near}\"")),
        None if text.contains("incomplete input") => SqlError::new("42601", "syntax error at end of input"),
        None => SqlError::new("XX000", text),
    }
}
