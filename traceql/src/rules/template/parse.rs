//! Reading templates. Everything that is not understood is a fault with its place: nothing is passed through.

use super::{Operand, Part, Template, humanize::Function};
use crate::syntax::{Diagnostic, Diagnostics, Span, closest};

const HELP: &str = "there are `$value`, `$labels.name`, `index $labels \"name\"`, texts in quotes, and behind `|` \
                    humanize, humanize1024, humanizeDuration, humanizePercentage, humanizeTimestamp";

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let (template, faults) = read(text);
        if faults.is_empty() { Ok(template) } else { Err(Diagnostics::new(text, faults)) }
    }
}

/// As much of it as can be understood, and what is wrong with the rest.
pub(in crate::rules) fn read(text: &str) -> (Template, Vec<Diagnostic>) {
    let (mut parts, mut faults) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(open) = rest.find("{{") else {
            parts.push(Part::Text(rest.to_owned()));
            break;
        };
        parts.extend(rest.get(..open).filter(|text| !text.is_empty()).map(|text| Part::Text(text.to_owned())));
        let begin = at + open;
        let mut action = Action { text, begin, at: begin + 2 };
        match action.read() {
            Ok(part) => {
                parts.push(part);
                at = action.at;
            }
            Err(fault) => {
                faults.push(*fault);
                let end = text.get(begin..).and_then(|rest| rest.find("}}"));
                at = end.map_or(text.len(), |end| begin + end + 2);
            }
        }
    }
    (Template { parts }, faults)
}

/// `{{ … }}`
struct Action<'t> {
    text: &'t str,
    begin: usize,
    at: usize,
}

impl<'t> Action<'t> {
    fn read(&mut self) -> Result<Part, Box<Diagnostic>> {
        self.blanks();
        let start = self.at;
        // `humanize $value`, as well as `$value | humanize`.
        let called = self.word().and_then(|(word, _)| Function::named(word));
        if called.is_none() {
            self.at = start;
        }
        let mut functions: Vec<Function> = called.into_iter().collect();
        let operand = self.operand()?;
        loop {
            if self.eat("}}") {
                return Ok(Part::Print(operand, functions));
            }
            if !self.eat("|") {
                return Err(self.unexpected("`|` or `}}`"));
            }
            match self.word() {
                Some((word, start)) => match Function::named(word) {
                    Some(function) => functions.push(function),
                    None => return Err(Box::new(unknown_function(word, start))),
                },
                None => return Err(self.unexpected("a function")),
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, Box<Diagnostic>> {
        self.blanks();
        let start = self.at;
        if self.rest().starts_with(['"', '`']) {
            return self.quoted().map(Operand::Text);
        }
        match self.word() {
            Some(("$value" | ".Value", _)) => Ok(Operand::Value),
            Some((word @ ("$labels" | ".Labels"), _)) => Err(self.fault(start, word, "a label of it is to be named")),
            Some(("index", _)) => {
                self.blanks();
                let start = self.at;
                if !matches!(self.word(), Some(("$labels" | ".Labels", _))) {
                    self.at = start;
                    return Err(self.unexpected("`$labels`"));
                }
                self.blanks();
                match self.rest().starts_with(['"', '`']) {
                    true => self.quoted().map(Operand::Label),
                    false => Err(self.unexpected("a label's name in quotes")),
                }
            }
            Some((word, start)) => {
                let label = word.strip_prefix("$labels.").or_else(|| word.strip_prefix(".Labels."));
                match label.filter(|name| !name.is_empty() && !name.ends_with('.')) {
                    Some(name) => Ok(Operand::Label(name.to_owned())),
                    None if Function::named(word).is_some() => Err(self.unexpected("`$value` or a label")),
                    None => Err(self.fault(start, word, &format!("`{word}` has no meaning in templates"))),
                }
            }
            None => Err(self.unexpected("`$value` or a label")),
        }
    }

    /// `"…"` with escapes, or text between backticks.
    fn quoted(&mut self) -> Result<String, Box<Diagnostic>> {
        let start = self.at;
        let mut characters = self.rest().char_indices();
        let quote = characters.next().map_or('"', |(_, c)| c);
        let mut value = String::new();
        while let Some((offset, c)) = characters.next() {
            match c {
                _ if c == quote => {
                    self.at = start + offset + c.len_utf8();
                    return Ok(value);
                }
                '\\' if quote == '"' => match characters.next() {
                    Some((_, c @ ('"' | '\\'))) => value.push(c),
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    _ => {
                        let place = Span::new(start + offset, start + offset + 2);
                        let fault = Diagnostic::new("TQ0607", place, "there is no such escape");
                        return Err(Box::new(fault.help("escapes are \\\" \\\\ \\n \\t")));
                    }
                },
                '\n' if quote == '"' => break,
                c => value.push(c),
            }
        }
        let place = Span::new(start, start + 1);
        Err(Box::new(Diagnostic::new("TQ0607", place, "the text in quotes does not end")))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    /// Letters, digits and what is in names; and where they stand.
    fn word(&mut self) -> Option<(&'t str, usize)> {
        self.blanks();
        let start = self.at;
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '$' | '.' | '_' | ':');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).filter(|word| !word.is_empty()).map(|word| (word, start))
    }

    fn unexpected(&mut self, expected: &str) -> Box<Diagnostic> {
        self.blanks();
        if self.rest().is_empty() {
            let place = Span::new(self.begin, self.begin + 2);
            return Box::new(Diagnostic::new("TQ0607", place, "`{{` without `}}`"));
        }
        let next = self.rest().chars().next().map_or(1, char::len_utf8);
        let length = if self.rest().starts_with("}}") { 2 } else { next };
        let place = Span::new(self.at, self.at + length);
        Box::new(Diagnostic::new("TQ0607", place, format!("{expected} is expected here")).help(HELP))
    }

    fn fault(&self, start: usize, word: &str, message: &str) -> Box<Diagnostic> {
        let place = Span::new(start, start + word.len());
        let fault = Diagnostic::new("TQ0607", place, message);
        Box::new(match closest(word, ["$value", "$labels", "index"].into_iter()) {
            Some(near) if near != word => fault.help(format!("did you mean `{near}`?")),
            _ => fault.help(HELP),
        })
    }
}

fn unknown_function(word: &str, start: usize) -> Diagnostic {
    let fault =
        Diagnostic::new("TQ0607", Span::new(start, start + word.len()), format!("there is no function `{word}`"));
    match closest(word, Function::ALL.into_iter().map(|(name, _)| name)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(HELP),
    }
}
