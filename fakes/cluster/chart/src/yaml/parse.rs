//! Builds the tree of the first document of a text.

use std::collections::HashMap;
use std::rc::Rc;

use super::scan::{Kind, Plain, Scanned, Scanner};
use super::{Mark, YamlError};

/// A node of the document.
#[derive(Debug)]
pub(super) enum Node {
    Scalar { text: String, tag: Option<String>, plain: Plain },
    Sequence(Vec<Rc<Self>>),
    Mapping(Vec<(Rc<Self>, Rc<Self>)>),
    Alias(Rc<Self>),
}

impl Node {
    fn empty() -> Rc<Self> {
        Rc::new(Self::Scalar { text: String::new(), tag: None, plain: Plain::Yes })
    }

    /// The node itself, behind aliases.
    pub(super) fn target(&self) -> &Self {
        match self {
            Self::Alias(target) => target.target(),
            other => other,
        }
    }
}

struct Parser {
    scanner: Scanner,
    handles: Vec<(String, String)>,
    anchors: HashMap<String, Rc<Node>>,
}

/// Where a node may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Block,
    /// The value or key of a block mapping, where a sequence needs no indentation.
    BlockEntry,
    Flow,
}

const STANDARD_TAGS: &str = "tag:yaml.org,2002:";

/// The first document; nothing if there is none.
pub(super) fn parse(text: &str) -> Scanned<Option<Rc<Node>>> {
    let mut parser = Parser { scanner: Scanner::new(text)?, handles: Vec::new(), anchors: HashMap::new() };
    let explicit = matches!(
        parser.kind()?,
        Kind::VersionDirective { .. } | Kind::TagDirective { .. } | Kind::DocumentStart
    );
    if parser.kind()? == Kind::StreamEnd {
        return Ok(None);
    }
    parser.directives()?;
    if explicit {
        let start = parser.start()?;
        if parser.kind()? != Kind::DocumentStart {
            return Err(YamlError::parser(start, "did not find expected <document start>"));
        }
        parser.scanner.skip_token();
    }
    let root =
        if explicit && parser.document_is_over()? { Node::empty() } else { parser.node(Context::Block)? };
    parser.document_end()?;
    Ok(Some(root))
}

impl Parser {
    fn kind(&mut self) -> Scanned<Kind> {
        Ok(self.scanner.peek()?.kind.clone())
    }

    fn start(&mut self) -> Scanned<Mark> {
        Ok(self.scanner.peek()?.start)
    }

    /// Whether the next token is of this kind, which carries nothing.
    fn is_next(&mut self, kind: &Kind) -> Scanned<bool> {
        Ok(self.scanner.peek()?.kind == *kind)
    }

    fn document_is_over(&mut self) -> Scanned<bool> {
        Ok(matches!(
            self.scanner.peek()?.kind,
            Kind::VersionDirective { .. }
                | Kind::TagDirective { .. }
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd
        ))
    }

    fn directives(&mut self) -> Scanned<()> {
        let mut version_seen = false;
        loop {
            let start = self.start()?;
            match self.kind()? {
                Kind::VersionDirective { .. } if version_seen => {
                    return Err(YamlError::parser(start, "found duplicate %YAML directive"));
                }
                Kind::VersionDirective { major: 1, minor: 1 } => version_seen = true,
                Kind::VersionDirective { .. } => {
                    return Err(YamlError::parser(start, "found incompatible YAML document"));
                }
                Kind::TagDirective { handle, prefix } => {
                    if self.handles.iter().any(|(known, _)| *known == handle) {
                        return Err(YamlError::parser(start, "found duplicate %TAG directive"));
                    }
                    self.handles.push((handle, prefix));
                }
                _ => break,
            }
            self.scanner.skip_token();
        }
        for (handle, prefix) in [("!", "!"), ("!!", STANDARD_TAGS)] {
            if !self.handles.iter().any(|(known, _)| known == handle) {
                self.handles.push((handle.into(), prefix.into()));
            }
        }
        Ok(())
    }

    /// What follows the document must be the end, or another document, which is not looked at.
    fn document_end(&mut self) -> Scanned<()> {
        self.scanner.peek()?;
        Ok(())
    }

    fn node(&mut self, context: Context) -> Scanned<Rc<Node>> {
        let node_start = self.start()?;
        if let Kind::Alias(name) = self.kind()? {
            self.scanner.skip_token();
            return match self.anchors.get(&name) {
                Some(node) => Ok(Rc::new(Node::Alias(node.clone()))),
                None => Err(YamlError::plain(&format!("unknown anchor '{name}' referenced"))),
            };
        }
        let mut anchor = None;
        let mut tag = None;
        for _ in 0..2 {
            let start = self.start()?;
            match self.kind()? {
                Kind::Anchor(name) if anchor.is_none() => anchor = Some(name),
                Kind::Tag { handle, suffix } if tag.is_none() => {
                    tag = Some(self.full_tag(&handle, suffix, start)?)
                }
                _ => break,
            }
            self.scanner.skip_token();
        }
        let node = self.content(context, tag, anchor.is_some(), node_start)?;
        if let Some(name) = anchor {
            self.anchors.insert(name, node.clone());
        }
        Ok(node)
    }

    fn full_tag(&self, handle: &str, suffix: String, start: Mark) -> Scanned<String> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        match self.handles.iter().find(|(known, _)| known == handle) {
            Some((_, prefix)) => Ok(format!("{prefix}{suffix}")),
            None => Err(YamlError::parser(start, "found undefined tag handle")),
        }
    }

    fn content(
        &mut self,
        context: Context,
        tag: Option<String>,
        anchored: bool,
        _start: Mark,
    ) -> Scanned<Rc<Node>> {
        let start = self.start()?;
        let block = context != Context::Flow;
        match self.kind()? {
            Kind::BlockEntry if context == Context::BlockEntry => self.indentless_sequence(),
            Kind::Scalar { text, plain } => {
                self.scanner.skip_token();
                let plain = match tag.as_deref() {
                    None => plain,
                    Some("!") => Plain::Yes,
                    Some(_) => Plain::No,
                };
                let tag = tag.filter(|tag| tag != "!");
                Ok(Rc::new(Node::Scalar { text, tag, plain }))
            }
            Kind::FlowSequenceStart => self.flow_sequence(),
            Kind::FlowMappingStart => self.flow_mapping(),
            Kind::BlockSequenceStart if block => self.block_sequence(),
            Kind::BlockMappingStart if block => self.block_mapping(),
            _ if anchored || tag.is_some() => {
                Ok(Rc::new(Node::Scalar { text: String::new(), tag, plain: Plain::Yes }))
            }
            _ => Err(YamlError::parser(start, "did not find expected node content")),
        }
    }

    fn indentless_sequence(&mut self) -> Scanned<Rc<Node>> {
        let mut items = Vec::new();
        while self.is_next(&Kind::BlockEntry)? {
            self.scanner.skip_token();
            let empty = matches!(
                self.scanner.peek()?.kind,
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd
            );
            items.push(if empty { Node::empty() } else { self.node(Context::Block)? });
        }
        Ok(Rc::new(Node::Sequence(items)))
    }

    fn block_sequence(&mut self) -> Scanned<Rc<Node>> {
        self.scanner.skip_token();
        let mut items = Vec::new();
        while self.is_next(&Kind::BlockEntry)? {
            self.scanner.skip_token();
            let empty = matches!(self.scanner.peek()?.kind, Kind::BlockEntry | Kind::BlockEnd);
            items.push(if empty { Node::empty() } else { self.node(Context::Block)? });
        }
        if !self.is_next(&Kind::BlockEnd)? {
            return Err(YamlError::parser(self.start()?, "did not find expected '-' indicator"));
        }
        self.scanner.skip_token();
        Ok(Rc::new(Node::Sequence(items)))
    }

    fn block_mapping(&mut self) -> Scanned<Rc<Node>> {
        self.scanner.skip_token();
        let mut entries = Vec::new();
        loop {
            let key = match self.kind()? {
                Kind::BlockEnd => break,
                Kind::Key => {
                    self.scanner.skip_token();
                    self.block_part()?
                }
                _ => return Err(YamlError::parser(self.start()?, "did not find expected key")),
            };
            let value = if self.is_next(&Kind::Value)? {
                self.scanner.skip_token();
                self.block_part()?
            } else {
                Node::empty()
            };
            entries.push((key, value));
        }
        self.scanner.skip_token();
        Ok(Rc::new(Node::Mapping(entries)))
    }

    /// A key or value of a block mapping.
    fn block_part(&mut self) -> Scanned<Rc<Node>> {
        if matches!(self.scanner.peek()?.kind, Kind::Key | Kind::Value | Kind::BlockEnd) {
            return Ok(Node::empty());
        }
        self.node(Context::BlockEntry)
    }

    /// The comma between two entries; false at the end of the collection.
    fn flow_continues(&mut self, first: &mut bool, end: &Kind, problem: &str) -> Scanned<bool> {
        if self.is_next(end)? {
            return Ok(false);
        }
        if !std::mem::take(first) {
            if !self.is_next(&Kind::FlowEntry)? {
                return Err(YamlError::parser(self.start()?, problem));
            }
            self.scanner.skip_token();
        }
        Ok(!self.is_next(end)?)
    }

    fn flow_sequence(&mut self) -> Scanned<Rc<Node>> {
        self.scanner.skip_token();
        let mut items = Vec::new();
        let mut first = true;
        while self.flow_continues(&mut first, &Kind::FlowSequenceEnd, "did not find expected ',' or ']'")? {
            if self.is_next(&Kind::Key)? {
                self.scanner.skip_token();
                items.push(self.flow_pair()?);
            } else {
                items.push(self.node(Context::Flow)?);
            }
        }
        self.scanner.skip_token();
        Ok(Rc::new(Node::Sequence(items)))
    }

    /// A mapping of one entry within a sequence.
    fn flow_pair(&mut self) -> Scanned<Rc<Node>> {
        let ends = |kind: &Kind| matches!(kind, Kind::FlowEntry | Kind::FlowSequenceEnd);
        let next = self.kind()?;
        let key = if next == Kind::Value || ends(&next) { Node::empty() } else { self.node(Context::Flow)? };
        let mut value = Node::empty();
        if self.is_next(&Kind::Value)? {
            self.scanner.skip_token();
            if !ends(&self.kind()?) {
                value = self.node(Context::Flow)?;
            }
        }
        Ok(Rc::new(Node::Mapping(vec![(key, value)])))
    }

    fn flow_mapping(&mut self) -> Scanned<Rc<Node>> {
        self.scanner.skip_token();
        let mut entries = Vec::new();
        let mut first = true;
        while self.flow_continues(&mut first, &Kind::FlowMappingEnd, "did not find expected ',' or '}'")? {
            let ends = |kind: &Kind| matches!(kind, Kind::FlowEntry | Kind::FlowMappingEnd);
            let key = if self.is_next(&Kind::Key)? {
                self.scanner.skip_token();
                let next = self.kind()?;
                if next == Kind::Value || ends(&next) { Node::empty() } else { self.node(Context::Flow)? }
            } else {
                let key = self.node(Context::Flow)?;
                entries.push((key, Node::empty()));
                continue;
            };
            let mut value = Node::empty();
            if self.is_next(&Kind::Value)? {
                self.scanner.skip_token();
                if !ends(&self.kind()?) {
                    value = self.node(Context::Flow)?;
                }
            }
            entries.push((key, value));
        }
        self.scanner.skip_token();
        Ok(Rc::new(Node::Mapping(entries)))
    }
}
