//! Text to tokens. Two modes: after a dot or a scope and a dot comes an attribute name, which has rules of its own.

use super::{
    Diagnostic, Span,
    ast::Scope,
    number,
    token::{INTRINSIC_SCOPES, OPERATORS, SCOPES, Token, TokenKind, begins_word, ends_name, in_word},
};

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// All tokens of a text, with an end token after the last, and what in it is no token.
pub(super) fn tokens(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut faults = Vec::new();
    loop {
        if let Err(unclosed) = lexer.skip_blanks() {
            faults.push(*unclosed);
            lexer.at = text.len();
        }
        let start = lexer.at;
        let kind = lexer.token().unwrap_or_else(|fault| {
            faults.push(*fault);
            TokenKind::Invalid
        });
        let end = kind == TokenKind::End;
        tokens.push(Token { kind, span: Span::new(start, lexer.at) });
        if end {
            return (tokens, faults);
        }
    }
}

/// A cursor over the text.
struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Takes characters as long as a test holds.
    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !test(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or("")
    }

    /// Something without an end: said of its first character, and the rest of the line is passed over.
    fn unclosed(&mut self, code: &'static str, start: usize, message: &str, help: &str) -> Box<Diagnostic> {
        self.at = start + 1;
        let error = self.error(code, start, message).with_help(help);
        self.take_while(|c| c != '\n');
        error
    }

    fn error(&self, code: &'static str, start: usize, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(code, Span::new(start, self.at.max(start)), message))
    }

    /// Skips white space and comments.
    fn skip_blanks(&mut self) -> Result<()> {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
            let start = self.at;
            if self.eat("//") {
                self.take_while(|c| c != '\n');
            } else if self.eat("/*") {
                match self.rest().find("*/") {
                    Some(len) => self.at += len + 2,
                    None => {
                        return Err(self
                            .error("TQ0101", start, "this comment has no end")
                            .with_help("close it with `*/`"));
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<TokenKind> {
        let start = self.at;
        let Some(first) = self.peek() else { return Ok(TokenKind::End) };
        let second = self.rest().chars().nth(1);
        match first {
            '"' => self.quoted().map(TokenKind::String),
            '`' => self.raw().map(TokenKind::String),
            '\'' => {
                self.bump();
                self.take_while(|c| c != '\'' && c != '\n');
                self.eat("'");
                let help = "write texts in double quotes or backticks";
                Err(self.error("TQ0102", start, "`'` does not begin a text").with_help(help))
            }
            '0'..='9' => self.number(),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            '.' => {
                self.bump();
                self.attribute(start, Scope::Unscoped)
            }
            first if begins_word(first) => self.word(),
            _ => self.operator(),
        }
    }

    fn operator(&mut self) -> Result<TokenKind> {
        let start = self.at;
        let rest = self.rest();
        let found = OPERATORS.iter().filter(|(name, _)| rest.starts_with(name)).max_by_key(|(name, _)| name.len());
        if let Some((name, op)) = found {
            self.at += name.len();
            return Ok(TokenKind::Op(*op));
        }
        let unknown = self.bump().unwrap_or(' ');
        let error = self.error("TQ0103", start, format!("`{}` means nothing here", unknown.escape_debug()));
        Err(match unknown {
            '&' => error.with_help("write `&&` for and"),
            '#' => error.with_help("comments begin with `//`"),
            _ => error,
        })
    }

    /// `"…"` with Go's escapes.
    fn quoted(&mut self) -> Result<String> {
        let start = self.at;
        self.bump();
        let mut bytes = Vec::new();
        let mut fault = None;
        loop {
            let escape = self.at;
            match self.bump() {
                Some('"') => break,
                Some('\\') => {
                    if let Err(unknown) = self.escape(escape, &mut bytes) {
                        fault.get_or_insert(unknown);
                    }
                }
                None | Some('\n') => {
                    return Err(self.unclosed("TQ0102", start, "this text has no end", "close it with `\"`"));
                }
                Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None => String::from_utf8(bytes).map_err(|_| self.error("TQ0102", start, "this text is not UTF-8")),
        }
    }

    fn escape(&mut self, start: usize, bytes: &mut Vec<u8>) -> Result<()> {
        let escaped = self.bump();
        let (simple, digits, radix) = match escaped {
            Some('a') => (Some(7), 0, 0),
            Some('b') => (Some(8), 0, 0),
            Some('f') => (Some(12), 0, 0),
            Some('n') => (Some(10), 0, 0),
            Some('r') => (Some(13), 0, 0),
            Some('t') => (Some(9), 0, 0),
            Some('v') => (Some(11), 0, 0),
            Some('\\') => (Some(92), 0, 0),
            Some('"') => (Some(34), 0, 0),
            Some('x') => (None, 2, 16),
            Some('u') => (None, 4, 16),
            Some('U') => (None, 8, 16),
            Some('0'..='7') => {
                self.at -= 1;
                (None, 3, 8)
            }
            _ => {
                let help =
                    r#"known are \a \b \f \n \r \t \v \\ \" \xHH \ooo \uHHHH \UHHHHHHHH; backticks take text as it is"#;
                return Err(self.error("TQ0102", start, "this escape is not known").with_help(help));
            }
        };
        if let Some(byte) = simple {
            bytes.push(byte);
            return Ok(());
        }
        let mut value = 0_u32;
        for _ in 0..digits {
            let digit = self.peek().and_then(|c| c.to_digit(radix));
            let Some(digit) = digit else {
                let message = format!("this escape needs {digits} digits");
                return Err(self.error("TQ0102", start, message));
            };
            self.bump();
            value = value.wrapping_mul(radix).wrapping_add(digit);
        }
        match (digits, u8::try_from(value), char::from_u32(value)) {
            (2 | 3, Ok(byte), _) => bytes.push(byte),
            (4 | 8, _, Some(c)) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return Err(self.error("TQ0102", start, "this escape stands for no character")),
        }
        Ok(())
    }

    /// `` `…` ``, no escapes.
    fn raw(&mut self) -> Result<String> {
        let start = self.at;
        self.bump();
        let text = self.take_while(|c| c != '`').to_owned();
        if self.bump().is_none() {
            return Err(self.unclosed("TQ0102", start, "this text has no end", "close it with a backtick"));
        }
        Ok(text)
    }

    fn number(&mut self) -> Result<TokenKind> {
        let start = self.at;
        let text = number::extent(self.rest());
        self.at += text.len();
        number::parse(text).map_err(|reason| {
            let error = self.error("TQ0104", start, reason.message(text));
            match reason.help() {
                Some(help) => error.with_help(help),
                None => error,
            }
        })
    }

    fn word(&mut self) -> Result<TokenKind> {
        let start = self.at;
        let word = self.take_while(in_word);
        if let Some((_, scope)) = SCOPES.iter().find(|(name, _)| *name == word)
            && self.eat(".")
        {
            let scope = match scope {
                Scope::Parent if self.eat("span.") => Scope::ParentSpan,
                Scope::Parent if self.eat("resource.") => Scope::ParentResource,
                scope => *scope,
            };
            return self.attribute(start, scope);
        }
        if let Some(scope) = INTRINSIC_SCOPES.iter().find(|name| **name == word)
            && self.eat(":")
        {
            self.skip_blanks()?;
            let name = self.take_while(in_word).to_owned();
            return Ok(TokenKind::Scoped(scope, name));
        }
        Ok(TokenKind::Word(word.to_owned()))
    }

    /// An attribute name: quoted and unquoted parts in any order.
    fn attribute(&mut self, start: usize, scope: Scope) -> Result<TokenKind> {
        let mut name = String::new();
        let name_start = self.at;
        while let Some(c) = self.peek().filter(|c| !ends_name(*c)) {
            self.bump();
            if c == '"' {
                self.quoted_part(start, &mut name)?;
            } else {
                name.push(c);
            }
        }
        if self.at == name_start {
            return Err(self.error("TQ0105", start, "an attribute name is missing after the dot"));
        }
        Ok(TokenKind::Attribute(scope, name))
    }

    fn quoted_part(&mut self, start: usize, name: &mut String) -> Result<()> {
        loop {
            match self.bump() {
                Some('"') => return Ok(()),
                Some('\\') => match self.bump() {
                    Some(c @ ('"' | '\\')) => name.push(c),
                    _ => {
                        let help = r#"a quoted name knows \" and \\ only"#;
                        let error = self.error("TQ0105", start, "this escape is not known").with_help(help);
                        self.take_while(|c| c != '"' && c != '\n');
                        self.eat("\"");
                        return Err(error);
                    }
                },
                Some(c) => name.push(c),
                None => {
                    return Err(self.unclosed("TQ0105", start, "this quoted name has no end", "close it with `\"`"));
                }
            }
        }
    }
}

impl Diagnostic {
    /// The same with a help text, still boxed.
    #[expect(clippy::boxed_local, reason = "errors are boxed from the start, so that results stay small")]
    pub(super) fn with_help(self: Box<Self>, help: &str) -> Box<Self> {
        Box::new(self.help(help))
    }
}
