//! From text to a statement: one, and one that reads.

use datafusion::sql::{
    parser::{DFParserBuilder, Statement},
    sqlparser::{
        ast,
        dialect::GenericDialect,
        tokenizer::{Token, Tokenizer},
    },
};

use super::bounds::{check_statement, check_tokens};
use crate::{Error, Result};

/// How deeply expressions may be nested; the parser's own walk and DataFusion's use the stack.
const MAX_DEPTH: usize = 100;

/// The statement, if it only reads, and its tokens.
///
/// # Errors
/// [`Error::Sql`], [`Error::Limit`].
pub(super) fn parse(text: &str) -> Result<(Statement, Vec<Token>)> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize().unwrap_or_default();
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    check_tokens(&tokens)?;
    let parser = DFParserBuilder::new(text).with_dialect(&GenericDialect {}).with_recursion_limit(MAX_DEPTH).build();
    let mut statements = parser.and_then(|mut parser| parser.parse_statements()).map_err(super::error::explain)?;
    let (Some(mut statement), None) = (statements.pop_front(), statements.pop_front()) else {
        return Err(Error::Sql("one statement is needed, no more and no less".to_owned()));
    };
    if !reads(&statement) {
        let word = tokens.first().map(ToString::to_string).unwrap_or_default().to_uppercase();
        let reason = "SQL reads and nothing else: SELECT, WITH, VALUES, EXPLAIN, DESCRIBE, SHOW";
        return Err(Error::Sql(format!("{word} is refused; {reason}")));
    }
    if let Some(query) = query(&mut statement) {
        check_statement(query)?;
    }
    Ok((statement, tokens))
}

/// The statement as SQL has it, of which `EXPLAIN` may tell.
fn query(statement: &mut Statement) -> Option<&mut ast::Statement> {
    match statement {
        Statement::Statement(statement) => Some(statement),
        Statement::Explain(explain) => query(&mut explain.statement),
        _ => None,
    }
}

/// Whether a statement cannot change anything. What hides in a query (`SELECT … INTO`) shows in its plan.
fn reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(
            statement.as_ref(),
            ast::Statement::Query(_)
                | ast::Statement::ExplainTable { .. }
                | ast::Statement::ShowTables { .. }
                | ast::Statement::ShowColumns { .. }
                | ast::Statement::ShowFunctions { .. }
        ),
        Statement::Explain(explain) => reads(&explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}
