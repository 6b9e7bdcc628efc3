//! YAML as a tree in which everything knows its place: what rule files, test files and configurations are read from.

mod parse;
mod place;
mod read;

pub(crate) use parse::parse;
pub(crate) use place::place_in_scalar;
pub(crate) use read::{Map, Reader};

use crate::syntax::Span;

/// A value with its place in bytes of the file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) span: Span,
}

/// The kinds of values.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    /// Text; numbers and truth values are told by how it is written.
    Scalar { text: String, style: Style },
    /// `- a`
    List(Vec<Node>),
    /// `key: value`; keys may repeat.
    Map(Vec<(Node, Node)>),
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    /// `|` or `>`.
    Block,
}

impl Node {
    /// What it is, for messages.
    fn what(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar { text, style: Style::Plain } if text.is_empty() => "nothing",
            NodeKind::Scalar { .. } => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// Whether nothing stands where a value could be.
    pub(crate) fn is_nothing(&self) -> bool {
        let NodeKind::Scalar { text, style: Style::Plain } = &self.kind else { return false };
        matches!(text.as_str(), "" | "~" | "null")
    }

    /// The items of a list; `None` where it is none.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        match &self.kind {
            NodeKind::List(items) => Some(items),
            _ => None,
        }
    }

    /// How many values it has within, and how deep they lie.
    fn size(&self) -> (usize, usize) {
        let children: Vec<&Self> = match &self.kind {
            NodeKind::Scalar { .. } => Vec::new(),
            NodeKind::List(items) => items.iter().collect(),
            NodeKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        };
        let sizes = children.into_iter().map(Self::size);
        let (count, depth) = sizes.fold((0, 0), |(count, depth), (more, deep)| (count + more, depth.max(deep)));
        (count + 1, depth + 1)
    }
}
