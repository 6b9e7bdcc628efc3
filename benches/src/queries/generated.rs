//! The same shapes over the generated workload.

use super::{Question, metrics, search};

/// One for each row of the recording's table, in its order. What grows how is said of newest-first searches.
pub(crate) const GENERATED: [Question; 24] = [
    search("{ span.order.id = \"ORD-102961829\" }"),
    search("{ span.user.id = \"u-43\" }").flat(),
    search("{ status = error }").flat(),
    search("{ duration > 500ms }").flat(),
    search("{ resource.service.name = \"payment\" && span.http.request.method = \"GET\" && duration > 10ms }").flat(),
    search("{ span.http.method = \"DELETE\" }").flat(),
    search("{ name =~ \".*nothing-like-this.*\" }").flat(),
    search("{ name =~ \".*orders.*\" }").flat(),
    search("{ resource.service.name = \"api-gateway\" } && { span.db.system = \"postgresql\" && duration > 20ms }")
        .flat(),
    search("{ resource.service.name = \"api-gateway\" } >> { status = error }").flat(),
    search("{ name = \"POST /orders\" } > { duration > 800ms }"),
    search("{ name = \"render\" } ~ { name = \"orders publish\" && duration > 5ms }").flat(),
    search("{ span.db.system = \"postgresql\" } | count() > 100000"),
    search("{ kind = client } | by(resource.service.name) | avg(duration) > 300s"),
    search("{ .client.country = \"BR\" && .http.response.status_code = 500 }").flat(),
    search("{ event.exception.message =~ \"no answer from peer 1.*\" }").flat(),
    metrics("{ } | rate()"),
    metrics("{ } | rate() by (resource.service.name)"),
    metrics("{ status = error } | count_over_time() by (name, resource.service.name)"),
    metrics("{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)"),
    metrics("{ } | histogram_over_time(duration)"),
    metrics("{ } | avg_over_time(span.order.amount) by (span.client.country)"),
    metrics("{ resource.service.name = \"orders\" } >> { status = error } | rate() by (name)"),
    metrics("{ resource.service.name = \"payment\" } | compare({ status = error })"),
];
