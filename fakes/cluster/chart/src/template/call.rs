//! Evaluates commands: fields, functions, and the types of their arguments.

use std::rc::Rc;

use super::exec::{Place, State, execute};
use super::failure::Failure;
use super::method;
use super::node::{Command, Expr, Show as _, Term};
use super::space::{SPACE_NAME, Space};
use crate::functions::{self, Function, Param, Run};
use crate::value::{Map, MapKind, Value, display};

/// A value and whether Go holds it in an interface, which its error messages tell.
#[derive(Clone, Debug)]
pub(crate) struct Val {
    pub(crate) value: Value,
    boxed: bool,
}

impl Val {
    pub(crate) const INVALID: Self = Self { value: Value::Invalid, boxed: false };

    pub(crate) fn plain(value: Value) -> Self {
        Self { value, boxed: false }
    }

    pub(crate) fn of(value: Value, boxed: bool) -> Self {
        Self { value, boxed }
    }

    /// What a template is executed with.
    pub(crate) fn data(value: Value) -> Self {
        Self::plain(value).unboxed()
    }

    /// The value in the interface.
    pub(crate) fn unboxed(self) -> Self {
        if self.value.is_nil() { Self::INVALID } else { Self::plain(self.value) }
    }

    fn type_name(&self) -> &'static str {
        if self.boxed { "interface {}" } else { self.value.type_name() }
    }
}

/// How often a template may be included within itself.
const MAX_INCLUDES: usize = 1000;

impl<'t> State<'t> {
    pub(crate) fn command(
        &mut self,
        dot: &Val,
        command: &'t Command,
        last: Option<Val>,
    ) -> Result<Val, Failure> {
        let first = &command.args[0];
        let rest = &command.args[1..];
        match &first.term {
            Term::Field(names) => {
                self.at(Place::Expr(first));
                self.fields(dot, dot.clone(), first, names, rest, last)
            }
            Term::Chain(inner, names) => {
                let receiver = self.chain_start(dot, first, inner)?;
                self.fields(dot, receiver, first, names, rest, last)
            }
            Term::Variable(names) => {
                self.at(Place::Expr(first));
                let value = self.variable(&names[0])?;
                if names.len() == 1 {
                    self.no_arguments(first, rest, last.as_ref())?;
                    return Ok(value);
                }
                self.fields(dot, value, first, &names[1..], rest, last)
            }
            Term::Identifier(name) => {
                self.at(Place::Expr(first));
                self.function(dot, name, Place::Command(command), rest, last)
            }
            Term::Pipe(pipe) => {
                self.no_arguments(first, rest, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            _ => {
                self.at(Place::Expr(first));
                self.no_arguments(first, rest, last.as_ref())?;
                self.constant(dot, first)
            }
        }
    }

    fn constant(&mut self, dot: &Val, expr: &'t Expr) -> Result<Val, Failure> {
        self.at(Place::Expr(expr));
        match &expr.term {
            Term::Bool(flag) => Ok(Val::plain(Value::Bool(*flag))),
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Err(self.fail("nil is not a command")),
            Term::Str { text, .. } => Ok(Val::plain(Value::Str(text.clone()))),
            Term::Number(number) if number.is_ideal_float() => {
                Ok(Val::plain(number.float.map_or(Value::Invalid, Value::Float)))
            }
            Term::Number(number) => match number.int {
                Some(int) => Ok(Val::plain(Value::Int(int))),
                None => Err(self.fail(format!("{} overflows int", number.text))),
            },
            _ => Err(self.fail(format!("can't evaluate command {}", display::quote(&expr.show())))),
        }
    }

    fn no_arguments(&self, first: &Expr, rest: &[Expr], last: Option<&Val>) -> Result<(), Failure> {
        if rest.is_empty() && last.is_none() {
            return Ok(());
        }
        Err(self.fail(format!("can't give argument to non-function {}", first.show())))
    }

    fn chain_start(&mut self, dot: &Val, chain: &'t Expr, inner: &'t Expr) -> Result<Val, Failure> {
        self.at(Place::Expr(chain));
        if matches!(inner.term, Term::Nil) {
            return Err(self.fail(format!("indirection through explicit nil in {}", chain.show())));
        }
        self.at(Place::Expr(inner));
        self.operand(dot, inner)
    }

    /// The value of anything that is not a constant.
    fn operand(&mut self, dot: &Val, expr: &'t Expr) -> Result<Val, Failure> {
        match &expr.term {
            Term::Field(names) => {
                self.at(Place::Expr(expr));
                self.fields(dot, dot.clone(), expr, names, &[], None)
            }
            Term::Variable(names) => {
                self.at(Place::Expr(expr));
                let value = self.variable(&names[0])?;
                self.fields(dot, value, expr, &names[1..], &[], None)
            }
            Term::Identifier(name) => {
                self.at(Place::Expr(expr));
                self.function(dot, name, Place::Expr(expr), &[], None)
            }
            Term::Chain(inner, names) => {
                let receiver = self.chain_start(dot, expr, inner)?;
                self.fields(dot, receiver, expr, names, &[], None)
            }
            Term::Pipe(pipe) => self.pipeline(dot, pipe),
            _ => self.constant(dot, expr),
        }
    }

    fn fields(
        &mut self,
        dot: &Val,
        mut receiver: Val,
        place: &'t Expr,
        names: &[Rc<str>],
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val, Failure> {
        let Some((final_name, path)) = names.split_last() else {
            return Ok(receiver);
        };
        for name in path {
            receiver = self.field(dot, name, place, &[], None, receiver)?;
        }
        self.field(dot, final_name, place, args, last, receiver)
    }

    fn field(
        &mut self,
        dot: &Val,
        name: &str,
        place: &'t Expr,
        args: &'t [Expr],
        last: Option<Val>,
        receiver: Val,
    ) -> Result<Val, Failure> {
        if matches!(receiver.value, Value::Invalid) {
            return Ok(Val::INVALID);
        }
        let type_name = receiver.type_name();
        if matches!(receiver.value, Value::Nil) {
            return Err(self.fail(format!("nil pointer evaluating {type_name}.{name}")));
        }
        if let Some(function) = method::find(&receiver.value, name) {
            return self.call(dot, function, Some(&receiver.value), Place::Expr(place), args, last);
        }
        let has_args = !args.is_empty() || last.is_some();
        if let Value::Map(map) = &receiver.value {
            if has_args {
                return Err(self.fail(format!("{name} is not a method but has arguments")));
            }
            let zero = map.zero();
            let boxed = zero.is_nil();
            return Ok(Val::of(map.get(name).unwrap_or(zero), boxed));
        }
        if let Some(value) = method::struct_field(&receiver.value, name) {
            if has_args {
                return Err(self.fail(format!("{name} has arguments but cannot be invoked as function")));
            }
            return Ok(Val::plain(value));
        }
        Err(self.fail(format!("can't evaluate field {name} in type {type_name}")))
    }

    fn function(
        &mut self,
        dot: &Val,
        name: &str,
        place: Place<'t>,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val, Failure> {
        match functions::find(name) {
            Some(function) => self.call(dot, function, None, place, args, last),
            None => Err(self.fail(format!("{} is not a defined function", display::quote(name)))),
        }
    }

    /// Calls a function, or a method if there is a receiver.
    fn call(
        &mut self,
        dot: &Val,
        function: &Function,
        receiver: Option<&Value>,
        place: Place<'t>,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val, Failure> {
        self.count_arguments(function, args.len(), last.is_some())?;
        if let Run::And | Run::Or = function.run {
            return self.short_circuit(dot, matches!(function.run, Run::Or), args, last);
        }
        let mut values = Vec::with_capacity(args.len() + 2);
        values.extend(receiver.cloned());
        for (index, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, arg, function.param(index))?);
        }
        if let Some(last) = last {
            values.push(self.checked(last, function.param(args.len()))?);
        }
        let outcome = match &function.run {
            Run::Plain(run) => run(&values),
            Run::World(run) => run(self.world, &values),
            Run::Include => self.include(&values),
            Run::Tpl => self.tpl(&values),
            Run::Call => call_value(&values, args),
            Run::And | Run::Or => Err("and, or are evaluated apart".into()),
        };
        match outcome {
            Ok(value) => Ok(Val::plain(value)),
            Err(cause) => {
                self.at(place);
                let mut failure = self.fail(format!("error calling {}: {}", function.name, cause.text));
                failure.cause = Some(Box::new(cause));
                Err(failure)
            }
        }
    }

    fn count_arguments(&self, function: &Function, args: usize, piped: bool) -> Result<(), Failure> {
        let given = args + usize::from(piped);
        let wanted = function.params.len();
        let name = function.name;
        if function.rest.is_some() {
            if given < wanted {
                return Err(
                    self.fail(format!("wrong number of args for {name}: want at least {wanted} got {args}"))
                );
            }
        } else if given != wanted {
            return Err(self.fail(format!("wrong number of args for {name}: want {wanted} got {given}")));
        }
        Ok(())
    }

    /// `or` ends with the first true argument, `and` with the first false one.
    fn short_circuit(
        &mut self,
        dot: &Val,
        ends_with: bool,
        args: &'t [Expr],
        last: Option<Val>,
    ) -> Result<Val, Failure> {
        let mut value = Val::INVALID;
        for arg in args {
            value = Val::plain(self.argument(dot, arg, Param::Reflect)?);
            if value.value.truth() == ends_with {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn argument(&mut self, dot: &Val, expr: &'t Expr, param: Param) -> Result<Value, Failure> {
        self.at(Place::Expr(expr));
        match &expr.term {
            Term::Dot => self.checked(dot.clone(), param),
            Term::Nil if matches!(param, Param::Map) => Ok(Map::nil().into()),
            Term::Nil if param == Param::Reflect => Ok(Value::Invalid),
            Term::Nil if param.can_be_nil() => Ok(Value::Nil),
            Term::Nil => Err(self.fail(format!("cannot assign nil to {}", param.type_name()))),
            Term::Bool(_) | Term::Number(_) | Term::Str { .. } => self.typed_constant(dot, expr, param),
            _ => {
                let value = self.operand(dot, expr)?;
                self.checked(value, param)
            }
        }
    }

    fn typed_constant(&mut self, dot: &Val, expr: &'t Expr, param: Param) -> Result<Value, Failure> {
        match (param, &expr.term) {
            (Param::Any | Param::Reflect, _) => Ok(self.constant(dot, expr)?.value),
            (Param::Str, Term::Str { text, .. }) => Ok(Value::Str(text.clone())),
            (Param::Bool, Term::Bool(flag)) => Ok(Value::Bool(*flag)),
            (Param::Int, Term::Number(number)) if number.int.is_some() => {
                Ok(number.int.map_or(Value::Invalid, Value::Int))
            }
            (Param::Float, Term::Number(number)) => Ok(number.float.map_or(Value::Invalid, Value::Float)),
            (Param::Str, _) => Err(self.fail(format!("expected string; found {}", expr.show()))),
            (Param::Bool, _) => Err(self.fail(format!("expected bool; found {}", expr.show()))),
            (Param::Int, _) => Err(self.fail(format!("expected integer; found {}", expr.show()))),
            (Param::Float, _) => Err(self.fail(format!("expected float; found {}", expr.show()))),
            (Param::Map | Param::Time, _) => {
                Err(self.fail(format!("can't handle {} for arg of type {}", expr.show(), param.type_name())))
            }
        }
    }

    /// The value if it fits the parameter.
    fn checked(&self, val: Val, param: Param) -> Result<Value, Failure> {
        let expected = param.type_name();
        match (&val.value, param) {
            (Value::Invalid, Param::Reflect) => Ok(Value::Invalid),
            (Value::Invalid, Param::Any) => Ok(Value::Nil),
            (Value::Invalid, Param::Map) => Ok(Map::nil().into()),
            (Value::Invalid, _) => Err(self.fail(format!("invalid value; expected {expected}"))),
            (_, Param::Any | Param::Reflect)
            | (Value::Str(_), Param::Str)
            | (Value::Int(_), Param::Int)
            | (Value::Bool(_), Param::Bool)
            | (Value::Float(_), Param::Float)
            | (Value::Time(_), Param::Time) => Ok(val.value),
            (Value::Map(map), Param::Map) if map.kind() == MapKind::Nil => Ok(Value::Map(map.clone())),
            (Value::Map(map), Param::Map) if map.is_plain() => Ok(Value::Map(map.cast(MapKind::Any))),
            _ => {
                let got = if val.value.is_nil() { "interface {}" } else { val.value.type_name() };
                Err(self.fail(format!("wrong type for value; expected {expected}; got {got}")))
            }
        }
    }

    fn include(&self, values: &[Value]) -> Result<Value, Failure> {
        let [Value::Str(name), data] = values else {
            return Err("include wants a name and data".into());
        };
        let mut included = self.world.included.borrow_mut();
        let count = included.entry(name.clone()).or_insert(0);
        if *count > MAX_INCLUDES {
            return Err(Failure {
                text: format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                ),
                placed: false,
                cause: Some(Box::new("unable to execute template".into())),
            });
        }
        *count += 1;
        drop(included);
        let outcome = execute(self.world, self.space, name, data.clone());
        if let Some(count) = self.world.included.borrow_mut().get_mut(name) {
            *count -= 1;
        }
        Ok(outcome?.into())
    }

    fn tpl(&self, values: &[Value]) -> Result<Value, Failure> {
        let [Value::Str(text), data] = values else {
            return Err("tpl wants a text and data".into());
        };
        let space = Rc::new(Space::inside(self.space));
        let shown = display::quote(text);
        space.add(SPACE_NAME, text).map_err(|error| Failure {
            text: format!("cannot parse template {shown}: {error}"),
            placed: false,
            cause: Some(Box::new(error.into())),
        })?;
        match execute(self.world, &space, SPACE_NAME, data.clone()) {
            Ok(out) => Ok(out.replace("<no value>", "").into()),
            Err(cause) => Err(Failure {
                text: format!("error during tpl function execution for {shown}: {}", cause.text),
                placed: false,
                cause: Some(Box::new(cause)),
            }),
        }
    }
}

/// `call`: no value of a chart is a function.
fn call_value(values: &[Value], args: &[Expr]) -> Result<Value, Failure> {
    match values.first() {
        None | Some(Value::Invalid | Value::Nil) => Err("call of nil".into()),
        Some(value) => {
            let name = args.first().map_or_else(|| display::plain(value), Expr::show);
            Err(format!("non-function {name} of type {}", value.type_name()).into())
        }
    }
}
