//! What the traces look like: services, calls, attributes.

use super::{
    encode::{Message, Value},
    random::Random,
};

const SERVICES: [&str; 24] = [
    "api-gateway",
    "frontend",
    "cart",
    "checkout",
    "catalog",
    "payment",
    "orders",
    "users",
    "auth",
    "search",
    "pricing",
    "inventory",
    "shipping",
    "email",
    "recommendation",
    "ads",
    "currency",
    "quotes",
    "reviews",
    "media",
    "fraud",
    "ledger",
    "reports",
    "billing",
];
const PODS: usize = 3;
const ROUTES: [&str; 12] = [
    "/",
    "/products",
    "/products/{id}",
    "/cart",
    "/cart/items",
    "/checkout",
    "/orders",
    "/orders/{id}",
    "/login",
    "/search",
    "/users/{id}",
    "/health",
];
const COUNTRIES: [&str; 8] = ["US", "DE", "BR", "IN", "JP", "GB", "FR", "AU"];
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
const PRODUCER: u64 = 4;
const CONSUMER: u64 = 5;
const INTERNAL: u64 = 1;
/// 2026-01-01.
const EPOCH: u64 = 1_767_225_600_000_000_000;

/// The landscape that traces run through.
#[derive(Debug)]
pub(super) struct Shape {
    resources: Vec<Vec<u8>>,
    now: u64,
}

/// A span in the making.
struct Call {
    service: usize,
    kind: u64,
    name: String,
    start: u64,
    end: u64,
}

/// A trace in the making: encoded spans with the resource of each.
struct Trace {
    id: [u8; 16],
    spans: Vec<(usize, Vec<u8>)>,
    budget: usize,
}

impl Shape {
    pub(super) fn new(random: &mut Random) -> Self {
        let resources = SERVICES.iter().flat_map(|service| (0..PODS).map(move |pod| (service, pod)));
        let resources = resources.map(|(service, pod)| {
            let mut message = Message::default();
            let instance = format!("{service}-{:08x}-{pod}", random.next() as u32);
            message.attribute(1, "service.name", Value::Text(service));
            message.attribute(1, "service.namespace", Value::Text("shop"));
            message.attribute(
                1,
                "service.version",
                Value::Text(["1.4.2", "2.0.0", "2.1.7"].get(pod).copied().unwrap_or("1")),
            );
            message.attribute(1, "k8s.pod.name", Value::Text(&instance));
            message.attribute(1, "host.name", Value::Text(&format!("node-{}", random.below(12))));
            message.attribute(1, "deployment.environment", Value::Text("production"));
            message.attribute(1, "telemetry.sdk.language", Value::Text("go"));
            message.0
        });
        let resources = resources.collect();
        Self { resources, now: EPOCH }
    }

    pub(super) fn resources(&self) -> usize {
        self.resources.len()
    }

    /// An encoded request with spans of one resource.
    pub(super) fn request(&self, resource: usize, spans: &[Vec<u8>]) -> Vec<u8> {
        let (mut request, mut resource_spans, mut scope_spans, mut scope) =
            <(Message, Message, Message, Message)>::default();
        scope.bytes(1, b"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp");
        scope.bytes(2, b"0.61.0");
        scope_spans.bytes(1, &scope.0);
        spans.iter().for_each(|span| scope_spans.bytes(2, span));
        resource_spans.bytes(1, self.resources.get(resource).map_or(&[], Vec::as_slice));
        resource_spans.bytes(2, &scope_spans.0);
        request.bytes(1, &resource_spans.0);
        request.0
    }

    /// One trace: encoded spans with their resources.
    pub(super) fn trace(&mut self, random: &mut Random, left: u64) -> Vec<(usize, Vec<u8>)> {
        // Traces start 4 ms apart in the mean, which is some 1,500 spans a second.
        self.now += random.log_normal(3e6, 1.8) as u64;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random.next().to_be_bytes());
        id[8..].copy_from_slice(&(random.next() | 1).to_be_bytes());
        // Heavy-tailed: a median of six spans, now and then thousands.
        let size = (4.0 / (1.0 - random.unit()).powf(0.8)) as usize;
        let budget = size.clamp(1, 5_000).min(left.max(1) as usize);
        let mut trace = Trace { id, spans: Vec::with_capacity(budget), budget };
        let took = random.log_normal(4e7, 2.2) as u64 * (1 + budget as u64 / 50);
        let route = random.pick(&ROUTES).copied().unwrap_or("/");
        let root = Call {
            service: random.skewed(3),
            kind: SERVER,
            name: format!("GET {route}"),
            start: self.now,
            end: self.now + took,
        };
        trace.call(random, None, &root, route, 0);
        trace.spans
    }
}

impl Trace {
    /// Adds a span, and below it what it calls.
    fn call(&mut self, random: &mut Random, parent: Option<[u8; 8]>, call: &Call, route: &str, depth: usize) {
        let id = (random.next() | 1).to_be_bytes();
        let failed = random.chance(0.015);
        self.budget = self.budget.saturating_sub(1);
        let span = self.encode(random, id, parent, call, route, failed);
        self.spans.push((call.service * PODS + random.below(PODS), span));
        let (mut start, width) = (call.start, (call.end - call.start).max(10));
        while self.budget > 0 && depth < 12 && random.chance(0.8) {
            let begin = start + width / 20;
            let end = (begin + (random.unit() * width as f64 / 2.0) as u64).min(call.end);
            if begin >= end {
                break;
            }
            start = begin + (end - begin) / 3;
            let service = (call.service + 1 + random.skewed(SERVICES.len() - 1)) % SERVICES.len();
            let name = SERVICES.get(service).copied().unwrap_or("");
            let (kind, name, service) = match random.below(10) {
                0..3 => (
                    CLIENT,
                    ["SELECT shop.products", "SELECT shop.orders", "INSERT shop.orders"]
                        .get(random.below(3))
                        .copied()
                        .unwrap_or("")
                        .to_owned(),
                    call.service,
                ),
                3 => (INTERNAL, "render".to_owned(), call.service),
                4 => (PRODUCER, "orders publish".to_owned(), call.service),
                5 => (CONSUMER, "orders process".to_owned(), service),
                _ => (
                    if call.kind == CLIENT { SERVER } else { CLIENT },
                    format!("POST /{name}"),
                    if call.kind == CLIENT { service } else { call.service },
                ),
            };
            let inner = Call { service, kind, name, start: begin, end };
            self.call(random, Some(id), &inner, route, depth + 1);
        }
        // A trace that has not used its spans goes on beside.
        while parent.is_none() && self.budget > 0 {
            let end = call.end;
            let begin = call.start + (random.unit() * width as f64) as u64;
            let inner = Call {
                service: call.service,
                kind: INTERNAL,
                name: "batch item".to_owned(),
                start: begin.min(end),
                end,
            };
            self.call(random, Some(id), &inner, route, depth + 1);
        }
    }

    fn encode(
        &self,
        random: &mut Random,
        id: [u8; 8],
        parent: Option<[u8; 8]>,
        call: &Call,
        route: &str,
        failed: bool,
    ) -> Vec<u8> {
        let mut span = Message::default();
        span.bytes(1, &self.id);
        span.bytes(2, &id);
        if let Some(parent) = parent {
            span.bytes(4, &parent);
        }
        span.bytes(5, call.name.as_bytes());
        span.number(6, call.kind);
        span.fixed64(7, call.start);
        span.fixed64(8, call.end);
        match call.kind {
            SERVER => {
                span.attribute(9, "http.request.method", Value::Text("GET"));
                span.attribute(9, "http.route", Value::Text(route));
                span.attribute(9, "url.path", Value::Text(&route.replace("{id}", &random.below(10_000).to_string())));
                span.attribute(9, "http.response.status_code", Value::Int(if failed { 500 } else { 200 }));
                span.attribute(9, "server.port", Value::Int(8080));
                span.attribute(9, "user.id", Value::Text(&format!("u-{}", random.skewed(50_000))));
                span.attribute(9, "client.country", Value::Text(random.pick(&COUNTRIES).copied().unwrap_or("")));
                if random.chance(0.1) {
                    span.attribute(9, "order.id", Value::Text(&format!("ORD-{:09}", random.below(1_000_000_000))));
                    span.attribute(
                        9,
                        "order.amount",
                        Value::Float((random.log_normal(40.0, 2.0) * 100.0).round() / 100.0),
                    );
                    span.attribute(9, "order.tags", Value::Texts(&["web", "gift"]));
                }
            }
            CLIENT if call.name.contains("shop.") => {
                span.attribute(9, "db.system", Value::Text("postgresql"));
                span.attribute(9, "db.name", Value::Text("shop"));
                span.attribute(9, "db.statement", Value::Text(&format!("{} WHERE id = $1", call.name)));
                span.attribute(9, "db.rows", Value::Int(random.skewed(200) as i64));
            }
            CLIENT => {
                span.attribute(9, "rpc.system", Value::Text("grpc"));
                span.attribute(9, "rpc.service", Value::Text(&call.name));
                span.attribute(9, "net.peer.port", Value::Int(30_000 + random.below(20_000) as i64));
            }
            PRODUCER | CONSUMER => {
                span.attribute(9, "messaging.system", Value::Text("kafka"));
                span.attribute(9, "messaging.destination.name", Value::Text("orders"));
                span.attribute(9, "messaging.kafka.message.offset", Value::Int(random.below(1 << 40) as i64));
            }
            _ => span.attribute(9, "cache.hit", Value::Bool(random.chance(0.7))),
        }
        if failed {
            let mut event = Message::default();
            event.fixed64(1, call.end);
            event.bytes(2, b"exception");
            event.attribute(
                3,
                "exception.type",
                Value::Text(["TimeoutError", "ConnectionError"].get(random.below(2)).copied().unwrap_or("")),
            );
            event.attribute(3, "exception.message", Value::Text(&format!("no answer from peer {}", random.below(64))));
            event.attribute(
                3,
                "exception.stacktrace",
                Value::Text("at handler (server.go:120)\n  at serve (server.go:88)\n  at main (main.go:31)"),
            );
            span.bytes(11, &event.0);
        }
        if call.kind == CONSUMER {
            let mut link = Message::default();
            link.bytes(1, &self.id);
            link.bytes(2, &parent.unwrap_or(id));
            span.bytes(13, &link.0);
        }
        let mut status = Message::default();
        if failed {
            status.bytes(2, b"request failed");
            status.number(3, 2);
        }
        span.bytes(15, &status.0);
        span.0
    }
}
