//! Service graphs: every rule of SPANMETRICS.md on a few spans, with the series written out by hand; received spans in
//! every order, and stored traces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod metrics_support;

use metrics_support::{
    CLIENT, CONSUMER, INTERNAL, MILLI, PRODUCER, SECOND, SERVER, START, With, double, int, request, resource, samples,
    service, span, text, written,
};
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use tracestore::{
    Snapshot,
    servicegraph::{Connection, Graph, GraphEdge, NodeKind, ServiceGraph, ServiceGraphConfig},
    spanmetrics::{FilterPolicy, PolicyCondition, PolicyMatch, PolicyValue, TextFormat, Window, for_each_span},
};

const TOTAL: &str = "traces_service_graph_request_total";
const FAILED: &str = "traces_service_graph_request_failed_total";
const SERVER_SUM: &str = "traces_service_graph_request_server_seconds_sum";
const CLIENT_SUM: &str = "traces_service_graph_request_client_seconds_sum";

type Change = fn(&mut ServiceGraphConfig);

const AS_IT_IS: Change = |_| {};

fn config(change: Change) -> ServiceGraphConfig {
    let mut config = ServiceGraphConfig::default();
    change(&mut config);
    config
}

fn feed(graph: &mut ServiceGraph, spans: Vec<ResourceSpans>, now: u64) {
    for_each_span(&request(spans), &mut |span| graph.observe(span, now));
}

fn text_of(graph: &ServiceGraph) -> String {
    written(TextFormat::Prometheus, |out| graph.write(out))
}

/// The series of spans that were received, after everything that waits was given up.
fn received(change: Change, spans: Vec<ResourceSpans>) -> String {
    let mut graph = ServiceGraph::new(config(change)).unwrap();
    feed(&mut graph, spans, START);
    graph.expire(START + 10 * SECOND);
    text_of(&graph)
}

fn snapshot(requests: &[Vec<ResourceSpans>]) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let store = tracestore::Store::open_or_create(&folder.path().join("store")).unwrap();
    for spans in requests {
        let file = folder.path().join("request");
        std::fs::write(&file, request(spans.clone())).unwrap();
        store.ingest([file], &mut |_| {}).unwrap();
    }
    let snapshot = store.snapshot().unwrap();
    (folder, snapshot)
}

fn stored(change: Change, spans: Vec<ResourceSpans>) -> String {
    let (_folder, snapshot) = snapshot(&[spans]);
    text_of(&ServiceGraph::of_snapshot(config(change), Window::all(), &snapshot).unwrap())
}

/// `request_total` of spans, the same in whichever order they come, and from a store.
fn totals(change: Change, spans: Vec<ResourceSpans>) -> Vec<String> {
    let text = received(change, spans.clone());
    let reversed = spans.iter().rev().cloned().collect();
    assert_eq!(samples(&received(change, reversed), TOTAL), samples(&text, TOTAL), "received backwards");
    assert_eq!(samples(&stored(change, spans), TOTAL), samples(&text, TOTAL), "stored");
    samples(&text, TOTAL).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_client_and_its_server() {
    let spans = vec![
        service("shop", vec![span(2, 1, CLIENT, "call").took(300)]),
        service("pay", vec![span(3, 2, SERVER, "pay").took(200).error(), span(4, 3, INTERNAL, "work")]),
    ];
    let labels = "client=\"shop\",server=\"pay\"";
    let mut expected = vec![
        "# HELP traces_service_graph_request_total Number of requests between two nodes.".to_owned(),
        "# TYPE traces_service_graph_request_total counter".to_owned(),
        format!("{TOTAL}{{{labels}}} 1"),
        "# HELP traces_service_graph_request_failed_total Number of failed requests between two nodes.".to_owned(),
        "# TYPE traces_service_graph_request_failed_total counter".to_owned(),
        format!("{FAILED}{{{labels}}} 1"),
    ];
    let bounds = ["0.1", "0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "12.8", "+Inf"];
    for (side, sum, counts) in
        [("server", "0.2", [0, 1, 1, 1, 1, 1, 1, 1, 1]), ("client", "0.3", [0, 0, 1, 1, 1, 1, 1, 1, 1])]
    {
        let name = format!("traces_service_graph_request_{side}_seconds");
        expected.push(format!("# HELP {name} Duration of requests as the {side} sees it."));
        expected.push(format!("# TYPE {name} histogram"));
        let buckets = bounds.iter().zip(counts);
        expected.extend(buckets.map(|(le, count)| format!("{name}_bucket{{{labels},le=\"{le}\"}} {count}")));
        expected.push(format!("{name}_sum{{{labels}}} {sum}"));
        expected.push(format!("{name}_count{{{labels}}} 1"));
    }
    let text = received(AS_IT_IS, spans.clone());
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    assert_eq!(stored(AS_IT_IS, spans), text);
}

#[test]
fn either_side_makes_a_request_fail() {
    let spans = |client: bool, server: bool| {
        let fail = |failed, span: opentelemetry_proto::tonic::trace::v1::Span| if failed { span.error() } else { span };
        vec![
            service("shop", vec![fail(client, span(2, 1, CLIENT, "call"))]),
            service("pay", vec![fail(server, span(3, 2, SERVER, "pay"))]),
        ]
    };
    let failed = [(false, false), (true, false), (false, true), (true, true)].map(|(client, server)| {
        samples(&received(AS_IT_IS, spans(client, server)), FAILED)[0].rsplit(' ').next().unwrap().to_owned()
    });
    assert_eq!(failed, ["0", "1", "1", "1"]);
}

#[test]
fn spans_of_other_traces_and_kinds_do_not_pair() {
    let spans = vec![
        service("shop", vec![span(2, 1, CLIENT, "call"), span(5, 1, INTERNAL, "work")]),
        service("pay", vec![span(3, 2, SERVER, "pay").trace(9), span(4, 5, SERVER, "pay")]),
    ];
    assert_eq!(totals(AS_IT_IS, spans.clone()), Vec::<String>::new());
    let mut graph = ServiceGraph::new(config(AS_IT_IS)).unwrap();
    feed(&mut graph, spans, START);
    graph.expire(START + 10 * SECOND - 1);
    assert_eq!((graph.counts().edges, graph.counts().expired), (0, 0));
    graph.expire(START + 10 * SECOND);
    assert_eq!((graph.counts().edges, graph.counts().expired), (0, 3));
}

#[test]
fn messages_pair_by_parent_and_by_link() {
    let by_parent = vec![
        service("shop", vec![span(2, 1, PRODUCER, "send")]),
        service("mail", vec![span(3, 2, CONSUMER, "receive").starts(50 * MILLI)]),
    ];
    let edge = ["{client=\"shop\",server=\"mail\",connection_type=\"messaging_system\"} 1"];
    assert_eq!(totals(AS_IT_IS, by_parent.clone()), edge);
    let by_link = vec![
        service("shop", vec![span(2, 1, PRODUCER, "send")]),
        service("mail", vec![span(3, 0, CONSUMER, "receive").trace(7).links(1, 2).starts(50 * MILLI)]),
    ];
    assert_eq!(totals(AS_IT_IS, by_link.clone()), edge);
    // Parent and link are the same producer: one message.
    let both = vec![by_parent[0].clone(), service("mail", vec![span(3, 2, CONSUMER, "receive").links(1, 2)])];
    assert_eq!(totals(AS_IT_IS, both), edge);
    // As Tempo has it: a consumer without a parent is called by a user.
    let user = ["{client=\"user\",server=\"mail\",connection_type=\"virtual_node\"} 1"];
    assert_eq!(totals(|config| config.links = false, by_link.clone()), user);
    // Sent for 10 ms, received 50 ms after the start.
    let latency: Change = |config| config.messaging_latency = true;
    for spans in [by_parent, by_link] {
        let text = received(latency, spans);
        let sum = samples(&text, "traces_service_graph_request_messaging_system_seconds_sum");
        assert_eq!(sum, ["{client=\"shop\",server=\"mail\",connection_type=\"messaging_system\"} 0.04"]);
    }
}

#[test]
fn a_link_to_nothing_is_no_edge() {
    let spans =
        vec![service("mail", vec![span(3, 0, CONSUMER, "receive").links(4, 4), span(5, 0, SERVER, "ask").links(3, 3)])];
    // Only consumers link to what called them.
    assert_eq!(totals(AS_IT_IS, spans), ["{client=\"user\",server=\"mail\",connection_type=\"virtual_node\"} 1"]);
}

#[test]
fn nodes_that_send_no_spans() {
    let spans = vec![service(
        "shop",
        vec![
            span(1, 0, SERVER, "root").took(40),
            span(2, 1, CLIENT, "charge").took(30).with(&[text("peer.service", "bank")]),
            span(3, 1, CLIENT, "who knows"),
            span(5, 0, SERVER, "told").with(&[text("peer.service", "browser")]),
        ],
    )];
    let edges = [
        "{client=\"browser\",server=\"shop\",connection_type=\"virtual_node\"} 1",
        "{client=\"shop\",server=\"bank\",connection_type=\"virtual_node\"} 1",
        "{client=\"user\",server=\"shop\",connection_type=\"virtual_node\"} 1",
    ];
    assert_eq!(totals(AS_IT_IS, spans.clone()), edges);
    // Only the side that was seen has a duration.
    let text = received(AS_IT_IS, spans.clone());
    assert_eq!(samples(&text, CLIENT_SUM), ["{client=\"shop\",server=\"bank\",connection_type=\"virtual_node\"} 0.03"]);
    assert_eq!(
        samples(&text, SERVER_SUM)[1],
        "{client=\"user\",server=\"shop\",connection_type=\"virtual_node\"} 0.04"
    );
    let labelled = received(|config| config.virtual_node_label = true, spans);
    assert_eq!(
        samples(&labelled, TOTAL)[1],
        "{client=\"shop\",server=\"bank\",connection_type=\"virtual_node\",virtual_node=\"server\"} 1"
    );
    assert!(samples(&labelled, TOTAL)[2].contains("connection_type=\"virtual_node\",virtual_node=\"client\""));
}

#[test]
fn databases_by_the_best_name_there_is() {
    let query = |id, attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]| {
        span(id, 1, CLIENT, "query").with(attributes).with(&[text("db.system", "postgresql")])
    };
    let spans = vec![service(
        "shop",
        vec![
            query(2, &[]).took(30).error(),
            query(3, &[text("db.name", "orders")]),
            query(4, &[text("db.name", "orders"), text("db.namespace", "shop.orders")]),
            query(
                5,
                &[text("db.name", "orders"), text("network.peer.address", "10.0.0.1"), int("network.peer.port", 5432)],
            ),
            query(6, &[text("network.peer.address", "10.0.0.2")]),
            query(7, &[text("server.address", "db.example"), text("network.peer.address", "10.0.0.1")]),
            query(8, &[text("peer.service", "ledger"), text("server.address", "db.example")]),
            span(9, 1, CLIENT, "new").with(&[text("db.system.name", "redis")]),
        ],
    )];
    let names = ["10.0.0.1:5432", "10.0.0.2", "db.example", "ledger", "orders", "postgresql", "redis", "shop.orders"];
    let edge = |name: &str| format!("{{client=\"shop\",server=\"{name}\",connection_type=\"database\"}} 1");
    assert_eq!(totals(AS_IT_IS, spans.clone()), names.map(edge));
    let text = received(AS_IT_IS, spans);
    // Both sides take as long as the client's span.
    let line = "{client=\"shop\",server=\"postgresql\",connection_type=\"database\"} 0.03";
    assert!(samples(&text, SERVER_SUM).contains(&line) && samples(&text, CLIENT_SUM).contains(&line));
    assert!(samples(&text, FAILED).contains(&line.replace("0.03", "1").as_str()));
}

#[test]
fn what_names_databases_and_other_nodes_is_configured() {
    let change: Change = |config| config.peer_attributes = vec!["net.peer".to_owned(), "peer.service".to_owned()];
    let named = [text("peer.service", "bank"), text("net.peer", "10.0.0.7")];
    let call = vec![service("shop", vec![span(2, 1, CLIENT, "charge").with(&named)])];
    assert_eq!(totals(change, call), ["{client=\"shop\",server=\"10.0.0.7\",connection_type=\"virtual_node\"} 1"]);
    let change: Change = |config| config.database_name_attributes = vec!["bucket".to_owned()];
    let spans = vec![service(
        "shop",
        vec![
            span(2, 1, CLIENT, "put").with(&[text("bucket", "invoices")]),
            span(3, 1, CLIENT, "query").with(&[text("db.system", "postgresql")]),
        ],
    )];
    let edges = [
        "{client=\"shop\",server=\"invoices\",connection_type=\"database\"} 1",
        "{client=\"shop\",server=\"postgresql\",connection_type=\"virtual_node\"} 1",
    ];
    assert_eq!(totals(change, spans), edges);
}

#[test]
fn dimensions_of_one_side_or_both() {
    let zone = |name: &str, zone: &str, spans| resource(&[text("service.name", name), text("zone", zone)], spans);
    let spans = || {
        vec![
            zone("shop", "a", vec![span(2, 1, CLIENT, "call").with(&[text("server", "x")])]),
            zone("pay", "b", vec![span(3, 2, SERVER, "pay")]),
        ]
    };
    let one: Change = |config| config.dimensions = vec!["zone".to_owned(), "server".to_owned()];
    assert_eq!(totals(one, spans()), ["{client=\"shop\",server=\"pay\",zone=\"b\",__server=\"x\"} 1"]);
    let both: Change = |config| {
        config.dimensions = vec!["zone".to_owned()];
        config.client_server_prefix = true;
    };
    assert_eq!(totals(both, spans()), ["{client=\"shop\",server=\"pay\",client_zone=\"a\",server_zone=\"b\"} 1"]);
}

#[test]
fn weights_and_policies() {
    let change: Change = |config| {
        config.span_multiplier_key = Some("ratio".to_owned());
        let value = PolicyValue::String("internal".to_owned());
        let condition = PolicyCondition { key: "name".to_owned(), value };
        let exclude = Some(PolicyMatch::Strict(vec![condition]));
        config.filter_policies = vec![FilterPolicy { exclude, ..FilterPolicy::default() }];
    };
    let ratio = [double("ratio", 0.5)];
    let spans = vec![
        service("shop", vec![span(2, 1, CLIENT, "call").with(&ratio).error(), span(4, 1, CLIENT, "internal")]),
        service("pay", vec![span(3, 2, SERVER, "pay").with(&ratio), span(5, 4, SERVER, "pay").with(&ratio)]),
    ];
    assert_eq!(totals(change, spans.clone()), ["{client=\"shop\",server=\"pay\"} 2"]);
    assert_eq!(samples(&received(change, spans), FAILED), ["{client=\"shop\",server=\"pay\"} 2"]);
}

#[test]
fn what_waits_is_bounded() {
    let mut graph = ServiceGraph::new(config(|config| config.max_items = 2)).unwrap();
    let clients = (2..6).map(|id| span(id, 1, CLIENT, "call")).collect();
    feed(&mut graph, vec![service("shop", clients)], START);
    assert_eq!(graph.counts().dropped, 2);
    // The server of one that has room is paired, and makes room.
    feed(&mut graph, vec![service("pay", vec![span(12, 2, SERVER, "pay")])], START);
    feed(&mut graph, vec![service("shop", vec![span(6, 1, CLIENT, "call")])], START + 9 * SECOND);
    feed(&mut graph, vec![service("pay", vec![span(16, 6, SERVER, "pay")])], START + 18 * SECOND);
    assert_eq!((graph.counts().edges, graph.counts().dropped), (2, 2));
    graph.expire(START + 30 * SECOND);
    assert_eq!((graph.counts().expired, graph.entities()), (1, 1));
    graph.remove_stale(START + 19 * SECOND);
    assert_eq!(graph.entities(), 0);
}

#[test]
fn stored_traces_pair_every_server_of_a_client() {
    let spans = vec![
        service("shop", vec![span(2, 1, CLIENT, "call")]),
        service("pay", vec![span(3, 2, SERVER, "first try"), span(4, 2, SERVER, "second try")]),
    ];
    assert_eq!(samples(&stored(AS_IT_IS, spans.clone()), TOTAL), ["{client=\"shop\",server=\"pay\"} 2"]);
    assert_eq!(samples(&received(AS_IT_IS, spans), TOTAL), ["{client=\"shop\",server=\"pay\"} 1"]);
}

#[test]
fn a_graph_over_time() {
    let calls = [1, 12, 31].into_iter().enumerate().map(|(index, seconds)| {
        let trace = u8::try_from(index).unwrap() + 1;
        vec![
            service("shop", vec![span(2, 1, CLIENT, "call").trace(trace).starts(seconds * SECOND - MILLI)]),
            service("pay", vec![span(3, 2, SERVER, "pay").trace(trace).starts(seconds * SECOND)]),
        ]
    });
    let (_folder, snapshot) = snapshot(&[calls.flatten().collect()]);
    let window = Window::in_steps(START, START + 30 * SECOND, 10 * SECOND);
    let graph = ServiceGraph::of_snapshot(config(AS_IT_IS), window, &snapshot).unwrap();
    let text = written(TextFormat::OpenMetrics, |out| graph.write(out));
    let counts = ["0 1700000000", "1 1700000010", "2 1700000020", "2 1700000030"];
    assert_eq!(samples(&text, TOTAL), counts.map(|count| format!("{{client=\"shop\",server=\"pay\"}} {count}")));
}

#[test]
fn what_a_consumer_links_to_may_lie_outside_of_the_window() {
    let sent = vec![service("shop", vec![span(2, 1, PRODUCER, "send")])];
    let late = vec![service("mail", vec![span(3, 0, CONSUMER, "receive").trace(7).links(1, 2).starts(3_600 * SECOND)])];
    let (_folder, snapshot) = snapshot(&[sent, late]);
    let window = Window::between(Some(START + SECOND), START + 7_200 * SECOND);
    let graph = Graph::of_snapshot(config(AS_IT_IS), window, &snapshot).unwrap();
    let edges: Vec<_> = graph.edges.iter().map(|edge| (edge.client.name.as_str(), edge.server.name.as_str())).collect();
    assert_eq!(edges, [("shop", "mail")]);
    assert_eq!(graph.nanos, 7_199 * SECOND);
}

fn shop() -> Snapshot {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
    Snapshot::open(&[path.into()]).unwrap()
}

/// The requests of the recording of the shop.
fn shop_requests() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
    let source = tracestore::otlp::MessageSource::open(path.as_ref()).unwrap();
    source.map(|request| request.unwrap().bytes.to_vec()).collect()
}

/// Lines without sums of seconds: they depend on the order of addition in their last digit.
fn counts(graph: &ServiceGraph) -> Vec<String> {
    text_of(graph).lines().filter(|line| !line.contains("_sum{")).map(str::to_owned).collect()
}

#[test]
fn the_shop_as_it_is_received() {
    let requests = shop_requests();
    let stored = ServiceGraph::of_snapshot(config(AS_IT_IS), Window::all(), &shop()).unwrap();
    for backwards in [false, true] {
        let mut graph = ServiceGraph::new(config(AS_IT_IS)).unwrap();
        let mut order: Vec<_> = requests.iter().collect();
        if backwards {
            order.reverse();
        }
        order.iter().for_each(|request| for_each_span(request, &mut |span| graph.observe(span, START)));
        graph.expire(START + 10 * SECOND);
        assert_eq!(counts(&graph), counts(&stored), "backwards: {backwards}");
        assert_eq!(graph.counts(), stored.counts());
    }
}

#[test]
fn the_shop_in_several_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let store = tracestore::Store::open_or_create(&folder.path().join("store")).unwrap();
    let requests = shop_requests();
    for part in 0..3 {
        let of_part = requests.iter().enumerate().filter(|(index, _)| index % 3 == part);
        let files = of_part.map(|(index, request)| {
            let file = folder.path().join(format!("{index}.otlp"));
            std::fs::write(&file, request).unwrap();
            file
        });
        store.ingest(files.collect::<Vec<_>>(), &mut |_| {}).unwrap();
    }
    let cut = store.snapshot().unwrap();
    assert_eq!(cut.blocks().len(), 3);
    let graph = |snapshot: &Snapshot| Graph::of_snapshot(config(AS_IT_IS), Window::all(), snapshot).unwrap();
    assert_eq!(graph(&cut), graph(&shop()));
    let series =
        |snapshot: &Snapshot| counts(&ServiceGraph::of_snapshot(config(AS_IT_IS), Window::all(), snapshot).unwrap());
    assert_eq!(series(&cut), series(&shop()));
}

/// Client, server, connection, requests, failed.
fn told(edge: &GraphEdge) -> (&str, &str, Connection, f64, f64) {
    (&edge.client.name, &edge.server.name, edge.connection, edge.traffic.requests, edge.traffic.failed)
}

#[test]
fn the_graph_of_the_shop() {
    let graph = Graph::of_snapshot(config(AS_IT_IS), Window::all(), &shop()).unwrap();
    let nodes: Vec<_> = graph.nodes.iter().map(|node| (node.id.kind, node.id.name.as_str())).collect();
    assert_eq!(
        nodes,
        [
            (NodeKind::Service, "api-gateway"),
            (NodeKind::Service, "crm-service"),
            (NodeKind::Service, "inventory-service"),
            (NodeKind::Service, "mail-worker"),
            (NodeKind::Service, "order-service"),
            (NodeKind::Service, "payment-service"),
            (NodeKind::Database, "redis"),
            (NodeKind::Database, "shop"),
            (NodeKind::Virtual, "payment-provider"),
            (NodeKind::Virtual, "user"),
        ]
    );
    let edges: Vec<_> = graph.edges.iter().map(told).collect();
    use Connection::{Database, Messaging, Request, VirtualNode};
    assert_eq!(
        edges,
        [
            ("api-gateway", "inventory-service", Request, 18.0, 0.0),
            // 5 failed in order-service, 17 more for the gateway alone.
            ("api-gateway", "order-service", Request, 127.0, 22.0),
            ("api-gateway", "redis", Database, 236.0, 0.0),
            ("api-gateway", "shop", Database, 36.0, 0.0),
            ("crm-service", "redis", Database, 105.0, 0.0),
            ("inventory-service", "shop", Database, 256.0, 0.0),
            ("mail-worker", "redis", Database, 118.0, 0.0),
            ("order-service", "crm-service", Request, 105.0, 0.0),
            ("order-service", "inventory-service", Request, 110.0, 0.0),
            ("order-service", "mail-worker", Messaging, 105.0, 0.0),
            ("order-service", "payment-service", Request, 110.0, 5.0),
            ("order-service", "redis", Database, 105.0, 0.0),
            ("order-service", "shop", Database, 215.0, 0.0),
            ("payment-service", "payment-provider", VirtualNode, 110.0, 5.0),
            ("user", "api-gateway", VirtualNode, 264.0, 5.0),
        ]
    );
    for edge in &graph.edges {
        let latency = edge.traffic.latency.unwrap();
        assert!(latency.p50 <= latency.p95 && latency.p95 <= latency.p99 && latency.p99 <= latency.max);
    }
}
