//! Every search of the recordings gets its expected answer from the engine, through the
//! `tempo` output format.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use traceql::{Engine, SearchOptions, output::search_to_tempo};
use tracestore::Snapshot;

/// How many queries there are; the test fails if it compared fewer.
const QUERIES: usize = 879;

#[tokio::test]
async fn every_search_gets_its_expected_answer() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in support::RECORDINGS {
        let engine = Engine::new(Snapshot::open(&[support::recording(name)]).unwrap());
        let (start, end) = support::range(name);
        let second = 1_000_000_000;
        let options = SearchOptions::default()
            .with_time(Some(start * second), Some(end * second))
            .with_limit(100_000)
            .with_spss(0);
        for case in support::searches(name) {
            compared += 1;
            let answer = engine.search(&case.query, &options).await;
            let difference = match (&answer, case.code) {
                (Ok(response), 200) => {
                    support::difference(&case.answer, &support::normalise(&search_to_tempo(response)))
                }
                (Err(error), 200) => Some(error.to_string()),
                (Ok(_), code) => Some(format!("an answer where an error ({code}) is expected")),
                (Err(_), _) => None,
            };
            wrong.extend(difference.map(|difference| format!("{name}: {}\n    {difference}", case.query)));
        }
    }
    println!("compared {compared} searches, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= QUERIES, "only {compared} of {QUERIES} queries were compared");
}
