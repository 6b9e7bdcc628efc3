//! Random syntax trees: every shape that the parser can give, types not minded.

use proptest::{collection::vec, prelude::*, sample::select};
use traceql::syntax::{
    Span,
    ast::{
        Aggregate, AggregateFunction, ArithmeticOp, Attribute, BinaryOp, Body, CompareOp, Field, FieldExpr,
        FieldExprKind, FieldRef, Hint, Intrinsic, Kind, Literal, LogicalOp, MetricsExpr, MetricsExprKind,
        MetricsFunction, MetricsFunctionKind, NumberExpr, NumberExprKind, Pipeline, Quantile, Query, ScalarExpr,
        ScalarExprKind, ScalarFilter, Scope, SecondStage, SecondStageKind, SpansetExpr, SpansetExprKind, SpansetFilter,
        Stage, StageKind, Status, StructuralOp, UnaryOp,
    },
};

const HERE: Span = Span { start: 0, end: 0 };
const COMPARE: [CompareOp; 6] = [
    CompareOp::Equal,
    CompareOp::NotEqual,
    CompareOp::Less,
    CompareOp::LessOrEqual,
    CompareOp::Greater,
    CompareOp::GreaterOrEqual,
];
const ARITHMETIC: [ArithmeticOp; 6] = [
    ArithmeticOp::Add,
    ArithmeticOp::Subtract,
    ArithmeticOp::Multiply,
    ArithmeticOp::Divide,
    ArithmeticOp::Modulo,
    ArithmeticOp::Power,
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,3}(\\.[a-z_]{1,4})?",
        1 => select(vec!["", "1st", "with space", "a\"b", "back\\slash", "a=b", "span.x", "resource.y", ".dot", "a.", "été", "a-1", "a`b", "x\ny"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

pub(crate) fn field() -> impl Strategy<Value = Field> {
    let scopes = vec![
        Scope::Unscoped,
        Scope::Span,
        Scope::Resource,
        Scope::Event,
        Scope::Link,
        Scope::Instrumentation,
        Scope::Parent,
        Scope::ParentSpan,
        Scope::ParentResource,
    ];
    prop_oneof![
        2 => (select(scopes), name()).prop_map(|(scope, name)| Field::Attribute(Attribute { scope, name })),
        1 => select(Intrinsic::ALL.to_vec()).prop_map(Field::Intrinsic),
    ]
}

fn field_ref() -> impl Strategy<Value = FieldRef> {
    field().prop_map(|field| FieldRef { field, span: HERE })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        prop_oneof![any::<String>(), "[a-z`\"\\\\]{0,5}"].prop_map(Literal::String),
        prop_oneof![0..10_i64, 0..i64::MAX, Just(i64::MIN)].prop_map(Literal::Int),
        float().prop_map(Literal::Float),
        any::<bool>().prop_map(Literal::Bool),
        prop_oneof![0..10_i64, 0..i64::MAX, (0..400_i64).prop_map(|n| n * 1_000_000_000)].prop_map(Literal::Duration),
        select(vec![Status::Unset, Status::Ok, Status::Error]).prop_map(Literal::Status),
        select(vec![Kind::Unspecified, Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer])
            .prop_map(Literal::Kind),
    ]
}

fn float() -> impl Strategy<Value = f64> {
    let any_float = any::<f64>().prop_map(f64::abs).prop_filter("finite", |value| value.is_finite());
    prop_oneof![any_float, (0..1000_u32).prop_map(|n| f64::from(n) / 8.0)]
}

pub(crate) fn field_expr() -> impl Strategy<Value = FieldExpr> {
    let leaf = prop_oneof![literal().prop_map(FieldExprKind::Literal), field().prop_map(FieldExprKind::Field)];
    let expr = |kind| FieldExpr { kind, span: HERE };
    leaf.prop_map(expr).prop_recursive(4, 24, 4, move |inner| {
        let binary = prop_oneof![
            select(COMPARE.to_vec()).prop_map(BinaryOp::Compare),
            select(ARITHMETIC.to_vec()).prop_map(BinaryOp::Arithmetic),
            select(vec![BinaryOp::Matches, BinaryOp::NotMatches]),
        ];
        prop_oneof![
            (select(vec![UnaryOp::Negate, UnaryOp::Not]), inner.clone())
                .prop_map(|(op, operand)| FieldExprKind::Unary { op, operand: Box::new(operand) }),
            (select(vec![LogicalOp::And, LogicalOp::Or]), vec(inner.clone(), 2..4))
                .prop_map(|(op, operands)| FieldExprKind::Logical { op, operands }),
            (binary, inner.clone(), inner.clone()).prop_map(|(op, left, right)| FieldExprKind::Binary {
                op,
                op_span: HERE,
                left: Box::new(left),
                right: Box::new(right)
            }),
            (inner, any::<bool>())
                .prop_map(|(operand, negated)| FieldExprKind::Exists { operand: Box::new(operand), negated }),
        ]
        .prop_map(expr)
    })
}

fn filter() -> impl Strategy<Value = SpansetFilter> {
    prop::option::of(field_expr()).prop_map(|expr| SpansetFilter { expr, span: HERE })
}

fn join(left: SpansetExpr, op: &Join, right: SpansetExpr) -> SpansetExpr {
    let kind = match op {
        Join::Logical(op) => SpansetExprKind::Logical { op: *op, operands: vec![left, right] },
        Join::Structural(op) => SpansetExprKind::Structural { op: *op, left: Box::new(left), right: Box::new(right) },
    };
    SpansetExpr { kind, span: HERE }
}

#[derive(Debug, Clone)]
enum Join {
    Logical(LogicalOp),
    Structural(StructuralOp),
}

fn joins() -> impl Strategy<Value = Join> {
    prop_oneof![
        select(vec![LogicalOp::And, LogicalOp::Or]).prop_map(Join::Logical),
        select(StructuralOp::ALL.to_vec()).prop_map(Join::Structural),
    ]
}

/// Filters, and what joins them.
fn spansets() -> impl Strategy<Value = SpansetExpr> {
    let leaf = filter().prop_map(|filter| SpansetExpr { kind: SpansetExprKind::Filter(filter), span: HERE });
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), joins(), inner.clone()).prop_map(|(left, op, right)| join(left, &op, right)),
            (select(vec![LogicalOp::And, LogicalOp::Or]), vec(inner, 3..4))
                .prop_map(|(op, operands)| SpansetExpr { kind: SpansetExprKind::Logical { op, operands }, span: HERE }),
        ]
    })
}

/// Pipelines in parentheses, joined with each other and with spansets. What parentheses hold begins with a pipeline if
/// it has one.
fn among_pipelines() -> impl Strategy<Value = SpansetExpr> {
    let leaf = wrapped_pipeline()
        .prop_map(|pipeline| SpansetExpr { kind: SpansetExprKind::Pipeline(Box::new(pipeline)), span: HERE })
        .boxed();
    let any = prop_oneof![leaf.clone(), spansets()];
    let first = (leaf, joins(), any).prop_map(|(left, op, right)| join(left, &op, right));
    first.prop_recursive(2, 6, 2, |inner| {
        (inner.clone(), joins(), prop_oneof![inner, spansets()]).prop_map(|(left, op, right)| join(left, &op, right))
    })
}

/// A pipeline that is more than a spanset expression: in parentheses it is told from one.
fn wrapped_pipeline() -> impl Strategy<Value = Pipeline> {
    pipeline().prop_filter("more than spansets", |pipeline| {
        pipeline.stages.len() > 1 || !matches!(pipeline.stages[0].kind, StageKind::Spansets(_))
    })
}

fn number() -> impl Strategy<Value = NumberExpr> {
    let leaf = prop_oneof![
        (0..100_i64).prop_map(Literal::Int),
        float().prop_map(Literal::Float),
        (0..i64::MAX).prop_map(Literal::Duration)
    ];
    let expr = |kind| NumberExpr { kind, span: HERE };
    leaf.prop_map(move |literal| expr(NumberExprKind::Literal(literal)))
        .prop_recursive(3, 6, 2, move |inner| {
            prop_oneof![
                inner.clone().prop_map(|operand| NumberExprKind::Negate(Box::new(operand))),
                (inner.clone(), select(ARITHMETIC[..4].to_vec()), inner).prop_map(|(left, op, right)| {
                    NumberExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) }
                }),
            ]
            .prop_map(expr)
        })
        .prop_filter("has a value", |number| number.value().is_ok())
}

fn aggregate() -> impl Strategy<Value = Aggregate> {
    (select(AggregateFunction::ALL.to_vec()), field_expr()).prop_map(|(function, operand)| {
        let operand = (function != AggregateFunction::Count).then(|| Box::new(operand));
        Aggregate { function, operand, span: HERE }
    })
}

fn number_scalar() -> impl Strategy<Value = ScalarExpr> {
    number().prop_map(|number| ScalarExpr { kind: ScalarExprKind::Number(number), span: HERE })
}

fn scalar_arithmetic(left: ScalarExpr, op: ArithmeticOp, right: ScalarExpr) -> ScalarExpr {
    let kind = ScalarExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) };
    ScalarExpr { kind, span: HERE }
}

/// An expression over aggregates; constants in it are operands of something that is none.
fn scalar() -> impl Strategy<Value = ScalarExpr> {
    let leaf = aggregate().prop_map(|found| ScalarExpr { kind: ScalarExprKind::Aggregate(found), span: HERE });
    leaf.prop_recursive(2, 6, 2, |inner| {
        let op = || select(ARITHMETIC.to_vec());
        prop_oneof![
            (inner.clone(), op(), inner.clone()).prop_map(|(left, op, right)| scalar_arithmetic(left, op, right)),
            (inner.clone(), op(), number_scalar()).prop_map(|(left, op, right)| scalar_arithmetic(left, op, right)),
            (number_scalar(), op(), inner).prop_map(|(left, op, right)| scalar_arithmetic(left, op, right)),
        ]
    })
}

fn scalar_filter() -> impl Strategy<Value = ScalarFilter> {
    let sides = prop_oneof![(scalar(), scalar()), (scalar(), number_scalar()), (number_scalar(), scalar()),];
    (select(COMPARE.to_vec()), sides).prop_map(|(op, (left, right))| ScalarFilter { op, left, right })
}

/// A comparison of aggregates at the ends of pipelines.
fn pipeline_filter() -> impl Strategy<Value = ScalarFilter> {
    let leaf = || {
        (pipeline(), aggregate()).prop_map(|(pipeline, aggregate)| ScalarExpr {
            kind: ScalarExprKind::Pipeline { pipeline: Box::new(pipeline), aggregate },
            span: HERE,
        })
    };
    let sum =
        (leaf(), select(ARITHMETIC.to_vec()), leaf()).prop_map(|(left, op, right)| scalar_arithmetic(left, op, right));
    let side = prop_oneof![leaf(), sum].boxed();
    (select(COMPARE.to_vec()), side.clone(), prop_oneof![side, number_scalar()])
        .prop_map(|(op, left, right)| ScalarFilter { op, left, right })
}

fn stage() -> impl Strategy<Value = StageKind> {
    prop_oneof![
        3 => spansets().prop_map(StageKind::Spansets),
        1 => scalar_filter().prop_map(StageKind::Where),
        1 => field_expr().prop_map(StageKind::GroupBy),
        1 => Just(StageKind::Coalesce),
        1 => vec(field_ref(), 1..4).prop_map(StageKind::Select),
    ]
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    vec(stage(), 1..4)
        .prop_filter("coalesce is not first", |stages| stages[0] != StageKind::Coalesce)
        .prop_map(|stages| Pipeline { stages: stages.into_iter().map(|kind| Stage { kind, span: HERE }).collect() })
}

fn single(kind: StageKind) -> Pipeline {
    Pipeline { stages: vec![Stage { kind, span: HERE }] }
}

fn metrics_function() -> impl Strategy<Value = MetricsFunction> {
    let quantiles = vec(prop_oneof![float(), Just(0.0), Just(1.0)], 1..4)
        .prop_map(|values| values.into_iter().map(|value| Quantile { value, span: HERE }).collect::<Vec<_>>());
    let range = prop::option::of((0..i64::MAX, prop::option::of((0..i64::MAX, 0..i64::MAX))));
    let kind = prop_oneof![
        Just(MetricsFunctionKind::Rate),
        Just(MetricsFunctionKind::CountOverTime),
        field_ref().prop_map(MetricsFunctionKind::MinOverTime),
        field_ref().prop_map(MetricsFunctionKind::MaxOverTime),
        field_ref().prop_map(MetricsFunctionKind::AvgOverTime),
        field_ref().prop_map(MetricsFunctionKind::SumOverTime),
        field_ref().prop_map(MetricsFunctionKind::HistogramOverTime),
        (field_ref(), quantiles)
            .prop_map(|(field, quantiles)| MetricsFunctionKind::QuantileOverTime { field, quantiles }),
        (filter(), range).prop_map(|(selection, arguments)| MetricsFunctionKind::Compare {
            selection,
            top: arguments.as_ref().map(|(top, _)| (*top, HERE)),
            range: arguments.and_then(|(_, range)| range).map(|(start, end)| (start, end, HERE)),
        }),
    ];
    (kind, vec(field_ref(), 0..4)).prop_map(|(kind, by)| {
        let by = if matches!(kind, MetricsFunctionKind::Compare { .. }) { Vec::new() } else { by };
        MetricsFunction { kind, by, span: HERE }
    })
}

fn second_stage() -> impl Strategy<Value = SecondStage> {
    prop_oneof![
        (0..i64::MAX).prop_map(SecondStageKind::TopK),
        (0..i64::MAX).prop_map(SecondStageKind::BottomK),
        (select(COMPARE.to_vec()), number()).prop_map(|(op, threshold)| SecondStageKind::Compare { op, threshold }),
    ]
    .prop_map(|kind| SecondStage { kind, span: HERE })
}

fn staged(input: MetricsExpr, stages: Vec<SecondStage>) -> MetricsExpr {
    stages.into_iter().fold(input, |input, stage| MetricsExpr {
        kind: MetricsExprKind::Stage { input: Box::new(input), stage },
        span: HERE,
    })
}

fn metrics() -> impl Strategy<Value = MetricsExpr> {
    let query = (pipeline(), metrics_function()).prop_map(|(pipeline, function)| MetricsExpr {
        kind: MetricsExprKind::Query { pipeline, function },
        span: HERE,
    });
    let leaf = (query, vec(second_stage(), 0..2)).prop_map(|(query, stages)| staged(query, stages)).boxed();
    let no_duration = |number: &NumberExpr| !matches!(number.value(), Ok(Literal::Duration(_)));
    let constant = number()
        .prop_filter("no duration", no_duration)
        .prop_map(|number| MetricsExpr { kind: MetricsExprKind::Number(number), span: HERE })
        .boxed();
    let arithmetic = leaf.prop_recursive(2, 4, 2, move |inner| {
        let operands =
            prop_oneof![(inner.clone(), inner.clone()), (inner.clone(), constant.clone()), (constant.clone(), inner),];
        (select(ARITHMETIC[..4].to_vec()), operands).prop_map(|(op, (left, right))| MetricsExpr {
            kind: MetricsExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) },
            span: HERE,
        })
    });
    (arithmetic, vec(second_stage(), 0..3)).prop_map(|(expr, stages)| staged(expr, stages))
}

/// A tree that shows as its text where a test fails.
#[derive(Clone)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: std::fmt::Display> std::fmt::Debug for Shown<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A whole query.
pub(crate) fn query() -> impl Strategy<Value = Shown<Query>> {
    let body = prop_oneof![
        4 => pipeline().prop_map(Body::Search),
        1 => among_pipelines().prop_map(|expr| Body::Search(single(StageKind::Spansets(expr)))),
        1 => pipeline_filter().prop_map(|filter| Body::Search(single(StageKind::Where(filter)))),
        2 => metrics().prop_map(Body::Metrics),
    ];
    let hint = ("[a-z]{2,5}_x", literal()).prop_map(|(name, value)| Hint { name, value, span: HERE });
    (body, vec(hint, 0..3)).prop_map(|(body, hints)| Shown(Query { body, hints, extensions: Vec::new() }))
}
