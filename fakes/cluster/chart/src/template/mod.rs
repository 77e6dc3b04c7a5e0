//! Go's `text/template`: lexer, parser, evaluator.

pub(crate) mod builtin;
pub(crate) mod call;
pub(crate) mod compare;
pub(crate) mod exec;
pub(crate) mod failure;
pub(crate) mod lex;
pub(crate) mod method;
pub(crate) mod node;
pub(crate) mod number;
pub(crate) mod parse;
pub(crate) mod space;
pub(crate) mod unquote;
