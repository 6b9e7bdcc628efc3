//! The naive evaluator itself gives the expected answers: only then can it judge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod naive;
mod support;

/// How many queries there are; the test fails if it compared fewer.
const QUERIES: usize = 257;

#[test]
fn the_judge_gives_the_expected_answers() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in support::RECORDINGS {
        let traces = naive::read_traces(&support::recording(name));
        for case in support::single_filters(name) {
            compared += 1;
            let difference = match traceql::compile(&case.query).and_then(|_| traceql::parse(&case.query)) {
                Ok(query) if case.code == 200 => {
                    support::difference(&case.answer, &naive::search(&query, &traces, Some(support::range(name))))
                }
                Ok(_) => Some(format!("an answer where an error ({}) is expected", case.code)),
                Err(error) if case.code == 200 => Some(error.to_string()),
                Err(_) => None,
            };
            wrong.extend(difference.map(|difference| format!("{name}: {}\n    {difference}", case.query)));
        }
    }
    println!("compared {compared} single-filter searches, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= QUERIES, "only {compared} of {QUERIES} queries were compared");
}
