//! From YAML's events to a tree. Bounded in size and depth, so that no file exhausts memory or stack.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Node, NodeKind, Style};
use crate::syntax::{Diagnostic, Span};

const MAX_BYTES: usize = 16 << 20;
const MAX_NODES: usize = 200_000;
const MAX_DEPTH: usize = 64;

/// A list or mapping that has begun.
struct Open {
    start: usize,
    anchor: usize,
    is_map: bool,
    /// Of a mapping, key after value after key.
    nodes: Vec<Node>,
}

/// The only document of a text; `None` when there is none.
pub(crate) fn parse(source: &str) -> Result<Option<Node>, Diagnostic> {
    if source.len() > MAX_BYTES {
        return Err(fault(0, 0, format!("the file has more than {MAX_BYTES} bytes")));
    }
    // The parser counts characters.
    let mut bytes: Vec<usize> = source.char_indices().map(|(at, _)| at).collect();
    bytes.push(source.len());
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(source.len());

    let mut builder = Builder::default();
    for event in Parser::new_from_str(source) {
        let (event, span) = event.map_err(|error| {
            let at = byte(error.marker().index());
            fault(at, at + 1, format!("this is not YAML: {}", error.info()))
        })?;
        builder.take(event, byte(span.start.index()), byte(span.end.index()))?;
    }
    Ok(builder.root)
}

fn fault(start: usize, end: usize, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new("TQ0601", Span::new(start, end), message)
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, start: usize, end: usize) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(fault(start, end, "a file has one document, and here begins another"));
                }
            }
            Event::Scalar(.., Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return Err(fault(start, end, "tags have no meaning here"));
            }
            Event::Scalar(text, style, anchor, None) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let kind = NodeKind::Scalar { text: text.into_owned(), style };
                self.add(Node { kind, span: Span::new(start, end) }, anchor)?;
            }
            Event::SequenceStart(anchor, None) => self.begin(start, end, anchor, false)?,
            Event::MappingStart(anchor, None) => self.begin(start, end, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let last = open.nodes.last().map_or(end, |node| node.span.end as usize);
                let kind = if open.is_map { NodeKind::Map(pairs(open.nodes)) } else { NodeKind::List(open.nodes) };
                self.add(Node { kind, span: Span::new(open.start, last.max(open.start)) }, open.anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(fault(start, end, "this stands for something that it is a part of"));
                };
                let (count, depth) = node.size();
                self.count(count, depth, start, end)?;
                // Faults of it are reported where it is written.
                self.add(node, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, start: usize, end: usize, anchor: usize, is_map: bool) -> Result<(), Diagnostic> {
        self.open.push(Open { start, anchor, is_map, nodes: Vec::new() });
        self.count(0, 0, start, end)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        self.count(1, 1, node.span.start as usize, node.span.end as usize)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, depth: usize, start: usize, end: usize) -> Result<(), Diagnostic> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(fault(start, end, format!("the file has more than {MAX_NODES} values")));
        }
        if self.open.len() + depth > MAX_DEPTH {
            return Err(fault(start, end, format!("values lie within values more than {MAX_DEPTH} deep")));
        }
        Ok(())
    }
}

fn pairs(nodes: Vec<Node>) -> Vec<(Node, Node)> {
    let mut nodes = nodes.into_iter();
    std::iter::from_fn(|| Some((nodes.next()?, nodes.next()?))).collect()
}
