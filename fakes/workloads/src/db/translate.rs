//! From PostgreSQL's SQL to SQLite's, as far as the programs of an appliance need it.

use super::token::{Kind, Token};

/// Who asks, and where; some words stand for them.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) user: String,
    pub(crate) database: String,
}

/// The tokens of one statement as SQLite understands them.
pub(crate) fn translate(statement: &[Token], asker: &Asker) -> Vec<Token> {
    let tokens = qualifiers(statement);
    let tokens = words(&tokens, asker);
    let tokens = definitions(tokens);
    casts(tokens)
}

/// The type that SQLite stores for a type of PostgreSQL.
pub(crate) fn storage_type(name: &str) -> &'static str {
    match name.to_lowercase().as_str() {
        "serial" | "bigserial" | "smallserial" | "int" | "int4" | "integer" => "INTEGER",
        "bigint" | "int8" => "BIGINT",
        "smallint" | "int2" => "SMALLINT",
        "bool" | "boolean" => "BOOLEAN",
        "real" | "float4" => "REAL",
        "double" | "float8" | "float" | "numeric" | "decimal" => "DOUBLE PRECISION",
        "bytea" => "BLOB",
        _ => "TEXT",
    }
}

fn is_next(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.is(text))
}

/// Names with a schema: `public.` is SQLite's `main`, catalogues have no schema.
fn qualifiers(tokens: &[Token]) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let schema = tokens[at].name().filter(|_| is_next(tokens, at + 1, "."));
        match schema.as_deref() {
            Some("public") if out.last().is_some_and(|last| last.is("REFERENCES") || last.is("ON")) => {
                at += 2
            }
            Some("public") => {
                out.extend([Token::word("main"), Token::sign(".")]);
                at += 2;
            }
            Some("pg_catalog") => at += 2,
            Some("information_schema") => {
                let table = tokens.get(at + 2).and_then(Token::name).unwrap_or_default();
                out.push(Token::word(&format!("information_schema_{table}")));
                at += 3;
            }
            _ => {
                out.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// Words and functions that are called otherwise, or mean the asker.
fn words(tokens: &[Token], asker: &Asker) -> Vec<Token> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let word = if token.kind == Kind::Word { token.text.to_lowercase() } else { String::new() };
        let called = is_next(tokens, at + 1, "(");
        let niladic = called && is_next(tokens, at + 2, ")");
        let (replacement, used): (Vec<Token>, usize) = match word.as_str() {
            "current_user" | "session_user" if !called => (vec![Token::string(&asker.user)], 1),
            "current_database" if niladic => (vec![Token::string(&asker.database)], 3),
            "current_schema" if niladic => (vec![Token::string("public")], 3),
            "current_timestamp" | "localtimestamp" if !called => (call("now"), 1),
            "clock_timestamp" | "statement_timestamp" | "transaction_timestamp" if niladic => {
                (call("now"), 3)
            }
            "char_length" | "character_length" if called => (vec![Token::word("length")], 1),
            "greatest" if called => (vec![Token::word("max")], 1),
            "least" if called => (vec![Token::word("min")], 1),
            "ilike" => (vec![Token::word("LIKE")], 1),
            "for" if is_next(tokens, at + 1, "update") => (Vec::new(), tokens.len() - at),
            _ => (vec![token.clone()], 1),
        };
        out.extend(replacement);
        at += used;
    }
    out
}

fn call(function: &str) -> Vec<Token> {
    vec![Token::word(function), Token::sign("("), Token::sign(")")]
}

/// `CREATE`, `ALTER`, `DROP`, `TRUNCATE`: types, defaults, and what SQLite has no word for.
fn definitions(tokens: Vec<Token>) -> Vec<Token> {
    match tokens.first() {
        Some(first) if first.is("TRUNCATE") => truncate(&tokens),
        Some(first) if first.is("DROP") => {
            tokens.into_iter().filter(|token| !token.is("CASCADE") && !token.is("RESTRICT")).collect()
        }
        Some(first) if first.is("CREATE") && tokens.iter().take(4).any(|token| token.is("INDEX")) => {
            index(&tokens)
        }
        Some(first) if first.is("CREATE") || first.is("ALTER") => table(&tokens),
        _ => tokens,
    }
}

fn truncate(tokens: &[Token]) -> Vec<Token> {
    let named =
        tokens[1..].iter().filter(|token| !token.is("TABLE") && !token.is("ONLY") && !token.is("CASCADE"));
    [Token::word("DELETE"), Token::word("FROM")].into_iter().chain(named.cloned()).collect()
}

/// `CREATE INDEX i ON s.t USING btree (c)` is `CREATE INDEX s.i ON t (c)`.
fn index(tokens: &[Token]) -> Vec<Token> {
    let Some(on) = tokens.iter().position(|token| token.is("ON")) else { return tokens.to_vec() };
    let mut out: Vec<Token> =
        tokens[..on].iter().filter(|token| !token.is("CONCURRENTLY")).cloned().collect();
    let mut rest = &tokens[on + 1..];
    if is_next(rest, 1, ".") {
        let name = out.pop();
        out.extend([rest[0].clone(), Token::sign(".")]);
        out.extend(name);
        rest = &rest[2..];
    }
    out.push(Token::word("ON"));
    let mut at = 0;
    while at < rest.len() {
        if rest[at].is("USING") {
            at += 2;
        } else {
            out.push(rest[at].clone());
            at += 1;
        }
    }
    out
}

fn table(tokens: &[Token]) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        if token.is("UNLOGGED") {
            at += 1;
        } else if token.is("DEFAULT") && is_next(tokens, at + 2, "(") {
            let end = closing(tokens, at + 2);
            out.extend([token.clone(), Token::sign("(")]);
            out.extend_from_slice(&tokens[at + 1..=end]);
            out.push(Token::sign(")"));
            at = end + 1;
        } else if token.is("GENERATED") {
            at =
                tokens[at..].iter().position(|token| token.is("IDENTITY")).map_or(at, |found| at + found) + 1;
        } else if token.is("[") {
            at += tokens[at..].iter().position(|token| token.is("]")).unwrap_or(0) + 1;
        } else if is_type_at(tokens, at) {
            let (kind, used) = read_type(tokens, at);
            out.push(Token::word(kind));
            at += used;
        } else {
            out.push(token.clone());
            at += 1;
        }
    }
    out
}

/// Names of types, as far as a definition may hold them.
const TYPES: [&str; 29] = [
    "serial",
    "bigserial",
    "smallserial",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "bigint",
    "smallint",
    "bool",
    "boolean",
    "real",
    "float4",
    "float8",
    "float",
    "double",
    "numeric",
    "decimal",
    "bytea",
    "text",
    "varchar",
    "character",
    "char",
    "uuid",
    "json",
    "jsonb",
    "timestamptz",
    "timestamp",
];

/// A type follows the name of its column.
fn is_type_at(tokens: &[Token], at: usize) -> bool {
    let follows_name = at > 0 && tokens[at - 1].name().is_some() && !tokens[at - 1].is("CONSTRAINT");
    follows_name && tokens[at].kind == Kind::Word && TYPES.iter().any(|name| tokens[at].is(name))
}

/// SQLite's type, and how many tokens PostgreSQL's takes.
fn read_type(tokens: &[Token], at: usize) -> (&'static str, usize) {
    let mut end = at + 1;
    while ["precision", "varying"].iter().any(|word| is_next(tokens, end, word)) {
        end += 1;
    }
    if is_next(tokens, end, "(") {
        end = closing(tokens, end) + 1;
    }
    if (is_next(tokens, end, "with") || is_next(tokens, end, "without")) && is_next(tokens, end + 1, "time") {
        end += 3;
    }
    (storage_type(&tokens[at].text), end - at)
}

/// Where the parenthesis that opens at `open` closes.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len().saturating_sub(1)
}

/// `x::type` is `CAST(x AS type)`; `'t'::regclass` is `to_regclass('t')`.
fn casts(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at].is("::") {
            out.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let start = operand_start(&out);
        if is_next(&tokens, at + 1, "regclass") {
            out.splice(start..start, [Token::word("to_regclass"), Token::sign("(")]);
            out.push(Token::sign(")"));
            at += 2;
        } else if at + 1 < tokens.len() {
            let (kind, used) = read_type(&tokens, at + 1);
            out.splice(start..start, [Token::word("CAST"), Token::sign("(")]);
            out.extend([Token::word("AS"), Token::word(kind), Token::sign(")")]);
            at += 1 + used;
        } else {
            at += 1;
        }
    }
    out
}

/// Where the operand that ends the list begins.
fn operand_start(out: &[Token]) -> usize {
    let mut start = out.len().saturating_sub(1);
    if out.last().is_some_and(|last| last.is(")")) {
        let mut depth = 0_usize;
        while let Some(token) = out.get(start) {
            depth += usize::from(token.is(")"));
            depth -= usize::from(token.is("("));
            if depth == 0 || start == 0 {
                break;
            }
            start -= 1;
        }
        if start > 0 && out[start - 1].name().is_some() {
            start -= 1;
        }
    }
    while start >= 2 && out[start - 1].is(".") {
        start -= 2;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::{Asker, translate};
    use crate::db::token::{join, tokens};

    fn sqlite(sql: &str) -> String {
        let asker = Asker { user: "app_user".to_owned(), database: "server".to_owned() };
        join(&translate(&tokens(sql), &asker))
    }

    #[test]
    fn casts_wrap_the_whole_operand() {
        assert_eq!(
            sqlite("SELECT count(*)::int, u.id::text"),
            "SELECT CAST ( count ( * ) AS INTEGER ) , CAST ( u . id AS TEXT )"
        );
        assert_eq!(sqlite("SELECT 'public.users'::regclass"), "SELECT to_regclass ( 'public.users' )");
        assert_eq!(sqlite("SELECT $1::bigint"), "SELECT CAST ( ?1 AS BIGINT )");
    }

    #[test]
    fn tables_get_types_and_defaults_that_sqlite_has() {
        assert_eq!(
            sqlite(
                "CREATE TABLE public.t (id BIGSERIAL PRIMARY KEY, at timestamp with time zone DEFAULT now(), n varchar(9)[] NOT NULL)"
            ),
            "CREATE TABLE main . t ( id INTEGER PRIMARY KEY , at TEXT DEFAULT ( now ( ) ) , n TEXT NOT NULL )"
        );
        assert_eq!(
            sqlite("CREATE INDEX i ON pgboss.job USING btree (name)"),
            "CREATE INDEX pgboss . i ON job ( name )"
        );
        assert_eq!(sqlite("TRUNCATE TABLE users CASCADE"), "DELETE FROM users");
    }

    #[test]
    fn words_that_mean_the_asker_are_filled_in() {
        assert_eq!(sqlite("SELECT current_user, current_database()"), "SELECT 'app_user' , 'server'");
        assert_eq!(
            sqlite("SELECT 1 FROM information_schema.tables"),
            "SELECT 1 FROM information_schema_tables"
        );
    }
}
