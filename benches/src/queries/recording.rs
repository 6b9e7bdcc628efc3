//! Queries over the recording of a shop.

use super::{Question, metrics, search};

/// The table: what Tempo v3 took, and the target.
pub(crate) const RECORDING: [Question; 24] = [
    search("{ span.order.id = \"ORD-990537545\" }").beside(85.0, 4.0),
    search("{ span.user.id = \"u-43\" }").beside(170.0, 8.0),
    search("{ status = error }").beside(12.0, 2.0),
    search("{ duration > 500ms }").beside(42.0, 4.0),
    search(
        "{ resource.service.name = \"payment-service\" && span.http.request.method = \"POST\" && duration > 200ms }",
    )
    .beside(60.0, 6.0),
    search("{ span.http.method = \"DELETE\" }").beside(5.0, 0.5),
    search("{ name =~ \".*nothing-like-this.*\" }").beside(5.0, 0.5),
    search("{ name =~ \".*orders.*\" }").beside(11.0, 2.0),
    search("{ resource.service.name = \"api-gateway\" } && { span.db.system = \"postgresql\" && duration > 20ms }")
        .beside(350.0, 20.0),
    search("{ resource.service.name = \"api-gateway\" } >> { status = error }").beside(20.0, 4.0),
    search("{ name = \"POST /orders\" } > { duration > 800ms }").beside(240.0, 15.0),
    search("{ name = \"validate_order\" } ~ { name = \"apply_discount\" && duration > 5ms }").beside(240.0, 15.0),
    search("{ span.db.system = \"postgresql\" } | count() > 4").beside(340.0, 20.0),
    search("{ kind = client } | by(resource.service.name) | avg(duration) > 300ms").beside(210.0, 15.0),
    search("{ .country = \"BR\" && .http.response.status_code = 500 }").beside(85.0, 8.0),
    search("{ event.exception.message =~ \"Insufficient.*\" }").beside(25.0, 4.0),
    metrics("{ } | rate()").beside(26.0, 2.0),
    metrics("{ } | rate() by (resource.service.name)").beside(56.0, 4.0),
    metrics("{ status = error } | count_over_time() by (name, resource.service.name)").beside(39.0, 4.0),
    metrics("{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)").beside(69.0, 6.0),
    metrics("{ } | histogram_over_time(duration)").beside(90.0, 6.0),
    metrics("{ } | avg_over_time(span.transaction.amount) by (span.country)").beside(310.0, 6.0),
    metrics("{ resource.service.name = \"order-service\" } >> { status = error } | rate() by (name)")
        .beside(263.0, 15.0),
    metrics("{ resource.service.name = \"payment-service\" } | compare({ status = error })").beside(800.0, 60.0),
];

/// Further queries of the same shapes over other attributes, so that nothing is made for the texts of the table.
pub(crate) const FURTHER: [Question; 10] = [
    search("{ span.transaction.amount = 5.95 && span.payment.method = \"paypal\" }"),
    search("{ span.search.query = \"lamp\" }"),
    search("{ span.http.status_code >= 500 }"),
    search("{ resource.service.name = \"api-gateway\" && span.user.country = \"BR\" && duration > 1s }"),
    search("{ span.db.statement =~ \".*carts.*\" }"),
    search("{ span.http.route = \"/orders\" } >> { span.db.system = \"redis\" && duration > 10ms }"),
    search("{ kind = server } | by(name) | max(duration) > 2s"),
    metrics("{ } | rate() by (span.http.status_code)"),
    metrics("{ span.db.system != nil } | quantile_over_time(duration, .9) by (span.db.statement)"),
    metrics("{ } | sum_over_time(span.discount.amount) by (span.discount.applied)"),
];
