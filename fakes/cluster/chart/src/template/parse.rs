//! Builds the templates of a text.

use std::rc::Rc;

use super::lex::{Kind, Token, tokens};
use super::node::{Block, Body, Branch, Command, Expr, Node, Pipe, Show as _, Term, Tree};
use super::number::Number;
use super::unquote::unquote;
use crate::value::display::quote;

/// A message of the parser, with the file and line in front.
type Parsed<T> = Result<T, String>;

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    /// The last token that was looked at, whose line errors name.
    furthest: usize,
    parse_name: Rc<str>,
    text: Rc<str>,
    is_function: &'a dyn Fn(&str) -> bool,
    scope: Scope,
    trees: Vec<Tree>,
}

/// What is known while one template is parsed.
struct Scope {
    variables: Vec<Rc<str>>,
    range_depth: usize,
    action_line: usize,
}

impl Scope {
    fn new() -> Self {
        Self { variables: vec!["$".into()], range_depth: 0, action_line: 0 }
    }
}

/// What a list of nodes ended with.
enum Ended {
    End,
    /// An else; true if an `if` or `with` follows in the same action.
    Else,
}

impl Ended {
    fn show(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Item {
    Node(Node),
    Ended(Ended),
}

/// All templates of a text: those it defines, and last the text itself.
pub(crate) fn parse(name: &str, text: &str, is_function: &dyn Fn(&str) -> bool) -> Parsed<Vec<Tree>> {
    let mut parser = Parser {
        tokens: tokens(text),
        at: 0,
        furthest: 0,
        parse_name: name.into(),
        text: text.into(),
        is_function,
        scope: Scope::new(),
        trees: Vec::new(),
    };
    let root = parser.top()?;
    parser.add(name.into(), root)?;
    Ok(parser.trees)
}

impl Parser<'_> {
    fn fail<T>(&self, message: impl AsRef<str>) -> Parsed<T> {
        let line = self.tokens[self.furthest].line;
        Err(format!("template: {}:{line}: {}", self.parse_name, message.as_ref()))
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn peek(&mut self) -> Token {
        let index = self.at.min(self.tokens.len() - 1);
        self.furthest = self.furthest.max(index);
        self.tokens[index].clone()
    }

    fn peek_kind(&mut self) -> Kind {
        let index = self.at.min(self.tokens.len() - 1);
        self.furthest = self.furthest.max(index);
        self.tokens[index].kind
    }

    fn skip_space(&mut self) {
        while self.peek_kind() == Kind::Space {
            self.at += 1;
        }
    }

    fn next_non_space(&mut self) -> Token {
        self.skip_space();
        self.next()
    }

    fn peek_non_space(&mut self) -> Token {
        self.skip_space();
        self.peek()
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
        if token.kind != Kind::Error {
            return self.fail(format!("unexpected {} in {context}", token.show()));
        }
        let line = self.scope.action_line;
        if line == 0 || line == token.line {
            return self.fail(token.show());
        }
        let started = if token.text.ends_with(" action") { " started" } else { " in action started" };
        self.fail(format!("{}{started} at {}:{line}", token.show(), self.parse_name))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    fn add(&mut self, name: Rc<str>, root: Block) -> Parsed<()> {
        let tree = Tree { name, parse_name: self.parse_name.clone(), text: self.text.clone(), root };
        match self.trees.iter_mut().find(|other| other.name == tree.name) {
            None => self.trees.push(tree),
            Some(other) if other.root.is_empty() => *other = tree,
            Some(_) if tree.root.is_empty() => {}
            Some(_) => {
                return self.fail(format!("template: multiple definition of template {}", quote(&tree.name)));
            }
        }
        Ok(())
    }

    fn top(&mut self) -> Parsed<Block> {
        let mut root = Block::default();
        while self.peek_kind() != Kind::Eof {
            if self.peek_kind() == Kind::LeftDelim {
                let delim = self.at;
                self.at += 1;
                if self.next_non_space().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.at = delim;
            }
            match self.text_or_action()? {
                Item::Node(node) => root.nodes.push(node),
                Item::Ended(ended) => return self.fail(format!("unexpected {}", ended.show())),
            }
        }
        Ok(root)
    }

    /// A template of its own in this text, with variables of its own.
    fn nested(&mut self, context: &str, name: Rc<str>, opened: bool) -> Parsed<()> {
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        if !opened {
            self.expect(Kind::RightDelim, context)?;
        }
        let (root, ended) = self.item_list()?;
        if !matches!(ended, Ended::End) {
            return self.fail(format!("unexpected {} in {context}", ended.show()));
        }
        self.add(name, root)?;
        self.scope = outer;
        Ok(())
    }

    fn definition(&mut self) -> Parsed<()> {
        let context = "define clause";
        let token = self.next_non_space();
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let name = self.template_name(&token, context)?;
        self.scope = outer;
        self.nested(context, name.into(), false)
    }

    fn template_name(&self, token: &Token, context: &str) -> Parsed<String> {
        if !matches!(token.kind, Kind::Str | Kind::RawString) {
            return self.unexpected(token, context);
        }
        match unquote(&token.text) {
            Some(name) => Ok(name),
            None => self.fail("invalid syntax"),
        }
    }

    fn item_list(&mut self) -> Parsed<(Block, Ended)> {
        let mut list = Block::default();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => list.nodes.push(node),
                Item::Ended(ended) => return Ok((list, ended)),
            }
        }
        self.fail("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node { pos: token.pos, body: Body::Text(token.text) })),
            Kind::LeftDelim => {
                self.scope.action_line = token.line;
                let item = self.action();
                self.scope.action_line = 0;
                item
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_non_space();
        let pos = token.pos;
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break | Kind::Continue => self.jump(&token)?,
            Kind::Else => {
                let ahead = self.peek_non_space();
                if !matches!(ahead.kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::Ended(Ended::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Ended(Ended::End));
            }
            Kind::If | Kind::Range | Kind::With => self.control(token.kind)?,
            Kind::Template => self.template()?,
            _ => {
                self.at -= 1;
                Node { pos, body: Body::Action(self.pipeline("command", Kind::RightDelim)?) }
            }
        };
        Ok(Item::Node(node))
    }

    fn jump(&mut self, token: &Token) -> Parsed<Node> {
        let (body, shown) = if token.kind == Kind::Break {
            (Body::Break, "{{break}}")
        } else {
            (Body::Continue, "{{continue}}")
        };
        let after = self.next_non_space();
        if after.kind != Kind::RightDelim {
            return self.unexpected(&after, shown);
        }
        if self.scope.range_depth == 0 {
            return self.fail(format!("{shown} outside {{{{range}}}}"));
        }
        Ok(Node { pos: token.pos, body })
    }

    fn control(&mut self, kind: Kind) -> Parsed<Node> {
        let context = match kind {
            Kind::If => "if",
            Kind::Range => "range",
            _ => "with",
        };
        let variables = self.scope.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        self.scope.range_depth += usize::from(kind == Kind::Range);
        let (list, ended) = self.item_list()?;
        self.scope.range_depth -= usize::from(kind == Kind::Range);
        let otherwise = match ended {
            Ended::End => None,
            Ended::Else if kind != Kind::Range && self.peek_kind() == kind => {
                self.at += 1;
                Some(Block { nodes: vec![self.control(kind)?] })
            }
            Ended::Else => {
                let (otherwise, ended) = self.item_list()?;
                if !matches!(ended, Ended::End) {
                    return self.fail(format!("expected end; found {}", ended.show()));
                }
                Some(otherwise)
            }
        };
        self.scope.variables.truncate(variables);
        let pos = pipe.pos;
        let branch = Branch { pipe, list, otherwise };
        let body = match kind {
            Kind::If => Body::If(branch),
            Kind::Range => Body::Range(branch),
            _ => Body::With(branch),
        };
        Ok(Node { pos, body })
    }

    fn block(&mut self) -> Parsed<Node> {
        let context = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = self.pipeline(context, Kind::RightDelim)?;
        self.nested(context, name.as_str().into(), true)?;
        Ok(Node { pos: token.pos, body: Body::Template { name, pipe: Some(pipe) } })
    }

    fn template(&mut self) -> Parsed<Node> {
        let context = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, context)?;
        let pipe = if self.next_non_space().kind == Kind::RightDelim {
            None
        } else {
            self.at -= 1;
            Some(self.pipeline(context, Kind::RightDelim)?)
        };
        Ok(Node { pos: token.pos, body: Body::Template { name, pipe } })
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let pos = self.peek_non_space().pos;
        let mut pipe = Pipe { pos, assigns: false, variables: Vec::new(), commands: Vec::new() };
        while self.declaration(context, &mut pipe)? {}
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check_pipeline(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::Str
                | Kind::Variable
                | Kind::LeftParen => {
                    self.at -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// A declared or assigned variable; true if another one may follow.
    fn declaration(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<bool> {
        let variable = self.peek_non_space();
        if variable.kind != Kind::Variable {
            return Ok(false);
        }
        let start = self.at;
        self.at += 1;
        let next = self.peek_non_space();
        let declares = matches!(next.kind, Kind::Assign | Kind::Declare);
        let separates = next.kind == Kind::Char && next.text == ",";
        if !declares && !separates {
            self.at = start;
            return Ok(false);
        }
        self.at += 1;
        let name: Rc<str> = variable.text.as_str().into();
        pipe.variables.push(name.clone());
        self.scope.variables.push(name);
        if declares {
            pipe.assigns = next.kind == Kind::Assign;
            return Ok(false);
        }
        if context == "range" && pipe.variables.len() < 2 {
            return match self.peek_non_space().kind {
                Kind::Variable | Kind::RightDelim | Kind::RightParen => Ok(true),
                _ => self.fail("range can only initialize variables"),
            };
        }
        self.fail(format!("too many declarations in {context}"))
    }

    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        match pipe.commands.iter().skip(1).position(|command| command.args[0].term.is_constant()) {
            Some(index) => self.fail(format!("non executable command in pipeline stage {}", index + 2)),
            None => Ok(()),
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let pos = self.peek_non_space().pos;
        let mut args = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                args.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.at -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        if args.is_empty() { self.fail("empty command") } else { Ok(Command { pos, args }) }
    }

    fn operand(&mut self) -> Parsed<Option<Expr>> {
        let Some(first) = self.term()? else {
            return Ok(None);
        };
        if self.peek_kind() != Kind::Field {
            return Ok(Some(first));
        }
        let pos = self.peek().pos;
        let mut fields: Vec<Rc<str>> = Vec::new();
        while self.peek_kind() == Kind::Field {
            fields.push(self.next().text[1..].into());
        }
        let term = match first.term {
            Term::Field(mut names) => {
                names.append(&mut fields);
                Term::Field(names)
            }
            Term::Variable(mut names) => {
                names.append(&mut fields);
                Term::Variable(names)
            }
            ref constant if constant.is_constant() => {
                return self.fail(format!("unexpected . after term {}", quote(&first.show())));
            }
            _ => Term::Chain(Box::new(first), fields),
        };
        Ok(Some(Expr { pos, term }))
    }

    fn term(&mut self) -> Parsed<Option<Expr>> {
        let token = self.next_non_space();
        let term = match token.kind {
            Kind::Identifier if !(self.is_function)(&token.text) => {
                return self.fail(format!("function {} not defined", quote(&token.text)));
            }
            Kind::Identifier => Term::Identifier(token.text.as_str().into()),
            Kind::Dot => Term::Dot,
            Kind::Nil => Term::Nil,
            Kind::Variable => {
                if !self.scope.variables.iter().any(|name| **name == *token.text) {
                    return self.fail(format!("undefined variable {}", quote(&token.text)));
                }
                Term::Variable(vec![token.text.as_str().into()])
            }
            Kind::Field => Term::Field(vec![token.text[1..].into()]),
            Kind::Bool => Term::Bool(token.text == "true"),
            Kind::CharConstant => Term::Number(self.number(Number::parse_char(&token.text))?),
            Kind::Complex | Kind::Number => Term::Number(self.number(Number::parse(&token.text))?),
            Kind::LeftParen => Term::Pipe(self.pipeline("parenthesized pipeline", Kind::RightParen)?),
            Kind::Str | Kind::RawString => match unquote(&token.text) {
                Some(text) => Term::Str { quoted: token.text, text: text.into() },
                None => return self.fail("invalid syntax"),
            },
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        // A parenthesis counts from what is inside it.
        let pos = if let Term::Pipe(pipe) = &term { pipe.pos } else { token.pos };
        Ok(Some(Expr { pos, term }))
    }

    fn number(&self, number: Result<Number, String>) -> Parsed<Number> {
        number.or_else(|message| self.fail(message))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::template::node::Show as _;

    fn shown(text: &str) -> Result<String, String> {
        let trees = parse("file", text, &|name| name != "unknown")?;
        Ok(trees.last().expect("the file itself").root.show())
    }

    #[test]
    fn what_was_parsed_prints_as_it_was_written() {
        let text = "{{$x := .a.b | default (list 1 \"2\")}}{{if $x.y}}a{{else}}{{range $i, $e := .l}}{{$e}}{{end}}{{end}}";
        assert_eq!(shown(text).as_deref(), Ok(text));
    }

    #[test]
    fn errors_name_file_and_line() {
        assert_eq!(
            shown("a\n{{ unknown }}"),
            Err("template: file:2: function \"unknown\" not defined".into())
        );
        assert_eq!(shown("{{ if .x }}\n"), Err("template: file:2: unexpected EOF".into()));
        assert_eq!(shown("{{ $x }}"), Err("template: file:1: undefined variable \"$x\"".into()));
        assert_eq!(shown("{{ }}"), Err("template: file:1: missing value for command".into()));
        assert_eq!(shown("{{ end }}"), Err("template: file:1: unexpected {{end}}".into()));
    }
}
