//! Walks a template and writes what it says.

use std::rc::Rc;

use super::call::Val;
use super::failure::Failure;
use super::node::{Block, Body, Branch, Command, Expr, Node, Pipe, Show, Tree};
use super::space::Space;
use crate::functions::World;
use crate::value::{Element, Value, display};

/// How deep templates may call each other.
const MAX_DEPTH: usize = 100_000;

/// The place in the template that is being evaluated.
#[derive(Clone, Copy)]
pub(crate) enum Place<'t> {
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Expr(&'t Expr),
}

impl Place<'_> {
    fn pos(&self) -> usize {
        match self {
            Self::Node(node) => node.pos,
            Self::Pipe(pipe) => pipe.pos,
            Self::Command(command) => command.pos,
            Self::Expr(expr) => expr.pos,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Node(node) => node.show(),
            Self::Pipe(pipe) => pipe.show(),
            Self::Command(command) => command.show(),
            Self::Expr(expr) => expr.show(),
        }
    }
}

/// What the walk does next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// One execution of one template.
pub(crate) struct State<'t> {
    pub(crate) world: &'t World<'t>,
    pub(crate) space: &'t Rc<Space>,
    tree: &'t Tree,
    place: Option<Place<'t>>,
    variables: Vec<(Rc<str>, Val)>,
    depth: usize,
}

/// The text of a named template.
pub(crate) fn execute(
    world: &World<'_>,
    space: &Rc<Space>,
    name: &str,
    data: Value,
) -> Result<String, Failure> {
    let Some(tree) = space.find(name) else {
        let message = format!(
            "template: no template {} associated with template {}",
            display::quote(name),
            display::quote(super::space::SPACE_NAME)
        );
        return Err(message.into());
    };
    let mut out = String::new();
    run(world, space, &tree, Val::data(data), 0, &mut out)?;
    Ok(out)
}

fn run(
    world: &World<'_>,
    space: &Rc<Space>,
    tree: &Tree,
    dot: Val,
    depth: usize,
    out: &mut String,
) -> Result<(), Failure> {
    let variables = vec![("$".into(), dot.clone())];
    let mut state = State { world, space, tree, place: None, variables, depth };
    state.walk_block(&dot, &tree.root, out)?;
    Ok(())
}

impl<'t> State<'t> {
    pub(crate) fn at(&mut self, place: Place<'t>) {
        self.place = Some(place);
    }

    /// An error at the current place.
    pub(crate) fn fail(&self, message: impl AsRef<str>) -> Failure {
        let name = &self.tree.name;
        let message = message.as_ref();
        let text = match &self.place {
            None => format!("template: {name}: {message}"),
            Some(place) => {
                let location = self.location(place.pos());
                format!(
                    "template: {location}: executing {} at <{}>: {message}",
                    display::quote(name),
                    place.show()
                )
            }
        };
        Failure { text, placed: true, cause: None }
    }

    fn location(&self, pos: usize) -> String {
        let before = &self.tree.text[..pos];
        let line = 1 + before.matches('\n').count();
        let column = before.rfind('\n').map_or(pos, |newline| pos - newline - 1);
        format!("{}:{line}:{column}", self.tree.parse_name)
    }

    fn walk_block(&mut self, dot: &Val, block: &'t Block, out: &mut String) -> Result<Flow, Failure> {
        for node in &block.nodes {
            let flow = self.walk(dot, node, out)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn walk(&mut self, dot: &Val, node: &'t Node, out: &mut String) -> Result<Flow, Failure> {
        self.at(Place::Node(node));
        match &node.body {
            Body::Text(text) => out.push_str(text),
            Body::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    out.push_str(&printed(&value.value));
                }
            }
            Body::If(branch) => return self.branch(dot, branch, None, out),
            Body::With(branch) => return self.branch(dot, branch, Some(()), out),
            Body::Range(branch) => {
                let mark = self.variables.len();
                let flow = self.range(dot, branch, out);
                self.variables.truncate(mark);
                return flow;
            }
            Body::Template { name, pipe } => self.template(dot, name, pipe.as_ref(), out)?,
            Body::Break => return Ok(Flow::Break),
            Body::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// An `if`, or a `with`, which sets the dot.
    fn branch(
        &mut self,
        dot: &Val,
        branch: &'t Branch,
        with: Option<()>,
        out: &mut String,
    ) -> Result<Flow, Failure> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.value.truth() {
            let inner = if with.is_some() { &value } else { dot };
            self.walk_block(inner, &branch.list, out)
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk_block(dot, otherwise, out)
        } else {
            Ok(Flow::Next)
        };
        self.variables.truncate(mark);
        flow
    }

    fn range(&mut self, dot: &Val, branch: &'t Branch, out: &mut String) -> Result<Flow, Failure> {
        let value = self.pipeline(dot, &branch.pipe)?.value;
        let steps = self.steps(branch, &value)?;
        if steps.is_empty() {
            return match &branch.otherwise {
                Some(otherwise) => self.walk_block(dot, otherwise, out),
                None => Ok(Flow::Next),
            };
        }
        let mark = self.variables.len();
        for (index, element) in steps {
            self.bind(&branch.pipe, mark, index, &element)?;
            let flow = self.walk_block(&element, &branch.list, out)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// Indices and elements of what is ranged over.
    fn steps(&self, branch: &Branch, value: &Value) -> Result<Vec<(Val, Val)>, Failure> {
        let steps = match value {
            Value::Int(count) | Value::Int64(count) => {
                let wide = matches!(value, Value::Int64(_));
                if branch.pipe.variables.len() > 1 {
                    return Err(
                        self.fail(format!("can't use {count} to iterate over more than one variable"))
                    );
                }
                (0..*count)
                    .map(|step| {
                        (Val::INVALID, Val::plain(if wide { Value::Int64(step) } else { Value::Int(step) }))
                    })
                    .collect()
            }
            Value::List(list) => {
                let boxed = list.element == Element::Any;
                let values = list.as_slice().iter().enumerate();
                values
                    .map(|(index, item)| (Val::plain(Value::Int(index as i64)), Val::of(item.clone(), boxed)))
                    .collect()
            }
            Value::Bytes(bytes) => {
                let values = bytes.iter().enumerate();
                values
                    .map(|(index, byte)| {
                        (Val::plain(Value::Int(index as i64)), Val::plain(Value::Uint8(*byte)))
                    })
                    .collect()
            }
            Value::Map(map) => {
                let boxed = map.zero().is_nil();
                map.entries()
                    .into_iter()
                    .map(|(key, item)| (Val::plain(Value::Str(key)), Val::of(item, boxed)))
                    .collect()
            }
            Value::Invalid | Value::Nil => Vec::new(),
            other => return Err(self.fail(format!("range can't iterate over {}", display::plain(other)))),
        };
        Ok(steps)
    }

    /// Gives the variables of a range their values for one step.
    fn bind(&mut self, pipe: &Pipe, mark: usize, index: Val, element: &Val) -> Result<(), Failure> {
        match pipe.variables.as_slice() {
            [only] if pipe.assigns => self.assign(only, element.clone()),
            [first, second] if pipe.assigns => {
                self.assign(first, index)?;
                self.assign(second, element.clone())
            }
            [_] => {
                self.variables[mark - 1].1 = element.clone();
                Ok(())
            }
            [_, _] => {
                self.variables[mark - 1].1 = element.clone();
                self.variables[mark - 2].1 = index;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn template(
        &mut self,
        dot: &Val,
        name: &str,
        pipe: Option<&'t Pipe>,
        out: &mut String,
    ) -> Result<(), Failure> {
        let Some(tree) = self.space.find(name) else {
            return Err(self.fail(format!("template {} not defined", display::quote(name))));
        };
        if self.depth == MAX_DEPTH {
            return Err(self.fail(format!("exceeded maximum template depth ({MAX_DEPTH})")));
        }
        let data = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Val::INVALID,
        };
        run(self.world, self.space, &tree, data, self.depth + 1, out)
    }

    pub(crate) fn pipeline(&mut self, dot: &Val, pipe: &'t Pipe) -> Result<Val, Failure> {
        self.at(Place::Pipe(pipe));
        let mut last: Option<Val> = None;
        for command in &pipe.commands {
            last = Some(self.command(dot, command, last)?.unboxed());
        }
        let value = last.unwrap_or(Val::INVALID);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn assign(&mut self, name: &str, value: Val) -> Result<(), Failure> {
        match self.variables.iter_mut().rev().find(|(other, _)| **other == *name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Result<Val, Failure> {
        match self.variables.iter().rev().find(|(other, _)| **other == *name) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.fail(format!("undefined variable: {name}"))),
        }
    }
}

/// A value as an action writes it.
fn printed(value: &Value) -> String {
    match value {
        // Only where it can be addressed does Go find that it can print itself.
        Value::KubeVersion(facts) => facts.normalized.clone(),
        other => display::plain(other),
    }
}
