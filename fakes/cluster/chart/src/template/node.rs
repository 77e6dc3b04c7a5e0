//! The parsed form of templates, and its text form as error messages show it.

use std::rc::Rc;

use super::number::Number;

/// One template: a file, or what a `define` in it defines.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) name: Rc<str>,
    /// The file, for messages.
    pub(crate) parse_name: Rc<str>,
    /// The file's text, for line numbers.
    pub(crate) text: Rc<str>,
    pub(crate) root: Block,
}

/// Nodes one after the other.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) nodes: Vec<Node>,
}

impl Block {
    /// Whether there is nothing in it but space.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.iter().all(|node| matches!(&node.body, Body::Text(text) if text.trim().is_empty()))
    }
}

/// A part of a template that writes or decides something.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) pos: usize,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { name: String, pipe: Option<Pipe> },
    Break,
    Continue,
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: Pipe,
    pub(crate) list: Block,
    pub(crate) otherwise: Option<Block>,
}

/// Commands, the result of each being the last argument of the next.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) pos: usize,
    pub(crate) assigns: bool,
    pub(crate) variables: Vec<Rc<str>>,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) pos: usize,
    pub(crate) args: Vec<Expr>,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) pos: usize,
    pub(crate) term: Term,
}

#[derive(Debug)]
pub(crate) enum Term {
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Str {
        quoted: String,
        text: Rc<str>,
    },
    Field(Vec<Rc<str>>),
    /// The variable's name, and fields of it.
    Variable(Vec<Rc<str>>),
    Identifier(Rc<str>),
    Chain(Box<Expr>, Vec<Rc<str>>),
    Pipe(Pipe),
}

impl Term {
    /// Whether it cannot take what a pipeline hands to it.
    pub(crate) fn is_constant(&self) -> bool {
        matches!(self, Self::Dot | Self::Nil | Self::Bool(_) | Self::Number(_) | Self::Str { .. })
    }
}

/// Writes itself as Go's parse tree does.
pub(crate) trait Show {
    fn write(&self, out: &mut String);

    fn show(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

impl Show for Block {
    fn write(&self, out: &mut String) {
        for node in &self.nodes {
            node.write(out);
        }
    }
}

impl Show for Node {
    fn write(&self, out: &mut String) {
        match &self.body {
            Body::Text(text) => out.push_str(text),
            Body::Action(pipe) => {
                out.push_str("{{");
                pipe.write(out);
                out.push_str("}}");
            }
            Body::If(branch) => branch.write_as("if", out),
            Body::With(branch) => branch.write_as("with", out),
            Body::Range(branch) => branch.write_as("range", out),
            Body::Template { name, pipe } => {
                out.push_str("{{template ");
                out.push_str(&crate::value::display::quote(name));
                if let Some(pipe) = pipe {
                    out.push(' ');
                    pipe.write(out);
                }
                out.push_str("}}");
            }
            Body::Break => out.push_str("{{break}}"),
            Body::Continue => out.push_str("{{continue}}"),
        }
    }
}

impl Branch {
    fn write_as(&self, keyword: &str, out: &mut String) {
        out.push_str("{{");
        out.push_str(keyword);
        out.push(' ');
        self.pipe.write(out);
        out.push_str("}}");
        self.list.write(out);
        if let Some(otherwise) = &self.otherwise {
            out.push_str("{{else}}");
            otherwise.write(out);
        }
        out.push_str("{{end}}");
    }
}

impl Show for Pipe {
    fn write(&self, out: &mut String) {
        if !self.variables.is_empty() {
            out.push_str(&self.variables.join(", "));
            out.push_str(if self.assigns { " = " } else { " := " });
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                out.push_str(" | ");
            }
            command.write(out);
        }
    }
}

impl Show for Command {
    fn write(&self, out: &mut String) {
        for (index, arg) in self.args.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            arg.write_grouped(out);
        }
    }
}

impl Expr {
    fn write_grouped(&self, out: &mut String) {
        if matches!(self.term, Term::Pipe(_)) {
            out.push('(');
            self.write(out);
            out.push(')');
        } else {
            self.write(out);
        }
    }
}

impl Show for Expr {
    fn write(&self, out: &mut String) {
        match &self.term {
            Term::Dot => out.push('.'),
            Term::Nil => out.push_str("nil"),
            Term::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Term::Number(number) => out.push_str(&number.text),
            Term::Str { quoted, .. } => out.push_str(quoted),
            Term::Field(names) => {
                for name in names {
                    out.push('.');
                    out.push_str(name);
                }
            }
            Term::Variable(names) => out.push_str(&names.join(".")),
            Term::Identifier(name) => out.push_str(name),
            Term::Chain(first, names) => {
                first.write_grouped(out);
                for name in names {
                    out.push('.');
                    out.push_str(name);
                }
            }
            Term::Pipe(pipe) => pipe.write(out),
        }
    }
}
