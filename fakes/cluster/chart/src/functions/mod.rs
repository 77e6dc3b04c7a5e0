//! The functions that charts can call, beyond those of every Go template.

mod certificates;
mod checksum;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod duration;
mod encoding;
mod letter_case;
mod lists;
mod math;
mod paths;
mod random;
mod reflect;
mod regex_mistakes;
mod regexes;
pub(crate) mod semver;
mod serial;
mod strings;
pub(crate) mod time;
mod toml;
mod urls;
mod words;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

pub(crate) use decimal::is_multiple_of;
pub(crate) use regexes::go_regex;

use crate::lookup::Lookup;
use crate::template::builtin;
use crate::template::failure::Failure;
use crate::value::Value;
use time::Moment;

/// What a function gives.
pub(crate) type Outcome = Result<Value, Failure>;

/// What functions know of the world around the templates.
pub(crate) struct World<'a> {
    pub(crate) now: Moment,
    pub(crate) lookup: &'a dyn Lookup,
    /// How often each template is being included right now.
    pub(crate) included: RefCell<HashMap<Rc<str>, usize>>,
}

/// The declared type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param {
    /// `interface {}`
    Any,
    /// `reflect.Value`
    Reflect,
    Str,
    Int,
    Bool,
    Float,
    /// `map[string]interface {}`
    Map,
    Time,
}

impl Param {
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::Str => "string",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Float => "float64",
            Self::Map => "map[string]interface {}",
            Self::Time => "time.Time",
        }
    }

    pub(crate) fn can_be_nil(self) -> bool {
        matches!(self, Self::Any | Self::Reflect | Self::Map)
    }
}

/// How a function does its work.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Plain(fn(&[Value]) -> Outcome),
    World(fn(&World<'_>, &[Value]) -> Outcome),
    And,
    Or,
    Call,
    Include,
    Tpl,
}

/// A function and the types of its parameters.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Param],
    /// The type of any number of further arguments.
    pub(crate) rest: Option<Param>,
    pub(crate) run: Run,
}

impl Function {
    pub(crate) const fn new(
        name: &'static str,
        params: &'static [Param],
        run: fn(&[Value]) -> Outcome,
    ) -> Self {
        Self { name, params, rest: None, run: Run::Plain(run) }
    }

    /// A function of any number of arguments.
    pub(crate) const fn open(
        name: &'static str,
        params: &'static [Param],
        rest: Param,
        run: fn(&[Value]) -> Outcome,
    ) -> Self {
        Self { name, params, rest: Some(rest), run: Run::Plain(run) }
    }

    pub(crate) const fn world(
        name: &'static str,
        params: &'static [Param],
        run: fn(&World<'_>, &[Value]) -> Outcome,
    ) -> Self {
        Self { name, params, rest: None, run: Run::World(run) }
    }

    /// The type of the argument at an index.
    pub(crate) fn param(&self, index: usize) -> Param {
        self.params.get(index).copied().or(self.rest).unwrap_or(Param::Any)
    }
}

static FUNCTIONS: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let all = [
        builtin::FUNCTIONS,
        certificates::FUNCTIONS,
        checksum::FUNCTIONS,
        dates::FUNCTIONS,
        defaults::FUNCTIONS,
        dicts::FUNCTIONS,
        duration::FUNCTIONS,
        encoding::FUNCTIONS,
        letter_case::FUNCTIONS,
        lists::FUNCTIONS,
        math::FUNCTIONS,
        paths::FUNCTIONS,
        random::FUNCTIONS,
        reflect::FUNCTIONS,
        regexes::FUNCTIONS,
        semver::FUNCTIONS,
        serial::FUNCTIONS,
        strings::FUNCTIONS,
        urls::FUNCTIONS,
        words::FUNCTIONS,
    ];
    all.into_iter().flatten().map(|function| (function.name, function)).collect()
});

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name).copied()
}

/// Whether a template may call it.
pub(crate) fn is_known(name: &str) -> bool {
    FUNCTIONS.contains_key(name)
}

/// The text of an argument whose parameter is a string.
pub(crate) fn text(value: &Value) -> &str {
    match value {
        Value::Str(text) => text,
        _ => "",
    }
}

/// The number of an argument whose parameter is an int.
pub(crate) fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        _ => 0,
    }
}

/// `path.Clean`
pub(crate) fn clean_path(path: &str) -> String {
    paths::clean(path)
}

/// `path.Base`
pub(crate) fn base_name(path: &str) -> &str {
    paths::base(path)
}
