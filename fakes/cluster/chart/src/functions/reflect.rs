//! Asking for types.

use super::Param::{Any, Str};
use super::{Function, text};
use crate::value::Value;
use crate::value::equal::deep_equal;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("typeOf", &[Any], |values| Ok(values[0].type_name().into())),
    Function::new("typeIs", &[Str, Any], |values| Ok(Value::Bool(text(&values[0]) == values[1].type_name()))),
    Function::new("typeIsLike", &[Str, Any], |values| {
        let (wanted, found) = (text(&values[0]), values[1].type_name());
        Ok(Value::Bool(wanted == found || found.strip_prefix('*') == Some(wanted)))
    }),
    Function::new("kindOf", &[Any], |values| Ok(values[0].kind_name().into())),
    Function::new("kindIs", &[Str, Any], |values| Ok(Value::Bool(text(&values[0]) == values[1].kind_name()))),
    Function::new("deepEqual", &[Any, Any], |values| Ok(Value::Bool(deep_equal(&values[0], &values[1])))),
];
