//! The queries that are measured, each with what Tempo v3 took on a machine of two cores, and the target.

/// How a query is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Limit 20, three spans of each trace.
    Search,
    /// Over all of the data, in steps of 15 s.
    Metrics,
}

/// A query, Tempo's figure and the target, in ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) text: &'static str,
    pub(crate) kind: Kind,
    pub(crate) tempo_ms: f64,
    pub(crate) target_ms: f64,
}

const fn search(text: &'static str, tempo_ms: f64, target_ms: f64) -> Query {
    Query { text, kind: Kind::Search, tempo_ms, target_ms }
}

const fn metrics(text: &'static str, tempo_ms: f64, target_ms: f64) -> Query {
    Query { text, kind: Kind::Metrics, tempo_ms, target_ms }
}

pub(crate) const QUERIES: [Query; 24] = [
    search("{ span.order.id = \"ORD-990537545\" }", 85.0, 4.0),
    search("{ span.user.id = \"u-43\" }", 170.0, 8.0),
    search("{ status = error }", 12.0, 2.0),
    search("{ duration > 500ms }", 42.0, 4.0),
    search(
        "{ resource.service.name = \"payment-service\" && span.http.request.method = \"POST\" && duration > 200ms }",
        60.0,
        6.0,
    ),
    search("{ span.http.method = \"DELETE\" }", 5.0, 0.5),
    search("{ name =~ \".*nothing-like-this.*\" }", 5.0, 0.5),
    search("{ name =~ \".*orders.*\" }", 11.0, 2.0),
    search(
        "{ resource.service.name = \"api-gateway\" } && { span.db.system = \"postgresql\" && duration > 20ms }",
        350.0,
        20.0,
    ),
    search("{ resource.service.name = \"api-gateway\" } >> { status = error }", 20.0, 4.0),
    search("{ name = \"POST /orders\" } > { duration > 800ms }", 240.0, 15.0),
    search("{ name = \"validate_order\" } ~ { name = \"apply_discount\" && duration > 5ms }", 240.0, 15.0),
    search("{ span.db.system = \"postgresql\" } | count() > 4", 340.0, 20.0),
    search("{ kind = client } | by(resource.service.name) | avg(duration) > 300ms", 210.0, 15.0),
    search("{ .country = \"BR\" && .http.response.status_code = 500 }", 85.0, 8.0),
    search("{ event.exception.message =~ \"Insufficient.*\" }", 25.0, 4.0),
    metrics("{ } | rate()", 26.0, 2.0),
    metrics("{ } | rate() by (resource.service.name)", 56.0, 4.0),
    metrics("{ status = error } | count_over_time() by (name, resource.service.name)", 39.0, 4.0),
    metrics("{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)", 69.0, 6.0),
    metrics("{ } | histogram_over_time(duration)", 90.0, 6.0),
    metrics("{ } | avg_over_time(span.transaction.amount) by (span.country)", 310.0, 6.0),
    metrics("{ resource.service.name = \"order-service\" } >> { status = error } | rate() by (name)", 263.0, 15.0),
    metrics("{ resource.service.name = \"payment-service\" } | compare({ status = error })", 800.0, 60.0),
];

/// The other rows of the table: what Tempo took, and the target.
pub(crate) const INGEST_CPU_S: (f64, f64) = (32.0, 4.0);
pub(crate) const PEAK_RSS_MB: (f64, f64) = (2_300.0, 400.0);
pub(crate) const BYTES_PER_SPAN: (f64, f64) = (104.0, 28.0);
pub(crate) const TRACE_BY_ID_MS: f64 = 1.0;

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Metrics => "metrics",
        }
    }
}
