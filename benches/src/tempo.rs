//! Any endpoint with Tempo's HTTP interface, for comparison: the recording is sent to it as OTLP over HTTP, then it is
//! asked what the store is asked.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::Value;
use tracestore::{Snapshot, otlp::MessageSource};
use ureq::Agent;

use crate::{
    Result,
    ask::{STEP, time_range},
    queries::{Kind, Question},
    report::QueryFigures,
    warm::quantiles,
};

#[derive(Debug, Clone, Args)]
pub(crate) struct Endpoint {
    /// The address of an endpoint with Tempo's interface, as `http://localhost:3200`: it is sent the recording, and asked
    /// the same.
    #[arg(long, value_name = "URL")]
    tempo: Option<String>,
    /// Where it takes OTLP over HTTP.
    #[arg(long, value_name = "URL", default_value = "http://localhost:4318", requires = "tempo")]
    otlp: String,
    /// How long to wait until it has all spans.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "tempo")]
    wait: u64,
}

impl Endpoint {
    pub(crate) fn is_given(&self) -> bool {
        self.tempo.is_some()
    }

    /// Sends the recording, and adds what the endpoint takes for each question.
    pub(crate) fn add(&self, queries: &mut [QueryFigures], store: &Path, data: &Path, repeat: usize) -> Result<()> {
        let Some(tempo) = &self.tempo else { return Ok(()) };
        let snapshot = Snapshot::open(&[store.to_owned()])?;
        let trace = snapshot.blocks().first().map(|block| block.summaries(&[0])).transpose()?;
        let client = Client {
            agent: Agent::config_builder().timeout_global(Some(Duration::from_secs(300))).build().new_agent(),
            tempo: tempo.trim_end_matches('/').to_owned(),
            range: time_range(&snapshot),
            trace: trace.and_then(|summaries| Some(summaries.first()?.trace_id.to_string())).unwrap_or_default(),
        };
        let begun = Instant::now();
        client.replay(self.otlp.trim_end_matches('/'), data)?;
        println!("sent in {:.1} s", begun.elapsed().as_secs_f64());
        client.wait(snapshot.blocks().iter().map(|block| block.spans()).sum(), Duration::from_secs(self.wait))?;
        for figures in queries {
            let Some(question) = figures.question() else { continue };
            let (median, results) = client.measure(question, repeat)?;
            (figures.endpoint_ms, figures.endpoint_results) = (Some(median), Some(results));
        }
        Ok(())
    }
}

/// A client of an endpoint.
struct Client {
    agent: Agent,
    tempo: String,
    /// From the first trace to the last, ns.
    range: (u64, u64),
    /// The trace that is looked up.
    trace: String,
}

impl Client {
    /// Sends every request of a file as it is.
    fn replay(&self, otlp: &str, data: &Path) -> Result<()> {
        let mut source = MessageSource::open(data)?;
        while let Some(request) = source.next().transpose()? {
            let post = self.agent.post(format!("{otlp}/v1/traces")).header("content-type", "application/x-protobuf");
            post.send(&request.bytes[..]).map_err(|error| format!("{otlp}: {error}"))?;
        }
        Ok(())
    }

    /// Waits until the endpoint counts so many spans.
    fn wait(&self, spans: u64, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            let counted = self.get("/api/metrics/query", 0, [("q", "{ } | count_over_time()".to_owned())])?;
            let counted = counted.pointer("/series/0/value").and_then(Value::as_f64).unwrap_or(0.0);
            if counted >= spans as f64 || begun.elapsed() >= limit {
                println!("the endpoint has {counted} of {spans} spans");
                return Ok(());
            }
            thread::sleep(Duration::from_secs(1));
        }
    }

    /// The median in ms, and the number of results. Metrics are asked over another range each time.
    fn measure(&self, question: &Question, repeat: usize) -> Result<(f64, usize)> {
        let mut times = Vec::new();
        let mut results = 0;
        for turn in 0..repeat.max(1) as u64 + 2 {
            let begun = Instant::now();
            results = self.ask(question, turn)?;
            if turn >= 2 {
                times.push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
        let [median] = quantiles(&mut times, [0.5]);
        Ok((median, results))
    }

    fn ask(&self, question: &Question, turn: u64) -> Result<usize> {
        let count = |answer: &Value, list: &str| answer.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        let query = |query: Option<&'static str>| query.map(|query| ("q", query.to_owned()));
        Ok(match question.kind {
            Kind::Search => {
                let limits = [("limit", "20".to_owned()), ("spss", "3".to_owned())];
                let answer = self.get("/api/search", 0, limits.into_iter().chain(query(Some(question.text))))?;
                count(&answer, "traces")
            }
            Kind::Metrics => {
                let step = ("step", format!("{}s", STEP / 1_000_000_000));
                let asked = query(Some(question.text)).into_iter().chain([step]);
                count(&self.get("/api/metrics/query_range", turn, asked)?, "series")
            }
            Kind::Trace => usize::from(self.get(&format!("/api/traces/{}", self.trace), 0, [])?.is_object()),
            Kind::TagNames(filter) => {
                let answer = self.get("/api/v2/search/tags", 0, query(filter))?;
                let scopes = answer.get("scopes").and_then(Value::as_array).into_iter().flatten();
                scopes.map(|scope| count(scope, "tags")).sum()
            }
            Kind::TagValues(field, filter) => {
                count(&self.get(&format!("/api/v2/search/tag/{field}/values"), 0, query(filter))?, "tagValues")
            }
        })
    }

    /// The answer of a path about the range, which begins so many seconds earlier.
    fn get(
        &self,
        path: &str,
        earlier: u64,
        parameters: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Value> {
        let (start, end) = (self.range.0 / 1_000_000_000 - earlier, self.range.1 / 1_000_000_000 + 1);
        let get = self.agent.get(format!("{}{path}", self.tempo)).header("accept", "application/json");
        let get = get.query("start", start.to_string()).query("end", end.to_string());
        let get = parameters.into_iter().fold(get, |get, (name, value)| get.query(name, value));
        let failed = |error: ureq::Error| format!("{}{path}: {error}", self.tempo);
        let bytes = get.call().map_err(failed)?.body_mut().with_config().limit(1 << 30).read_to_vec();
        Ok(serde_json::from_slice(&bytes.map_err(failed)?)?)
    }
}
