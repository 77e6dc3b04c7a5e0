//! Names and types of result columns and parameters, and values on the wire.

use std::sync::Arc;

use pgwire::api::Type;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::results::{DataRowEncoder, FieldInfo};
use pgwire::error::PgWireResult;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, Statement};

use super::error::SqlError;
use super::token::{Kind, Token, join};

/// The type that a stored type is shown as.
fn shown_type(stored: &str) -> Type {
    match stored.split('(').next().unwrap_or_default().trim().to_uppercase().as_str() {
        "INTEGER" | "INT" => Type::INT4,
        "BIGINT" => Type::INT8,
        "SMALLINT" => Type::INT2,
        "BOOLEAN" => Type::BOOL,
        "REAL" => Type::FLOAT4,
        "DOUBLE PRECISION" | "DOUBLE" => Type::FLOAT8,
        "BLOB" => Type::BYTEA,
        _ => Type::TEXT,
    }
}

/// The result columns of a prepared statement.
pub(crate) fn describe(
    connection: &Connection,
    prepared: &Statement<'_>,
    tokens: &[Token],
    format: &Format,
) -> Vec<FieldInfo> {
    let columns = prepared.columns();
    let items = items(tokens);
    let positional = items.len() == columns.len()
        && !items.iter().any(|item| item.last().is_some_and(|last| last.is("*")));
    let fields = columns.iter().enumerate().map(|(at, column)| {
        let item = if positional { items[at] } else { &[] };
        let kind = match column.decl_type() {
            Some(stored) => shown_type(stored),
            None => expression_type(connection, item, tokens),
        };
        FieldInfo::new(shown_name(column.name(), item), None, None, kind, format.format_for(at))
    });
    fields.collect()
}

/// The expressions after `SELECT` or `RETURNING`.
fn items(tokens: &[Token]) -> Vec<&[Token]> {
    let list = match tokens.first() {
        Some(first) if first.is("SELECT") => &tokens[1..],
        _ => match tokens.iter().position(|token| token.is("RETURNING")) {
            Some(at) => &tokens[at + 1..],
            None => return Vec::new(),
        },
    };
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, token) in list.iter().enumerate() {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        let ends = ["FROM", "WHERE", "UNION", "ORDER", "LIMIT", "GROUP"].iter().any(|word| token.is(word));
        if depth == 0 && (token.is(",") || ends) {
            found.push(&list[start..at]);
            start = at + 1;
            if ends {
                return found;
            }
        }
    }
    found.push(&list[start..]);
    found
}

/// PostgreSQL's name for a column that SQLite names by its text.
fn shown_name(name: &str, item: &[Token]) -> String {
    if item.is_empty() || name != join(item) {
        return name.to_owned();
    }
    match item {
        [column] | [.., column]
            if column.name().is_some() && !item.iter().any(|token| token.is("(")) && item.len() != 2 =>
        {
            column.name().unwrap_or_default()
        }
        [cast, _, rest @ ..] if cast.is("CAST") => match rest.first().and_then(Token::name) {
            Some(inner) => inner,
            None => "?column?".to_owned(),
        },
        [function, open, ..] if open.is("(") => function.name().unwrap_or_default(),
        _ => "?column?".to_owned(),
    }
}

fn expression_type(connection: &Connection, item: &[Token], statement: &[Token]) -> Type {
    let mut depth = 0_i32;
    let compares = item.iter().any(|token| {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        depth == 0
            && ["=", "<>", "<", ">", "<=", ">=", "IS", "AND", "OR", "NOT", "LIKE", "IN"]
                .iter()
                .any(|sign| token.is(sign))
    });
    match item {
        [] => Type::TEXT,
        _ if compares => Type::BOOL,
        [cast, .., stored, _] if cast.is("CAST") => shown_type(&stored.text),
        [function, open, ..] if open.is("(") => match function.text.to_lowercase().as_str() {
            "count" | "sum" | "length" => Type::INT8,
            "exists" => Type::BOOL,
            "pg_try_advisory_lock" | "pg_advisory_unlock" => Type::BOOL,
            "pg_backend_pid" => Type::INT4,
            "max" | "min" | "coalesce" => column_type(connection, &item[2..3], statement),
            _ => Type::TEXT,
        },
        [value] if value.kind == Kind::Number => {
            if value.text.contains('.') {
                Type::FLOAT8
            } else {
                Type::INT4
            }
        }
        [value] if value.is("TRUE") || value.is("FALSE") => Type::BOOL,
        [.., column] if column.name().is_some() => {
            column_type(connection, &item[item.len() - 1..], statement)
        }
        _ => Type::TEXT,
    }
}

/// The type of a column of any table that the statement names.
fn column_type(connection: &Connection, column: &[Token], statement: &[Token]) -> Type {
    let Some(column) = column.first().and_then(Token::name) else { return Type::TEXT };
    let tables = statement
        .windows(2)
        .filter(|pair| ["FROM", "INTO", "UPDATE", "JOIN"].iter().any(|word| pair[0].is(word)));
    for table in tables.filter_map(|pair| pair[1].name()) {
        let query = "SELECT type FROM pragma_table_info(?1) WHERE name = ?2";
        if let Ok(stored) = connection.query_row(query, [&table, &column], |row| row.get::<_, String>(0)) {
            return shown_type(&stored);
        }
    }
    Type::TEXT
}

/// The types of the parameters, as far as the statement tells.
pub(crate) fn parameter_types(connection: &Connection, tokens: &[Token], count: usize) -> Vec<Type> {
    let mut types = vec![Type::TEXT; count];
    let columns = inserted_columns(tokens);
    for (at, token) in tokens.iter().enumerate() {
        let Some(index) = parameter_index(token) else { continue };
        let cast = tokens.get(at + 1).is_some_and(|next| next.is("AS"));
        let found = if cast {
            tokens.get(at + 2).map(|stored| shown_type(&stored.text))
        } else if let Some(column) = columns.get(index) {
            Some(column_type(connection, std::slice::from_ref(column), tokens))
        } else if at >= 2 && tokens[at - 2].name().is_some() {
            Some(column_type(connection, &tokens[at - 2..at - 1], tokens))
        } else if at >= 1 && (tokens[at - 1].is("LIMIT") || tokens[at - 1].is("OFFSET")) {
            Some(Type::INT8)
        } else {
            None
        };
        if let (Some(slot), Some(found)) = (types.get_mut(index), found) {
            *slot = found;
        }
    }
    types
}

fn parameter_index(token: &Token) -> Option<usize> {
    if token.kind != Kind::Parameter {
        return None;
    }
    token.text.parse::<usize>().ok()?.checked_sub(1)
}

/// The columns that `$1`, `$2` … are for in `INSERT INTO t (a, b) VALUES ($1, $2)`; nothing for any other form.
fn inserted_columns(tokens: &[Token]) -> Vec<Token> {
    let Some(values) = tokens.iter().position(|token| token.is("VALUES")) else { return Vec::new() };
    let Some(open) = tokens[..values].iter().position(|token| token.is("(")) else { return Vec::new() };
    let given: Vec<usize> = tokens[values..].iter().filter_map(parameter_index).collect();
    let columns: Vec<Token> =
        tokens[open..values].iter().filter(|token| token.name().is_some()).cloned().collect();
    if given.iter().copied().eq(0..columns.len()) { columns } else { Vec::new() }
}

/// The value of a parameter that a client has bound.
pub(crate) fn bound<S: Clone>(portal: &Portal<S>, at: usize, kind: &Type) -> PgWireResult<Value> {
    Ok(match *kind {
        Type::BOOL => portal.parameter::<bool>(at, kind)?.map(|value| Value::Integer(value.into())),
        Type::INT2 => portal.parameter::<i16>(at, kind)?.map(|value| Value::Integer(value.into())),
        Type::INT4 => portal.parameter::<i32>(at, kind)?.map(|value| Value::Integer(value.into())),
        Type::INT8 => portal.parameter::<i64>(at, kind)?.map(Value::Integer),
        Type::FLOAT4 => portal.parameter::<f32>(at, kind)?.map(|value| Value::Real(value.into())),
        Type::FLOAT8 => portal.parameter::<f64>(at, kind)?.map(Value::Real),
        Type::BYTEA => portal.parameter::<Vec<u8>>(at, kind)?.map(Value::Blob),
        _ => portal.parameter::<String>(at, &Type::TEXT)?.map(Value::Text),
    }
    .unwrap_or(Value::Null))
}

/// Adds a row of the result to the encoder, by the types that were described.
pub(crate) fn encode(
    encoder: &mut DataRowEncoder,
    fields: &Arc<Vec<FieldInfo>>,
    row: &Row<'_>,
) -> PgWireResult<()> {
    for (at, field) in fields.iter().enumerate() {
        let value = row.get_ref(at).map_err(SqlError::from)?;
        match *field.datatype() {
            Type::BOOL => encoder.encode_field(&whole(value)?.map(|value| value != 0))?,
            Type::INT2 => encoder.encode_field(&whole(value)?.and_then(|value| i16::try_from(value).ok()))?,
            Type::INT4 => encoder.encode_field(&whole(value)?.and_then(|value| i32::try_from(value).ok()))?,
            Type::INT8 => encoder.encode_field(&whole(value)?)?,
            #[expect(clippy::cast_possible_truncation, reason = "a column of single precision holds no more")]
            Type::FLOAT4 => encoder.encode_field(&real(value).map(|value| value as f32))?,
            Type::FLOAT8 => encoder.encode_field(&real(value))?,
            Type::BYTEA => encoder.encode_field(&value.as_blob_or_null().ok().flatten())?,
            _ => encoder.encode_field(&shown(value))?,
        }
    }
    Ok(())
}

fn whole(value: ValueRef<'_>) -> Result<Option<i64>, SqlError> {
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value),
        other => {
            let text = shown(other).unwrap_or_default();
            match text.as_str() {
                "t" | "true" => Some(1),
                "f" | "false" => Some(0),
                _ => Some(text.parse::<f64>().map(|value| value.round() as i64).map_err(|_| {
                    SqlError::new("22P02", format!("invalid input syntax for type integer: \"{text}\""))
                })?),
            }
        }
    })
}

fn real(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Null => None,
        ValueRef::Real(value) => Some(value),
        other => shown(other).and_then(|text| text.parse().ok()),
    }
}

fn shown(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Text(text) | ValueRef::Blob(text) => Some(String::from_utf8_lossy(text).into_owned()),
    }
}
