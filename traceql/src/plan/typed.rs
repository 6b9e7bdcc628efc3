//! A value of unknown type as one nullable expression per type that it can have.

use datafusion::{
    logical_expr::{Case, Expr, lit},
    scalar::ScalarValue,
};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ValueType {
    Bool,
    Int,
    Float,
    /// Nanoseconds.
    Duration,
    String,
    /// OTLP's number.
    Status,
    /// OTLP's number.
    Kind,
    /// Lists with more than one element; a list of one is its element.
    BoolList,
    IntList,
    FloatList,
    StringList,
    /// Something that only `= nil` knows of.
    Other,
}

impl ValueType {
    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Duration)
    }

    /// The type of a list's elements; `None` for what is no list.
    pub(super) fn element(self) -> Option<Self> {
        match self {
            Self::BoolList => Some(Self::Bool),
            Self::IntList => Some(Self::Int),
            Self::FloatList => Some(Self::Float),
            Self::StringList => Some(Self::String),
            _ => None,
        }
    }
}

/// The value as far as it has one type: null where it is missing or has another.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) value_type: ValueType,
    pub(super) expr: Expr,
}

/// A value. On any span at most one of the parts is not null; the value is missing where all are.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) parts: Vec<Part>,
    /// Conditions without which the value is not even missing: that there is an event, a link.
    pub(super) guards: Vec<Expr>,
}

impl Typed {
    pub(super) fn one(value_type: ValueType, expr: Expr) -> Self {
        Self { parts: vec![Part { value_type, expr }], guards: Vec::new() }
    }

    /// Adds a part, joining it with one of the same type.
    pub(super) fn push(&mut self, value_type: ValueType, expr: Expr) {
        match self.parts.iter_mut().find(|part| part.value_type == value_type) {
            Some(part) => part.expr = first_of(part.expr.clone(), expr),
            None => self.parts.push(Part { value_type, expr }),
        }
    }

    /// Whether there is a value: true or false.
    pub(super) fn exists(&self) -> Expr {
        any_of(self.parts.iter().map(|part| part.expr.clone().is_not_null()).collect())
    }

    /// The value as a truth value, null where it is none. A list is true if some element is.
    pub(super) fn truth(&self) -> Expr {
        let scalar = self.parts.iter().find(|part| part.value_type == ValueType::Bool).map(|part| part.expr.clone());
        scalar.unwrap_or_else(|| lit(ScalarValue::Boolean(None)))
    }
}

/// The first expression where it is not null, else the second. (DataFusion's `coalesce` is for its optimizer to turn
/// into this.)
fn first_of(first: Expr, second: Expr) -> Expr {
    let present = (Box::new(first.clone().is_not_null()), Box::new(first));
    Expr::Case(Case::new(None, vec![present], Some(Box::new(second))))
}

/// A balanced disjunction: depth grows with the logarithm of the length. False when empty.
pub(super) fn any_of(list: Vec<Expr>) -> Expr {
    balance(list, Expr::or).unwrap_or_else(|| lit(false))
}

/// A balanced conjunction. True when empty.
pub(super) fn all_of(list: Vec<Expr>) -> Expr {
    balance(list, Expr::and).unwrap_or_else(|| lit(true))
}

fn balance(mut list: Vec<Expr>, join: impl Fn(Expr, Expr) -> Expr + Copy) -> Option<Expr> {
    while list.len() > 1 {
        let mut joined = Vec::with_capacity(list.len().div_ceil(2));
        let mut items = list.into_iter();
        while let Some(first) = items.next() {
            joined.push(match items.next() {
                Some(second) => join(first, second),
                None => first,
            });
        }
        list = joined;
    }
    list.pop()
}
