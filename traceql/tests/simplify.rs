//! Simplification keeps the value of every condition, on spans that lack fields, have lists, have no events.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod language;

use std::cmp::Ordering;

use proptest::{prelude::*, sample::select};
use traceql::{
    ir::{self, ArithmeticOp, CompareOp, Const, Expr},
    syntax::ast::{Field, Scope},
};

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Duration(i64),
    String(String),
    Status(i32),
    Kind(i32),
    List(Vec<Value>),
}

/// Values of the fields `.a`, `.b`, `.c` and `event.e`; none of the last where there is no event.
#[derive(Debug, Clone)]
struct Span {
    values: [Option<Value>; 4],
    has_event: bool,
}

impl Span {
    fn get(&self, field: &Field) -> Option<Value> {
        let index = FIELDS.iter().position(|name| field.to_string() == *name).unwrap();
        self.values[index].clone().filter(|_| index != 3 || self.has_event)
    }
}

const FIELDS: [&str; 4] = [".a", ".b", ".c", "event.e"];

/// The expression's value, from the rules alone: V1, V2, V5, V6.
fn value(expr: &Expr, span: &Span) -> Option<Value> {
    let truth = |expr: &Expr| match value(expr, span)? {
        Value::Bool(value) => Some(value),
        Value::List(list) if matches!(list.first(), Some(Value::Bool(_))) => Some(list.contains(&Value::Bool(true))),
        _ => None,
    };
    match expr {
        Expr::Const(value) => Some(constant(value)),
        Expr::Field(field) => span.get(field),
        Expr::Missing => None,
        Expr::And(list) => Some(Value::Bool(list.iter().all(|part| truth(part) == Some(true)))),
        Expr::Or(list) => Some(Value::Bool(list.iter().any(|part| truth(part) == Some(true)))),
        Expr::Not(operand) => truth(operand).map(|value| Value::Bool(!value)),
        Expr::Negate(operand) => match value(operand, span)? {
            Value::Int(value) => value.checked_neg().map(Value::Int),
            Value::Duration(value) => value.checked_neg().map(Value::Duration),
            Value::Float(value) => Some(Value::Float(-value)),
            _ => None,
        },
        Expr::Exists { operand, negated } => {
            let exists = value(operand, span).is_some();
            Some(Value::Bool(if *negated { !exists && is_bound(operand, span) } else { exists }))
        }
        Expr::Match { operand, pattern, negated } => {
            let regex = regex::Regex::new(pattern).unwrap();
            let holds = |value: &Value| matches!(value, Value::String(text) if regex.is_match(text) != *negated);
            Some(Value::Bool(some_or_all(value(operand, span).as_ref(), *negated, holds)))
        }
        Expr::Compare { op, left, right } => {
            let (left, right) = (value(left, span), value(right, span));
            let all = *op == CompareOp::NotEqual;
            Some(Value::Bool(some_or_all(left.as_ref(), all, |left| {
                some_or_all(right.as_ref(), all, |right| compare(*op, left, right))
            })))
        }
        Expr::Arithmetic { op, left, right } => {
            let (left, right) = (value(left, span)?, value(right, span)?);
            if let (Value::Int(left), Value::Int(right)) = (&left, &right) {
                return ir::arithmetic::integers(*op, *left, *right).map(Value::Int);
            }
            Some(Value::Float(ir::arithmetic::floats(*op, number(&left)?, number(&right)?)))
        }
    }
}

/// Whether the event that an operand speaks of is there; what always has a value speaks of none.
fn is_bound(expr: &Expr, span: &Span) -> bool {
    match expr {
        Expr::Field(Field::Attribute(attribute)) if attribute.scope == Scope::Event => span.has_event,
        Expr::Negate(operand) | Expr::Not(operand) => is_bound(operand, span),
        Expr::Arithmetic { left, right, .. } => is_bound(left, span) && is_bound(right, span),
        _ => true,
    }
}

fn some_or_all(value: Option<&Value>, all: bool, holds: impl Fn(&Value) -> bool) -> bool {
    match value {
        None => false,
        Some(Value::List(list)) if all => list.iter().all(holds),
        Some(Value::List(list)) => list.iter().any(holds),
        Some(value) => holds(value),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) | Value::Duration(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn compare(op: CompareOp, left: &Value, right: &Value) -> bool {
    use Value::{Bool, Duration, Float, Int, Kind, Status, String};
    let equality = matches!(op, CompareOp::Equal | CompareOp::NotEqual);
    let order = match (left, right) {
        (Int(left) | Duration(left), Int(right) | Duration(right)) => Some(left.cmp(right)),
        (Int(left) | Duration(left), Float(right)) => ir::arithmetic::compare_mixed(*left, *right),
        (Float(left), Int(right) | Duration(right)) => {
            ir::arithmetic::compare_mixed(*right, *left).map(Ordering::reverse)
        }
        (Float(left), Float(right)) => left.partial_cmp(right),
        (String(left), String(right)) => Some(left.cmp(right)),
        (Bool(left), Bool(right)) if equality => Some(left.cmp(right)),
        (Status(left), Status(right)) | (Kind(left), Kind(right)) if equality => Some(left.cmp(right)),
        _ => return false,
    };
    match op {
        CompareOp::Equal => order == Some(Ordering::Equal),
        CompareOp::NotEqual => order != Some(Ordering::Equal),
        CompareOp::Less => order == Some(Ordering::Less),
        CompareOp::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Greater => order == Some(Ordering::Greater),
        CompareOp::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn constant(value: &Const) -> Value {
    match value {
        Const::Bool(value) => Value::Bool(*value),
        Const::Int(value) => Value::Int(*value),
        Const::Float(value) => Value::Float(*value),
        Const::Duration(value) => Value::Duration(*value),
        Const::String(text) => Value::String(text.clone()),
        Const::Status(code) => Value::Status(*code),
        Const::Kind(code) => Value::Kind(*code),
    }
}

fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Float(left)), Some(Value::Float(right))) => left == right || left.is_nan() && right.is_nan(),
        (left, right) => left == right,
    }
}

fn consts() -> impl Strategy<Value = Const> {
    prop_oneof![
        3 => any::<bool>().prop_map(Const::Bool),
        3 => prop_oneof![-2..3_i64, Just(i64::MIN), Just(i64::MAX)].prop_map(Const::Int),
        1 => select(vec![0.0, 1.0, -1.5, f64::NAN, f64::INFINITY]).prop_map(Const::Float),
        1 => (-1..2_i64).prop_map(Const::Duration),
        1 => select(vec!["", "x"]).prop_map(|text| Const::String(text.to_owned())),
        1 => (0..3).prop_map(Const::Status),
        1 => (0..3).prop_map(Const::Kind),
    ]
}

fn spans() -> impl Strategy<Value = Span> {
    let scalar = consts().prop_map(|value| constant(&value)).boxed();
    let list = prop_oneof![
        prop::collection::vec(any::<bool>().prop_map(Value::Bool), 2..4),
        prop::collection::vec((-1..3_i64).prop_map(Value::Int), 2..4),
    ]
    .boxed();
    let one = || prop::option::of(prop_oneof![6 => scalar.clone(), 2 => list.clone().prop_map(Value::List)]);
    ([one(), one(), one(), one()], any::<bool>()).prop_map(|(values, has_event)| Span { values, has_event })
}

fn exprs() -> impl Strategy<Value = Expr> {
    let field = select(FIELDS.to_vec()).prop_map(|name| {
        let (scope, name) = name.split_once('.').unwrap();
        let scope = if scope == "event" { Scope::Event } else { Scope::Unscoped };
        Expr::Field(Field::Attribute(traceql::syntax::ast::Attribute { scope, name: name.to_owned() }))
    });
    let leaf = prop_oneof![2 => consts().prop_map(Expr::Const), 4 => field, 1 => Just(Expr::Missing)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let ops = select(vec![
            CompareOp::Equal,
            CompareOp::NotEqual,
            CompareOp::Less,
            CompareOp::LessOrEqual,
            CompareOp::Greater,
            CompareOp::GreaterOrEqual,
        ]);
        let arithmetic = select(vec![
            ArithmeticOp::Add,
            ArithmeticOp::Subtract,
            ArithmeticOp::Multiply,
            ArithmeticOp::Divide,
            ArithmeticOp::Modulo,
            ArithmeticOp::Power,
        ]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            3 => boxed().prop_map(Expr::Not),
            1 => boxed().prop_map(Expr::Negate),
            4 => (ops, boxed(), boxed()).prop_map(|(op, left, right)| Expr::Compare { op, left, right }),
            1 => (arithmetic, boxed(), boxed()).prop_map(|(op, left, right)| Expr::Arithmetic { op, left, right }),
            1 => (boxed(), any::<bool>()).prop_map(|(operand, negated)| Expr::Match {
                operand,
                pattern: r"\A(?s:x)\z".to_owned(),
                negated
            }),
            2 => (boxed(), any::<bool>()).prop_map(|(operand, negated)| Expr::Exists { operand, negated }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn simplification_keeps_every_value(expr in exprs(), spans in prop::collection::vec(spans(), 8)) {
        let simple = ir::simplify(expr.clone());
        prop_assert!(simple.depth() <= expr.depth() + 1, "{expr:?}\n{simple:?}");
        for span in &spans {
            let (before, after) = (value(&expr, span), value(&simple, span));
            prop_assert!(same(before.as_ref(), after.as_ref()), "{expr:?}\nis {before:?} and becomes {after:?} by\n{simple:?}\n{span:?}");
        }
    }

    /// Folding, lowering and simplifying against lowering alone, from a query's text on.
    #[test]
    fn a_filter_keeps_the_same_spans(expr in exprs(), spans in prop::collection::vec(spans(), 8)) {
        let filter = ir::Query {
            body: ir::Body::Search(ir::Pipeline { stages: vec![ir::Stage::Spansets(ir::Spansets::Filter(expr.clone()))] }),
            hints: Vec::new(),
            fields: Vec::new(),
        };
        let ir::Body::Search(pipeline) = filter.simplified().body else { panic!("not a search") };
        let ir::Stage::Spansets(ir::Spansets::Filter(simple)) = &pipeline.stages[0] else { panic!("not a filter") };
        for span in &spans {
            let keeps = |expr: &Expr| match value(expr, span) {
                Some(Value::Bool(value)) => value,
                Some(Value::List(list)) => list.contains(&Value::Bool(true)),
                _ => false,
            };
            prop_assert_eq!(keeps(&expr), keeps(simple), "{:?}\n{:?}\n{:?}", expr, simple, span);
        }
    }
}

#[test]
fn what_simplification_is_for() {
    for (query, simple) in [
        ("{ !(.a = 1 || .b = 2) }", "{ !(.a = 1) && !(.b = 2) }"),
        ("{ .a = 1 && (.b = 2 && (.c = 3 && true)) }", "{ .a = 1 && .b = 2 && .c = 3 }"),
        ("{ 2 < .a }", "{ .a > 2 }"),
        ("{ (.a = 1) = true }", "{ .a = 1 }"),
        ("{ !(.a = nil) }", "{ .a != nil }"),
        ("{ .a = 1 / 0 || .b = 2 }", "{ .b = 2 }"),
        ("{ .a = 1 && .a = 1 }", "{ .a = 1 }"),
        ("{ .a = 1 && false }", "{ false }"),
        ("{ true || .a }", "{ true }"),
        ("{ !!(.a = 1) }", "{ .a = 1 }"),
    ] {
        assert_eq!(traceql::compile(query).unwrap().body, traceql::compile(simple).unwrap().body, "{query}");
    }
    // Not where it would change what is missing.
    for query in ["{ !.a }", "{ !(.a && .b) }", "{ .a = nil }", "{ !(event.x = nil) }"] {
        let lowered = ir::lower(&traceql::parse(query).unwrap());
        assert_eq!(lowered.clone().simplified(), lowered, "{query}");
    }
}
