//! Series as text: Prometheus's classic format (0.0.4) and OpenMetrics 1.0.

use std::io::{self, Write};

use super::{
    exposition::{Exposition, Family, FamilyKind},
    histogram::{Exemplar, Histogram},
    labels::Labels,
};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// `text/plain; version=0.0.4`
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`: with exemplars and an end mark.
    OpenMetrics,
}

/// Writes series as text. Native histograms have no form there: of a metric that has only those, sum and count are
/// written.
#[derive(Debug)]
pub struct TextWriter<W> {
    out: W,
    format: TextFormat,
    /// The label that exemplars carry their trace id in.
    exemplar_label: String,
    family: Option<Family>,
    begun: bool,
}

impl<W: Write> TextWriter<W> {
    /// A writer of an empty document.
    pub fn new(out: W, format: TextFormat) -> Self {
        Self { out, format, exemplar_label: super::EXEMPLAR_LABEL.to_owned(), family: None, begun: false }
    }

    /// The label that exemplars carry the trace id in; `traceID` by default.
    #[must_use]
    pub fn with_exemplar_label(self, label: &str) -> Self {
        Self { exemplar_label: super::sanitize_label(label), ..self }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn is_open(&self) -> bool {
        self.format == TextFormat::OpenMetrics
    }

    /// The family's name, with its heading when this is its first series.
    fn name(&mut self) -> io::Result<&'static str> {
        let Some(family) = self.family else { return Err(io::Error::other("a series without a family")) };
        let base = family.name.strip_suffix("_total").filter(|_| family.kind == FamilyKind::Counter && self.is_open());
        if !self.begun {
            self.begun = true;
            let base = base.unwrap_or(family.name);
            let kind = match family.kind {
                FamilyKind::Counter => "counter",
                FamilyKind::Gauge => "gauge",
                FamilyKind::Histogram => "histogram",
            };
            writeln!(self.out, "# HELP {base} {}\n# TYPE {base} {kind}", family.help)?;
        }
        Ok(family.name)
    }

    fn sample(
        &mut self,
        name: &str,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<f64>,
        value: f64,
        time: Option<u64>,
    ) -> io::Result<()> {
        write!(self.out, "{name}{suffix}")?;
        let bound = bound.map(|bound| self.bound(bound));
        let all = labels.iter().chain(bound.as_deref().map(|bound| ("le", bound)));
        let mut opening = "{";
        for (label, value) in all {
            write!(self.out, "{opening}{label}=\"")?;
            escaped(&mut self.out, value)?;
            write!(self.out, "\"")?;
            opening = ",";
        }
        let closing = if opening == "," { "}" } else { "" };
        write!(self.out, "{closing} {}", number(value))?;
        match time {
            Some(time) if self.is_open() => write!(self.out, " {}", seconds(time)),
            Some(time) => write!(self.out, " {}", time / 1_000_000),
            None => Ok(()),
        }
    }

    /// OpenMetrics wants bounds to be written as floats.
    fn bound(&self, bound: f64) -> String {
        let text = number(bound);
        let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if self.is_open() && is_whole { format!("{text}.0") } else { text }
    }

    fn exemplar(&mut self, exemplar: Option<&Exemplar>) -> io::Result<()> {
        let Some(Exemplar { trace_id, value, time }) = exemplar.filter(|_| self.is_open()) else { return Ok(()) };
        let (label, value, time) = (&self.exemplar_label, number(*value), seconds(*time));
        write!(self.out, " # {{{label}=\"{trace_id}\"}} {value} {time}")
    }
}

impl<W: Write> Exposition for TextWriter<W> {
    fn family(&mut self, family: &Family) -> io::Result<()> {
        (self.family, self.begun) = (Some(*family), false);
        Ok(())
    }

    fn number(&mut self, labels: Labels<'_>, time: Option<u64>, value: f64) -> io::Result<()> {
        let name = self.name()?;
        self.sample(name, "", labels, None, value, time)?;
        writeln!(self.out)
    }

    fn histogram(&mut self, labels: Labels<'_>, time: Option<u64>, histogram: &Histogram) -> io::Result<()> {
        let name = self.name()?;
        let mut has_buckets = false;
        for (bound, count, exemplar) in histogram.buckets() {
            has_buckets = true;
            self.sample(name, "_bucket", labels, Some(bound), count, time)?;
            self.exemplar(exemplar)?;
            writeln!(self.out)?;
        }
        if !has_buckets {
            self.sample(name, "_bucket", labels, Some(f64::INFINITY), histogram.count(), time)?;
            writeln!(self.out)?;
        }
        self.sample(name, "_sum", labels, None, histogram.sum(), time)?;
        writeln!(self.out)?;
        self.sample(name, "_count", labels, None, histogram.count(), time)?;
        writeln!(self.out)
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.is_open() {
            writeln!(self.out, "# EOF")?;
        }
        self.out.flush()
    }
}

fn escaped(out: &mut impl Write, value: &str) -> io::Result<()> {
    let mut rest = value;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        let (before, after) = rest.split_at(at);
        out.write_all(before.as_bytes())?;
        let mut characters = after.chars();
        match characters.next() {
            Some('\n') => out.write_all(b"\\n")?,
            Some(special) => write!(out, "\\{special}")?,
            None => {}
        }
        rest = characters.as_str();
    }
    out.write_all(rest.as_bytes())
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => value.to_string(),
    }
}

/// Unix seconds, with as many digits as it takes.
fn seconds(nanos: u64) -> String {
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:09}").trim_end_matches('0').to_owned() }
}
