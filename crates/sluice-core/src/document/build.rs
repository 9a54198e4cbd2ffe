//! Builds the tree from the parser's events, without recursion: depth is a bound here, not a stack overflow.

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle};

use super::codes::{
    AMBIGUOUS_SCALAR, BAD_ALIAS, CodeInfo, DUPLICATE_KEY, KEY_NOT_TEXT, MERGE_KEY, SEVERAL_DOCUMENTS, SYNTAX, TAG,
    TOO_DEEP, TOO_MANY_NODES,
};
use super::scalar::{Plain, plain};
use super::{Data, Entry, Node};
use crate::diagnostic::Diagnostic;
use crate::limits::{ALIASES_MAX, DEPTH_MAX, TEXT_NODES_MAX};
use crate::text::{Span, Text};

pub(super) fn tree(text: &Text) -> Result<Node, Vec<Diagnostic>> {
    if let Some(at) = lone_return(&text.content) {
        let message = "a carriage return without a line feed: readers disagree whether it ends a line";
        return Err(vec![SYNTAX.at(text.span(at, at + 1), message)]);
    }
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    // One more than our own bound, so that ours is the one that is met and reported.
    options.flow_nesting_limit = DEPTH_MAX + 1;
    options.block_nesting_limit = DEPTH_MAX + 1;
    let mut parser = Parser::new_from_str_with_options(&text.content, options);
    let mut builder = Builder::default();
    if builder.run(&mut parser).is_err() {
        return Err(builder.out);
    }
    match builder.root {
        Some(root) if builder.out.is_empty() => Ok(root),
        None if builder.out.is_empty() => Ok(Node { span: text.span(0, 0), value: Data::Null }),
        _ => Err(builder.out),
    }
}

/// The first carriage return that no line feed follows. YAML ends a line there, editors and JSON do not, so every place
/// behind it would be another one for either.
fn lone_return(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let lone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r').map(|(at, _)| at).find(lone)
}

/// Reading cannot go on; why is in `out`.
struct Stop;

#[derive(Default)]
struct Builder {
    stack: Vec<Open>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    aliases: usize,
    documents: usize,
    out: Vec<Diagnostic>,
}

/// A complete anchored node, and what one more use of it costs.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

/// A list or map that is not closed yet.
struct Open {
    span: Span,
    flow: bool,
    anchor: usize,
    nodes_before: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, first: BTreeMap<Arc<str>, Span>, key: Option<Key> },
}

/// A key that waits for its value; `None` if it was refused.
struct Key(Option<(Arc<str>, Span)>);

impl Builder {
    fn run<'a>(&mut self, parser: &mut Parser<'a, StrInput<'a>>) -> Result<(), Stop> {
        loop {
            match parser.next_event() {
                None => return Ok(()),
                Some(Ok((Event::StreamEnd, _))) => return Ok(()),
                Some(Ok((event, span))) => self.event(event, span)?,
                Some(Err(error)) => return Err(self.syntax(&error)),
            }
        }
    }

    fn event(&mut self, event: Event<'_>, at: granit_parser::Span) -> Result<(), Stop> {
        let span = ours(at);
        let tagged = event.tag().map(|tag| tag.original());
        if let Some(tag) = tagged {
            let place = at.tag_span().map_or(span, ours);
            self.out.push(TAG.at(place, format!("tag `{tag}` is not supported")));
        }
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(value, style, anchor, _) => self.scalar(&value, style, anchor, span),
            Event::SequenceStart(style, anchor, _) => self.open(span, style, anchor, Content::List(Vec::new())),
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Map { entries: Vec::new(), first: BTreeMap::new(), key: None };
                self.open(span, style, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                self.out.push(BAD_ALIAS.at(span, format!("alias `*{name}` names no anchor before it")));
                self.place(Node { span, value: Data::Null }, false)
            }
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents > 1 {
            return Err(self.stop(&SEVERAL_DOCUMENTS, span, "the text holds a second document".to_owned()));
        }
        Ok(())
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, anchor: usize, span: Span) -> Result<(), Stop> {
        self.count(1, span)?;
        let is_plain = style == ScalarStyle::Plain;
        let key = self.expects_key();
        if key && is_plain && value == "<<" {
            self.out.push(MERGE_KEY.at(span, "merge key `<<` is not supported"));
        }
        let value = match plain(value) {
            _ if !is_plain => Data::Text(value.into()),
            Plain::Value(value) => value,
            // A key such as `on` is text here and in every format that uses it: no schema has boolean keys.
            Plain::Ambiguous(_) if key => Data::Text(value.into()),
            Plain::Ambiguous(why) => {
                self.out.push(AMBIGUOUS_SCALAR.at(span, why));
                Data::Text(value.into())
            }
        };
        let node = Node { span, value };
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes: 1, depth: 0 });
        }
        self.place(node, is_plain)
    }

    fn open(&mut self, span: Span, style: StructureStyle, anchor: usize, content: Content) -> Result<(), Stop> {
        self.count(1, span)?;
        if self.stack.len() >= DEPTH_MAX {
            return Err(self.too_deep(span));
        }
        let flow = style == StructureStyle::Flow;
        self.stack.push(Open { span, flow, anchor, nodes_before: self.nodes - 1, depth: 1, content });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let (value, last) = match open.content {
            Content::List(items) => {
                let last = items.last().map(|n| n.span);
                (Data::List(items), last)
            }
            Content::Map { entries, .. } => {
                let last = entries.last().map(|e| e.key_span.to(e.value.span));
                (Data::Map(entries), last)
            }
        };
        let last = if open.flow { Some(end) } else { last };
        let span = last.map_or(open.span, |last| open.span.to(last));
        let node = Node { span, value };
        if let Some(outer) = self.stack.last_mut() {
            outer.depth = outer.depth.max(open.depth + 1);
        }
        if open.anchor != 0 {
            let nodes = self.nodes - open.nodes_before;
            self.anchors.insert(open.anchor, Anchored { node: node.clone(), nodes, depth: open.depth });
        }
        self.place(node, false)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        self.aliases += 1;
        if self.aliases > ALIASES_MAX {
            return Err(self.stop(&TOO_MANY_NODES, span, format!("the text has more than {ALIASES_MAX} aliases")));
        }
        let Some(Anchored { node, nodes, depth }) = self.anchors.get(&id) else {
            self.out.push(BAD_ALIAS.at(span, "the alias stands inside what it names"));
            return self.place(Node { span, value: Data::Null }, false);
        };
        let (nodes, depth) = (*nodes, *depth);
        if self.stack.len() + depth > DEPTH_MAX {
            return Err(self.too_deep(span));
        }
        let node = if self.nodes + nodes > TEXT_NODES_MAX { None } else { Some(node.clone()) };
        self.count(nodes, span)?;
        if let Some(outer) = self.stack.last_mut() {
            outer.depth = outer.depth.max(depth + 1);
        }
        match node {
            Some(node) => self.place(node, false),
            None => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > TEXT_NODES_MAX {
            let message = format!("the text has more than {TEXT_NODES_MAX} values, aliases expanded");
            return Err(self.stop(&TOO_MANY_NODES, span, message));
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last().map(|o| &o.content), Some(Content::Map { key: None, .. }))
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, node: Node, is_plain: bool) -> Result<(), Stop> {
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, first, key } => match key.take() {
                Some(Key(Some((name, key_span)))) => entries.push(Entry { key: name, key_span, value: node }),
                Some(Key(None)) => {}
                None => *key = Some(Self::key(node, is_plain, first, &mut self.out)),
            },
        }
        Ok(())
    }

    fn key(node: Node, is_plain: bool, first: &mut BTreeMap<Arc<str>, Span>, out: &mut Vec<Diagnostic>) -> Key {
        let span = node.span;
        let Data::Text(name) = node.value else {
            out.push(KEY_NOT_TEXT.at(span, format!("a key must be text, found {}", node.kind())));
            return Key(None);
        };
        if is_plain && name.as_ref() == "<<" {
            return Key(None);
        }
        if let Some(earlier) = first.get(&name) {
            out.push(
                DUPLICATE_KEY.at(span, format!("key `{name}` appears twice")).also(*earlier, "it stands here first"),
            );
            return Key(None);
        }
        first.insert(name.clone(), span);
        Key(Some((name, span)))
    }

    fn syntax(&mut self, error: &ScanError) -> Stop {
        let mark = error.marker();
        let offset = mark.byte_offset().unwrap_or_default();
        let (line, column) = (small(mark.line()), small(mark.col() + 1));
        let span = Span { start: offset, end: offset, line, column, end_line: line, end_column: column };
        if matches!(error.kind(), granit_parser::ErrorKind::RecursionLimitExceeded) {
            return self.too_deep(span);
        }
        let info = error.info();
        self.stop(&SYNTAX, span, info.trim_end_matches('.').to_owned())
    }

    fn too_deep(&mut self, span: Span) -> Stop {
        self.stop(&TOO_DEEP, span, format!("values are nested deeper than {DEPTH_MAX}"))
    }

    fn stop(&mut self, code: &CodeInfo, span: Span, message: String) -> Stop {
        self.out.push(code.at(span, message));
        Stop
    }
}

fn ours(span: granit_parser::Span) -> Span {
    Span {
        start: span.start.byte_offset().unwrap_or_default(),
        end: span.end.byte_offset().unwrap_or_default(),
        line: small(span.start.line()),
        column: small(span.start.col() + 1),
        end_line: small(span.end.line()),
        end_column: small(span.end.col() + 1),
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
