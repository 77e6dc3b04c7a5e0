//! Statements that are not about tables: transactions, roles, databases, schemas, extensions, settings.

use super::cluster::{Cluster, RoleChange};
use super::error::SqlError;
use super::token::{Kind, Token};
use super::translate::Asker;

/// What kind of statement it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    Begin,
    Commit,
    Rollback,
    /// Done, or of no consequence here; the tag that says so.
    Administer,
    Show(String),
    /// Left to SQLite.
    Sql,
}

/// Tells the kind by the first words.
pub(crate) fn classify(tokens: &[Token]) -> Statement {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let first =
        tokens.first().filter(|token| token.kind == Kind::Word).map(|token| token.text.to_uppercase());
    match first.as_deref().unwrap_or_default() {
        "BEGIN" => Statement::Begin,
        "START" if is(1, "TRANSACTION") => Statement::Begin,
        "COMMIT" | "END" => Statement::Commit,
        "ABORT" => Statement::Rollback,
        "ROLLBACK" if !tokens.iter().any(|token| token.is("TO")) => Statement::Rollback,
        "SHOW" => Statement::Show(tokens.get(1).and_then(Token::name).unwrap_or_default()),
        "SET" | "RESET" | "DISCARD" | "GRANT" | "REVOKE" | "COMMENT" | "ANALYZE" | "VACUUM" | "REINDEX"
        | "CHECKPOINT" | "LISTEN" | "UNLISTEN" | "NOTIFY" | "LOCK" | "DO" | "REASSIGN" => {
            Statement::Administer
        }
        "CREATE" | "ALTER" | "DROP" if !is(1, "TABLE") && is_administration(tokens) => Statement::Administer,
        "ALTER" if tokens.iter().any(|token| token.is("OWNER")) => Statement::Administer,
        _ => Statement::Sql,
    }
}

fn is_administration(tokens: &[Token]) -> bool {
    const SUBJECTS: [&str; 9] =
        ["ROLE", "USER", "GROUP", "DATABASE", "SCHEMA", "EXTENSION", "DEFAULT", "SYSTEM", "SEQUENCE"];
    tokens.get(1).is_some_and(|token| SUBJECTS.iter().any(|subject| token.is(subject)))
}

/// The tag of a statement: its first word, or two of them where PostgreSQL says two.
pub(crate) fn tag(tokens: &[Token]) -> String {
    let word = |at: usize| tokens.get(at).map(|token| token.text.to_uppercase()).unwrap_or_default();
    match word(0).as_str() {
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" => {
            let skipped = ["UNIQUE", "TEMP", "TEMPORARY", "UNLOGGED", "OR", "REPLACE"];
            let subject = (1..tokens.len()).map(word).find(|word| !skipped.contains(&word.as_str()));
            let subject = subject.map(|subject| if subject == "USER" { "ROLE".to_owned() } else { subject });
            format!("{} {}", word(0), subject.unwrap_or_default())
        }
        first => first.to_owned(),
    }
}

/// Runs a statement of administration.
pub(crate) fn administer(cluster: &Cluster, asker: &Asker, tokens: &[Token]) -> Result<(), SqlError> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    if is(0, "DO") {
        return Err(SqlError::new("0A000", "DO is not supported"));
    }
    if is(1, "ROLE") || is(1, "USER") {
        return role(cluster, tokens);
    }
    if is(1, "DATABASE") && !is(0, "ALTER") {
        return database(cluster, asker, tokens);
    }
    if is(1, "SCHEMA") && is(0, "CREATE") {
        return schema(cluster, asker, tokens);
    }
    if is(1, "EXTENSION") && is(0, "CREATE") {
        return extension(cluster, asker, tokens);
    }
    Ok(())
}

/// The name that follows the subject, and whether its state may be as wished already.
fn named(tokens: &[Token]) -> Result<(String, bool), SqlError> {
    let mut at = 2;
    let mut lenient = false;
    if tokens.get(at).is_some_and(|token| token.is("IF")) {
        lenient = true;
        at += if tokens.get(at + 1).is_some_and(|token| token.is("NOT")) { 3 } else { 2 };
    }
    let name = tokens.get(at).and_then(Token::name);
    Ok((name.ok_or_else(|| SqlError::new("42601", "syntax error at end of input"))?, lenient))
}

fn role(cluster: &Cluster, tokens: &[Token]) -> Result<(), SqlError> {
    let (name, lenient) = named(tokens)?;
    let known = cluster.role_exists(&name)?;
    if tokens[0].is("CREATE") && known {
        return Err(SqlError::new("42710", format!("role \"{name}\" already exists")));
    }
    if !tokens[0].is("CREATE") && !known {
        let missing = SqlError::new("42704", format!("role \"{name}\" does not exist"));
        return if lenient { Ok(()) } else { Err(missing) };
    }
    if tokens[0].is("DROP") {
        return cluster.drop_role(&name);
    }
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    let at = tokens.iter().position(|token| token.is("PASSWORD"));
    let password = at.and_then(|at| tokens.get(at + 1)).filter(|token| token.kind == Kind::Text);
    let login = if has("NOLOGIN") {
        Some(false)
    } else {
        (has("LOGIN") || tokens[0].is("CREATE") && tokens[1].is("USER")).then_some(true)
    };
    cluster.put_role(&RoleChange {
        name,
        superuser: has("SUPERUSER"),
        login,
        password: password.map(|token| token.text.clone()),
    })
}

fn database(cluster: &Cluster, asker: &Asker, tokens: &[Token]) -> Result<(), SqlError> {
    let (name, lenient) = named(tokens)?;
    match (tokens[0].is("CREATE"), cluster.database_exists(&name)?) {
        (true, true) => Err(SqlError::new("42P04", format!("database \"{name}\" already exists"))),
        (true, false) => cluster.create_database(&name, &asker.user),
        (false, true) if name == asker.database => {
            Err(SqlError::new("55006", "cannot drop the currently open database"))
        }
        (false, true) => cluster.drop_database(&name),
        (false, false) if lenient => Ok(()),
        (false, false) => Err(SqlError::new("3D000", format!("database \"{name}\" does not exist"))),
    }
}

fn schema(cluster: &Cluster, asker: &Asker, tokens: &[Token]) -> Result<(), SqlError> {
    let (name, lenient) = named(tokens)?;
    let known = name == "public" || cluster.schemas(&asker.database)?.contains(&name);
    match (known, lenient) {
        (false, _) => cluster.create_schema(&asker.database, &name, &asker.user),
        (true, true) => Ok(()),
        (true, false) => Err(SqlError::new("42P06", format!("schema \"{name}\" already exists"))),
    }
}

fn extension(cluster: &Cluster, asker: &Asker, tokens: &[Token]) -> Result<(), SqlError> {
    let (name, _) = named(tokens)?;
    if !["vector", "pgcrypto", "uuid-ossp", "pg_trgm", "citext", "plpgsql"].contains(&name.as_str()) {
        return Err(SqlError::new("0A000", format!("extension \"{name}\" is not available")));
    }
    cluster.create_extension(&asker.database, &name)
}
