//! Diagnostics as text: the message, the line of the query, carets below the place.

use std::fmt::Write;

use super::{Diagnostic, Span};

/// A line longer than this is cut around the place.
const MAX_WIDTH: usize = 100;

/// The diagnostic as lines of text, without colour, without a line feed at the end.
pub(crate) fn render(source: &str, diagnostic: &Diagnostic) -> String {
    let severity = diagnostic.kind().severity();
    let mut out = format!("{severity}[{}]: {}", diagnostic.code, diagnostic.message);
    place(&mut out, source, diagnostic.span, "");
    if let Some((span, label)) = &diagnostic.related {
        place(&mut out, source, *span, label);
    }
    if let Some(help) = &diagnostic.help {
        let _ = write!(out, "\n  = help: {help}");
    }
    out
}

/// Appends a line of the query with carets and a label.
fn place(out: &mut String, source: &str, span: Span, label: &str) {
    let start = floor_char(source, span.start as usize);
    let end = floor_char(source, (span.end as usize).max(start));
    let before = source.get(..start).unwrap_or("");
    let number = before.matches('\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = source.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    let column = source.get(line_start..start).map_or(0, |text| text.chars().count());
    let within = source.get(start..end).and_then(|text| text.lines().next()).unwrap_or("");

    // Control characters would break the column: each shows as one blank.
    let shown: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let skip = if shown.len() > MAX_WIDTH { column.saturating_sub(MAX_WIDTH / 2) } else { 0 };
    let text: String = shown.iter().skip(skip).take(MAX_WIDTH).collect();
    let (left, right) = (if skip > 0 { "…" } else { "" }, if shown.len() > skip + MAX_WIDTH { "…" } else { "" });
    let indent = column - skip + left.chars().count();
    let carets = within.chars().count().clamp(1, MAX_WIDTH.saturating_sub(column - skip).max(1));
    let gutter = number.to_string();
    let blank = " ".repeat(gutter.len());
    let _ = write!(
        out,
        "\n {blank} |\n {gutter} | {left}{text}{right}\n {blank} | {}{}{}{label}",
        " ".repeat(indent),
        "^".repeat(carets),
        if label.is_empty() { "" } else { " " },
    );
}

/// Line and column of a place, both from 1.
pub(crate) fn line_and_column(source: &str, span: Span) -> (usize, usize) {
    let before = source.get(..floor_char(source, span.start as usize)).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).map_or(0, |text| text.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

/// The last boundary between characters that is not after `index`.
fn floor_char(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_below_the_place() {
        let source = "{\n  náme == \"x\" }";
        let start = source.find("==").unwrap();
        let diagnostic =
            Diagnostic::new("TQ0201", Span::new(start, start + 2), "`==` is no operator").help("write `=`");
        let expected =
            "error[TQ0201]: `==` is no operator\n   |\n 2 |   náme == \"x\" }\n   |        ^^\n  = help: write `=`";
        assert_eq!(render(source, &diagnostic), expected);
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let text = render(&source, &Diagnostic::new("TQ0101", Span::new(500, 501), "here"));
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[3].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[2].chars().nth(caret), Some('!'));
        assert!(lines[2].chars().count() < 120);
    }
}
