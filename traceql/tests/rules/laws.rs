//! The states of alerts against their definition, which looks at the whole history; evaluators that are put away and
//! taken up again; rule files of any text.

use proptest::prelude::*;
use traceql::rules::{AlertState, Evaluator, RuleFile, State, Template, unit::TestFile};

use super::script::{SECOND, Script, alert, run, sample};

/// At which seconds is evaluated, and whether there is a series then.
type History = Vec<(u64, bool)>;

/// The state after the last evaluation, by definition. An alert fires if at some evaluation the series had been there
/// without a break for `hold`, and since then was never away for `keep`.
fn state(history: &[(u64, bool)], hold: u64, keep: u64) -> AlertState {
    let start_of_run = |end: usize, there: bool| {
        let run = history[..=end].iter().rev().take_while(|(_, is_there)| *is_there == there);
        run.last().map(|(second, _)| *second)
    };
    let fired = |end: usize| start_of_run(end, true).is_some_and(|start| history[end].0 - start >= hold);
    let away = |at: usize| start_of_run(at, false).is_some_and(|start| history[at].0 - start >= keep);
    let last = history.len() - 1;
    if (0..=last).any(|end| fired(end) && (end..=last).all(|at| !away(at))) {
        AlertState::Firing
    } else if history[last].1 {
        AlertState::Pending
    } else {
        AlertState::Inactive
    }
}

fn history() -> impl Strategy<Value = History> {
    // Runs, so that something happens; never closer than the interval.
    prop::collection::vec((any::<bool>(), prop::collection::vec(10_u64..25, 1..5)), 1..10).prop_map(|runs| {
        let mut second = 1_000;
        let steps = runs.into_iter().flat_map(|(there, steps)| steps.into_iter().map(move |step| (step, there)));
        steps
            .map(|(step, there)| {
                second += step;
                (second, there)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn states_are_what_the_whole_history_says(
        a in history(), b in history(), hold in 0_u64..60, keep in 0_u64..60, restart in any::<bool>(),
    ) {
        let rules = alert(&[&format!("for: {hold}s"), &format!("keep_firing_for: {keep}s")]);
        let mut source = Script::default();
        // Two series that have nothing to do with each other.
        let histories: Vec<(&str, History)> = {
            let both = a.iter().zip(&b);
            vec![("a", a.clone()), ("b", both.map(|((second, _), (_, there))| (*second, *there)).collect())]
        };
        for (service, history) in &histories {
            for (second, _) in history.iter().filter(|(_, there)| *there) {
                let answer = source.answers.entry(*second).or_insert_with(|| Ok(Vec::new()));
                answer.as_mut().unwrap().push(sample(service, 1.0));
            }
        }
        let mut evaluator = Evaluator::new(rules.clone());
        let mut before = [AlertState::Inactive; 2];
        for count in 1..=histories[1].1.len() {
            let evaluation = run(evaluator.evaluate(&source, a[count - 1].0 * SECOND));
            let mut expected = Vec::new();
            for ((service, history), before) in histories.iter().zip(&mut before) {
                let now = state(&history[..count], hold, keep);
                if now != *before {
                    expected.push(((*service).to_owned(), *before, now));
                }
                *before = now;
            }
            let found = evaluation.changes.iter();
            let found: Vec<_> = found
                .map(|change| (change.alert.labels["resource.service.name"].clone(), change.from, change.to))
                .collect();
            prop_assert_eq!(found, expected, "after {} of {:?}", count, histories);
            let active = before.iter().filter(|state| **state != AlertState::Inactive).count();
            prop_assert_eq!(evaluator.alerts().count(), active);
            if restart {
                let kept = serde_json::to_vec(evaluator.state()).unwrap();
                evaluator = Evaluator::with_state(rules.clone(), serde_json::from_slice::<State>(&kept).unwrap());
            }
        }
    }

    #[test]
    fn no_text_breaks_the_readers(parts in prop::collection::vec(part(), 0..30)) {
        let text: String = parts.concat();
        let report = RuleFile::check(&text);
        prop_assert_eq!(report.rules.is_some(), !report.diagnostics.has_errors());
        for found in report.diagnostics.list() {
            let (line, column) = report.diagnostics.line_and_column(found);
            prop_assert!(line >= 1 && line <= text.lines().count() + 1 && column >= 1);
            prop_assert!(report.diagnostics.render(found).contains(&found.message));
        }
        let report = TestFile::check(&text);
        prop_assert_eq!(report.tests.is_some(), !report.diagnostics.has_errors());
        if let Ok(template) = Template::parse(&text) {
            let _ = template.expand(&super::script::labels(&[("a.b", "x")]), 1.5);
        }
    }
}

fn part() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "groups:",
        "tests:",
        "- name: g\n",
        "  rules:\n",
        "  - alert: A\n",
        "    expr: ",
        "'{ } | rate() > 1'\n",
        "for: 5m\n",
        "\n",
        " ",
        "    ",
        "\t",
        "|\n",
        ">-\n",
        "&a ",
        "*a ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "# x\n",
        "---\n",
        "é",
        "\r\n",
        "!!str ",
        "? ",
        ": ",
        "{{ $value }}",
        "{{",
        "}}",
        "$labels.a.b",
        "| humanize",
        "index $labels \"a\"",
        "%YAML 1.2\n",
        "spans: [{ start: -5s, every: 1s, count: 3, children: [{}] }]\n",
        "\\x41",
        "\u{85}",
        "\u{feff}",
        "\0",
    ]);
    words.prop_map(str::to_owned)
}
