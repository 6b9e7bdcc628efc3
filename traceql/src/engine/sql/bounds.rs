//! How much a statement may ask for. What few words say can cost more than any machine has: every join is planned over
//! the columns of those before it, `CUBE` doubles with each column, a table in `WITH` is planned anew wherever it is
//! used, and operators that stand on one another run on one stack.

use std::{
    collections::{HashMap, VecDeque},
    ops::ControlFlow,
};

use datafusion::{
    common::{
        Result as PlanResult,
        tree_node::{TreeNodeRecursion, TreeNodeVisitor},
    },
    logical_expr::LogicalPlan,
    sql::sqlparser::{
        ast::{self, Expr, GroupByExpr, Select, Statement, TableFactor, VisitMut, VisitorMut},
        tokenizer::Token,
    },
};

use super::select::write_out;
use crate::{Error, Result};

/// How many tokens may follow one another without a comma between them. What is not nested for the parser may be for
/// those who walk over its tree: every operator of `1 + 1 + 1 …` is a level.
const MAX_CHAIN: usize = 2_000;

/// How many queries, tables and window functions a statement may name: each may be a level of its plan.
const MAX_PARTS: usize = 200;

/// How many times groups may be made of the same rows, by `CUBE`, `ROLLUP` and `GROUPING SETS`.
const MAX_GROUPINGS: usize = 4_096;

/// How many tables a statement may read, each as often as it is used; planning takes the cube of their number.
const MAX_TABLES: usize = 64;

/// How many operators of a plan may stand on one another.
const MAX_DEPTH: usize = 250;

/// Whether a statement's tokens are few enough for the parser's tree to be walked.
///
/// # Errors
/// [`Error::Limit`].
pub(super) fn check_tokens(tokens: &[Token]) -> Result<()> {
    if longest_chain(tokens) > MAX_CHAIN {
        return Err(Error::Limit(format!("a statement may have {MAX_CHAIN} words and signs between commas at most")));
    }
    Ok(())
}

/// The most tokens that stand side by side in one list element, what is in parentheses apart.
fn longest_chain(tokens: &[Token]) -> usize {
    let (mut open, mut current, mut longest) = (Vec::new(), 0, 0);
    for token in tokens {
        match token {
            Token::LParen => open.push(std::mem::take(&mut current)),
            Token::RParen => current = open.pop().unwrap_or(0) + 1,
            Token::Comma => current = 0,
            _ => current += 1,
        }
        longest = longest.max(current);
    }
    longest
}

/// Whether a statement can be planned, and planned as it says: what DataFusion would pass over in silence is refused.
/// What it says in short is written out.
///
/// # Errors
/// [`Error::Limit`], [`Error::Sql`].
pub(super) fn check_statement(statement: &mut Statement) -> Result<()> {
    match statement.visit(&mut Parts { count: 0, groupings: 1, queries: Vec::new() }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// What was seen of a statement.
struct Parts {
    count: usize,
    groupings: usize,
    /// The queries around the place, the innermost last.
    queries: Vec<Query>,
}

/// A query, as far as it was seen.
#[derive(Default)]
struct Query {
    /// How many tables it reads.
    tables: usize,
    /// The names of the queries in its `WITH` that were not seen yet.
    coming: VecDeque<String>,
    /// How many tables the others read.
    with: HashMap<String, usize>,
}

impl Parts {
    fn add(&mut self) -> ControlFlow<Error> {
        self.count += 1;
        if self.count <= MAX_PARTS {
            return ControlFlow::Continue(());
        }
        let reason = format!("a statement may have {MAX_PARTS} queries, tables and window functions at most");
        ControlFlow::Break(Error::Limit(reason))
    }

    fn group(&mut self, by: usize) -> ControlFlow<Error> {
        self.groupings = self.groupings.saturating_mul(by.max(1));
        if self.groupings <= MAX_GROUPINGS {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(Error::Limit(format!("rows may be grouped in {MAX_GROUPINGS} ways at most")))
    }

    /// The innermost query reads some tables.
    fn read(&mut self, tables: usize) -> ControlFlow<Error> {
        let Some(query) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        query.tables = query.tables.saturating_add(tables);
        if query.tables <= MAX_TABLES {
            return ControlFlow::Continue(());
        }
        let reason = "each counted as often as it is used, those of WITH too";
        ControlFlow::Break(Error::Limit(format!("a statement may read {MAX_TABLES} tables at most, {reason}")))
    }
}

impl VisitorMut for Parts {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<Error> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        let coming = with.map(|table| normal(&table.alias.name)).collect();
        self.queries.push(Query { coming, ..Query::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut ast::Query) -> ControlFlow<Error> {
        let tables = self.queries.pop().map_or(1, |query| query.tables.max(1));
        match self.queries.last_mut().and_then(|around| Some((around.coming.pop_front()?, around))) {
            Some((name, around)) => {
                around.with.insert(name, tables);
                ControlFlow::Continue(())
            }
            None => self.read(tables),
        }
    }

    fn pre_visit_relation(&mut self, name: &mut ast::ObjectName) -> ControlFlow<Error> {
        let with = match name.0.as_slice() {
            [ast::ObjectNamePart::Identifier(name)] => {
                let name = normal(name);
                self.queries.iter().rev().find_map(|query| query.with.get(&name).copied())
            }
            _ => None,
        };
        self.read(with.unwrap_or(1))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        write_out(select);
        let (GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers)) = &select.group_by;
        if let Some(modifier) = modifiers.first() {
            return refused(&format!("GROUP BY … {modifier}; there are GROUP BY CUBE (…), ROLLUP (…)"));
        }
        if select.prewhere.is_some() {
            return refused("PREWHERE; there is WHERE");
        }
        if !select.connect_by.is_empty() {
            return refused("CONNECT BY; there is WITH RECURSIVE");
        }
        if select.from.is_empty() {
            self.read(1)?;
        }
        self.add()
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Error> {
        match table {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                refused("TABLESAMPLE; there is WHERE random() < 0.1")
            }
            _ => self.add(),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Cube(sets) => self.group(2_usize.saturating_pow(u32::try_from(sets.len()).unwrap_or(u32::MAX))),
            Expr::Rollup(sets) => self.group(sets.len() + 1),
            Expr::GroupingSets(sets) => self.group(sets.len()),
            Expr::Function(function) if function.over.is_some() => self.add(),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn refused(what: &str) -> ControlFlow<Error> {
    ControlFlow::Break(Error::Sql(format!("there is no {what}")))
}

/// A name as DataFusion takes it: in lower case if it is not in quotes.
fn normal(name: &ast::Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// Whether a plan can be optimized and run.
///
/// # Errors
/// [`Error::Limit`].
pub(super) fn check_plan(plan: &LogicalPlan) -> Result<()> {
    let mut depth = Depth(0);
    plan.visit_with_subqueries(&mut depth)?;
    if depth.0 > MAX_DEPTH {
        return Err(Error::Limit(format!("a plan may have {MAX_DEPTH} operators on one another at most")));
    }
    Ok(())
}

/// How many operators are above a place; where there are too many, the walk ends.
struct Depth(usize);

impl<'n> TreeNodeVisitor<'n> for Depth {
    type Node = LogicalPlan;

    fn f_down(&mut self, _node: &'n LogicalPlan) -> PlanResult<TreeNodeRecursion> {
        self.0 += 1;
        Ok(if self.0 <= MAX_DEPTH { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    }

    fn f_up(&mut self, _node: &'n LogicalPlan) -> PlanResult<TreeNodeRecursion> {
        self.0 -= 1;
        Ok(TreeNodeRecursion::Continue)
    }
}
