//! What a statement says of attributes, told from its tokens: names in double quotes, keys in brackets. Which of them
//! are attributes the data says. Too many are no harm: a name that is something else in the statement is a column that
//! nobody asks for.

use std::collections::BTreeSet;

use datafusion::sql::sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, Word},
};

/// The names in a statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Names in quotes, as `"http.method"`.
    pub(super) quoted: BTreeSet<String>,
    /// Keys of a column, as `attributes['http.method']`: the column, the key.
    pub(super) keys: BTreeSet<(String, String)>,
    /// All other words, in lower case.
    words: BTreeSet<String>,
    /// Whether columns may be meant that are not named: `*`, natural joins.
    everything: bool,
}

impl Names {
    /// The names in a statement, given by its tokens without spaces.
    pub(super) fn of(tokens: &[Token]) -> Self {
        let mut names = Self::default();
        for (place, token) in tokens.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| tokens.get(place));
            names.note(before, token, tokens.get(place + 1..).unwrap_or(&[]));
        }
        names
    }

    fn note(&mut self, before: Option<&Token>, token: &Token, after: &[Token]) {
        match (token, after) {
            (
                Token::Word(column),
                [Token::LBracket, Token::SingleQuotedString(key) | Token::DoubleQuotedString(key), Token::RBracket, ..],
            ) => {
                self.keys.insert((normal(column), key.clone()));
            }
            (Token::Word(word), _) if word.quote_style.is_some() => {
                self.quoted.insert(word.value.clone());
                self.words.insert(word.value.clone());
            }
            (Token::Word(word), _) => {
                // `FROM spans` without a SELECT is short for all columns.
                self.everything |= word.keyword == Keyword::NATURAL
                    || (word.keyword == Keyword::FROM && matches!(before, None | Some(Token::LParen)));
                self.words.insert(normal(word));
            }
            // `count(*)` names no column.
            (Token::Mul, [Token::RParen, ..]) if before == Some(&Token::LParen) => {}
            (Token::Mul, _) => self.everything = true,
            _ => {}
        }
    }

    /// Whether a column may be asked for.
    pub(super) fn want(&self, column: &str) -> bool {
        self.everything || self.words.contains(column)
    }
}

/// A word as DataFusion takes it: in lower case if it is not in quotes.
fn normal(word: &Word) -> String {
    if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sql::statement::parse;

    fn names(text: &str) -> Names {
        Names::of(&parse(text).unwrap().1)
    }

    #[test]
    fn names_are_told_from_texts() {
        let names = names(
            "SELECT count(*), s.\"a.b\", Attributes['c.d'] FROM spans s -- \"comment\"\n WHERE x = '\"text\"' AND Y > 2",
        );
        assert_eq!(names.quoted, ["a.b".to_owned()].into());
        assert_eq!(names.keys, [("attributes".to_owned(), "c.d".to_owned())].into());
        assert!(names.want("y") && !names.want("attributes") && !names.want("links"));
    }

    #[test]
    fn a_star_wants_everything() {
        for text in ["SELECT * FROM spans", "SELECT s.* FROM spans s", "FROM spans", "SELECT 1 FROM a NATURAL JOIN b"] {
            assert!(names(text).want("attributes"), "{text}");
        }
        for text in ["SELECT count ( * ) FROM spans", "SELECT extract(hour FROM start_time) FROM spans"] {
            assert!(!names(text).want("attributes"), "{text}");
        }
    }
}
