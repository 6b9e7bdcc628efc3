//! Regular expressions: a pattern in the syntax of Go's RE2 as one that means the same to Rust's `regex` crate
//! (SEMANTICS.md X3).
//!
//! The two agree on most things. Where they do not, the output is spelt out: classes like `\d` are ASCII, a bracket
//! within a class is a character, `{,3}` is text, repeats end at 1000. What Go refuses is refused.

use std::fmt::Write;

use regex_syntax::ast::parse::Parser as AstParser;

/// The largest number in a repeat, and the largest product of nested ones.
const MAX_REPEAT: u32 = 1_000;
/// How deep groups may be nested.
const MAX_DEPTH: usize = 200;

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t\n\x0C\r ";

/// Why a pattern is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError {
    /// What is wrong.
    pub message: String,
    /// The character of the pattern it is at, from 0.
    pub offset: usize,
}

type Result<T> = std::result::Result<T, RegexError>;

/// The pattern for the `regex` crate, anchored at both ends, with a dot that matches line feeds.
///
/// # Errors
/// When Go's RE2 would refuse it.
pub fn translate(pattern: &str) -> Result<String> {
    let mut translator = Translator { input: pattern.chars().collect(), at: 0, out: String::new(), depth: 0 };
    translator.alternatives()?;
    if translator.peek().is_some() {
        return Err(translator.error("this parenthesis closes nothing"));
    }
    let translated = format!(r"\A(?s:{})\z", translator.out);
    // What is left to refuse: empty ranges, unknown classes, repeated group names.
    let parsed = AstParser::new().parse(&translated).map_err(|error| error.kind().to_string());
    let parsed = parsed.and_then(|ast| {
        let mut translator = regex_syntax::hir::translate::TranslatorBuilder::new().utf8(true).build();
        translator.translate(&translated, &ast).map_err(|error| error.kind().to_string())
    });
    match parsed {
        Ok(_) => Ok(translated),
        Err(message) => Err(RegexError { message, offset: 0 }),
    }
}

/// A cursor over the pattern, and what was translated.
struct Translator {
    input: Vec<char>,
    at: usize,
    out: String,
    depth: usize,
}

/// What was just translated, as far as repeats care.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing that could be repeated.
    None,
    /// Something, in which nested repeats multiply to this much at most.
    Atom(u32),
    /// A repeat, which cannot be repeated again.
    Repeat(u32),
}

impl Translator {
    fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.input.get(self.at + ahead).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        let matches = text.chars().enumerate().all(|(ahead, c)| self.peek_at(ahead) == Some(c));
        if matches {
            self.at += text.chars().count();
        }
        matches
    }

    fn error(&self, message: &str) -> RegexError {
        RegexError { message: message.to_owned(), offset: self.at.min(self.input.len().saturating_sub(1)) }
    }

    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() || matches!(c, ' ' | '_') {
            self.out.push(c);
        } else {
            let _ = write!(self.out, "\\x{{{:X}}}", u32::from(c));
        }
    }

    /// Up to a closing parenthesis or the end. Returns the largest product of repeats within.
    fn alternatives(&mut self) -> Result<u32> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("groups are nested too deep"));
        }
        let (mut last, mut most) = (Last::None, 1);
        while let Some(c) = self.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    self.out.push('|');
                    last = Last::None;
                }
                '*' | '+' | '?' => {
                    self.at += 1;
                    last = self.repeat(last, &c.to_string(), 1)?;
                }
                '{' => last = self.counted(last)?,
                _ => last = self.atom(c)?,
            }
            if let Last::Atom(count) | Last::Repeat(count) = last {
                most = most.max(count);
            }
        }
        self.depth -= 1;
        Ok(most)
    }

    /// A repeat of what was last; `factor` is how often it may multiply.
    fn repeat(&mut self, last: Last, text: &str, factor: u32) -> Result<Last> {
        let Last::Atom(count) = last else {
            self.at -= 1;
            return Err(self.error(match last {
                Last::None => "there is nothing to repeat",
                _ => "a repeat cannot be repeated",
            }));
        };
        let product = count.saturating_mul(factor);
        if product > MAX_REPEAT {
            return Err(self.error("repeats are limited to 1000, nested ones multiplied"));
        }
        self.out.push_str(text);
        if self.eat("?") {
            self.out.push('?');
        }
        Ok(Last::Repeat(product))
    }

    /// `{n}`, `{n,}` or `{n,m}`; a brace that begins none of them is a character.
    fn counted(&mut self, last: Last) -> Result<Last> {
        let Some((least, most, len)) = self.count() else {
            self.at += 1;
            self.literal('{');
            return Ok(Last::Atom(1));
        };
        if least.max(most.unwrap_or(0)) > MAX_REPEAT || most.is_some_and(|most| most < least) {
            return Err(self.error("this repeat count is out of order or beyond 1000"));
        }
        let text: String = self.input.get(self.at..self.at + len).unwrap_or(&[]).iter().collect();
        self.at += len;
        self.repeat(last, &text, most.unwrap_or(least).max(1))
    }

    /// The numbers of a repeat count, and how long it is.
    fn count(&self) -> Option<(u32, Option<u32>, usize)> {
        let rest = self.input.get(self.at + 1..)?;
        let len = rest.iter().position(|c| *c == '}')?;
        let text: String = rest.get(..len)?.iter().collect();
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // Go knows no leading zeros here. A number too large to hold is refused as one that is too large.
            let plain = digits && (text == "0" || !text.starts_with('0'));
            plain.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let (least, most) = match text.split_once(',') {
            None => (number(&text)?, Some(number(&text)?)),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        Some((least, most, len + 2))
    }

    fn atom(&mut self, c: char) -> Result<Last> {
        match c {
            '(' => return self.group(),
            '[' => self.class()?,
            '\\' => return self.escape(),
            '.' | '^' | '$' => {
                self.at += 1;
                self.out.push(c);
            }
            _ => {
                self.at += 1;
                self.literal(c);
            }
        }
        Ok(Last::Atom(1))
    }

    fn group(&mut self) -> Result<Last> {
        let start = self.at;
        self.at += 1;
        if !self.eat("?") {
            self.out.push('(');
        } else if self.eat("P<")
            || self.peek() == Some('<') && !matches!(self.peek_at(1), Some('=' | '!')) && self.eat("<")
        {
            let name: String = self.input.iter().skip(self.at).take_while(|c| **c != '>').collect();
            let fits = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
            self.at += name.chars().count();
            if !fits || !self.eat(">") {
                return Err(self.error("this is no group name"));
            }
            // Names may begin with a digit in Go only; nobody asks for the groups.
            let _ = write!(self.out, "(?P<g{name}>");
        } else {
            let flags: String = self.input.iter().skip(self.at).take_while(|c| !matches!(c, ')' | ':')).collect();
            if !is_flags(&flags) {
                return Err(self.error("this group is not known: there are (…), (?:…), (?P<name>…) and flags of imsU"));
            }
            self.at += flags.chars().count();
            let _ = write!(self.out, "(?{flags}");
            if self.eat(")") {
                if flags.is_empty() {
                    return Err(self.error("flags are missing"));
                }
                self.out.push(')');
                return Ok(Last::None);
            }
            self.at += 1;
            self.out.push(':');
        }
        let most = self.alternatives()?;
        if !self.eat(")") {
            self.at = start;
            return Err(self.error("this parenthesis is not closed"));
        }
        self.out.push(')');
        Ok(Last::Atom(most))
    }

    fn escape(&mut self) -> Result<Last> {
        if self.eat(r"\Q") {
            let mut any = false;
            while self.peek().is_some() && !self.eat(r"\E") {
                let c = self.peek().unwrap_or(' ');
                self.at += 1;
                self.literal(c);
                any = true;
            }
            return Ok(if any { Last::Atom(1) } else { Last::None });
        }
        let Some(escaped) = self.peek_at(1) else { return Err(self.error("a backslash ends the pattern")) };
        let translated = match escaped {
            'd' => format!("[{DIGIT}]"),
            'D' => format!("[^{DIGIT}]"),
            'w' => format!("[{WORD}]"),
            'W' => format!("[^{WORD}]"),
            's' => format!("[{SPACE}]"),
            'S' => format!("[^{SPACE}]"),
            'b' => r"(?-u:\b)".to_owned(),
            'B' => r"(?-u:\B)".to_owned(),
            'A' => r"\A".to_owned(),
            'z' => r"\z".to_owned(),
            'p' | 'P' => {
                let class = self.unicode_class()?;
                self.out.push_str(&class);
                return Ok(Last::Atom(1));
            }
            _ => {
                let c = self.character_escape()?;
                self.literal(c);
                return Ok(Last::Atom(1));
            }
        };
        self.at += 2;
        self.out.push_str(&translated);
        Ok(Last::Atom(1))
    }

    /// An escape that stands for one character.
    fn character_escape(&mut self) -> Result<char> {
        self.at += 1;
        let Some(c) = self.peek() else { return Err(self.error("a backslash ends the pattern")) };
        let simple = match c {
            'a' => Some('\x07'),
            'f' => Some('\x0C'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0B'),
            c if c.is_ascii_punctuation() => Some(c),
            _ => None,
        };
        if let Some(simple) = simple {
            self.at += 1;
            return Ok(simple);
        }
        let octal_digit = |c: Option<char>| c.and_then(|c| c.to_digit(8));
        match c {
            // One digit other than 0 would be a back-reference.
            '0'..='7' if c == '0' || octal_digit(self.peek_at(1)).is_some() => {
                let mut value = 0;
                for _ in 0..3 {
                    let Some(digit) = octal_digit(self.peek()) else { break };
                    value = value * 8 + digit;
                    self.at += 1;
                }
                char::from_u32(value).ok_or_else(|| self.error("this is no character"))
            }
            'x' => {
                self.at += 1;
                let digits: String = if self.eat("{") {
                    let digits: String = self.input.iter().skip(self.at).take_while(|c| **c != '}').collect();
                    self.at += digits.chars().count() + 1;
                    digits
                } else {
                    let digits: String = self.input.iter().skip(self.at).take(2).collect();
                    self.at += 2;
                    if digits.chars().count() < 2 { String::new() } else { digits }
                };
                let hex = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
                let value = hex.then(|| u32::from_str_radix(&digits, 16).ok()).flatten().and_then(char::from_u32);
                value.ok_or_else(|| self.error("this is no character"))
            }
            '1'..='9' => Err(self.error("back-references are not supported")),
            _ => Err(self.error("this escape is not known")),
        }
    }

    /// `\pN`, `\p{Greek}`, `\P{^Greek}`.
    fn unicode_class(&mut self) -> Result<String> {
        let mut negated = self.peek_at(1) == Some('P');
        self.at += 2;
        let name: String = if self.eat("{") {
            let name: String = self.input.iter().skip(self.at).take_while(|c| **c != '}').collect();
            self.at += name.chars().count();
            if !self.eat("}") {
                return Err(self.error("this class name has no end"));
            }
            match name.strip_prefix('^') {
                Some(rest) => {
                    negated = !negated;
                    rest.to_owned()
                }
                None => name,
            }
        } else {
            let name = self.peek().map(String::from).unwrap_or_default();
            self.at += 1;
            name
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic() || c == '_') {
            return Err(self.error("this is no class name"));
        }
        // Categories and scripts; other properties are not RE2's.
        let known = |property| regex_syntax::parse(&format!(r"\p{{{property}={name}}}")).is_ok();
        if name != "Any" && !known("gc") && !known("sc") {
            return Err(self.error("there is no such class"));
        }
        let name = if name == "Any" { "any" } else { &name };
        Ok(format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }))
    }

    /// `[…]`: ranges and named classes, no operations on sets.
    fn class(&mut self) -> Result<()> {
        let start = self.at;
        self.at += 1;
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek() else {
                self.at = start;
                return Err(self.error("this bracket is not closed"));
            };
            if c == ']' && !first {
                self.at += 1;
                self.out.push(']');
                return Ok(());
            }
            first = false;
            if self.named_class(c)? {
                continue;
            }
            let low = self.class_character()?;
            let ranged = self.peek() == Some('-') && self.peek_at(1).is_some_and(|c| c != ']');
            self.literal(low);
            if ranged {
                self.at += 1;
                let high = self.class_character()?;
                if high < low {
                    return Err(self.error("this range is empty"));
                }
                self.out.push('-');
                self.literal(high);
            }
        }
    }

    /// `\d`, `[:alpha:]` and the like within brackets.
    fn named_class(&mut self, c: char) -> Result<bool> {
        if c == '[' && self.peek_at(1) == Some(':') {
            let name: String = self.input.iter().skip(self.at + 2).take_while(|c| **c != ':').collect();
            let len = name.chars().count();
            if self.peek_at(2 + len) == Some(':') && self.peek_at(3 + len) == Some(']') {
                const NAMES: [&str; 14] = [
                    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
                    "upper", "word", "xdigit",
                ];
                if !NAMES.contains(&name.strip_prefix('^').unwrap_or(&name)) {
                    return Err(self.error("this class is not known"));
                }
                let _ = write!(self.out, "[:{name}:]");
                self.at += len + 4;
                return Ok(true);
            }
        }
        let class = match (c, self.peek_at(1)) {
            ('\\', Some('d')) => DIGIT.to_owned(),
            ('\\', Some('w')) => WORD.to_owned(),
            ('\\', Some('s')) => SPACE.to_owned(),
            ('\\', Some('D')) => format!("[^{DIGIT}]"),
            ('\\', Some('W')) => format!("[^{WORD}]"),
            ('\\', Some('S')) => format!("[^{SPACE}]"),
            ('\\', Some('p' | 'P')) => {
                let class = self.unicode_class()?;
                self.out.push_str(&class);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.out.push_str(&class);
        self.at += 2;
        Ok(true)
    }

    fn class_character(&mut self) -> Result<char> {
        match self.peek() {
            Some('\\') => self.character_escape(),
            Some(c) => {
                self.at += 1;
                Ok(c)
            }
            None => Err(self.error("this bracket is not closed")),
        }
    }
}

/// Flags of a group: letters that are on, then perhaps a minus and letters that are off.
fn is_flags(flags: &str) -> bool {
    let (on, off) = flags.split_once('-').map_or((flags, None), |(on, off)| (on, Some(off)));
    let letters = |text: &str| text.chars().all(|c| matches!(c, 'i' | 'm' | 's' | 'U'));
    letters(on) && off.is_none_or(|off| !off.is_empty() && letters(off))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        regex::Regex::new(&translate(pattern).unwrap()).unwrap().is_match(text)
    }

    #[test]
    fn the_differences_between_re2_and_rust() {
        for (pattern, text, expected, why) in [
            ("a", "ab", false, "whole strings are matched"),
            ("a|b", "b", true, "the anchors are around all alternatives"),
            ("a.b", "a\nb", true, "a dot matches a line feed"),
            ("(?-s)a.b", "a\nb", false, "unless it is told not to"),
            (r"\d", "٣", false, r"\d is ASCII"),
            (r"\w", "é", false, r"\w is ASCII"),
            (r"\W", "é", true, r"and so is its complement"),
            (r"[\w-]+", "a-b", true, "a minus at the end is a character"),
            (r"[^\D]", "7", true, "classes nest in classes by name only"),
            (r"\s", "\u{b}", false, r"\s has no vertical tab"),
            (r"\s", "\u{a0}", false, "nor a no-break space"),
            (r"é\b.*", "é x", false, r"\b is ASCII: é is no word character"),
            ("[a&&b]", "&", true, "no set operations"),
            ("[+--]", ",", true, "a range up to minus: no difference of sets"),
            ("[[]", "[", true, "a bracket in a class is a character"),
            ("[a~~b]", "~", true, "no symmetric difference"),
            ("[]a]", "]", true, "a bracket that comes first is a character"),
            ("[^]a]", "b", true, "also behind a caret"),
            (r"\Qa.b\E+", "a.bb", true, "quoted text; the repeat is of its last character"),
            (r"\Qa.b", "a.b", true, "quoted to the end"),
            ("a{,2}", "a{,2}", true, "a repeat without a lower end is text"),
            ("a{x", "a{x", true, "a brace that begins no repeat is text"),
            ("}]", "}]", true, "closing brackets alone are text"),
            (r"\x41\x{1F600}", "A😀", true, "hexadecimal escapes"),
            (r"\101\07", "A\u{7}", true, "octal escapes"),
            (r"\pN\p{Greek}\P{^Greek}", "1αα", true, "Unicode classes by name"),
            (r"[[:word:]]", "_", true, "POSIX classes"),
            (r"(?i)straße", "STRAßE", true, "case folding"),
            (r"(?U)a+", "aa", true, "ungreedy"),
            (r"\_\-", "_-", true, "punctuation may be escaped"),
            ("", "", true, "the empty pattern"),
        ] {
            assert_eq!(matches(pattern, text), expected, "`{pattern}` on {text:?}: {why}");
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for (pattern, offset) in [
            ("(?=a)", 2),
            ("(?!a)", 2),
            ("(?<=a)", 2),
            (r"(a)\1", 4),
            ("a**", 2),
            ("*a", 0),
            ("a{1001}", 1),
            ("(a{100}){11}", 11),
            ("a{2,1}", 1),
            ("(a", 0),
            ("a)", 1),
            ("[a", 0),
            ("[z-a]", 4),
            ("[a--b]", 4),
            (r"\ ", 1),
            ("(?x)a", 2),
            (r"\C", 1),
            (r"\y", 1),
            (r"a\", 1),
            ("a++", 2),
        ] {
            let error = translate(pattern).expect_err(pattern);
            assert_eq!(error.offset, offset, "{pattern}: {}", error.message);
        }
    }
}
