//! Reading a tree into what is expected, with every fault noted and passed over.

use super::{Node, NodeKind, Style};
use crate::{
    rules::parse_duration,
    syntax::{Diagnostic, Diagnostics, Span, closest},
};

/// A file that is being read, and what is wrong with it so far.
#[derive(Debug)]
pub(crate) struct Reader<'s> {
    pub(crate) source: &'s str,
    faults: Vec<Diagnostic>,
}

/// A mapping whose keys are known and there once.
#[derive(Debug)]
pub(crate) struct Map<'n> {
    pub(crate) span: Span,
    entries: Vec<(&'n str, &'n Node, &'n Node)>,
}

impl<'n> Map<'n> {
    /// The value of a key; nothing where it has none.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value).filter(|value| !value.is_nothing())
    }

    /// Where a key stands.
    pub(crate) fn key(&self, key: &str) -> Option<Span> {
        self.entry(key).map(|(key, _)| key.span)
    }

    fn entry(&self, key: &str) -> Option<(&'n Node, &'n Node)> {
        self.entries.iter().find(|(name, ..)| *name == key).map(|(_, key, value)| (*key, *value))
    }

    /// All of them: name, place of the name, value.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'n str, Span, &'n Node)> {
        self.entries.iter().map(|(name, key, value)| (*name, key.span, *value))
    }
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, faults: Vec::new() }
    }

    pub(crate) fn report(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// All that was reported, in order of the file.
    pub(crate) fn finish(mut self) -> Diagnostics {
        self.faults.sort_by_key(|fault| (fault.span.start, fault.span.end));
        self.faults.dedup();
        Diagnostics::new(self.source, self.faults)
    }

    fn expected(&mut self, node: &Node, expected: &str) {
        let message = format!("{expected} is expected here, and this is {}", node.what());
        // Of a long value, the first line is pointed to.
        let Span { start, end } = node.span;
        let written = self.source.get(start as usize..end as usize).unwrap_or("");
        let line = written.lines().next().map_or(0, str::len).max(1);
        let span = Span::new(start as usize, start as usize + line);
        self.report(Diagnostic::new("TQ0605", span, message));
    }

    /// A mapping that has some of these keys; `what` it is, for messages.
    pub(crate) fn map<'n>(&mut self, node: &'n Node, what: &str, keys: &[&str]) -> Option<Map<'n>> {
        let map = self.open_map(node, what)?;
        for (name, span, _) in map.entries().filter(|(name, ..)| !keys.contains(name)) {
            let fault = Diagnostic::new("TQ0602", span, format!("{what} has no key `{name}`"));
            self.report(match closest(name, keys.iter().copied()) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help(format!("it may have {}", keys.join(", "))),
            });
        }
        Some(map)
    }

    /// A mapping with any keys.
    pub(crate) fn open_map<'n>(&mut self, node: &'n Node, what: &str) -> Option<Map<'n>> {
        let NodeKind::Map(entries) = &node.kind else {
            self.expected(node, &format!("{what}, a mapping,"));
            return None;
        };
        let mut map = Map { span: node.span, entries: Vec::with_capacity(entries.len()) };
        for (key, value) in entries {
            let Some(name) = self.text(key, "a name") else { continue };
            match map.key(name) {
                Some(before) => self.report(
                    Diagnostic::new("TQ0603", key.span, format!("`{name}` is there twice")).related(before, "before"),
                ),
                None => map.entries.push((name, key, value)),
            }
        }
        Some(map)
    }

    /// The value of a key that has to be there.
    pub(crate) fn required<'n>(&mut self, map: &Map<'n>, what: &str, key: &str) -> Option<&'n Node> {
        let found = map.get(key);
        if found.is_none() {
            let span = map.key(key).unwrap_or(Span { end: map.span.start + 1, ..map.span });
            self.report(Diagnostic::new("TQ0604", span, format!("{what} needs `{key}`")));
        }
        found
    }

    /// The items of a list.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.kind {
            NodeKind::List(items) => items,
            _ => {
                self.expected(node, what);
                &[]
            }
        }
    }

    /// A text, a number's or truth value's included.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => {
                self.expected(node, what);
                None
            }
        }
    }

    /// A text that is not empty.
    pub(crate) fn name<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = self.text(node, what)?;
        if text.trim().is_empty() {
            self.report(Diagnostic::new("TQ0609", node.span, format!("{what} is not empty")));
            return None;
        }
        Some(text)
    }

    /// A duration in ns.
    pub(crate) fn duration(&mut self, node: &Node) -> Option<u64> {
        let text = self.text(node, "a duration")?;
        match parse_duration(text) {
            Ok(nanos) => Some(nanos),
            Err(reason) => {
                self.report(
                    Diagnostic::new("TQ0606", node.span, reason).help("write a duration like 30s, 5m or 1h30m"),
                );
                None
            }
        }
    }

    /// A duration longer than 0.
    pub(crate) fn positive_duration(&mut self, node: &Node) -> Option<u64> {
        let nanos = self.duration(node)?;
        if nanos == 0 {
            self.report(Diagnostic::new("TQ0606", node.span, "this has to be longer than 0"));
        }
        Some(nanos).filter(|nanos| *nanos > 0)
    }

    /// A number of things.
    pub(crate) fn count(&mut self, node: &Node) -> Option<usize> {
        let text = self.text(node, "a number")?;
        let count = text.parse().ok();
        if count.is_none() {
            self.report(Diagnostic::new("TQ0610", node.span, format!("`{text}` is no whole number from 0 on")));
        }
        count
    }

    /// A number.
    pub(crate) fn number(&mut self, node: &Node) -> Option<f64> {
        let text = self.text(node, "a number")?;
        let number = text.parse().ok();
        if number.is_none() {
            self.report(Diagnostic::new("TQ0610", node.span, format!("`{text}` is no number")));
        }
        number
    }

    /// Whether a scalar is written without quotes, so that it may be a number or truth value.
    pub(crate) fn plain(node: &Node) -> Option<&str> {
        match &node.kind {
            NodeKind::Scalar { text, style: Style::Plain } => Some(text),
            _ => None,
        }
    }
}
