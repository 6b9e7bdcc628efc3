//! A field by itself, for what asks about fields without a query around them.

use super::{Limits, Session, expected::Fault, field, in_order, input::Input};
use crate::syntax::{Diagnostic, Diagnostics, Span, ast::Field, lexer};

/// Reads a field that is all of a text: `span.http.method`, `duration`, `event:name`, `parent.x`.
///
/// ```
/// use traceql::syntax::parse_field;
///
/// assert_eq!(parse_field(" .service.name ").unwrap().to_string(), ".service.name");
/// assert_eq!(parse_field("span:duration").unwrap().to_string(), "duration");
/// assert!(parse_field("span.a = 1").is_err());
/// ```
///
/// # Errors
/// What is wrong with the text, and where.
pub fn parse_field(text: &str) -> Result<Field, Diagnostics> {
    let limits = Limits::default();
    if text.len() > limits.max_length {
        let message = format!("the field is {} bytes long; the limit is {}", text.len(), limits.max_length);
        return Err(Diagnostics::new(text, vec![Diagnostic::new("TQ0001", Span::new(0, 1), message)]));
    }
    let (tokens, mut faults) = lexer::tokens(text);
    let session = Session::new(limits, text.len());
    let input = Input::new(&tokens, &session);
    let found = match field::metrics_field(input) {
        _ if input.at_end() => {
            input.report(Fault::new(
                "TQ0201",
                Span::new(0, text.len()),
                "a field is expected, such as `span.http.method`",
            ));
            None
        }
        Ok((rest, found)) if rest.at_end() => Some(found.field),
        Ok((rest, _)) => {
            let span = Span::new(rest.peek().span.start as usize, text.len());
            input.report(Fault::new("TQ0201", span, "a field is expected, and nothing behind it"));
            None
        }
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
            input.report(fault);
            None
        }
        Err(nom::Err::Incomplete(_)) => None,
    };
    faults.extend(session.finish().faults);
    match found.filter(|_| faults.is_empty()) {
        Some(field) => Ok(field),
        None => Err(Diagnostics::new(text, in_order(faults))),
    }
}
