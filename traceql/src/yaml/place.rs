//! Where in a file a part of a text stands. Folding, indentation and quotes come between the two: what they have in
//! common is the order of the characters that are not blank.

use super::{Node, NodeKind, Style};
use crate::syntax::Span;

/// The place in the file of a range of a scalar's text.
pub(crate) fn place_in_scalar(source: &str, node: &Node, range: Span) -> Span {
    let NodeKind::Scalar { text, style } = &node.kind else { return node.span };
    let (start, end) = (range.start as usize, (range.end as usize).min(text.len()));
    let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let before = solid(text.get(..start).unwrap_or(text));
    let within = solid(text.get(start..end).unwrap_or(""));
    let units = units(source, node, *style);
    let first = units.get(before);
    let last = units.get((before + within).saturating_sub(1)).filter(|_| within > 0);
    match (first, last) {
        (Some(first), Some(last)) => first.to(*last),
        // The end of the text, or blanks before something.
        (Some(first), None) => Span { start: first.start, end: first.start + 1 },
        (None, _) => match units.last() {
            Some(last) => Span { start: last.end, end: last.end + 1 },
            None => node.span,
        },
    }
}

/// The places of the characters of a scalar that are not blank, escapes being one.
fn units(source: &str, node: &Node, style: Style) -> Vec<Span> {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    let written = source.get(start..end).unwrap_or("");
    let (skipped, body) = match style {
        Style::Plain => (0, written),
        Style::Single | Style::Double => (1, written.get(1..written.len().saturating_sub(1)).unwrap_or("")),
        // `|` or `>`, and what else is on its line.
        Style::Block if written.starts_with(['|', '>']) => {
            let content = written.find('\n').map_or(written.len(), |at| at + 1);
            (content, written.get(content..).unwrap_or(""))
        }
        Style::Block => (0, written),
    };
    let mut units = Vec::new();
    let mut characters = body.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let mut length = c.len_utf8();
        let mut meant = c;
        match (style, c) {
            (Style::Single, '\'') => {
                length += characters.next().map_or(0, |(_, c)| c.len_utf8());
            }
            (Style::Double, '\\') => {
                let Some((_, escaped)) = characters.next() else { break };
                length += escaped.len_utf8();
                let digits = match escaped {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let hex: String = characters.by_ref().take(digits).map(|(_, c)| c).collect();
                length += hex.len();
                meant = match escaped {
                    'n' | 't' | 'r' | 'v' | 'f' | ' ' | '\t' | '\n' | '\r' | 'N' | '_' | 'L' | 'P' => ' ',
                    'x' | 'u' | 'U' => u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32).unwrap_or('?'),
                    other => other,
                };
            }
            _ => {}
        }
        if !meant.is_whitespace() {
            let first = start + skipped + at;
            units.push(Span::new(first, first + length));
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::{
        super::{NodeKind, parse},
        *,
    };

    #[test]
    fn parts_of_texts_are_found_in_every_style() {
        for source in [
            "expr: a b !! c\n",
            "expr: 'it''s a\n  b !! c'\n",
            "expr: \"\\t\\x41 b\\u0020\\\n  !! c\"\n",
            "expr: |\n  a\n\n  b !! c\n",
            "expr: >-\n  a b\n  !! c\n\nnext: 1\n",
            "expr: |2+ # note\n    a é\n  !! c\n\n",
            "list:\r\n  - {expr: a b !!   c, next: 1}\r\n",
            "expr: a\n  b\n  !! c\n",
        ] {
            let mut nodes = vec![parse(source).unwrap().unwrap()];
            let mut found = 0;
            while let Some(node) = nodes.pop() {
                match &node.kind {
                    NodeKind::Scalar { text, .. } => {
                        let Some(at) = text.find("!!") else { continue };
                        let place = place_in_scalar(source, &node, Span::new(at, at + 2));
                        assert_eq!(&source[place.start as usize..place.end as usize], "!!", "{source:?}");
                        let end = place_in_scalar(source, &node, Span::new(text.len(), text.len()));
                        assert_eq!(source[..end.start as usize].chars().last(), Some('c'), "{source:?} {end:?}");
                        found += 1;
                    }
                    NodeKind::List(list) => nodes.extend(list.clone()),
                    NodeKind::Map(entries) => {
                        nodes.extend(entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()]));
                    }
                }
            }
            assert_eq!(found, 1, "{source:?}");
        }
    }
}
