//! What is asked: the queries of the table, further ones, and what has no query language; each with what Tempo v3 took
//! for the recording on a machine of two cores, and the target, where there are such.

mod generated;
mod recording;

pub(crate) use generated::GENERATED;
pub(crate) use recording::{FURTHER, RECORDING};

/// How something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Limit 20, three spans of each trace.
    Search,
    /// Over all of the data, in steps of 15 s.
    Metrics,
    /// Another trace by its id each time.
    Trace,
    /// The names of attributes, of the spans that a query matches if there is one.
    TagNames(Option<&'static str>),
    /// The values of a field, of the spans that a query matches if there is one.
    TagValues(&'static str, Option<&'static str>),
}

/// How the time that something takes may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Ten times as long for ten times the spans: all of them matter.
    Scan,
    /// About the same for ten times the spans: the newest fill the limit, or there is nothing to read.
    Flat,
}

/// Something to ask. Times in ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    /// The query, or what is asked in words.
    pub(crate) text: &'static str,
    pub(crate) kind: Kind,
    pub(crate) growth: Growth,
    pub(crate) tempo_ms: Option<f64>,
    pub(crate) target_ms: Option<f64>,
}

impl Question {
    const fn new(kind: Kind, text: &'static str) -> Self {
        Self { text, kind, growth: Growth::Scan, tempo_ms: None, target_ms: None }
    }

    const fn flat(self) -> Self {
        Self { growth: Growth::Flat, ..self }
    }

    /// With what Tempo took, and the target.
    const fn beside(self, tempo_ms: f64, target_ms: f64) -> Self {
        Self { tempo_ms: Some(tempo_ms), target_ms: Some(target_ms), ..self }
    }
}

const fn search(text: &'static str) -> Question {
    Question::new(Kind::Search, text)
}

const fn metrics(text: &'static str) -> Question {
    Question::new(Kind::Metrics, text)
}

const ERRORS: Option<&str> = Some("{ status = error }");

/// What is asked of any data.
pub(crate) const BESIDES: [Question; 6] = [
    Question { target_ms: Some(1.0), ..Question::new(Kind::Trace, "trace by id").flat() },
    Question::new(Kind::TagNames(None), "tag names").flat(),
    Question::new(Kind::TagNames(ERRORS), "tag names of { status = error }"),
    Question::new(Kind::TagValues("span.user.id", None), "tag values of span.user.id"),
    Question::new(Kind::TagValues("resource.service.name", None), "tag values of resource.service.name"),
    Question::new(Kind::TagValues("name", ERRORS), "tag values of name, { status = error }"),
];

/// What ingest took Tempo, and the targets: CPU seconds, peak memory in MB, bytes per span.
pub(crate) const INGEST_CPU_S: (f64, f64) = (32.0, 4.0);
pub(crate) const PEAK_RSS_MB: (f64, f64) = (2_300.0, 400.0);
pub(crate) const BYTES_PER_SPAN: (f64, f64) = (104.0, 28.0);

/// A question by its text.
pub(crate) fn find(text: &str) -> Option<&'static Question> {
    let mut all = RECORDING.iter().chain(&FURTHER).chain(&GENERATED).chain(&BESIDES);
    all.find(|question| question.text == text)
}

impl Kind {
    /// Its name in figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Metrics => "metrics",
            Self::Trace => "trace",
            Self::TagNames(_) | Self::TagValues(..) => "tags",
        }
    }
}
