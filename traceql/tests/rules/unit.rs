//! Unit tests of rules: those of the test data pass, and what does not hold is told apart.

use traceql::{
    BlockingEngine,
    rules::{
        AlertState, Evaluator, RuleFile,
        unit::{TestFile, TestResult},
    },
};

use super::{
    command::testdata,
    script::{SECOND, run},
};

fn results(name: &str, edit: impl Fn(String) -> String) -> Vec<TestResult> {
    let text = edit(std::fs::read_to_string(testdata(name)).unwrap());
    let report = TestFile::check(&text);
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(report.tests.unwrap().run(&testdata(""))).unwrap()
}

#[test]
fn the_tests_of_the_test_data_pass() {
    for (name, cases) in [("checkout.test.yaml", vec![9, 3]), ("shop.test.yaml", vec![15])] {
        let results = results(name, |text| text);
        assert!(results.iter().all(|result| result.failures.is_empty()), "{results:#?}");
        assert_eq!(results.iter().map(|result| result.cases).collect::<Vec<_>>(), cases, "{name}");
    }
}

#[test]
fn failures_say_what_is_and_what_should_be() {
    let edit = |text: String| {
        text.replace(
            "exp_state: pending, exp_labels: { resource.service.name: api-gateway",
            "exp_labels: { resource.service.name: api-gateway",
        )
        .replace("'api-gateway: 125 requests'", "'api-gateway: 126 requests'")
        .replace("          - exp_labels: { resource.service.name: inventory-service }\n", "")
        .replace(
            "{ labels: { resource.service.name: crm-service }, value: 44 }",
            "{ labels: { service: crm }, value: 44 }",
        )
        .replace("value: 58", "value: 59")
        .replace("eval_time: 16s, alertname: FailingRequests", "eval_time: 16s, alertname: Failing")
    };
    let results = results("shop.test.yaml", edit);
    let failures = results[0].failures.iter();
    let said: Vec<String> =
        failures.map(|failure| format!("{}\n{}", failure.what, failure.differences.join("\n"))).collect();
    let expected = [
        "alerts FailingRequests at 11s
  {alertname=\"FailingRequests\", resource.service.name=\"api-gateway\", severity=\"page\"} is to be firing and is pending",
        "alerts Busy at 12s
  annotations of {alertname=\"Busy\", resource.service.name=\"api-gateway\"}
  - summary: api-gateway: 126 requests
  + summary: api-gateway: 125 requests
+ firing {alertname=\"Busy\", resource.service.name=\"inventory-service\"}",
        "samples service:requests:count1s at 12s
- {service=\"crm\"} 44
  {resource.service.name=\"order-service\"} is to be 59 and is 58
+ {resource.service.name=\"crm-service\"} 44",
        "alerts Failing at 16s\nthere is no rule `Failing`",
    ];
    assert_eq!(said, expected);
    let places: Vec<_> = results[0].failures.iter().map(|failure| (failure.line, failure.column)).collect();
    assert_eq!(places[0], (15, 9));
}

/// What a host does: its clock, the store as it is then, and what changes.
#[test]
fn a_host_evaluates_rules_on_its_own_clock() {
    let rules = RuleFile::parse(&std::fs::read_to_string(testdata("shop.rules.yaml")).unwrap()).unwrap();
    let snapshot = tracestore::Snapshot::open(&[testdata("../otlp/shop.otlp.zst")]).unwrap();
    let engine = BlockingEngine::new(snapshot).unwrap();
    let mut evaluator = Evaluator::new(rules);
    let mut fired = Vec::new();
    for second in 1_795_171_417..1_795_171_440 {
        let evaluation = engine.evaluate_rules(&mut evaluator, second * SECOND);
        assert!(evaluation.failures.is_empty(), "{:?}", evaluation.failures);
        fired.extend(evaluation.changes.into_iter().filter(|change| change.to == AlertState::Firing));
    }
    // Three services fail, and three are busy, each once.
    assert_eq!(fired.len(), 6);
    assert_eq!(evaluator.alerts().count(), 0);
}

#[test]
fn rule_files_and_recordings_that_are_missing_are_named() {
    for (text, message) in [
        ("rule_files: [none.yaml]\ntests: [{ name: x }]\n", "none.yaml: No such file"),
        ("rule_files: [broken.rules.yaml]\ntests: [{ name: x }]\n", "broken.rules.yaml:\n"),
        ("tests: [{ input: none.otlp }]\n", "none.otlp: No such file"),
    ] {
        let tests = TestFile::check(text).tests.unwrap();
        let error = run(tests.run(&testdata(""))).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}
