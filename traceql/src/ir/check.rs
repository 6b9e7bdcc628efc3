//! Static types: which operands fit which operators, as Tempo checks them (SEMANTICS.md; traceql.md §4.1 and §9).

use super::regex::translate;
use crate::syntax::{
    Diagnostic, Span,
    ast::{BinaryOp, Field, FieldExpr, FieldExprKind, Intrinsic, Literal, Query, Scope, UnaryOp},
};

type Result<T> = std::result::Result<T, Box<Diagnostic>>;

/// What is known of a value without looking at a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    String,
    Int,
    Float,
    Bool,
    Duration,
    Status,
    Kind,
    /// Known only at run time.
    Attribute,
}

impl Type {
    fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Duration)
    }

    fn fits(self, other: Self) -> bool {
        self == other || self == Self::Attribute || other == Self::Attribute || self.is_numeric() && other.is_numeric()
    }

    fn allows(self, op: BinaryOp) -> bool {
        use BinaryOp::{And, Equal, Matches, NotEqual, NotMatches, Or};
        match self {
            Self::Attribute => true,
            Self::Bool => matches!(op, And | Or | Equal | NotEqual),
            Self::Int | Self::Float | Self::Duration => !matches!(op, And | Or | Matches | NotMatches),
            Self::String => is_comparison(op) || matches!(op, Matches | NotMatches),
            Self::Status | Self::Kind => matches!(op, Equal | NotEqual),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Int => "an integer",
            Self::Float => "a float",
            Self::Bool => "true or false",
            Self::Duration => "a duration",
            Self::Status => "a status",
            Self::Kind => "a kind",
            Self::Attribute => "an attribute",
        }
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    matches!(op, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual)
}

/// Checks a query's types.
///
/// # Errors
/// The first thing that does not fit.
pub(crate) fn check(query: &Query) -> Result<()> {
    let Some(expr) = &query.filter.expr else { return Ok(()) };
    match type_of(expr)? {
        Type::Bool | Type::Attribute => Ok(()),
        other => {
            let message = format!("a filter needs a condition, and this is {}", other.name());
            Err(Box::new(Diagnostic::new("TQ0301", expr.span, message).help("compare it with something: `… = …`")))
        }
    }
}

fn type_of(expr: &FieldExpr) -> Result<Type> {
    match &expr.kind {
        FieldExprKind::Literal(literal) => Ok(literal_type(literal)),
        FieldExprKind::Field(Field::Attribute(_)) => Ok(Type::Attribute),
        FieldExprKind::Field(Field::Intrinsic(intrinsic)) => Ok(intrinsic_type(*intrinsic)),
        FieldExprKind::Unary { op, operand } => unary_type(*op, operand, expr.span),
        FieldExprKind::Exists { operand, negated } => exists_type(operand, *negated, expr.span),
        FieldExprKind::Binary { .. } => chain_type(expr),
    }
}

/// A chain of operators grows to the left: checked in a loop, since it may be long.
fn chain_type(expr: &FieldExpr) -> Result<Type> {
    let mut chain = Vec::new();
    let mut first = expr;
    while let FieldExprKind::Binary { op, op_span, left, right } = &first.kind {
        chain.push((*op, *op_span, left, right));
        first = left;
    }
    let mut left_type = type_of(first)?;
    for (op, op_span, left, right) in chain.into_iter().rev() {
        left_type = binary_type(op, op_span, (left, left_type), (right, type_of(right)?))?;
    }
    Ok(left_type)
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::String(_) => Type::String,
        Literal::Int(_) => Type::Int,
        Literal::Float(_) => Type::Float,
        Literal::Bool(_) => Type::Bool,
        Literal::Duration(_) => Type::Duration,
        Literal::Status(_) => Type::Status,
        Literal::Kind(_) => Type::Kind,
    }
}

fn intrinsic_type(intrinsic: Intrinsic) -> Type {
    match intrinsic {
        Intrinsic::Duration | Intrinsic::TraceDuration | Intrinsic::EventTimeSinceStart => Type::Duration,
        Intrinsic::Status => Type::Status,
        Intrinsic::Kind => Type::Kind,
        Intrinsic::ChildCount | Intrinsic::NestedSetLeft | Intrinsic::NestedSetRight | Intrinsic::NestedSetParent => {
            Type::Int
        }
        // Tempo gives these two no type; the parent has none before it is supported.
        Intrinsic::InstrumentationName | Intrinsic::InstrumentationVersion | Intrinsic::Parent => Type::Attribute,
        _ => Type::String,
    }
}

fn unary_type(op: UnaryOp, operand: &FieldExpr, span: Span) -> Result<Type> {
    let found = type_of(operand)?;
    let (fits, sign, wants) = match op {
        UnaryOp::Negate => (found.is_numeric() || found == Type::Attribute, "-", "a number"),
        UnaryOp::Not => (matches!(found, Type::Bool | Type::Attribute), "!", "a condition"),
    };
    if fits {
        return Ok(found);
    }
    let message = format!("`{sign}` needs {wants}, and this is {}", found.name());
    Err(Box::new(Diagnostic::new("TQ0303", span, message).related(operand.span, found.name())))
}

/// What is never missing cannot be asked to be.
fn exists_type(operand: &FieldExpr, negated: bool, span: Span) -> Result<Type> {
    type_of(operand)?;
    let always = match &operand.kind {
        FieldExprKind::Field(Field::Intrinsic(_)) => true,
        FieldExprKind::Field(Field::Attribute(attribute)) => {
            attribute.scope == Scope::Resource && attribute.name == "service.name"
        }
        _ => false,
    };
    if !negated || !always {
        return Ok(Type::Bool);
    }
    let message = format!("every span has a value for `{operand}`: it is never nil");
    Err(Box::new(Diagnostic::new("TQ0304", span, message).help("compare with the empty text: `= \"\"`")))
}

fn binary_type(
    op: BinaryOp,
    op_span: Span,
    (left, left_type): (&FieldExpr, Type),
    (right, right_type): (&FieldExpr, Type),
) -> Result<Type> {
    let whole = left.span.to(right.span);
    if !left_type.fits(right_type) {
        let message = format!("`{op}` cannot be between {} and {}", left_type.name(), right_type.name());
        let error = Diagnostic::new("TQ0302", whole, message);
        let help = mismatch_help(left_type, right);
        return Err(Box::new(match help {
            Some(help) => error.help(help),
            None => error,
        }));
    }
    for (operand, found) in [(left, left_type), (right, right_type)] {
        if !found.allows(op) {
            let message = format!("`{op}` is not defined for {}", found.name());
            return Err(Box::new(Diagnostic::new("TQ0303", op_span, message).related(operand.span, found.name())));
        }
    }
    if matches!(op, BinaryOp::Matches | BinaryOp::NotMatches) {
        let FieldExprKind::Literal(Literal::String(pattern)) = &right.kind else {
            let message = format!("`{op}` needs a text with a regular expression on its right");
            return Err(Box::new(Diagnostic::new("TQ0305", right.span, message)));
        };
        if let Err(error) = translate(pattern) {
            let message = format!("this is no regular expression: {}", error.message);
            let help = format!("in `{pattern}` at character {}; the syntax is RE2's", error.offset + 1);
            return Err(Box::new(Diagnostic::new("TQ0401", right.span, message).help(help)));
        }
    }
    Ok(match op {
        _ if is_comparison(op) => Type::Bool,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Matches | BinaryOp::NotMatches => Type::Bool,
        _ if left_type == Type::Attribute => right_type,
        _ => left_type,
    })
}

/// What a text beside a typed intrinsic should have been.
fn mismatch_help(left: Type, right: &FieldExpr) -> Option<String> {
    let FieldExprKind::Literal(Literal::String(text)) = &right.kind else { return None };
    match left {
        Type::Status | Type::Kind | Type::Duration | Type::Int | Type::Float | Type::Bool => {
            Some(format!("leave out the quotes: `{text}`"))
        }
        _ => None,
    }
}
